"""``make_accounts`` or ``take_back_accounts`` in a process of its own, to be killed: ``make|back URL HOME``."""

from __future__ import annotations

import sys

from ledger_assets import people
from ledger_assets.environment import Environment, read_settings
from ledger_assets.load.connect import connect

what, url, home = sys.argv[1:]
settings = read_settings(Environment.PRODUCTION, {"LEDGER_HOME": home})
with connect(url, application_name="killed") as connection:
    act = people.make_accounts if what == "make" else people.take_back_accounts
    act(settings, connection, run_id="run-0", who="a tester")
