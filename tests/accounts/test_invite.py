"""Invitations: one mail each, once, when asked for, and from production alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger_assets import people
from ledger_assets.accounts.invite import Invited
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError, TargetError
from tests.accounts.conftest import DOMAIN, People

NORA, KIM = f"nora@{DOMAIN}", f"kim@{DOMAIN}"


def invite(project: People, **options: Any) -> Invited:
    return people.invite_accounts(project.settings, project.conn, run_id="run-1", who="a tester", **options)


def test_nobody_is_written_to_unless_it_is_asked_for_and_then_once(project: People) -> None:
    assert project.auth is not None
    project.teller(NORA)
    project.teller("placeholder@example.org")
    project.make()
    project.make()
    assert ("POST", "/invite") not in project.auth.calls
    assert invite(project, dry_run=True).invited == 1
    assert project.auth.invited == []
    assert invite(project).invited == 1
    assert invite(project) == Invited(0, 1, ())
    assert project.auth.invited == [NORA]


def test_one_that_was_sent_before_a_crash_is_recorded_and_not_repeated(project: People) -> None:
    assert project.auth is not None
    project.teller(NORA)
    project.make()
    invite(project)
    project.world.do("update migration.accounts set invited_at = null")
    assert invite(project).invited == 1
    assert project.auth.invited == [NORA]
    assert project.world.one("select invited_at is not null from migration.accounts")


def test_who_has_signed_in_was_disabled_or_moved_is_not_written_to(project: People) -> None:
    assert project.auth is not None
    confirmed, moved, banned = project.teller(NORA), project.teller(KIM), project.teller(f"lee@{DOMAIN}")
    project.make()
    project.world.do("update auth.users set email_confirmed_at = now() where email = %s", NORA)
    project.world.do(
        "update storyteller_contacts set email = %s where storyteller_id = %s", f"new@{DOMAIN}", moved
    )
    project.world.do("update auth.users set banned_until = 'infinity' where email = %s", f"lee@{DOMAIN}")
    project.world.do("update auth.users set banned_until = '2126-01-01' where email = %s", f"lee@{DOMAIN}")
    assert set(invite(project).passed) == {project.name(one) for one in (confirmed, moved, banned)}
    assert project.auth.invited == []


def test_the_projects_limit_of_mails_stops_it_and_the_rest_come_later(project: People) -> None:
    assert project.auth is not None
    for number in range(3):
        project.teller(f"nora{number}@{DOMAIN}")
    project.make()
    project.auth.mails = 2
    with pytest.raises(TargetError, match=r"run this later.*2 were invited"):
        invite(project)
    project.auth.mails = 3
    assert (invite(project).invited, len(set(project.auth.invited))) == (1, 3)


def test_staging_and_plain_postgres_invite_nobody(project: People, monkeypatch: pytest.MonkeyPatch) -> None:
    project.teller(NORA)
    project.make()
    staging = replace(project, settings=replace(project.settings, environment=Environment.STAGING))
    with pytest.raises(SettingsError, match="production alone"):
        invite(staging)
    monkeypatch.delenv("SUPABASE_URL")
    monkeypatch.delenv("SUPABASE_SERVICE_KEY")
    with pytest.raises(SettingsError, match="nobody can be invited"):
        invite(project)
