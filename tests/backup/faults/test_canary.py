"""No byte of what people wrote lies in the vault unencrypted: words are planted everywhere and looked for in all of it."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from pathlib import Path

import psycopg
import pyrage
import pytest
from psycopg import sql

from ledger_assets.backup.contents import tables_of
from ledger_assets.backup.dump import schemas_of
from ledger_assets.backup.place import Place
from ledger_assets.backup.sealing import MAGIC, Damaged
from ledger_assets.backup.streams import Sink, Source
from ledger_assets.demo.postgres import OWNER, Cluster
from ledger_assets.errors import StoreError
from ledger_assets.storage import ObjectStore, open_store
from tests.backup import s3
from tests.backup.faults.places import Watched, everything, place_at, taken, verified
from tests.backup.merge.conftest import make_filled

WORD = "Kurrajong-Canary-7193"
PLAIN = ("MANIFEST.json", "RECOVERY.md")

OURS = {"migration.loads.export_id", "supabase_migrations.schema_migrations.version"}
"""Ids that we make ourselves; the manifest holds them so that a snapshot can be chosen without its key."""


def plant(admin_url: str, url: str) -> set[str]:
    """Put the word into every text column of every row, where its checks let it; the columns that have it."""
    with psycopg.connect(url) as conn:
        shapes = tables_of(conn, schemas_of(conn, "full"))
    planted = set()
    with psycopg.connect(admin_url) as conn:
        conn.execute("set session_replication_role = replica")  # no triggers, no foreign keys
        for shape in shapes:
            table = sql.Identifier(shape.schema, shape.name)
            for column, kind in conn.execute(
                "select attname, coalesce(format_type(atttypid, null), '') from pg_attribute "
                "where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' "
                "and attidentity = ''",
                (shape.key,),
            ).fetchall():
                values = {
                    "text": sql.SQL("coalesce({c}, '') || ' ' || {w}"),
                    "character varying": sql.SQL("coalesce({c}, '') || ' ' || {w}"),
                    "jsonb": sql.SQL(
                        "case jsonb_typeof({c}) when 'object' then {c} || jsonb_build_object({w}::text, {w}::text) "
                        "else jsonb_build_object({w}::text, {w}::text) end"
                    ),
                    "text[]": sql.SQL("array_append({c}, {w}::text)"),
                    "bytea": sql.SQL("convert_to({w}, 'UTF8')"),
                }
                if kind not in values or f"{shape.key}.{column}" in OURS:
                    continue
                value = values[kind].format(c=sql.Identifier(column), w=sql.Literal(WORD))
                try:
                    with conn.transaction():
                        done = conn.execute(
                            sql.SQL("update {} set {} = {}").format(table, sql.Identifier(column), value)
                        )
                    planted |= {f"{shape.key}.{column}"} if done.rowcount else set()
                except psycopg.Error:
                    continue  # a check, a length or an enumeration that does not take it
        conn.execute(sql.SQL("comment on table public.stories is {}").format(sql.Literal(WORD)))
        conn.execute(
            "update airtable.records r set raw = n.raw, sha256 = sha256(convert_to(n.raw, 'UTF8')) "
            "from (select record_id, jsonb_build_object('n', record_id, 'said', %s::text)::text raw "
            "from airtable.records) n "
            "where n.record_id = r.record_id",
            (WORD,),
        )
    return planted


@pytest.fixture(scope="module")
def planted_url(cluster: Cluster, migrated_template: str) -> str:
    """A filled database with the word everywhere."""
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        template = make_filled(cluster, migrated_template)
        names = map(sql.Identifier, ("planted", template, OWNER))
        admin.execute(sql.SQL("create database {} template {} owner {}").format(*names))
    columns = plant(cluster.admin_url("planted"), cluster.url("planted"))
    assert len(columns) > 60, sorted(columns)
    assert {
        "public.stories.title",
        "public.stories.transcript",
        "public.storytellers.name",
        "airtable.records.fields",
    } <= columns
    return cluster.url("planted")


def forms(word: str) -> set[bytes]:
    """As text, as hexadecimal, as base64 at each of the three places it may begin at."""
    text = word.encode()
    inner = {base64.b64encode(b"x" * n + text)[4:-4] for n in range(3)}
    return {text, text.hex().encode(), text.hex().upper().encode(), text.decode().encode("utf-16-le"), *inner}


def test_nothing_planted_is_found_in_any_byte_stored(
    s3_server: s3.Server, tmp_path: Path, planted_url: str, scratch_url: str
) -> None:
    data = f"a file that holds {WORD}".encode()
    sha256 = hashlib.sha256(data).hexdigest()
    files = open_store((tmp_path / "objects").as_uri())
    files.put(f"media/{WORD}.jpeg", data)
    with psycopg.connect(planted_url) as conn:
        conn.execute(
            "insert into airtable.attachments values ('appBase', 'tblS', 'rec1', 'fld1', 'att1', %s, 7, 'image/jpeg', %s, "
            "%s, null, sha256('x'), 'e1', 'e1') on conflict do nothing",
            (f"{WORD}.jpeg", sha256, f"media/{WORD}.jpeg"),
        )
    bucket = s3_server.bucket()
    place = place_at(tmp_path / "home", bucket, scratch_url=scratch_url)
    manifest = taken(place, files, planted_url)
    assert manifest.media_files == 1
    assert verified(place, manifest).passed
    client, name = s3_server.client(), s3.bucket_name(bucket)
    stored = {
        entry["Key"]: client.get_object(Bucket=name, Key=entry["Key"])["Body"].read()
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=name)
        for entry in page.get("Contents", [])
    }
    assert len(stored) > 60
    for key, content in stored.items():
        found = [form for form in forms(WORD) | forms(sha256) if form in content or form in key.encode()]
        assert not found, key
        unencrypted = key.endswith(PLAIN) or "/states/" in key
        assert unencrypted or content.startswith(MAGIC), key
        assert unencrypted == key.endswith((".json", ".md")), key


def test_without_encryption_nothing_is_stored(
    place: Place, tiny_url: str, files: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy(source: Source, sink: Sink, _recipients: object) -> None:
        while data := source.read():
            sink.write(data)

    before = everything(place.vault)
    monkeypatch.setattr(pyrage, "encrypt_io", copy)
    with pytest.raises(StoreError, match="was not sealed"):
        taken(place, files, tiny_url)
    assert everything(place.vault) == before


def test_a_store_that_keeps_something_else_is_noticed_at_once(
    place: Place, tiny_url: str, files: ObjectStore
) -> None:
    class Decrypting(Watched):
        def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
            super().put(key, b"plain words" if key.endswith(".age") else data, create=create)

    broken = replace(place, vault=Decrypting(place.vault, lambda *_: None))
    with pytest.raises(Damaged, match="is not what was just stored"):
        taken(broken, files, tiny_url)
    assert list(place.vault.list("snapshots")) == []
