"""``demo --cutover``: the whole migration day on the synthetic base, with edits at the last minute and a failure.

What belongs here: playing it and telling it in lines. What does not: any step of the night (``cutover``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ledger_assets import connections, events
from ledger_assets.cli.session import console, instance, run_job
from ledger_assets.demo import schema
from ledger_assets.demo.parts import EmbeddedParts
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import LedgerError
from ledger_assets.extract.limiter import PENALTY_SECONDS, Clock, RateLimiter

PRODUCTION = Environment.PRODUCTION
LOOK_SECONDS = 0.2
LONGEST_WAIT = 300.0
EDITS = 3


def play() -> None:
    """All of it. Raises what a command would raise."""
    from ledger_assets import cutovers
    from ledger_assets.build import table_specs
    from ledger_assets.cutover.rehearse import rehearse

    settings = read_settings(PRODUCTION)
    name = settings.target_name
    started = time.monotonic()
    with instance(settings.home) as running:

        def job(environment: Environment, name: str, **ops: Mapping[str, Any]) -> None:
            config = {"ops": {op: {"config": dict(config)} for op, config in ops.items()}}
            run_job(running, environment, name, run_config=config)

        _told("staging migrated and proven", lambda: job(Environment.STAGING, "migrate"))
        _told("a full snapshot of production, restored and compared", lambda: job(PRODUCTION, "backup"))
        store = connections.object_store(settings)

        def rehearsal() -> str:
            found = rehearse(settings, store, table_specs(settings.profile), run_id="demo")
            return f"writing would be frozen for {found.total:.0f} s"

        _told("the night rehearsed on a copy", rehearsal)
        with EmbeddedParts(settings.home) as parts, _last_edits(settings, parts) as edited:
            _told(
                "the night: freeze, last edits, sync, checkpoint, load, proof, access, health, switch, thaw",
                lambda: job(
                    PRODUCTION,
                    "cutover",
                    freeze={
                        "confirm": name,
                        "base_is_read_only": True,
                        "who": "the demo",
                        "watch_minutes": 0,
                    },
                    load_finally={"confirm": name},
                ),
            )
        console.print(
            f"   {len(edited)} stories were edited in Airtable during the freeze; {_arrived(settings)} of them are here"
        )
        console.print(f"   the app reads from {_live(settings)}")
        console.print(f"   a failure: a careless hand empties {_damage(settings)} stories of their words")
        found = cutovers.to_go_back(settings, None)
        if found is None:
            raise LedgerError("the demo's cut-over is not there any more")
        _told(
            "database and switch returned together to the checkpoint",
            lambda: job(
                PRODUCTION,
                "cutover_back",
                go_back={"cutover": found.id, "who": "the demo", "confirm": name, "emergency": False},
            ),
        )
        console.print(
            f"   the app reads from {_live(settings)}; {_count(settings)} stories in production, as before the night"
        )
        console.print(
            f"\nThe whole day took {time.monotonic() - started:.0f} s. Step by step: ledger-assets cutover production "
            "--status"
        )


def _told(title: str, run: Callable[[], str | None]) -> None:
    began = time.monotonic()
    said = run()
    console.print(f"{title}{f': {said}' if said else ''} ({time.monotonic() - began:.1f} s)")


@contextmanager
def _last_edits(settings: Settings, parts: EmbeddedParts) -> Iterator[list[str]]:
    """Edits some stories by Airtable's own API as soon as production is frozen: the final sync must bring them."""
    url, key = parts.airtable(shape=settings.profile.value)
    edited: list[str] = []
    stop = threading.Event()

    def edit() -> None:
        from pyairtable import Api

        from ledger_assets import freeze

        with connections.database(settings, purpose="demo") as connection:
            waited = 0.0
            while not freeze.state(connection).live:
                if stop.wait(LOOK_SECONDS) or waited > LONGEST_WAIT:
                    return
                waited += LOOK_SECONDS
        stories = Api(key, endpoint_url=url).table(settings.airtable.base_id, schema.STORIES.id)
        # In the same five requests a second as the sync beside it: one too many makes both wait for 30 s.
        slot = RateLimiter(
            settings.home / connections.LOCKS / f"airtable-{settings.airtable.base_id}.slot",
            requests_per_second=settings.airtable.requests_per_second,
            penalty_seconds=PENALTY_SECONDS,
            clock=Clock(),
        )
        slot.wait()
        found = [str(record["id"]) for record in stories.all(max_records=EDITS)]
        title = schema.STORIES.field_id("Title")
        slot.wait()
        stories.batch_update(
            [{"id": one, "fields": {title: f"Edited on the night ({one})"}} for one in found]
        )
        edited.extend(found)

    thread = threading.Thread(target=edit, name="demo-edits", daemon=True)
    thread.start()
    try:
        yield edited
    finally:
        stop.set()
        thread.join(LONGEST_WAIT)


def _arrived(settings: Settings) -> int:
    return _one(settings, "select count(*) from public.stories where title like 'Edited on the night (%'")


def _count(settings: Settings) -> int:
    return _one(settings, "select count(*) from public.stories")


def _live(settings: Settings) -> str:
    from ledger_assets import switch

    with connections.database(settings, purpose="demo") as connection:
        return {"supabase": "Postgres", "airtable": "Airtable"}[switch.live(connection).source]


def _damage(settings: Settings) -> int:
    """What nobody means to do, as somebody with the owner's rights."""
    with connections.database(settings, purpose="demo") as connection:
        emptied = connection.execute("update public.stories set copy = null where copy is not null").rowcount
        events.record(connection, "demo_damage", "done", who="the demo", detail={"stories": emptied})
        connection.commit()
    return emptied


def _one(settings: Settings, query: str) -> int:
    with connections.database(settings, purpose="demo") as connection:
        row = connection.execute(query.encode()).fetchone()
    assert row is not None
    return int(row[0])
