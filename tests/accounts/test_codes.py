"""Claim codes: in one file, for whoever gets no account, and good for one claim that a steward confirms."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import psycopg
import pytest

from ledger_assets import people
from ledger_assets.accounts.codes import Issued
from ledger_assets.errors import LedgerError, SettingsError, TargetError
from tests.accounts.conftest import DOMAIN, People
from tests.schema.world import places_of

CLAIM = "select public.claim_storyteller(%s)"


def issue(everybody: People, **options: Any) -> Issued:
    return people.issue_codes(
        everybody.settings, everybody.conn, run_id="run-1", who="a tester", **{"days": 30, **options}
    )


def read(path: Path | None) -> list[dict[str, str]]:
    assert path is not None
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_code_leads_to_the_storyteller_once_a_steward_has_confirmed(either: People) -> None:
    community = either.world.community()
    person = either.teller(community_id=community)
    either.teller(f"nora@{DOMAIN}")
    issued = issue(either)
    assert (issued.issued, issued.standing) == (1, 0)
    (row,) = read(issued.path)
    assert row["storyteller"] == either.name(person)
    claimer, steward = either.world.account(), either.world.account()
    either.world.member(community, steward, "steward")
    assert either.world.ask("authenticated", claimer, CLAIM, row["code"]) == "waits for a steward"
    assert either.account(person) is None
    assert issue(either).standing == 1
    claim = either.world.one("select id from storyteller_claims")
    assert either.world.ask("authenticated", steward, "select public.confirm_claim(%s, true)", claim)
    assert either.account(person) == claimer


def test_the_file_is_its_owners_alone_and_holds_no_address(plain: People) -> None:
    plain.teller("zyzzyva@example.org")
    path = issue(plain).path
    assert path is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    (row,) = read(path)
    assert "zyzzyva" not in path.read_text()
    assert places_of(plain.world, row["code"]) == []
    assert "Invented" not in path.read_text()


def test_whoever_holds_one_gets_no_second_unless_it_was_lost(plain: People) -> None:
    plain.teller()
    first = issue(plain)
    assert issue(plain).path is None
    second = issue(plain, again=True)
    assert second.path != first.path
    claimer = plain.world.account()
    assert (
        plain.world.ask("authenticated", claimer, CLAIM, read(first.path)[0]["code"]) == "unknown or expired"
    )
    assert (
        plain.world.ask("authenticated", claimer, CLAIM, read(second.path)[0]["code"])
        == "waits for a steward"
    )


def test_who_gets_none(plain: People) -> None:
    claimed = plain.teller()
    plain.world.do("update storytellers set profile_id = %s where id = %s", plain.world.account(), claimed)
    plain.teller(deceased=True)
    plain.teller(source_deleted_at="2026-01-01")
    plain.teller(f"nora@{DOMAIN}")
    assert issue(plain, dry_run=True).issued == issue(plain).issued == 0


@pytest.mark.parametrize("days", [0, 91])
def test_a_code_has_an_end(plain: People, days: int) -> None:
    plain.teller()
    with pytest.raises(SettingsError, match="between 1 and 90"):
        issue(plain, days=days)


def test_without_a_file_no_code_counts(plain: People, tmp_path: Path) -> None:
    plain.teller()
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="cannot be written"):
        issue(plain, folder=tmp_path / "file")
    assert plain.world.one("select count(*) from storyteller_claims") == 0


def test_without_codes_no_file_stays(plain: People, tmp_path: Path) -> None:
    plain.teller()
    plain.world.do(
        "create function public.refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$"
    )
    plain.world.do(
        "create constraint trigger refuse after insert on storyteller_claims deferrable initially deferred "
        "for each row execute function public.refuse()"
    )
    with pytest.raises((LedgerError, psycopg.Error)):
        issue(plain, folder=tmp_path / "codes")
    assert list((tmp_path / "codes").iterdir()) == []


def test_a_freeze_refuses_them(plain: People) -> None:
    plain.teller()
    plain.world.freeze()
    with pytest.raises(TargetError, match="moving to the new archive"):
        issue(plain)
