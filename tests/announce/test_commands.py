"""The commands as a person runs them: a process of its own, the real embedded database of the synthetic world."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from ledger_assets import connections, doctor, events
from ledger_assets.announce.contacts import EXAMPLE
from ledger_assets.errors import SettingsError
from tests.announce.world import PEOPLE, World


@pytest.fixture
def soon(ours: World) -> World:
    """A window that begins in twelve hours by this machine's clock."""
    ours.more = {"MIGRATION_AT": (datetime.now(UTC) + timedelta(hours=12)).isoformat(timespec="minutes")}
    return ours


def run(ours: World, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    kept = {"PATH": os.environ["PATH"], "HOME": str(ours.folder), "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", "from ledger_assets.cli import main; main()", *arguments],
        env={**kept, **ours.environ, **more},
        capture_output=True,
        text=True,
        check=False,
        cwd=ours.folder,
    )


def test_announced_once_again_to_nobody_and_recorded(soon: World) -> None:
    command = ("announce", "production", "day_before", "--confirm", "ledger_production")
    first, second = run(soon, *command), run(soon, *command, "--json")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert (
        "day_before, people: sent to 3, 0 had it, 0 wait, 0 refused by their server (3 in all)"
        in first.stdout
    )
    assert json.loads(second.stdout)["people"] == {
        "recipients": 3,
        "sent": 0,
        "before": 3,
        "refused": 0,
        "waiting": 0,
    }
    assert soon.got == list(PEOPLE)
    assert len(soon.told) == 1
    logs = "".join(path.read_text() for path in (soon.folder / "home" / "logs").iterdir())
    assert "announce {" in logs
    assert not any(person in first.stdout + first.stderr + logs for person in PEOPLE)
    with connections.database(soon.production, purpose="test") as connection:
        found = [(one.outcome, one.detail["step"]) for one in events.read(connection, actions=["announce"])]
    assert found == [("done", "day_before"), ("done", "day_before")]


def test_whoever_was_not_reached_makes_it_exit_1(soon: World) -> None:
    soon.box.refuses = {PEOPLE[2]}
    done = run(soon, "announce", "production", "day_before", "--confirm", "ledger_production")
    assert done.returncode == 1
    assert "sent to 2, 0 had it, 1 wait" in done.stdout
    assert "1 times answer 550" in done.stdout
    assert done.stderr.strip() == (
        "ledger-assets: not everybody was reached: run it again, those who have it get nothing twice"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["production", "day_before"], "--confirm ledger_production"),
        (["production", "day_before", "--confirm", "other"], "--confirm ledger_production"),
        (["staging", "day_before"], "announcements are never sent from staging: --dry-run shows them"),
        (["production", "tomorrow"], "'tomorrow' is not one of"),
        (
            ["production", "begun", "--confirm", "ledger_production"],
            "begun: the window of MIGRATION_AT begins",
        ),
        (["production", "done", "--confirm", "ledger_production"], "done: the app reads from airtable"),
    ],
)
def test_refused_is_exit_2_in_a_line_and_nobody_is_told(
    soon: World, arguments: list[str], words: str
) -> None:
    done = run(soon, "announce", *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert (soon.got, soon.told) == ([], [])


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_dry_run_shows_the_text_and_how_many_and_nobody(soon: World, environment: str) -> None:
    done = run(soon, "announce", environment, "week_before", "--dry-run", BACKUP_SMTP_URL="")
    assert done.returncode == 0
    assert done.stdout.startswith("Subject: The Empathy Ledger moves house on ")
    assert "nothing was sent; it would go to 3 recipients" in done.stdout
    assert not any(person in done.stdout for person in PEOPLE)
    as_json = json.loads(run(soon, "announce", environment, "week_before", "--dry-run", "--json").stdout)
    assert (as_json["recipients"], as_json["dry_run"]) == (3, True)
    assert (soon.got, soon.told) == ([], [])
    assert not soon.public.exists()


def test_the_status_page_is_written_to_be_looked_at_and_published_nowhere(soon: World) -> None:
    done = run(soon, "status-page", "production", "--out", str(soon.folder / "look"))
    assert done.stdout.strip() == f"open {(soon.folder / 'look' / 'index.html').as_uri()}"
    assert "We move house on" in (soon.folder / "look" / "index.html").read_text()
    assert not soon.public.exists()
    found = json.loads(run(soon, "status-page", "staging", "--json").stdout)
    assert found["phase"] == "planned"
    assert "MIGRATION_AT is not set" in run(soon, "status-page", "production", MIGRATION_AT="").stderr


def test_whom_to_call(ours: World) -> None:
    shown = run(ours, "contacts")
    assert "these people are invented" in shown.stdout
    assert "Database Admin: Robin Example, +61 7 5550 0101" in shown.stdout
    assert "2. CTO: Lee Example" in shown.stdout
    own = ours.folder / "own.toml"
    own.write_text(run(ours, "contacts", "--example").stdout.replace("Robin Example", "Dana Example"))
    assert own.read_text() == EXAMPLE.read_text().replace("Robin", "Dana")
    found = json.loads(run(ours, "contacts", "--json", LEDGER_CONTACTS=str(own)).stdout)
    assert found["technical"][0]["name"] == "Dana Example"
    assert [step["contact"]["role"] for step in found["escalation"]][1] == "CTO"
    own.write_text("platform = 7")
    wrong = run(ours, "contacts", LEDGER_CONTACTS=str(own))
    assert wrong.returncode == 2
    assert all("LEDGER_CONTACTS: own.toml: " in line for line in wrong.stderr.strip().splitlines())


def test_a_database_that_is_gone_does_not_keep_people_from_being_told(soon: World) -> None:
    environ = {
        "DATABASE_URL": "postgresql://postgres:hunter2secret@127.0.0.1:1/app",
        "AIRTABLE_API_KEY": "pat0sentinel",
        "AIRTABLE_BASE_ID": "appABCDEFGHIJKLMN",
        "LEDGER_CONTACTS": str(EXAMPLE),
    }
    done = run(soon, "announce", "production", "day_before", "--confirm", "127.0.0.1/app", **environ)
    assert done.returncode == 0
    assert "it was announced, but not recorded in the database" in done.stderr
    assert "hunter2secret" not in done.stderr
    assert soon.got == list(PEOPLE)


def test_doctor_looks_at_the_announcements_of_production(
    soon: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_up(**more: str) -> None:
        for name, value in (soon.environ | more).items():
            monkeypatch.setenv(name, value)

    probe = doctor.PROBES["announcements"]
    set_up()
    found = {line.name: line for line in probe(soon.production)}
    assert found["announcements"].ok
    assert found["announcements"].found.startswith("3 recipients; the window begins ")
    assert found["status page"].ok
    assert list(probe(soon.staging)) == []
    set_up(STATUS_PAGE_URL="")
    assert [line.name for line in probe(soon.production) if not line.ok] == ["status page"]
    soon.people("nobody")
    with pytest.raises(SettingsError, match="no e-mail address in line 1"):
        list(probe(soon.production))
    set_up(MIGRATION_AT="")
    assert list(probe(soon.production)) == []
