"""Airtable's Web API over a base file: one method per kind of request, JSON texts out.

No HTTP here (see :mod:`ledger_assets.demo.server`). Invariant: a request that is refused leaves the base as it was.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from ledger_assets.demo import files
from ledger_assets.demo.api_errors import ApiError, forbidden, not_found, unprocessable
from ledger_assets.demo.basefile import BaseFile, Comment, Row, tables_from_json, tables_to_json
from ledger_assets.demo.catalogue import Catalogue
from ledger_assets.demo.cells import encode, render
from ledger_assets.demo.changes import USER, Changes, new_id
from ledger_assets.demo.listing import Listings, Options, read_options, record_text, truth
from ledger_assets.demo.model import Field, Table, metadata
from ledger_assets.demo.webhooks import Webhooks

BATCH = 10
SCOPES = (
    "data.records:read",
    "data.records:write",
    "data.recordComments:read",
    "schema.bases:read",
    "webhook:manage",
)


class Api:
    """The API of one base."""

    def __init__(self, file: BaseFile, *, offset_minutes: float, attachment_url_seconds: float) -> None:
        self._file = file
        self._url_seconds = attachment_url_seconds
        self.base_id = file.get_meta("base_id")
        self.catalogue = Catalogue(tables_from_json(file.get_meta("tables")))
        self.listings = Listings(file, offset_minutes)
        self.webhooks = Webhooks(file)

    def check_base(self, base_id: str) -> None:
        """Raises 403 for any other base."""
        if base_id != self.base_id:
            raise forbidden()

    def whoami(self) -> str:
        """``GET /v0/meta/whoami``."""
        return encode({"id": USER["id"], "scopes": SCOPES})

    def bases(self) -> str:
        """``GET /v0/meta/bases``."""
        return encode(
            {"bases": [{"id": self.base_id, "name": "Synthetic base", "permissionLevel": "create"}]}
        )

    def tables(self, *, visible_field_ids: bool) -> str:
        """``GET /v0/meta/bases/{base}/tables``."""
        document = metadata(self.catalogue.tables)
        if visible_field_ids:
            for table in document["tables"]:
                for view in table["views"]:
                    view["visibleFieldIds"] = [f["id"] for f in table["fields"]]
        return encode(document)

    def create_field(self, table: Table, body: Mapping[str, Any]) -> str:
        """``POST .../tables/{table}/fields``: a field of a plain type."""
        options = body.get("options") or {}
        choices = tuple(choice["name"] for choice in options.get("choices", ()))
        added = Field(str(body["name"]), str(body["type"]), {} if choices else options, choices)
        self._recatalogue(self.catalogue.with_field(table, added))
        self._tell_field(table, "createdFieldsById", added.name, {"name": added.name, "type": added.type})
        return self._field(table.id, added.name)

    def rename_field(self, table: Table, field_id: str, body: Mapping[str, Any]) -> str:
        """``PATCH .../fields/{field}``: a new name, the same id."""
        if field_id not in self.catalogue.fields[table.id]:
            raise forbidden()
        name, kind = str(body["name"]), self.catalogue.fields[table.id][field_id].type
        self._recatalogue(self.catalogue.renamed(table, field_id, name))
        self._tell_field(table, "changedFieldsById", name, {"current": {"name": name, "type": kind}})
        return self._field(table.id, str(body["name"]))

    def _tell_field(self, table: Table, kind: str, name: str, body: Mapping[str, Any]) -> None:
        self.webhooks.record_field(table.id, kind, self.catalogue.table(table.id).field_id(name), body)
        self._file.db.commit()

    def _field(self, table_id: str, name: str) -> str:
        document = metadata(self.catalogue.tables)
        table = next(table for table in document["tables"] if table["id"] == table_id)
        return encode(next(f for f in table["fields"] if f["name"] == name))

    def _recatalogue(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._file.set_meta("tables", tables_to_json(catalogue.tables))
        self._file.db.commit()

    def records(self, table: Table, given: Mapping[str, Any], host: str) -> str:
        """``GET /v0/{base}/{table}`` and ``POST .../listRecords``."""
        options = read_options(self.catalogue, table, given)
        return self._render(self.listings.page(self.catalogue, table, options), host, by_id=options.by_id)

    def get(self, table: Table, record_id: str, given: Mapping[str, Any], host: str) -> str:
        """``GET /v0/{base}/{table}/{record}``."""
        row = self._row(table, record_id)
        return self._render(
            record_text(row, Options()), host, by_id=truth(given.get("returnFieldsByFieldId"))
        )

    def create(self, table: Table, body: Mapping[str, Any], host: str) -> str:
        """``POST /v0/{base}/{table}``: one record, or ``records``."""
        several = "records" in body
        wanted = _batch(body["records"] if several else [body])
        changes = Changes(self._file, self.catalogue)
        typecast = truth(body.get("typecast"))
        try:
            ids = [changes.create(table, item.get("fields", {}), typecast=typecast) for item in wanted]
            self._finish(changes)
        except ApiError:
            self._file.db.rollback()
            raise
        return self._written(ids, body, host, several=several)

    def update(
        self, table: Table, body: Mapping[str, Any], host: str, *, replace: bool, record_id: str = ""
    ) -> str:
        """``PATCH`` (merge) and ``PUT`` (replace) of one record or of ``records``."""
        if "performUpsert" in body:
            raise unprocessable("INVALID_REQUEST_UNKNOWN", "performUpsert is not offered by the local server")
        wanted = _batch([{**body, "id": record_id}] if record_id else body.get("records", []))
        changes = Changes(self._file, self.catalogue)
        typecast = truth(body.get("typecast"))
        try:
            for item in wanted:
                changes.update(table, item["id"], item.get("fields", {}), replace=replace, typecast=typecast)
            self._finish(changes)
        except ApiError:
            self._file.db.rollback()
            raise
        return self._written([item["id"] for item in wanted], body, host, several=not record_id)

    def delete(self, table: Table, record_ids: Iterable[str], *, several: bool) -> str:
        """``DELETE`` of one record or of ``records[]``."""
        wanted = _batch(list(record_ids))
        changes = Changes(self._file, self.catalogue)
        try:
            for record_id in wanted:
                changes.delete(table, record_id)
            self._finish(changes)
        except ApiError:
            self._file.db.rollback()
            raise
        deleted = [{"id": record_id, "deleted": True} for record_id in wanted]
        return encode({"records": deleted} if several else deleted[0])

    def comments(self, table: Table, record_id: str, given: Mapping[str, Any]) -> str:
        """``GET .../comments``: newest first, paged."""
        self._row(table, record_id)
        size = min(int(given.get("pageSize", 100)), 100)
        start = int(given["offset"]) if str(given.get("offset", "")).isdigit() else 0
        query = "select body from comments where record_id = ? order by position desc limit ? offset ?"
        found = [body for (body,) in self._file.db.execute(query, (record_id, size + 1, start))]
        offset = f'"{start + size}"' if len(found) > size else "null"
        return f'{{"comments":[{",".join(found[:size])}],"offset":{offset}}}'

    def add_comment(self, table: Table, record_id: str, body: Mapping[str, Any]) -> str:
        """``POST .../comments``."""
        row = self._row(table, record_id)
        comment = {
            "id": new_id("com"),
            "text": str(body["text"]),
            "createdTime": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
            "lastUpdatedTime": None,
            "author": USER,
        }
        position = self._file.one("select max(position) from comments where record_id = ?", record_id)
        following = 0 if position is None else position + 1
        text = encode(comment)
        self._file.add_comments([Comment(str(comment["id"]), row.record_id, following, text)])
        self._file.count_comments(record_id)
        self._file.db.commit()
        return text

    def delete_comment(self, table: Table, record_id: str, comment_id: str) -> str:
        """``DELETE .../comments/{comment}``."""
        self._row(table, record_id)
        self._file.db.execute("delete from comments where id = ? and record_id = ?", (comment_id, record_id))
        self._file.count_comments(record_id)
        self._file.db.commit()
        return encode({"id": comment_id, "deleted": True})

    def attachment(self, expires: str, attachment_id: str) -> tuple[bytes, str]:
        """A file's content and type. Raises 410 once the address has expired, 404 for an unknown file."""
        found = self._file.attachment(attachment_id)
        if found is None or not expires.isdigit():
            raise not_found()
        if int(expires) < time.time() * 1000:
            raise ApiError(410, '{"error":"URL_EXPIRED"}')
        return files.content(found.seed, found.type), found.type

    def commit(self) -> None:
        """Keep what the webhooks changed."""
        self._file.db.commit()

    def _finish(self, changes: Changes) -> None:
        change = changes.finish()
        self.webhooks.record(changes.catalogue, change)
        if changes.catalogue is not self.catalogue:
            self._tell_choices(changes.catalogue)
            self._recatalogue(changes.catalogue)
        self._file.db.commit()

    def _tell_choices(self, after: Catalogue) -> None:
        for table_id, fields in after.fields.items():
            for field_id, f in fields.items():
                if f.choices != self.catalogue.fields[table_id][field_id].choices:
                    body = {"current": {"name": f.name, "type": f.type}}
                    self.webhooks.record_field(table_id, "changedFieldsById", field_id, body)

    def _row(self, table: Table, record_id: str) -> Row:
        row = self._file.record(record_id)
        if row is None or self.catalogue.table_of(row).id != table.id:
            raise not_found()
        return row

    def _written(self, ids: Iterable[str], body: Mapping[str, Any], host: str, *, several: bool) -> str:
        rows = [row for row in map(self._file.record, ids) if row is not None]
        text = ",".join(record_text(row, Options()) for row in rows)
        text = f'{{"records":[{text}]}}' if several else text
        return self._render(text, host, by_id=truth(body.get("returnFieldsByFieldId")))

    def _render(self, text: str, host: str, *, by_id: bool) -> str:
        expires = int((time.time() + self._url_seconds) * 1000)
        return render(text, f"http://{host}/files/{expires}/", None if by_id else self.catalogue.names)


def _batch(records: Any) -> list[Any]:
    if not isinstance(records, list) or not 1 <= len(records) <= BATCH:
        raise unprocessable(
            "INVALID_REQUEST_UNKNOWN", f"records must be a list of 1 to {BATCH} records per request"
        )
    return records
