"""The judge: whatever people did since the last export, a sync is what a full export of the same moment is."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .conftest import new_world
from .histories import Edit, edits

EXAMPLES = int(os.environ.get("SYNC_EXAMPLES", "40"))


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="SYNC_EXAMPLES" not in os.environ,
    # A history is told in full, and to make it shorter takes minutes.
    phases=[phase for phase in Phase if phase is not Phase.shrink or "SYNC_EXAMPLES" in os.environ],
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    before=edits,
    after=st.lists(edits, min_size=1, max_size=3),
    silent=st.booleans(),
    final=st.booleans(),
)
def test_a_sync_equals_a_full_export_of_the_same_moment(
    before: list[Edit], after: list[list[Edit]], *, silent: bool, final: bool
) -> None:
    with new_world() as world:
        world.writer.touching = not final
        world.airtable.webhooks.silent = silent
        world.writer.all([("create", number, 0, number) for number in range(10)])
        world.writer.all(before)
        world.export()
        for history in after:
            world.writer.all(history)
            world.assert_exact(world.sync(final=final))
