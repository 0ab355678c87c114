"""Our own runs, and Airtable's calls."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ledger_assets.errors import SettingsError
from ledger_assets.extract.export import ExportManifest
from ledger_assets.health import outside
from ledger_assets.health.facts import FailedRun, RunFacts
from ledger_assets.health.settings import HealthSettings, read_health_settings
from ledger_assets.storage import ObjectStore
from tests.health.hands import Make

MARCH = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ended", "failed", "state"), [(20, 0, "ok"), (20, 1, "warn"), (8, 2, "bad"), (1, 1, "warn")]
)
def test_runs_that_fail_are_named_and_a_quarter_of_them_is_bad(
    context: Make, ended: int, failed: int, state: str
) -> None:
    runs = tuple(FailedRun(f"{n}2345678-0000", "migrate_staging", MARCH) for n in range(failed))
    found = outside.runs(context(runs=RunFacts(MARCH, ended, runs)))
    assert found.state == state
    assert ("migrate_staging 02345678" in found.value) is bool(failed)


def test_runs_that_a_later_one_made_good_are_said_and_are_no_fault(context: Make) -> None:
    good = tuple(FailedRun(f"{n}2345678-0000", "cutover_staging", MARCH, settled=True) for n in range(3))
    found = outside.runs(context(runs=RunFacts(MARCH, 4, good)))
    assert found.state == "ok"
    assert found.value.endswith("3 of them made good by a later run of the same job")
    left = FailedRun("a2345678-0000", "verify_staging", MARCH)
    found = outside.runs(context(runs=RunFacts(MARCH, 5, (*good, left))))
    assert (found.state, found.value.rpartition(": ")[2]) == ("warn", "verify_staging a2345678")


def export(store: ObjectStore, name: str, started: str, calls: int, base: str = "appLedgerSynthetic") -> None:
    manifest = ExportManifest(name, "staging", base, started, started, False, calls, "", ())
    store.put(f"exports/{name}/MANIFEST.json", manifest.to_json())


@pytest.mark.parametrize(("allowed", "state"), [(1000, "ok"), (300, "warn"), (250, "bad"), (None, "unknown")])
def test_calls_are_counted_of_this_month_and_this_base(
    context: Make, store: ObjectStore, allowed: int | None, state: str
) -> None:
    export(store, "20260301T000000Z-a", "2026-03-01T00:00:00+00:00", 100)
    export(store, "20260319T000000Z-b", "2026-03-19T00:00:00+00:00", 145)
    export(store, "20260228T000000Z-c", "2026-02-28T23:59:00+00:00", 5000)
    export(store, "20260319T000001Z-d", "2026-03-19T00:00:00+00:00", 5000, base="appSomebodyElses")
    found = outside.airtable_calls(context(now=MARCH, limits=HealthSettings(monthly_calls=allowed)))
    assert found.state == state
    assert "245 by 2 exports of staging in 2026-03" in found.value


@pytest.mark.parametrize("value", ["many", "0", "-3", "nan", "inf"])
def test_a_limit_that_is_no_number_is_refused_by_its_name(value: str) -> None:
    for name in ("AIRTABLE_MONTHLY_CALLS", "LEDGER_DATABASE_GB"):
        with pytest.raises(SettingsError, match=name):
            read_health_settings({name: value})
    assert read_health_settings({"AIRTABLE_MONTHLY_CALLS": "100000"}).monthly_calls == 100_000
