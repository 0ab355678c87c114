"""Webhooks: created, listed, deleted, and their payloads kept in order to be polled by cursor.

No notification is ever sent. Payloads have Airtable's second cell format where that differs and matters: select
options as objects, links as objects with the linked record's name.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ledger_assets.demo.api_errors import not_found, unprocessable
from ledger_assets.demo.basefile import BaseFile
from ledger_assets.demo.catalogue import Catalogue
from ledger_assets.demo.cells import FILES, decode, encode, unpack
from ledger_assets.demo.changes import USER, Change, Loaded, changed_fields, new_id
from ledger_assets.demo.derived import DERIVED_TYPES
from ledger_assets.demo.draft import iso
from ledger_assets.demo.model import Field, Table, choice

LIFETIME = timedelta(days=7)
MOST = 10
PAGE = 50


class Webhooks:
    """The webhooks of one base."""

    def __init__(self, file: BaseFile) -> None:
        self._file = file
        self.silent = False
        """True: only records that a request names are told, and none of what is computed or linked back from them. What
        Airtable tells of those is not promised."""

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """A new webhook. Raises 422 when there are ten or the specification is not complete."""
        try:
            filters = body["specification"]["options"]["filters"]
            filters["dataTypes"]
        except (KeyError, TypeError):
            raise unprocessable(
                "INVALID_REQUEST_UNKNOWN", "specification.options.filters.dataTypes is missing"
            ) from None
        if len(self._all()) >= MOST:
            raise unprocessable("TOO_MANY_WEBHOOKS_BY_USER_IN_BASE", "The base has ten webhooks")
        expires = iso(datetime.now(UTC) + LIFETIME)
        webhook = {
            "id": new_id("ach"),
            "areNotificationsEnabled": True,
            "cursorForNextPayload": 1,
            "isHookEnabled": True,
            "lastSuccessfulNotificationTime": None,
            "lastNotificationResult": None,
            "notificationUrl": body.get("notificationUrl"),
            "expirationTime": expires,
            "specification": body["specification"],
        }
        self._save(webhook)
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        return {"id": webhook["id"], "macSecretBase64": secret, "expirationTime": expires}

    def listed(self) -> dict[str, Any]:
        """All webhooks."""
        return {"webhooks": self._all()}

    def delete(self, webhook_id: str) -> None:
        """Delete a webhook and its payloads."""
        self._get(webhook_id)
        self._file.db.execute("delete from webhooks where id = ?", (webhook_id,))
        self._file.db.execute("delete from payloads where webhook_id = ?", (webhook_id,))

    def refresh(self, webhook_id: str) -> dict[str, Any]:
        """Seven more days."""
        webhook = self._get(webhook_id)
        webhook["expirationTime"] = iso(datetime.now(UTC) + LIFETIME)
        self._save(webhook)
        return {"expirationTime": webhook["expirationTime"]}

    def payloads(self, webhook_id: str, cursor: int, limit: int) -> str:
        """The payloads from ``cursor`` on, as the JSON of the answer. Raises 404 for a webhook that has ended."""
        if not self._get(webhook_id)["isHookEnabled"]:
            raise not_found()
        self.refresh(webhook_id)
        limit = max(1, min(limit, PAGE))
        query = "select position, body from payloads where webhook_id = ? and position >= ? order by position limit ?"
        found = self._file.db.execute(query, (webhook_id, cursor, limit + 1)).fetchall()
        more = len(found) > limit
        found = found[:limit]
        following = found[-1][0] + 1 if found else cursor
        bodies = ",".join(body for _, body in found)
        return f'{{"cursor":{following},"mightHaveMore":{str(more).lower()},"payloads":[{bodies}]}}'

    def record(self, catalogue: Catalogue, change: Change) -> None:
        """Add the payloads of one request's changes: what people changed, then what was computed from it."""
        webhooks = [one for one in self._all() if one["isHookEnabled"]]
        for source, derived in (("publicApi", False), ("system", True)):
            for webhook in webhooks:
                if derived and self.silent:
                    continue
                tables = self._tables(catalogue, change, webhook["specification"]["options"], source, derived)
                if tables:
                    self._append(webhook, source, tables)

    def record_field(self, table_id: str, kind: str, field_id: str, body: Mapping[str, Any]) -> None:
        """Add the payloads of a field's change. ``kind``: createdFieldsById or changedFieldsById."""
        for webhook in self._all():
            if "tableFields" in webhook["specification"]["options"]["filters"]["dataTypes"]:
                self._append(webhook, "publicApi", {table_id: {kind: {field_id: body}}})

    def expire(self) -> None:
        """As if nobody had asked for seven days: the webhooks have ended, their payloads are gone."""
        for webhook in self._all():
            past = iso(datetime.now(UTC) - timedelta(minutes=1))
            self._save(webhook | {"isHookEnabled": False, "expirationTime": past})
        self.purge()

    def purge(self, before: int = 10**9) -> None:
        """Delete payloads as Airtable does after seven days; their numbers are never used again."""
        self._file.db.execute("delete from payloads where position < ?", (before,))
        self._file.db.commit()

    def _append(self, webhook: dict[str, Any], source: str, tables: dict[str, Any]) -> None:
        position = webhook["cursorForNextPayload"]
        metadata: dict[str, Any] = (
            {"user": {**USER, "permissionLevel": "create"}} if source == "publicApi" else {}
        )
        payload = {
            "timestamp": iso(datetime.now(UTC)),
            "baseTransactionNumber": self._next_transaction(),
            "actionMetadata": {"source": source, "sourceMetadata": metadata},
            "payloadFormat": "v0",
            "changedTablesById": tables,
        }
        webhook["cursorForNextPayload"] = position + 1
        self._save(webhook)
        self._file.db.execute(
            "insert into payloads values (?, ?, ?)", (webhook["id"], position, encode(payload))
        )

    def _next_transaction(self) -> int:
        number = int(self._file.one("select value from meta where key = 'transaction'") or 0) + 1
        self._file.set_meta("transaction", str(number))
        return number

    def _tables(
        self, catalogue: Catalogue, change: Change, options: Mapping[str, Any], source: str, derived: bool
    ) -> dict[str, Any]:
        filters = options["filters"]
        if "tableData" not in filters["dataTypes"] or source not in filters.get("fromSources", [source]):
            return {}
        wanted = set(filters.get("changeTypes") or ("add", "remove", "update"))
        scope = filters.get("recordChangeScope")
        tables: dict[str, Any] = {}
        for loaded in change.records.values():
            if scope not in (None, loaded.table.id) or (self.silent and not loaded.direct):
                continue
            table = tables.setdefault(loaded.table.id, {})
            if loaded.before is None or loaded.deleted:
                if not derived:
                    self._added_or_removed(catalogue, table, loaded, wanted)
            elif "update" in wanted and (fields := list(_changed(catalogue, loaded, derived=derived))):
                previous = options.get("includes", {}).get("includePreviousCellValues", False)
                records = table.setdefault("changedRecordsById", {})
                records[loaded.row.record_id] = self._updated(catalogue, loaded, fields, previous=previous)
        return {table_id: table for table_id, table in tables.items() if table}

    def _added_or_removed(
        self, catalogue: Catalogue, table: dict[str, Any], loaded: Loaded, wanted: set[str]
    ) -> None:
        record_id = loaded.row.record_id
        if loaded.deleted and "remove" in wanted and loaded.before is not None:
            table.setdefault("destroyedRecordIds", []).append(record_id)
        elif not loaded.deleted and "add" in wanted:
            values = {f: self._value(catalogue, loaded.table, f, text) for f, text in loaded.cells.items()}
            created = {"createdTime": loaded.row.created, "cellValuesByFieldId": values}
            table.setdefault("createdRecordsById", {})[record_id] = created

    def _updated(
        self, catalogue: Catalogue, loaded: Loaded, fields: list[str], *, previous: bool
    ) -> dict[str, Any]:
        def values(cells: Mapping[str, str]) -> dict[str, Any]:
            return {
                f: None if f not in cells else self._value(catalogue, loaded.table, f, cells[f])
                for f in fields
            }

        changed = {"current": {"cellValuesByFieldId": values(loaded.cells)}}
        if previous:
            changed["previous"] = {"cellValuesByFieldId": values(loaded.before or {})}
        return changed

    def _value(self, catalogue: Catalogue, table: Table, field_id: str, text: str) -> Any:
        f: Field = catalogue.fields[table.id][field_id]
        value = decode(text.replace(FILES, ""))
        if f.type == "singleSelect":
            return choice(table, f, value)
        if f.type == "multipleSelects":
            return [choice(table, f, name) for name in value]
        if f.type == "multipleRecordLinks":
            return [{"id": record_id, "name": self._name(catalogue, record_id)} for record_id in value]
        return value

    def _name(self, catalogue: Catalogue, record_id: str) -> str:
        row = self._file.record(record_id)
        if row is None:
            return ""
        table = catalogue.table_of(row)
        text = unpack(row.cells).get(table.field_id(table.fields[0].name))
        return "" if text is None else str(decode(text.replace(FILES, "")))

    def _all(self) -> list[dict[str, Any]]:
        return [
            json.loads(body) for (body,) in self._file.db.execute("select body from webhooks order by id")
        ]

    def _get(self, webhook_id: str) -> dict[str, Any]:
        body = self._file.one("select body from webhooks where id = ?", webhook_id)
        if body is None:
            raise not_found()
        found: dict[str, Any] = json.loads(body)
        return found

    def _save(self, webhook: Mapping[str, Any]) -> None:
        self._file.db.execute(
            "insert or replace into webhooks values (?, ?)", (webhook["id"], json.dumps(webhook))
        )


def _changed(catalogue: Catalogue, loaded: Loaded, *, derived: bool) -> Iterable[str]:
    fields = catalogue.fields[loaded.table.id]
    return (f for f in changed_fields(loaded) if (fields[f].type in DERIVED_TYPES) is derived)
