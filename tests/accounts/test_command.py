"""``accounts ENV make|invite|codes|disable|list``, as a person runs it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from ledger_assets import people
from ledger_assets.accounts import mailboxes
from ledger_assets.cli.accounts import accounts
from ledger_assets.environment import Environment, read_settings
from ledger_assets.errors import LedgerError, TargetError
from tests.accounts.conftest import DOMAIN, People
from tests.lane.worlds import set_environ


@pytest.fixture
def staging(plain: People, database_url: str, tmp_path: Path) -> Iterator[People]:
    """The world's database as staging's, which is no platform's."""
    environ = {
        "LEDGER_HOME": str(tmp_path / "home"),
        "STAGING_DATABASE_URL": database_url,
        "AIRTABLE_API_KEY": "patSynthetic",
        "AIRTABLE_BASE_ID": "appAAAAAAAAAAAAAA",
    }
    with set_environ(environ):
        yield plain


def run(*arguments: str, environment: str = "staging") -> str:
    found = CliRunner().invoke(
        accounts, [environment, *arguments, *(["--as", "Kim"] * (arguments[0] != "list"))]
    )
    if found.exception is not None:
        raise found.exception
    assert found.exit_code == 0, found.output
    return found.output


def test_a_night_with_accounts(staging: People) -> None:
    nora, other = staging.teller(f"nora@{DOMAIN}"), staging.teller("kim@example.org")
    tried = run("make", "--dry-run")
    assert "accounts that would be made: 1\n" in tried
    assert "a dry run: nothing was changed" in tried
    made = run("make")
    assert made.startswith("accounts made and linked: 1\n")
    assert f"claim code instead, {mailboxes.PLACEHOLDER}: 1 ({staging.name(other)})\n" in made
    (of_run,) = re.findall(r"^run ([0-9a-f]{32}) ", made, re.M)
    assert "accounts made and linked: 0" in run("make")

    assert run("codes", "--dry-run").startswith("codes that would be issued: 1; standing: 0")
    said = run("codes").splitlines()
    assert said[0] == "codes issued: 1; standing: 0"
    path = Path(said[1].removeprefix("they are in "))
    assert path.parent == Path(path.parent.parent / "codes")
    code = path.read_text().splitlines()[1].split(",")[1]

    listed = json.loads(run("list", "--json"))
    assert listed == [
        {
            "storyteller": staging.name(nora),
            "account": str(staging.account(nora)),
            "state": "linked",
            "linked": True,
            "invited": False,
        }
    ]
    assert "storytellers: 2; linked 1; codes standing: 1" in run("list")
    assert run("disable", "--run", of_run).startswith("accounts disabled: 1; unlinked: 1;")
    assert staging.account(nora) is None
    for text in (
        tried,
        made,
        *said,
        run("list"),
        *(path.read_text() for path in path.parents[1].glob("logs/*")),
    ):
        assert "@" not in text
        assert code not in text
        assert "Invented" not in text


def test_an_erasure_takes_the_unused_account_too(staging: People) -> None:
    unused, used = staging.teller(f"nora@{DOMAIN}"), staging.teller(f"kim@{DOMAIN}")
    settings = read_settings(Environment.STAGING)
    run("make")
    assert people.remove_accounts_of_erased(settings, who="Kim") == []
    staging.world.do("update auth.users set last_sign_in_at = now() where email = %s", f"kim@{DOMAIN}")
    for person in (unused, used):
        request = staging.world.row("erasure_requests", scope="storyteller", storyteller_id=person,
                                    requested_by=staging.world.account())  # fmt: skip
        staging.world.do("select private.erase(%s)", request)
    assert people.remove_accounts_of_erased(settings, who="Kim") == [
        "unused accounts that were made for the erased, removed: 1",
        f"the account that was made for {used} is in use: ask them, then delete it",
    ]
    assert [email for email in staging.active() if email.endswith(DOMAIN)] == [f"kim@{DOMAIN}"]


def test_staging_invites_nobody(staging: People) -> None:
    staging.teller(f"nora@{DOMAIN}")
    run("make")
    with pytest.raises(LedgerError, match="production alone"):
        run("invite")


@pytest.mark.parametrize("command", ["make", "invite", "codes", "disable"])
def test_production_asks_for_its_name(tmp_path: Path, command: str) -> None:
    with (
        set_environ({"LEDGER_HOME": str(tmp_path / "home")}),
        pytest.raises(
            TargetError, match=f"accounts {command} into production refused: .*--confirm ledger_production"
        ),
    ):
        run(command, environment="production")
