"""A bad migration in a production of its own: found, planned, repaired and brought back by the job."""

from __future__ import annotations

from typing import Any

from ledger_assets import connections, recoveries
from ledger_assets.backup.repair import differences
from tests.lane.test_snapshots import NAME, Production, production  # noqa: F401 - a fixture

BAD = (
    "alter table public.stories drop column title cascade",
    "drop table public.communities cascade",
    "alter table public.consents disable row level security",
    "create policy all_of_it on public.interviews for select to anon using (true)",
    "drop index public.authorship_storyteller_id_idx",
    "revoke all on public.stories from authenticated",
    "update public.storytellers set bio = 'overwritten'",
)


def content(production: Production) -> dict[str, list[tuple[Any, ...]]]:  # noqa: F811 - pytest finds the fixture by this name
    """Every row that people see, whatever the order of its columns."""
    names = [
        n for (n,) in production.all("select tablename::text from pg_tables where schemaname = 'public'")
    ]
    return {n: sorted(production.all(f'select to_jsonb(t)::text from public."{n}" t')) for n in names}


def test_a_bad_migration_is_found_planned_and_taken_back(production: Production) -> None:  # noqa: F811 - pytest finds the fixture by this name
    run, said = production.run("checkpoint", "production__snapshots__checkpoint", reason="test")
    assert run.is_success, said
    good = list(production.snapshots())[-1]
    whole = content(production)
    production.do(*BAD)
    run, said = production.run("checkpoint", "production__snapshots__checkpoint", reason="after the damage")
    assert run.is_success, said

    run, said = production.run("restore", "restore", snapshot=good, who="test", confirm=NAME)
    assert not run.is_success
    assert "--scenario bad_migration" in said[0]

    plan = recoveries.plan(production.settings, "bad_migration")
    assert (plan.snapshot_id, plan.modes) == (good, ("repair", "exact"))
    assert any("policy all_of_it on public.interviews" in line for line in plan.extent)
    assert content(production) != whole, "a plan changes nothing"
    run, said = production.run("recover", "recover", plan=plan.id, who="test", confirm=NAME)
    assert run.is_success, said
    assert content(production) == whole
    with connections.database(production.settings, purpose="test") as connection:
        assert differences(connection) == ()
    assert recoveries.plan(production.settings, "bad_migration").modes == ()
