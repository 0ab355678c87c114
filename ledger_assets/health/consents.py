"""Measures of the first promise to the tellers: what has ended is recorded, and nothing is more open than the rule says."""

from __future__ import annotations

from ledger_assets.health.context import Context
from ledger_assets.health.model import Measure, named, span
from ledger_assets.health.queries import text

EXPIRED_BAD = 7800.0
"""Expiries are recorded every hour at five past: two hours and ten minutes are two runs that did not come."""


def expired_consents(context: Context) -> Measure:
    """Consents whose end date has come and that no event records yet. Their stories are closed already."""
    row = context.connection.execute(text("expired"), {"now": context.now}).fetchone()
    assert row is not None
    count, first, ids, closed = row
    age = (context.now - first).total_seconds() if count else 0.0
    return Measure(
        "expired_consents",
        "bad" if age >= EXPIRED_BAD else "warn" if count else "ok",
        (
            f"{count} not recorded, the first ended {span(age)} ago: {named(ids)}"
            if count
            else "none unrecorded"
        )
        + (f"; {closed} stories closed by their date" if closed else ""),
        f"warn at the first, bad when it ended {span(EXPIRED_BAD)} ago",
        f"run the job consent_expiries_{context.settings.environment} (web UI), and switch on its schedule "
        f"hourly_consent_expiries_{context.settings.environment}; then look which people should be asked again",
    )


def visibility(context: Context) -> Measure:
    """Stories whose kept circle is not what the consent rule says. Must be none."""
    row = context.connection.execute(text("drift")).fetchone()
    assert row is not None
    judged, stale, ids = row
    return Measure(
        "visibility",
        "bad" if stale else "ok",
        f"{stale} of {judged} stories are kept other than the consent rule says: {named(ids)}"
        if stale
        else f"{judged} published or open stories are as the consent rule says",
        "bad at the first: a story may be open that must not be",
        "close first, ask then: select private.refresh_all(); then ledger-assets schema verify "
        f"{context.settings.environment}: a trigger that is missing or switched off lets this happen",
    )
