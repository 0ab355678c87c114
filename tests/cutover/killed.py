"""The night, its way back or its rehearsal in a process of its own, killed at a point: ``night|back|rehearse POINT``.

A point is a function and whether it was called or has returned: ``module:function[:after]``. It kills the process by
SIGKILL, so that nothing of it is tidied up.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from typing import Any

from ledger_assets import connections, cutovers
from ledger_assets.build import table_specs
from ledger_assets.cutover.rehearse import rehearse
from ledger_assets.environment import Environment, read_settings
from tests.cutover.played import a_night, play


def kill_at(point: str) -> None:
    """Put the end of this process into the function."""
    module, name, *after = point.split(":")
    owner: Any = importlib.import_module(module)
    *outer, name = name.split(".")
    for one in outer:
        owner = getattr(owner, one)
    own = getattr(owner, name)

    def last(*args: Any, **kwargs: Any) -> Any:
        if after:
            own(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, last)


def main(what: str, point: str) -> None:
    """Never returns where the point is reached."""
    settings = read_settings(Environment.PRODUCTION)
    night = a_night(settings)
    kill_at(point)
    if what == "night":
        play(night, watch_minutes=float(os.environ.get("WATCH_MINUTES", "0")))
    elif what == "rehearse":
        rehearse(settings, night.store, table_specs(settings.profile), run_id=night.run_id)
    else:
        found = cutovers.to_go_back(settings, None)
        assert found is not None
        cutovers.go_back(
            settings, connections.object_store(settings), found.id, who="a tester", run_id=night.run_id,
            why="asked for", emergency=False, lives=lambda _: False,
        )  # fmt: skip


main(*sys.argv[1:])
