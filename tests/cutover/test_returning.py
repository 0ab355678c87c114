"""The way back of a cut-over that is done, killed again and again, each time a step further; then the same once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.switch.receiver import SECRET, Receiver, receiver

from .conftest import NAME, Made, Night, copied
from .outside import active, linked, make_accounts, sign_up
from .played import a_night, play

BACK = ("cutover", "production", "--back", "--without-emergency", "--confirm", NAME)
NOT_BEGUN = ("done", "lease", "supabase")
RETURNED = ("returned", "none", "airtable")
POINTS = (
    ("back", "ledger_assets.cutover.state:returning", NOT_BEGUN),  # frozen by a lease that runs out by itself
    ("back", "ledger_assets.switch:switch", ("returning", "held", "supabase")),
    ("back", "ledger_assets.recoveries:restore", ("returning", "held", "airtable")),
    ("back", "ledger_assets.backup.merge.apply:judged", ("returning", "held", "airtable")),
    ("back", "ledger_assets.freeze:thaw_within:after", ("returning", "held", "airtable")),
    (
        "night",
        "ledger_assets.cutover.aftermath:tell",
        RETURNED,
    ),  # as of a failure: the night's own command goes on
    ("night", "ledger_assets.cutover.aftermath:_accounts", RETURNED),
)
"""In the order of the way back: what was begun, where it was killed, and what is left there."""
RESTORED = 4
"""From this point on the checkpoint's restore is committed."""


@dataclass
class Chain:
    """After each kill: how it stood, whether the rows were those of before the night, freezes without a record."""

    night: Night
    hook: Receiver
    own: str
    stood: list[tuple[str | None, str, str]]
    like_before: list[bool]
    unrecorded: list[int]


@pytest.fixture(scope="module")
def chain(switched: Made, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with receiver() as hook, copied(switched.home, tmp_path_factory.mktemp("chain") / "home") as night:
        night.environ |= {"DEPLOY_HOOK_URLS": hook.url, "DEPLOY_HOOK_SECRET": SECRET}
        play(a_night(night.settings))
        night.do(
            "insert into public.themes (id, name) values (gen_random_uuid(), 'Written after the switch')"
        )
        found = Chain(night, hook, sign_up(night), [], [], [])
        assert make_accounts(night, "run-made") == 2
        # As of one that the way back of an earlier night had disabled: it keeps the time it was first meant to be.
        night.do("update migration.accounts set intended_at = intended_at - interval '30 days'")
        night.query(
            "insert into migration.accounts (storyteller_id, user_id, state, run_id) values (gen_random_uuid(), %s, "
            "'linked', 'run-of-last-week') returning user_id",
            found.own,
        )
        hook.answers = [410, 410]
        for what, point, _ in POINTS:
            night.kill(what, point)
            found.stood.append(night.stands())
            found.like_before.append(night.content() == switched.before)
            found.unrecorded.append(night.unrecorded_freezes())
        yield found


def test_wherever_it_was_killed_it_is_before_or_on_its_way_and_never_a_third_state(chain: Chain) -> None:
    assert chain.stood == [stood for *_, stood in POINTS]
    assert chain.like_before == [number >= RESTORED for number in range(len(POINTS))]
    assert chain.unrecorded == [0] * len(POINTS)


def test_the_same_again_does_what_is_left_and_says_which_hook_was_not_told(chain: Chain) -> None:
    night, hook = chain.night, chain.hook
    assert [one["source"] for one in hook.got] == [
        "airtable"
    ]  # by the one that was killed last; it was not taken
    assert len(active(night)) == 3
    unheard = night.command(*BACK)
    assert unheard.returncode == 1
    assert (
        "the way back is complete here, and not outside: deploy hook 127.0.0.1 was not told" in unheard.stderr
    )
    assert (night.stands(), active(night), linked(night)) == (RETURNED, [chain.own], 0)
    assert night.query("select state, count(*) from migration.accounts group by 1 order by 1") == [
        ("disabled", 2), ("linked", 1),
    ]  # fmt: skip
    heard = night.command(*BACK)
    assert heard.returncode == 0, heard.stderr
    again = night.command(*BACK)
    assert (again.returncode, "no cut-over that could be taken back" in again.stderr) == (2, True)
    (told,) = night.query(
        "select array_agg(outcome order by event_id) from migration.events where action = 'cutover_back_told'"
    )
    assert told == (["failed", "done"],)
