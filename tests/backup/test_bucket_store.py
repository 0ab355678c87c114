"""A bucket as an object store, on two real servers: what is refused, repeated, aborted, and how it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ledger_assets.backup.settings import BucketSettings
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.storage import ObjectExists, ObjectMissing, ObjectStore, open_store
from ledger_assets.storage_s3 import UNASKED, Patience
from tests.backup import s3

IMPATIENT = Patience(
    retries=2,
    most=timedelta(seconds=20),
    backoff=timedelta(milliseconds=5),
    silence=timedelta(milliseconds=300),
)
BIG = 20_000_001


def opened(bucket: BucketSettings) -> ObjectStore:
    """The bucket's store, which gives up soon."""
    return open_store(bucket.url, bucket, patience=IMPATIENT)


def through(proxy: s3.Proxy, bucket: BucketSettings) -> ObjectStore:
    """The bucket's store behind the proxy."""
    return opened(replace(bucket, endpoint=proxy.endpoint))


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """A file of three parts."""
    path = tmp_path / "big"
    path.write_bytes(os.urandom(BIG))
    return path


def test_objects_come_back_as_they_were_written(s3_bucket: BucketSettings, big: Path) -> None:
    store = opened(s3_bucket)
    for key, data in {"a/empty": b"", "a/b/text": b"text", "a/über ß+%20": b"name"}.items():
        store.put(key, data)
        assert (store.get(key), store.size(key), store.peek(key, 3)) == (
            data,
            len(data),
            (len(data), data[:3]),
        )
    store.put("c/big", big)
    assert b"".join(store.chunks("c/big")) == big.read_bytes()
    assert store.peek("c/big", 22) == (BIG, big.read_bytes()[:22])
    assert [entry.key for entry in store.list("a")] == sorted(["a/empty", "a/b/text", "a/über ß+%20"])
    assert store.folders("") == ["a", "c"]
    store.put("a/b/text", b"other")
    store.delete("a/empty")
    store.delete("a/empty")
    assert (store.get("a/b/text"), store.size("a/empty")) == (b"other", None)
    for read in (store.get, lambda key: list(store.chunks(key)), lambda key: store.peek(key, 1)):
        with pytest.raises(ObjectMissing, match="object a/empty is not in s3://"):
            read("a/empty")


def test_two_environments_in_one_bucket_do_not_see_each_other(s3_bucket: BucketSettings) -> None:
    store = opened(s3_bucket)
    other = open_store(s3_bucket.url.replace("staging", "production"), s3_bucket)
    store.put("key", b"staging")
    assert (other.size("key"), list(other.list(""))) == (None, [])


def test_a_taken_key_is_never_overwritten(s3_bucket: BucketSettings, big: Path) -> None:
    store = opened(s3_bucket)
    for data in (b"text", big):
        key = "small" if data == b"text" else "big"
        store.put(key, data, create=True)
        with pytest.raises(ObjectExists, match=f"object {key} exists already"):
            store.put(key, b"other", create=True)
        with pytest.raises(ObjectExists):
            store.put(key, big, create=True)
    assert (store.get("small"), store.size("big")) == (b"text", BIG)


def test_of_two_writers_at_the_same_moment_one_is_refused(
    moto_server: s3.Server, moto_bucket: BucketSettings
) -> None:
    with s3.proxy(moto_server) as proxy:
        proxy.disturb = lambda seen: s3.Answer(404, "NoSuchKey") if seen.method == "HEAD" else None
        opened(moto_bucket).put("key", b"first")
        with pytest.raises(ObjectExists):
            through(proxy, moto_bucket).put("key", b"second", create=True)
    assert opened(moto_bucket).get("key") == b"first"


def test_a_lost_answer_is_not_taken_for_another_writer(s3_server: s3.Server) -> None:
    bucket = s3_server.bucket()
    with s3.proxy(s3_server) as proxy:
        proxy.disturb = lambda seen: (
            s3.Answer(500, forward=True)
            if seen.method == "PUT" and sum(one.method == "PUT" for one in proxy.seen) == 1
            else None
        )
        through(proxy, bucket).put("key", b"ours", create=True)
        assert sum(one.method == "PUT" for one in proxy.seen) == 2
    assert opened(bucket).get("key") == b"ours"


@pytest.mark.parametrize("written", [True, False])
def test_silence_at_a_create_is_asked_about_and_then_repeated(s3_server: s3.Server, written: bool) -> None:
    bucket = s3_server.bucket()
    with s3.proxy(s3_server) as proxy:

        def first_put(seen: s3.Seen) -> s3.Answer | None:
            if seen.method != "PUT" or sum(one.method == "PUT" for one in proxy.seen) > 1:
                return None
            if written:
                opened(bucket).put("key", b"ours")
            return s3.Answer(200, hang=True)

        proxy.disturb = first_put
        through(proxy, bucket).put("key", b"ours", create=True)
        with pytest.raises(ObjectExists):
            through(proxy, bucket).put("key", b"others", create=True)
        proxy.released.set()
    assert opened(bucket).get("key") == b"ours"


def test_trouble_that_passes_is_not_noticed(s3_server: s3.Server, big: Path) -> None:
    bucket = s3_server.bucket()
    with s3.proxy(s3_server) as proxy:
        store = through(proxy, bucket)
        met: set[str] = set()

        def once(seen: s3.Seen) -> s3.Answer | None:
            if seen.path in met:
                return None
            met.add(seen.path)
            return s3.Answer(503, "SlowDown")

        proxy.disturb = once
        store.put("big", big)
        met.clear()
        assert b"".join(store.chunks("big")) == big.read_bytes()
        proxy.disturb = lambda seen: (
            s3.Answer(200, cut=3_000_000)
            if seen.method == "GET" and sum(one.method == "GET" for one in proxy.seen) == 1
            else None
        )
        proxy.seen.clear()
        assert b"".join(store.chunks("big")) == big.read_bytes()


@pytest.mark.parametrize(
    "answer", [s3.Answer(500), s3.Answer(403, "AccessDenied"), s3.Answer(400, "ExpiredToken")]
)
def test_an_upload_that_fails_in_the_middle_leaves_no_parts(
    s3_server: s3.Server, big: Path, answer: s3.Answer
) -> None:
    bucket = s3_server.bucket()
    with s3.proxy(s3_server) as proxy:
        proxy.disturb = lambda seen: answer if seen.part and "partNumber=2" in seen.path else None
        with pytest.raises(StoreError, match="object big cannot be written"):
            through(proxy, bucket).put("big", big, create=True)
        assert any(seen.part for seen in proxy.seen)
    assert s3.dangling(s3_server, bucket) == []
    assert opened(bucket).size("big") is None


TOLD = {
    "expired": (s3.Answer(400, "ExpiredToken"), "ExpiredToken: the credentials have expired"),
    "forbidden": (s3.Answer(403, "AccessDenied"), "AccessDenied: the credentials may not do this"),
    "unknown key": (s3.Answer(403, "InvalidAccessKeyId"), "does not know AWS_ACCESS_KEY_ID"),
    "no bucket": (s3.Answer(404, "NoSuchBucket"), "NoSuchBucket: there is no such bucket"),
    "broken": (s3.Answer(500), "InternalError"),
    "slow": (s3.Answer(200, hang=True), "did not answer in time"),
}


@pytest.mark.parametrize("case", TOLD)
@pytest.mark.parametrize("verb", ["put", "get", "list", "delete"])
def test_what_does_not_pass_is_one_line_with_its_cause_and_no_secret(
    moto_server: s3.Server, moto_bucket: BucketSettings, case: str, verb: str
) -> None:
    acts: dict[str, Callable[[ObjectStore], object]] = {
        "put": lambda store: store.put("a/key", b"text"),
        "get": lambda store: store.get("a/key"),
        "list": lambda store: list(store.list("a/key")),
        "delete": lambda store: store.delete("a/key"),
    }
    answer, words = TOLD[case]
    bucket = replace(moto_bucket, session_token="synthetic-session-token")
    with s3.proxy(moto_server) as proxy:
        proxy.disturb = lambda _: answer
        store = through(proxy, bucket)
        with pytest.raises(StoreError, match="a/key cannot be") as caught:
            acts[verb](store)
    said = str(caught.value)
    assert words in said
    assert "\n" not in said
    for secret in (s3.ACCESS_KEY, s3.SECRET_KEY, "synthetic-session-token", proxy.endpoint):
        assert secret not in said + repr(store) + repr(bucket)


def test_a_wrong_secret_is_named(rclone_bucket: BucketSettings) -> None:
    store = opened(replace(rclone_bucket, secret_key="not/the/secret/key/at/all"))
    with pytest.raises(StoreError, match="SignatureDoesNotMatch: AWS_SECRET_ACCESS_KEY"):
        store.put("key", b"text")
    with pytest.raises(StoreError, match="403: the credentials"):
        store.size("key")


def test_a_store_that_is_not_there_is_named(moto_bucket: BucketSettings) -> None:
    store = opened(replace(moto_bucket, endpoint="http://127.0.0.1:9"))
    with pytest.raises(StoreError, match="cannot be reached: check AWS_ENDPOINT_URL"):
        store.size("key")


def test_thousands_of_objects_are_listed(rclone_server: s3.Server, rclone_bucket: BucketSettings) -> None:
    assert rclone_server.folder is not None
    folder = rclone_server.folder / s3.bucket_name(rclone_bucket) / "backups/staging/media"
    folder.mkdir(parents=True)
    for number in range(2_345):
        (folder / f"{number:05}.age").write_bytes(b"x")
    keys = [entry.key for entry in opened(rclone_bucket).list("media")]
    assert keys == [f"media/{number:05}.age" for number in range(2_345)]


@pytest.mark.parametrize("name", [*UNASKED, "AWS_SESSION_TOKEN"])
def test_a_variable_that_would_change_what_is_stored_is_refused(
    moto_bucket: BucketSettings, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "AES256")
    with pytest.raises(SettingsError, match=f"{name} is set in the environment"):
        opened(moto_bucket)


def test_variables_of_another_client_change_nothing(
    rclone_bucket: BucketSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "ANOTHER",
        "AWS_SECRET_ACCESS_KEY": "another",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_REGION": "us-east-1",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_BUCKET": "another",
    }.items():
        monkeypatch.setenv(name, value)
    store = opened(rclone_bucket)
    store.put("key", b"text")
    assert store.get("key") == b"text"


def test_without_keys_the_machines_role_is_used(
    rclone_bucket: BucketSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {
        "AccessKeyId": s3.ACCESS_KEY,
        "SecretAccessKey": s3.SECRET_KEY,
        "Token": "synthetic-role-token",
        "Expiration": "2099-01-01T00:00:00Z",
    }

    class Role(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(given).encode()
            self.send_response_only(200 if self.headers["Authorization"] == "synthetic" else 403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    (tmp_path / "token").write_text("synthetic")
    with ThreadingHTTPServer(("127.0.0.1", 0), Role) as role:
        threading.Thread(target=role.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{role.server_port}/role")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        store = opened(replace(rclone_bucket, access_key=None, secret_key=None))
        store.put("key", b"text")
        assert store.get("key") == b"text"
        role.shutdown()


def test_a_key_of_the_stores_is_asked_for(moto_server: s3.Server, moto_bucket: BucketSettings) -> None:
    arn = f"arn:aws:kms:{s3.REGION}:123456789012:key/abcd"
    opened(replace(moto_bucket, kms_key=arn)).put("key", b"text")
    head = moto_server.client().head_object(Bucket=s3.bucket_name(moto_bucket), Key="backups/staging/key")
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", arn)


UPLOAD = """
import os, resource, sys
from pathlib import Path
from ledger_assets.backup.settings import BucketSettings
from ledger_assets.storage import open_store
bucket = BucketSettings(*sys.argv[1:6])
store, big = open_store(bucket.url, bucket), Path(sys.argv[6])
def after(size):
    with big.open("wb") as file:
        file.truncate(size)
    store.put("big", big, create=True)
    for _ in store.chunks("big"):
        pass
    store.delete("big")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(after(40_000_000), after(400_000_000))
"""


def test_memory_does_not_grow_with_the_upload(rclone_bucket: BucketSettings, tmp_path: Path) -> None:
    b = rclone_bucket
    values = [str(b.url), str(b.endpoint), str(b.region), str(b.access_key), str(b.secret_key)]
    done = subprocess.run(
        [sys.executable, "-c", UPLOAD, *values, str(tmp_path / "big")],
        capture_output=True,
        text=True,
        check=True,
    )
    before, after = map(int, done.stdout.split())
    assert after - before < 100_000  # KiB
