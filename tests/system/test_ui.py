"""The web UI as a person meets it: ``ledger-assets ui`` with its web server and daemon, asked over HTTP.

What the browser sends is GraphQL: the tests send the same requests. One page is opened in Chromium, too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ledger_assets.demo.server import LocalAirtable

pytestmark = pytest.mark.system

WAIT_SECONDS = 180
ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


@dataclass
class Ui:
    """A running web UI and the settings it runs with."""

    url: str
    environ: dict[str, str]
    airtable: LocalAirtable
    folder: Path

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """A GraphQL request's data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            document = json.load(answer)
        assert "errors" not in document, document["errors"]
        data: dict[str, Any] = document["data"]
        return data

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A ``ledger-assets`` command with the same settings."""
        return subprocess.run(
            [sys.executable, "-c", "from ledger_assets.cli import main; main()", *arguments],
            env=self.environ,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def run_of(self, run_id: str) -> dict[str, Any]:
        """A run once it has ended."""
        return self.until(lambda: self._ended(run_id))

    def _ended(self, run_id: str) -> dict[str, Any] | None:
        run = self.ask(RUN, id=run_id)["runOrError"]
        return run if run["status"] in ENDED else None

    def until(self, question: Any) -> Any:
        """Ask until there is an answer: the daemon's loops decide how long that takes."""
        deadline = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < deadline:
            if (answer := question()) is not None:
                return answer
            pause()
        raise AssertionError(f"no answer within {WAIT_SECONDS} s")


def pause() -> None:
    """Wait a moment without holding a core: the web server needs it."""
    signal.sigtimedwait([], 0.3)


RUN = """query ($id: ID!) { runOrError(runId: $id) { __typename ... on Run {
  runId status jobName tags { key value } stepStats { stepKey status } } } }"""
RUNS = """query ($limit: Int) { runsOrError(limit: $limit) { ... on Runs { results {
  runId status jobName tags { key value } } } } }"""
LOCATIONS = """{ workspaceOrError { ... on Workspace { locationEntries {
  name loadStatus locationOrLoadError { __typename } } } } }"""
REEXECUTE = """mutation ($parent: String!) { launchRunReexecution(
  reexecutionParams: {parentRunId: $parent, strategy: FROM_FAILURE}) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }"""
BACKFILL = """mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
  __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
BACKFILL_STATE = """query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill {
  status runs: numPartitions } } }"""
MONTHS = """query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode {
  partitionStats { numMaterialized numFailed numPartitions }
  assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } } } } }"""
CHECKS = """query ($key: AssetKeyInput!) { assetChecksOrError: assetNodeOrError(assetKey: $key) { ... on AssetNode {
  assetChecksOrError { ... on AssetChecks { checks { name executionForLatestMaterialization { status } } } } } } }"""
LATEST = """query ($key: AssetKeyInput!) { assetOrError(assetKey: $key) { ... on Asset {
  assetMaterializations(limit: 1) { runId metadataEntries { label } } } } }"""


def staging(*path: str) -> dict[str, list[str]]:
    """An asset key of staging as GraphQL's input."""
    return {"path": ["staging", *path]}


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """``ledger-assets ui`` for a lane whose base is a local server without a limit to wait for."""
    from ledger_assets.demo.base import create_base

    folder = tmp_path_factory.mktemp("ui")
    create_base(folder / "base.sqlite", seed=7, scale=400)
    with (
        LocalAirtable(folder / "base.sqlite", requests_per_second=100_000) as airtable,
        socket.socket() as probe,
    ):
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LEDGER_HOME": str(folder / "home"),
            "AIRTABLE_ENDPOINT_URL": airtable.url,
            "AIRTABLE_API_KEY": airtable.api_key,
            "AIRTABLE_BASE_ID": airtable.base_id,
            "AIRTABLE_REQUESTS_PER_SECOND": "100000",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", "from ledger_assets.cli import main; main()", "ui", "--port", str(port)],
            env=environ,
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = next(text for text in process.stdout if "production is not set up" not in text)
            assert re.search(rf"http://127\.0\.0\.1:{port}", line), line
            yield Ui(f"http://127.0.0.1:{port}", environ, airtable, folder)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
            assert _leftovers(folder) == []


def _leftovers(folder: Path) -> list[str]:
    """Processes of this lane that are still there: the command stops what it started."""
    import psutil

    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        environ = process.info["environ"] or {}
        if environ.get("LEDGER_HOME") == str(folder / "home"):
            found.append(" ".join(process.info["cmdline"] or []))
    return found


def test_both_code_locations_load(ui: Ui) -> None:
    entries = ui.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
    assert {(e["name"], e["locationOrLoadError"]["__typename"]) for e in entries} == {
        ("staging", "RepositoryLocation"),
        ("production", "RepositoryLocation"),
    }


def test_a_failed_check_is_red_and_nothing_was_loaded_and_the_run_goes_on_from_there(ui: Ui) -> None:
    ui.airtable.faults.add(path_contains="/files/", status=404, body=b"gone", times=None)
    done = ui.command("migrate", "staging")
    assert done.returncode == 1, done.stderr
    assert "files_present" in done.stderr
    run = ui.ask(RUNS, limit=1)["runsOrError"]["results"][0]
    assert (run["status"], run["jobName"]) == ("FAILURE", "migrate_staging")
    assert (
        ui.ask(LATEST, key=staging("supabase", "stories"))["assetOrError"].get("assetMaterializations", [])
        == []
    )

    ui.airtable.faults.clear()
    launched = ui.ask(REEXECUTE, parent=run["runId"])["launchRunReexecution"]
    assert launched["__typename"] == "LaunchRunSuccess", launched
    again = ui.run_of(launched["run"]["runId"])
    steps = {step["stepKey"] for step in again["stepStats"]}
    assert again["status"] == "SUCCESS"
    assert "load" in steps
    assert "export" not in steps


def test_materialise_everything_of_staging(ui: Ui) -> None:
    everything = ui.ask(
        "{ assetNodes { assetKey { path } repository { location { name } } isMaterializable } }"
    )
    keys = [
        node["assetKey"]
        for node in everything["assetNodes"]
        if node["repository"]["location"]["name"] == "staging" and node["isMaterializable"]
    ]
    params = {"assetSelection": keys, "allPartitions": True, "tags": []}
    launched = ui.ask(BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    state = ui.until(lambda: _backfill(ui, launched["backfillId"]))
    assert state == "COMPLETED_SUCCESS"
    found = ui.ask(MONTHS, key=staging("supabase", "months"))["assetNodeOrError"]["partitionStats"]
    assert found["numFailed"] == 0
    assert found["numMaterialized"] == found["numPartitions"]


def test_months_are_back_filled_as_one_run(ui: Ui) -> None:
    params = {
        "assetSelection": [staging("supabase", "months")],
        "partitionNames": ["2025-01-01", "2025-02-01", "2025-03-01"],
        "tags": [],
    }
    launched = ui.ask(BACKFILL, params=params)["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    backfill = launched["backfillId"]
    assert ui.until(lambda: _backfill(ui, backfill)) == "COMPLETED_SUCCESS"
    runs = [
        run
        for run in ui.ask(RUNS, limit=20)["runsOrError"]["results"]
        if {"key": "dagster/backfill", "value": backfill} in run["tags"]
    ]
    assert [run["status"] for run in runs] == ["SUCCESS"]


def _backfill(ui: Ui, backfill_id: str) -> str | None:
    status = ui.ask(BACKFILL_STATE, id=backfill_id)["partitionBackfillOrError"]["status"]
    return status if status in {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED"} else None


def test_a_person_sees_the_asset_graph(ui: Ui, tmp_path: Path) -> None:
    chromium = shutil.which("chromium")
    assert chromium is not None
    done = subprocess.run(
        [
            *(chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            f"--user-data-dir={tmp_path / 'profile'}",
            "--virtual-time-budget=20000",
            "--dump-dom",
            f"{ui.url}/locations/__repository__@staging/assets",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "airtable" in done.stdout
    assert "supabase" in done.stdout
