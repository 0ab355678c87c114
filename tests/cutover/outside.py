"""What lies outside the database in a test of the night: people with addresses and accounts, the status page, time."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger_assets import connections, people

from .conftest import Night

OLD_ADDRESS = "had.one.before@mail.riverbend.org.au"


@dataclass
class Passing:
    """Time that passes when it is waited for; ``each`` is done in every wait."""

    each: Callable[[], object]
    passed: float = 0.0

    def now(self) -> float:
        return self.passed

    def wait(self, seconds: float) -> None:
        self.passed += seconds
        self.each()


def make_accounts(night: Night, run_id: str) -> int:
    """Two storytellers get addresses that can be theirs, and everybody an account who may; during the freeze, too."""
    with connections.database(night.settings, purpose="test") as connection:
        with connection.transaction():
            connection.execute("select set_config('migration.writer', 'on', true)")
            chosen = [
                row[0]
                for row in connection.execute(
                    "select id from public.storytellers where not deceased and source_deleted_at is null order by id limit 2"
                ).fetchall()
            ]
            connection.execute(
                "delete from public.storyteller_contacts where storyteller_id = any (%s)", (chosen,)
            )
            connection.execute(
                "insert into public.storyteller_contacts (id, storyteller_id, email) select gen_random_uuid(), one, "
                "'teller.' || substr(one::text, 1, 8) || '@mail.riverbend.org.au' from unnest(%s::uuid[]) one",
                (chosen,),
            )
        return people.make_accounts(
            night.settings, connection, run_id=run_id, who="a tester", during_freeze=True
        ).made


def sign_up(night: Night) -> str:
    """Somebody makes an account of their own; its id."""
    own = str(uuid.uuid4())
    night.query(
        "insert into auth.users (id, email, raw_app_meta_data) values (%s, %s, '{}') returning id",
        own,
        OLD_ADDRESS,
    )
    return own


def active(night: Night) -> list[str]:
    """Ids of the accounts that somebody can sign in with."""
    return [
        str(row[0])
        for row in night.query(
            "select id from auth.users where coalesce(banned_until < now(), true) order by id"
        )
    ]


def linked(night: Night) -> int:
    """Storytellers that an account is linked to."""
    ((count,),) = night.query("select count(*) from public.storytellers where profile_id is not null")
    return int(count)


def page(folder: Path) -> dict[str, Any]:
    """The status page's JSON."""
    found = json.loads((folder / "status.json").read_text())
    assert isinstance(found, dict)
    return found
