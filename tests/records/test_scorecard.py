"""The roadmap's criteria: each met by evidence, each made to fail for real."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from ledger_assets import events, lane
from ledger_assets.access.report import AccessReport, Difference
from ledger_assets.errors import TargetError
from ledger_assets.health.facts import Checked, FailedRun, RunFacts
from ledger_assets.scorecard import business, technical
from ledger_assets.scorecard.card import score
from tests.health.hands import Make, damaged, loaded
from tests.health.test_way_back import listed, snapshot
from tests.schema.world import World


@pytest.mark.parametrize(("proof", "answer"), [(True, "met"), (False, "not met"), (None, "unknown")])
def test_nothing_is_lost_when_the_proof_since_the_last_load_says_so(
    world: World, context: Make, proof: bool | None, answer: str
) -> None:
    assert technical.no_loss(context()).answer == "unknown"
    loaded(world)
    load = loaded(world, proof=proof)
    found = technical.no_loss(context())
    assert found.answer == answer
    assert f"load {load}" in found.evidence
    assert (answer == "unknown") or "what the proof says" in found.evidence


JUNIT = '<testsuites><testsuite name="pytest" errors="{}" failures="{}" skipped="0" tests="7" timestamp="{}"/></testsuites>'


@pytest.mark.parametrize(
    ("errors", "failures", "days", "answer"),
    [(0, 0, 1, "met"), (1, 0, 1, "not met"), (0, 2, 1, "not met"), (0, 0, 30, "unknown")],
)
def test_tests_count_where_pytest_recorded_them(
    context: Make, errors: int, failures: int, days: int, answer: str
) -> None:
    asked = context()
    missing = technical.tests(asked)
    assert missing.answer == "unknown"
    assert "make test" in missing.command
    at = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    record = asked.settings.home / "tests.xml"
    record.write_text(JUNIT.format(errors, failures, at))
    assert technical.tests(asked).answer == answer
    record.write_text("not what pytest writes")
    assert technical.tests(asked).answer == "unknown"


def test_pytests_own_record_is_read(pytester_record: Path) -> None:
    found = technical.read_tests(pytester_record)
    assert found is not None
    at, number, failed = found
    assert (number, failed) == (2, 1)
    assert datetime.now(UTC) - at < timedelta(minutes=10)


@pytest.fixture
def pytester_record(tmp_path: Path) -> Path:
    """What a real pytest writes of one test that passes and one that fails."""
    import subprocess
    import sys

    (tmp_path / "test_two.py").write_text("def test_a(): pass\ndef test_b(): assert False\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--junitxml=tests.xml",
        "test_two.py",
    ]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    return tmp_path / "tests.xml"


def keep_load_test(conn: psycopg.Connection, outcome: events.Outcome, published: int = 40) -> None:
    detail = {"calls": 10, "sessions": 2, "slowest_p95_ms": 12.5, "failed": 0, "published": published}
    events.record(conn, "loadtest", outcome, detail=detail)


def test_performance_is_what_the_last_load_test_found(
    world: World, conn: psycopg.Connection, context: Make
) -> None:
    assert technical.performance(context()).answer == "unknown"
    keep_load_test(conn, "done")
    found = technical.performance(context())
    assert found.answer == "met"
    assert "slowest p95 12 ms" in found.evidence
    assert technical.performance(context(now=datetime.now(UTC) + timedelta(days=40))).answer == "unknown"
    keep_load_test(conn, "failed")
    assert technical.performance(context()).answer == "not met"
    keep_load_test(conn, "done", published=0)
    assert technical.performance(context()).answer == "unknown"
    keep_load_test(conn, "done")
    loaded(world)
    assert technical.performance(context()).answer == "unknown"


def test_backups_are_operational_while_a_verified_one_is_fresh(context: Make) -> None:
    now = datetime.now(UTC)
    assert technical.backups(listed(context(), snapshot(now))).answer == "met"
    assert technical.backups(listed(context(), snapshot(now - timedelta(days=2)))).answer == "not met"


def test_access_is_played_now_in_the_real_database(
    world: World, conn: psycopg.Connection, context: Make
) -> None:
    last = Checked(datetime.now(UTC), "abcdef0123", True)
    asked = context(runs=RunFacts(datetime.now(UTC), 1, (), access=last))
    found = technical.access(asked, lambda: lane.access(conn))
    assert found.answer == "met"
    assert "0 differ" in found.evidence
    assert "run abcdef01" in found.evidence
    world.do("create policy opened on public.storyteller_contacts for select to anon using (true)")
    world.do("grant select on public.storyteller_contacts to anon")
    found = technical.access(asked, lambda: lane.access(conn))
    assert found.answer == "not met"
    assert "storyteller_contacts" in found.evidence


def test_an_account_that_does_not_see_its_own_story_is_named(world: World, context: Make) -> None:
    assert business.users(context()).answer == "unknown"
    account, other = world.account(), world.account()
    teller = world.storyteller(account=account)
    world.story(teller, published=False)
    world.story(world.storyteller(account=other))
    found = business.users(context())
    assert found.answer == "met"
    assert "2 of 2 accounts" in found.evidence
    with psycopg.connect(world.admin_url) as admin:
        admin.execute(
            "create or replace function private.my_stories() returns uuid[] language sql stable security definer "
            f"set search_path = '' as $$ select array(select s.id from public.stories s where auth.uid() <> '{account}' "
            "and s.published_at is not null) $$"
        )
    found = business.users(context())
    assert found.answer == "not met"
    assert str(account) in found.evidence
    assert str(other) not in found.evidence


def test_stories_that_are_open_must_be_shown_to_the_public(world: World, context: Make) -> None:
    hidden = world.story(world.storyteller(consents=()))
    assert business.display(context()).answer == "unknown"
    shown = world.story(world.storyteller())
    found = business.display(context())
    assert found.answer == "met"
    assert "1 of 1 stories that are open to everybody (2 published)" in found.evidence
    with psycopg.connect(world.admin_url) as admin:
        admin.execute(
            "create or replace function private.story_detail(story uuid) returns jsonb language sql stable as "
            "$$ select null::jsonb $$"
        )
    found = business.display(context())
    assert found.answer == "not met"
    assert str(shown) in found.evidence
    assert str(hidden) not in found.evidence


def test_a_community_feature_that_does_not_answer_is_named(world: World, context: Make) -> None:
    assert business.community(context()).answer == "met"
    world.community()
    world.do("revoke execute on function public.community_view(uuid) from anon")
    found = business.community(context())
    assert found.answer == "not met"
    assert "community_view as anon (42501)" in found.evidence


def test_shares_that_do_not_add_up_are_named(world: World, context: Make) -> None:
    assert business.value(context()).answer == "unknown"
    teller = world.storyteller()
    event = world.row("value_events", kind="donation", amount=100)
    world.row(
        "value_distributions", event_id=event, recipient="storyteller", storyteller_id=teller, amount=100
    )
    assert business.value(context()).answer == "met"
    damaged(world, "update public.value_distributions set amount = 99.99")
    found = business.value(context())
    assert found.answer == "not met"
    assert str(event) in found.evidence


def test_bugs_are_failed_runs_bad_measures_and_what_shows_somebody_something_else(
    world: World, context: Make
) -> None:
    now = datetime.now(UTC)
    quiet = context(runs=RunFacts(now, 5, ()))
    assert business.bugs(quiet, tuple).answer == "met"
    assert business.bugs(context(), tuple).answer == "unknown"
    assert business.bugs(quiet, lambda: ("visibility",)).answer == "not met"
    failed = context(runs=RunFacts(now, 5, (FailedRun("r", "migrate_staging", now),)))
    assert business.bugs(failed, tuple).answer == "not met"
    load = loaded(world)
    for kind, answer in (("unmapped", "met"), ("conflict", "not met")):
        world.do(
            "insert into migration.findings (id, base_id, kind, reason, first_load, last_load) "
            "values (%s, 'app', %s, 'r', %s, %s)",
            kind, kind, load, load,
        )  # fmt: skip
        assert business.bugs(quiet, tuple).answer == answer


def test_all_ten_are_answered_in_the_roadmaps_order_and_one_that_cannot_be_asked_is_unknown(
    world: World, context: Make
) -> None:
    def unable() -> AccessReport:
        raise TargetError("postgres may not act as anon")

    world.do("alter table public.value_distributions rename to moved")
    card = score(context(), access=unable, bad=tuple)
    assert [one.group for one in card.criteria] == ["technical"] * 5 + ["business"] * 5
    answers = {one.name: one for one in card.criteria}
    assert answers["RLS policies enforced correctly"].answer == "unknown"
    assert "may not act as anon" in answers["RLS policies enforced correctly"].evidence
    assert answers["Value tracking operational"].answer == "unknown"
    assert "42P01" in answers["Value tracking operational"].evidence
    assert answers["Community features functional"].answer == "met"
    assert answers["Backup system operational"].answer == "not met"
    assert not card.passed


def test_a_difference_of_access_is_told_in_the_words_of_the_matrix(context: Make) -> None:
    differing = Difference("stories", "read", "anon", frozenset(), frozenset({"told"}))
    found = technical.access(context(), lambda: AccessReport(10, (differing,), ()))
    assert "stories, read, anon: more: told" in found.evidence
