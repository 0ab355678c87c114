"""``place_media`` in a process of its own, to be killed: ``WHAT NUMBER URL OBJECTS HOME``.

It dies when it has done ``NUMBER`` of what is named: uploaded, named in a row, deleted.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from ledger_assets import people
from ledger_assets.environment import Environment, read_settings
from ledger_assets.load.connect import connect
from ledger_assets.placing import place
from ledger_assets.storage import ObjectStore, open_store

what, number, url, objects, home = sys.argv[1:]
left = int(number)


def dying(done: Any) -> Any:
    """``done``, and death with its last call."""

    def wrapped(*arguments: Any, **options: Any) -> Any:
        global left
        found = done(*arguments, **options)
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    return wrapped


if what == "uploaded":
    ObjectStore.put_as = dying(ObjectStore.put_as)  # type: ignore[method-assign]  # of this process alone
elif what == "named":
    place._name = dying(place._name)
else:
    ObjectStore.delete = dying(ObjectStore.delete)  # type: ignore[method-assign]  # of this process alone
with connect(url, application_name="killed") as connection:
    settings = read_settings(Environment.STAGING, {"LEDGER_HOME": home})
    people.place_media(settings, connection, open_store(objects), run_id="run-0", who="a tester")
