"""``maintenance`` and ``switch`` as a person runs them, and what the web UI shows of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from ledger_assets import events, freeze
from ledger_assets.assets.live import freeze_event, live_event
from ledger_assets.build import build_definitions
from ledger_assets.cli.session import instance
from ledger_assets.demo.parts import EmbeddedParts
from ledger_assets.environment import Environment, Profile, Shape
from ledger_assets.switch import live
from tests.consent_commands.world import Command
from tests.freeze.world import lease, until
from tests.switch.receiver import SECRET, TOKEN, receiver

REASON = "moving to the new archive"


@pytest.fixture
def command(tmp_path: Path, database_url: str) -> Iterator[Command]:
    """``ledger-assets`` on the test's database; Dagster's own stays up between two commands."""
    home = tmp_path / "ledger"
    with EmbeddedParts(home) as parts:
        parts.postgres()
        yield Command(home, database_url)


def shown(home: Path, name: str) -> dict[str, object]:
    """The newest metadata of an asset, as the web UI shows it."""
    with instance(home) as found:
        event = found.get_latest_materialization_event(dg.AssetKey(["staging", "operations", name]))
    assert event is not None
    assert event.asset_materialization is not None
    return {key: value.value for key, value in event.asset_materialization.metadata.items()}


def test_on_status_off(command: Command, conn: psycopg.Connection) -> None:
    done = command("maintenance", "staging", "on", "--reason", REASON, "--minutes", "30", "--as", "the owner")
    assert (done.code, done.out.splitlines()[0]) == (0, f"writing is frozen: {REASON}")
    found = freeze.state(conn)
    assert (found.kind, found.who) == ("manual", "the owner")
    ui = shown(command.home, "write_freeze")
    assert (ui["state"], ui["reason"], ui["who"]) == ("manual", REASON, "the owner")
    status = command("maintenance", "staging", "status", "--json")
    assert (status.document["kind"], status.document["reason"]) == ("manual", REASON)
    done = command("maintenance", "staging", "off")
    assert done.out.splitlines()[-1] == "writing is open"
    assert shown(command.home, "write_freeze")["state"] == "none"
    assert [e.action for e in events.read(conn)] == ["freeze", "freeze", "thaw"]


def test_a_cut_overs_lease_is_lifted_by_force_alone_and_one_that_ran_out_is_told(
    command: Command, conn: psycopg.Connection
) -> None:
    lease(conn)
    refused = command("maintenance", "staging", "off")
    assert (refused.code, len(refused.err.splitlines())) == (2, 1)
    assert "--force opens writing at once" in refused.err
    assert command("maintenance", "staging", "off", "--force").code == 0
    lease(conn, "cut-2", seconds=1)
    until(conn, "select not private.is_frozen(m) from migration.maintenance m")
    told = command("maintenance", "staging", "status").out
    assert "writing is open: the lease of cut-over cut-2 ran out at" in told
    assert "start the cut-over again" in told


def test_production_asks_for_its_name_to_freeze_and_to_switch_and_never_to_thaw(
    command: Command, conn: psycopg.Connection
) -> None:
    for arguments in (
        ("maintenance", "production", "on", "--reason", REASON, "--confirm", "another"),
        ("switch", "production", "--to", "supabase"),
    ):
        refused = command(*arguments, production=True)
        assert (refused.code, len(refused.err.splitlines())) == (2, 1)
        assert "refused: it needs the target's own name: --confirm " in refused.err
    assert events.read(conn) == []
    freeze.on(conn, reason=REASON, who="the owner")
    assert command("maintenance", "production", "off", production=True).code == 0
    assert freeze.state(conn).kind == "none"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("on",), "on needs --reason"),
        (("on", "--reason", "a\nb"), "printable"),
        (("on", "--reason", REASON, "--until", "tomorrow"), "2026-11-22T18:30"),
        (("on", "--reason", REASON, "--until", "2020-01-01T00:00"), "is past"),
        (("on", "--reason", REASON, "--until", "2099-01-01", "--minutes", "3"), "do not go together"),
        (("off", "--reason", REASON), "go with: on"),
        (("status", "--force"), "goes with: off"),
    ],
)
def test_wrong_usage_freezes_nothing(
    command: Command, conn: psycopg.Connection, arguments: tuple[str, ...], words: str
) -> None:
    done = command("maintenance", "staging", *arguments)
    assert done.code == 2
    assert words in done.err
    assert freeze.state(conn).token == 0


def test_switch_flips_tells_the_hooks_and_repeats_only_what_is_outstanding(
    command: Command, conn: psycopg.Connection
) -> None:
    with receiver() as one:
        one.answers = [404]
        command.settings |= {"DEPLOY_HOOK_URLS": one.url, "DEPLOY_HOOK_SECRET": SECRET}
        first = command("switch", "staging", "--to", "supabase")
        assert first.code == 1
        assert "switched from airtable to supabase" in first.out
        assert "deploy hook 127.0.0.1: answered 404 (1 try)" in first.out
        assert "repeat: ledger-assets switch staging --to supabase" in first.err
        assert "have not taken it: 127.0.0.1" in command("switch", "staging").out
        again = command("switch", "staging", "--to", "supabase")
        assert (again.code, again.out.splitlines()[0]) == (0, "supabase was live already")
        assert [got["generation"] for got in one.got] == [1, 1]
        assert command("switch", "staging", "--to", "airtable", "--json").document["generation"] == 2
    assert live(conn).source == "airtable"
    assert shown(command.home, "live")["source"] == "airtable"
    logs = "".join(path.read_text() for path in (command.home / "logs").glob("*.log"))
    for text in (first.out, first.err, again.out, logs):
        assert TOKEN not in text
        assert SECRET not in text


def test_doctor_names_a_cut_over_whose_process_is_gone_and_a_hook_that_cannot_be(
    command: Command, conn: psycopg.Connection
) -> None:
    token = lease(conn, seconds=1)
    with conn.transaction():
        freeze.hold(conn.cursor(), token)
    command.settings |= {
        "AIRTABLE_ENDPOINT_URL": "http://127.0.0.1:9",
        "DEPLOY_HOOK_URLS": f"http://example.org/{TOKEN}",
        "DEPLOY_HOOK_SECRET": SECRET,
    }
    until(conn, "select lease_until < clock_timestamp() from migration.maintenance")
    lines = {line["name"]: line for line in command("doctor", "staging", "--json").document}
    assert not lines["freeze"]["ok"]
    assert "cut-over cut-1" in lines["freeze"]["found"]
    assert "its process is gone" in lines["freeze"]["found"]
    assert not lines["deploy hooks"]["ok"]
    assert "DEPLOY_HOOK_URLS: number 1 must be https" in lines["deploy hooks"]["found"]
    assert "its process is gone" in command("maintenance", "staging", "status").out


def test_both_are_in_the_graph_and_nothing_executes_them(conn: psycopg.Connection) -> None:
    environment = Environment.PRODUCTION
    shape = Shape(Path("nowhere"), Profile.EMPATHY_LEDGER, date(2025, 1, 1))
    graph = build_definitions(environment, shape=shape).get_repository_def().asset_graph
    for event in (freeze_event(environment, freeze.state(conn)), live_event(environment, live(conn))):
        assert graph.has(event.asset_key)
        assert not graph.get(event.asset_key).is_executable
