"""Killed before or after any request: the same again finishes, and the way back leaves no half account."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tests.accounts.conftest import DOMAIN, People
from tests.accounts.gotrue import KEY

NORA, KIM = f"nora@{DOMAIN}", f"kim@{DOMAIN}"
REQUESTS = 4
"""Of making two accounts: the project's settings, its accounts, and one each."""


def killed(people: People, database_url: str, what: str, moment: str, number: int) -> bool:
    """Run ``what`` and kill it at its ``number``-th request, ``before`` or ``after`` Auth has done it; was it?"""
    assert people.auth is not None
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.accounts.killed", what, database_url, str(people.settings.home)],
        env={**os.environ, "SUPABASE_URL": people.auth.url, "SUPABASE_SERVICE_KEY": KEY},
        stderr=subprocess.PIPE,
    )
    people.auth.calls.clear()

    def kill(request: int) -> None:
        if request == number:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    setattr(people.auth, moment, kill)
    _, err = process.communicate()
    with people.auth.busy:  # what was under way reaches Auth all the same
        pass
    setattr(people.auth, moment, lambda _: None)
    assert process.returncode in (0, -signal.SIGKILL), err
    return process.returncode != 0


@pytest.mark.parametrize("wished_ids", [True, False])
@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, REQUESTS + 1))
def test_making(project: People, database_url: str, moment: str, number: int, wished_ids: bool) -> None:
    assert project.auth is not None
    project.auth.wished_ids = wished_ids
    nora, kim = project.teller(NORA), project.teller(KIM)
    assert killed(project, database_url, "make", moment, number)

    project.take_back(of_run="run-0")
    assert project.active() == []
    assert (project.account(nora), project.account(kim)) == (None, None)

    project.make()
    assert project.active() == [KIM, NORA]
    assert {project.state(nora), project.state(kim)} == {"linked"}
    for person, email in ((nora, NORA), (kim, KIM)):
        assert (
            project.world.one("select email from auth.users where id = %s", project.account(person)) == email
        )
    assert (
        project.world.one("select count(*) from profiles")
        == project.world.one("select count(*) from auth.users")
        == 2
    )


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, 5))
@pytest.mark.parametrize("then", ["back", "make"])
def test_taking_back(project: People, database_url: str, moment: str, number: int, then: str) -> None:
    nora, kim = project.teller(NORA), project.teller(KIM)
    project.make()
    assert killed(project, database_url, "back", moment, number)
    if then == "back":
        project.take_back()
        assert project.active() == []
        assert (project.account(nora), project.account(kim)) == (None, None)
    else:
        project.make()
        assert project.active() == [KIM, NORA]
        assert None not in (project.account(nora), project.account(kim))


def test_an_account_that_came_to_be_after_it_was_taken_back_is_found_by_its_mark(project: People) -> None:
    project.teller(NORA)
    project.make()
    project.world.do("update storytellers set profile_id = null")
    project.world.do("delete from migration.accounts")
    assert project.take_back(dry_run=True).disabled == 1
    assert project.take_back().disabled == 1
    assert project.active() == []


def test_an_answer_that_is_lost_is_asked_for_again(project: People, monkeypatch: pytest.MonkeyPatch) -> None:
    assert project.auth is not None
    person = project.teller(NORA)
    answer = project.auth.answer
    lost: list[object] = []

    def losing(*request: object) -> object:
        found = answer(*request)  # type: ignore[arg-type]  # handed on as it came
        if request[0] == "POST" and not lost:
            lost.append(request)
            return 502, {"msg": "bad gateway"}
        return found

    monkeypatch.setattr(project.auth, "answer", losing)
    assert project.make().made == 1
    assert lost
    assert project.state(person) == "linked"
    assert project.active() == [NORA]
