"""What the measurements of one run share: the world, the sizes, and the lane's runs, so that none is made twice."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.world import REPOSITORY, World, engine, measured, settings
from ledger_assets.demo.server import LOCAL_API_KEY
from ledger_assets.environment import SYNTHETIC_BASE_ID

STEPS = "schema export files ledger load proof"
PEER_PYTHON = REPOSITORY / ".venv-dlt" / "bin" / "python"


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    lane_records: int = 50_000
    large_records: int = 500_000
    rounds: int = 3
    limited_records: int = 6_500
    latencies: tuple[float, ...] = (0.25, 0.8)
    orchestrated_records: int = 2_300
    app_stories: int = 100_000
    snapshot_stories: int = 21_000
    sync_bases: tuple[int, int] = (15_000, 150_000)
    sync_edits: tuple[int, ...] = (1_000, 100_000)


SMOKE = Sizes(
    lane_records=400,
    large_records=1_200,
    rounds=1,
    limited_records=300,
    latencies=(0.05,),
    orchestrated_records=300,
    app_stories=2_000,
    snapshot_stories=100,
    sync_bases=(200, 600),
    sync_edits=(50, 200),
)


class Run:
    """One run of the benchmarks."""

    def __init__(self, world: World, sizes: Sizes) -> None:
        self.world = world
        self.sizes = sizes

    def lane(self, url: str, steps: str = STEPS) -> dict[str, Any]:
        """Our steps in a fresh process, into a new database."""
        home = self.world.home()
        try:
            with self.world.database() as database:
                return engine(steps, settings(url, database, home))
        finally:
            shutil.rmtree(home)

    def peer(self, url: str) -> dict[str, Any]:
        """dlt in a fresh process, into a new database."""
        home = self.world.home()
        try:
            with self.world.database() as database:
                return measured(
                    [str(PEER_PYTHON), str(Path("benchmarks", "peer.py"))], _peer(url, database, home)
                )
        finally:
            shutil.rmtree(home)

    @cached_property
    def rounds(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Ours and the peer's, alternately, from the same server into the same Postgres."""
        with self.world.airtable(self.world.base(self.sizes.lane_records)) as url:
            return [(self.lane(url), self.peer(url)) for _ in range(self.sizes.rounds)]

    @cached_property
    def small(self) -> list[dict[str, Any]]:
        """Our side of the rounds; one run of it where the peer is not measured."""
        if "rounds" in vars(self):
            return [ours for ours, _ in self.rounds]
        with self.world.airtable(self.world.base(self.sizes.lane_records)) as url:
            return [self.lane(url)]


def _peer(url: str, database: str, home: Path) -> dict[str, str]:
    return {
        "PEER_URL": url,
        "PEER_BASE": SYNTHETIC_BASE_ID,
        "PEER_TOKEN": LOCAL_API_KEY,
        "PEER_DATABASE_URL": database,
        "PEER_FOLDER": str(home),
    }


def compared_seconds(result: dict[str, Any]) -> float:
    """Wall time from the start of the process to its end, without the download of files: the peer loads none."""
    return float(result["wall"] - result["seconds"].get("files", 0.0))


def middle(values: Iterable[float]) -> float:
    """The median."""
    return median(values)


def split(results: Iterable[dict[str, Any]]) -> str:
    """Seconds by step, medians."""
    found = [result["seconds"] for result in results]
    return ", ".join(f"{step} {middle(one[step] for one in found):.1f}" for step in found[0])
