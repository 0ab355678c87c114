"""The code locations as Dagster loads them: in a fresh interpreter, without sockets, secrets or heavy libraries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = """
import json, socket, sys

def refuse(*a, **k):
    raise SystemExit("importing definitions opened a socket")

socket.socket.connect = refuse
socket.create_connection = refuse
import dagster as dg
import ledger_assets.definitions as definitions

found = {}
for name in ("staging", "production"):
    location = getattr(definitions, name)
    dg.Definitions.validate_loadable(location)
    graph = location.get_repository_def().asset_graph
    keys = sorted(graph.get_all_asset_keys(), key=str)
    checks = graph.asset_check_keys
    found[name] = {
        "assets": ["/".join(k.path) for k in keys],
        "partitioned": ["/".join(k.path) for k in keys if graph.get(k).partitions_def is not None],
        "groups": sorted({graph.get(k).group_name for k in keys}),
        "undescribed": sorted(
            s.name
            for r in [location.get_repository_def()]
            for s in [*r.schedule_defs, *r.sensor_defs]
            if not s.description
        ),
        "jobs": sorted(j for j in location.get_repository_def().job_names if j != "__ASSET_JOB"),
        "checks": {"/".join(k.path): sorted(c.name for c in checks if c.asset_key == k) for k in keys},
        "not blocking": sorted(
            f"{'/'.join(c.asset_key.path)}:{c.name}" for c in checks if not graph.get_check_spec(c).blocking
        ),
        "migrated": sorted(
            "/".join(k.path) for k in location.resolve_job_def(f"migrate_{name}").asset_layer.executable_asset_keys
        ),
        "running": sorted(
            s.name
            for r in [location.get_repository_def()]
            for s in [*r.schedule_defs, *r.sensor_defs]
            if s.default_status.value == "RUNNING"
        ),
    }
found["heavy"] = [m for m in ("pyairtable", "pandera", "boto3", "dagster_aws") if m in sys.modules]
print(json.dumps(found))
"""


def load(home: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Load both locations in a fresh interpreter with no settings but ``environ``."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "LEDGER_HOME": str(home / "ledger"), **environ}
    return subprocess.run([sys.executable, "-c", LOAD], env=kept, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, list[str]]]:
    done = load(tmp_path_factory.mktemp("home"))
    assert done.returncode == 0, done.stderr[-2000:]
    parsed: dict[str, dict[str, list[str]]] = json.loads(done.stdout)
    return parsed


def test_both_locations_load_without_sockets_or_heavy_libraries(
    found: dict[str, dict[str, list[str]]],
) -> None:
    assert found["heavy"] == []
    assert len(found["staging"]["assets"]) == len(found["production"]["assets"]) > 30


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_a_location_holds_its_own_environment_alone(
    found: dict[str, dict[str, list[str]]], environment: str
) -> None:
    assert all(path.startswith(f"{environment}/") for path in found[environment]["assets"])
    assert all(job.endswith(f"_{environment}") for job in found[environment]["jobs"])


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_groups_tell_the_environments_apart_and_whatever_runs_by_itself_says_what_it_does(
    found: dict[str, dict[str, list[str]]], environment: str
) -> None:
    stages = ["airtable", "ledger", "operations", "proof", "snapshots", "supabase"]
    assert found[environment]["groups"] == [f"{environment}_{stage}" for stage in stages]
    assert found[environment]["undescribed"] == []


def test_only_the_months_are_partitioned(found: dict[str, dict[str, list[str]]]) -> None:
    assert found["staging"]["partitioned"] == ["staging/supabase/months"]


def test_checks_block_and_no_asset_has_more_than_four(found: dict[str, dict[str, list[str]]]) -> None:
    # A database that lost records needs its snapshot all the more: that Airtable, database and snapshot differ is told.
    assert found["staging"]["not blocking"] == [
        "staging/snapshots/checkpoint:three_way",
        "staging/snapshots/full:three_way",
    ]
    checks: dict[str, list[str]] = found["staging"]["checks"]  # type: ignore[assignment]  # read from JSON
    # No record makes a row of these alone: what they hold is judged where its records are.
    derived = {"organisations", "projects", "locations", "storyteller_contacts", "media_assets", "consents"}
    # Nor does a run make these: they are only shown.
    shown = {f"staging/operations/{n}" for n in ("write_freeze", "live", "health", "rehearsal", "restore")}
    without = {f"staging/ledger/{n}" for n in derived} | shown
    assert {path for path, names in checks.items() if not names} == without
    assert [path for path, names in checks.items() if len(names) > 4] == []
    assert checks["staging/supabase/stories"] == ["consent", "counts", "relationships"]
    assert checks["staging/supabase/raw_records"] == ["access", "counts", "relationships"]


def test_the_jobs_are_those_of_the_documentation(found: dict[str, dict[str, list[str]]]) -> None:
    jobs = [
        "backup", "backup_baseline", "backup_emergency", "checkpoint", "consent_expiries", "cutover",
        "cutover_back", "dry_run", "export", "health", "migrate", "place_media", "prune", "recover", "rehearse",
        "remigrate", "restore", "sync", "undo_restore", "verify", "verify_snapshots",
    ]  # fmt: skip
    assert found["staging"]["jobs"] == sorted(f"{job}_staging" for job in jobs)
    assert set(found["production"]["jobs"]) >= {f"{job}_production" for job in [*jobs, "announce"]}


def test_production_is_never_loaded_without_a_checkpoint(found: dict[str, dict[str, list[str]]]) -> None:
    assert "production/snapshots/checkpoint" in found["production"]["migrated"]
    assert "staging/snapshots/checkpoint" not in found["staging"]["migrated"]


def test_the_locations_load_although_settings_are_missing(tmp_path: Path) -> None:
    """A person must see the graph, and then one clear line when a run starts, not a location that fails to load."""
    done = load(tmp_path, AIRTABLE_BASE_ID="appA")
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_wrong_profile_is_one_clear_line(tmp_path: Path) -> None:
    done = load(tmp_path, LEDGER_PROFILE="empathy")
    assert done.returncode != 0
    assert "LEDGER_PROFILE: 'empathy' is not a profile; use empathy_ledger or any_base" in done.stderr


def test_snapshots_run_by_themselves_once_a_real_database_is_set(tmp_path: Path) -> None:
    """A backup that somebody must first switch on is not there on the night that it is needed."""
    synthetic = json.loads(load(tmp_path).stdout)
    assert synthetic["production"]["running"] == ["lost_runs_production"]
    real = json.loads(load(tmp_path, DATABASE_URL="postgresql://somebody@db.example.org/app").stdout)
    assert {"nightly_backup_production", "absence_of_snapshots_production", "failed_runs_production"} <= set(
        real["production"]["running"]
    )
    assert real["staging"]["running"] == ["lost_runs_staging"]
