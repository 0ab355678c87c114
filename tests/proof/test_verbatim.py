"""``quotes.occurs_verbatim`` is looked up again in the transcripts as they lie in Postgres, whatever the ledger said."""

from __future__ import annotations

import pytest

from ledger_assets.proof.model import Proof
from ledger_assets.proof.promises import Promise
from ledger_assets.proof.verbatim import VERBATIM, plain
from tests.proof.small_base import rec
from tests.proof.world import World, failed


def verbatim(proof: Proof) -> Promise:
    """What the proof says of the promise."""
    return next(found for found in proof.promises if found.text == VERBATIM)


@pytest.mark.parametrize(
    ("quote", "said"), [("first", "false"), ("first", "null"), ("second", "true"), ("second", "false")]
)
def test_a_quote_that_says_something_else_than_its_transcripts_is_named(
    world: World, quote: str, said: str
) -> None:
    """Evidence that is none, and none that is: the first occurs, the second has no transcript at all."""
    world.damage(
        f"update public.quotes set occurs_verbatim = {said} where airtable_record_id = %s", rec(quote)
    )
    proof = world.prove()
    assert verbatim(proof).broken.ids == (rec(quote),)
    assert failed(proof) == {("Quotes", "consent")}


QUOTES = {
    "other case, punctuation, white space": ("WORDS,  of: one!", True),
    "across words": ("ordsofo", True),
    "other words": ("words of two", False),
    "another order": ("one of words", False),
    "nothing but punctuation": (" … !", False),
    "letters with marks": ("E\u0301TE\u0301 l\u2019\u00e9t\u00e9 \u0645\u0650", True),
    "the same letters, composed": ("\u00e9t\u00e9 l\u2019\u00e9t\u00e9", False),
    "no letters of Latin": ("\u5f7c\u306f\u300c\u5c71\u300d\u2462", True),
    "capital letters that fold to two": ("\u0130STANBUL", True),
    "digits": ("in 19 88", True),
    "an underscore and a sign": ("to_get $her", True),
}
TRANSCRIPT = " ".join(
    [
        "words of one, e\u0301te\u0301 l'\u00e9t\u00e9 \u0645\u0650.",
        "\u5f7c\u306f\u5c71\u2462 \u0130stanbul in 1988 together",
    ]
)


def test_the_ledger_and_the_proof_agree_on_what_occurs(world: World) -> None:
    """Two readings of the same rule, in two languages: neither asks the other."""
    world.base.records["Media"]["one"]["Transcript"] = TRANSCRIPT
    for name, (words, _) in QUOTES.items():
        world.base.records["Quotes"][name] = {"Quote Text": words}
        world.base.link("Quotes", name, "Transcript Reference", "one")
    later = world.publish()
    rows = dict(later.conn.execute("select quote, occurs_verbatim from public.quotes").fetchall())
    assert {name: rows[words] for name, (words, _) in QUOTES.items()} == {
        name: occurs for name, (_, occurs) in QUOTES.items()
    }
    proof = later.prove()
    assert (verbatim(proof).broken.ids, verbatim(proof).rows) == ((), 2 + len(QUOTES))
    later.damage("update public.quotes set occurs_verbatim = not occurs_verbatim where quote <> 'never said'")
    assert verbatim(later.prove()).broken.count == 1 + len(QUOTES)


def test_one_transcript_of_several_is_enough(world: World) -> None:
    world.base.link("Quotes", "second", "Transcript Reference", "one", "two", "odd")
    world.base.records["Quotes"]["second"]["Quote Text"] = "Words of two"
    later = world.publish()
    assert verbatim(later.prove()).passed
    later.damage(
        "update public.quotes set occurs_verbatim = false where airtable_record_id = %s", rec("second")
    )
    assert verbatim(later.prove()).broken.ids == (rec("second"),)


def test_interviews_without_a_transcript_that_can_be_kept_are_none(world: World) -> None:
    """Empty, of another shape, not to be held by Postgres: there is nothing to look in, as the ledger says, too."""
    world.base.records["Media"]["numbers"] = {"Transcript": 7}
    world.base.records["Media"]["nul"] = {"Transcript": "never said \u0000"}
    world.base.link("Quotes", "second", "Transcript Reference", "odd", "numbers", "nul")
    proof = world.publish().prove()
    assert verbatim(proof).passed
    assert ("Quotes", "consent") not in failed(proof)


def test_a_transcript_that_somebody_corrected_here_does_not_make_the_quote_wrong(world: World) -> None:
    world.edit("update public.interviews set transcript = 'other' where airtable_record_id = %s", rec("one"))
    assert verbatim(world.prove()).passed


def test_a_quote_that_somebody_changed_here_is_theirs(world: World) -> None:
    world.edit("update public.quotes set quote = 'other words' where airtable_record_id = %s", rec("first"))
    found = verbatim(world.prove())
    assert (found.changed, found.passed) == (1, True)


def test_a_character_that_no_table_knows_yet_is_kept() -> None:
    assert plain("a\U0002fffd-B") == "a\U0002fffdb"
