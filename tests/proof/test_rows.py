"""Every row against the ledger, in every column but texts: what no cell of Airtable stands behind alone."""

from __future__ import annotations

import pytest

from ledger_assets.proof.checks import CELLS, ROWS
from tests.proof.world import World, failed

DAMAGE = {
    "a quote said by somebody else": (
        "quotes",
        "storyteller_id",
        (
            "update public.quotes set storyteller_id = (select id from public.storytellers order by id limit 1) "
            "where id = (select q.id from public.quotes q where q.storyteller_id is distinct from "
            "(select id from public.storytellers order by id limit 1) order by q.id limit 1)"
        ),
    ),
    "verbatim turned round": (
        "quotes",
        "occurs_verbatim",
        "update public.quotes set occurs_verbatim = not coalesce(occurs_verbatim, false)",
    ),
    "a file of another size": (
        "media_assets",
        "size_bytes",
        "update public.media_assets set size_bytes = size_bytes + 1",
    ),
    "a file of another name": (
        "media_assets",
        "file_name",
        "update public.media_assets set file_name = 'other'",
    ),
    "a place of another kind": (
        "locations",
        "kind",
        "update public.locations set kind = 'region' where kind <> 'region'",
    ),
}


def differences(world: World) -> list[str]:
    """What the check ``rows`` says, by table."""
    return [f"{notice.table}: {notice.text}" for notice in world.prove().rows]


def test_an_undamaged_load_is_what_the_ledger_says(world: World) -> None:
    assert differences(world) == []


@pytest.mark.parametrize("name", DAMAGE)
def test_a_column_that_is_not_the_ledgers_is_named(world: World, name: str) -> None:
    table, column, statement = DAMAGE[name]
    world.damage(statement)
    assert [
        text
        for text in differences(world)
        if text.startswith(f"{table}: ") and f"differs in {column} (" in text
    ]
    assert (("base", ROWS), False) in {((c.table, c.name), c.passed) for c in world.prove().checks}


def test_a_row_that_somebody_changed_here_is_not_blamed(world: World) -> None:
    with world.conn.transaction():
        world.conn.execute("update public.locations set kind = 'region'")
    assert differences(world) == []


def test_a_contact_given_to_another_person_is_named(world: World) -> None:
    """The row's own id follows from its record, so only the reference tells whose e-mail it is."""
    world.damage(
        "update public.storyteller_contacts c set storyteller_id = (select s.id from public.storytellers s "
        "where not exists (select from public.storyteller_contacts x where x.storyteller_id = s.id) limit 1)"
        "where c.id = (select id from public.storyteller_contacts order by id limit 1)"
    )
    assert any("differs in storyteller_id" in text for text in differences(world))


def test_rows_that_are_gone_or_invented_are_named(world: World) -> None:
    world.damage(
        "delete from public.quote_interviews where id = (select id from public.quote_interviews order by id limit 1)"
    )
    assert any("is not in Postgres" in text for text in differences(world))


def test_a_text_is_named_by_its_cell_and_not_a_second_time(world: World) -> None:
    """Texts are judged from what Airtable delivered; read from the ledger once more they took most of the memory."""
    world.damage("update public.quotes set quote = quote || '!'")
    assert differences(world) == []
    assert ("Quotes", CELLS) in failed(world.prove())


def test_a_choice_is_compared_with_the_ledger_too(world: World) -> None:
    world.damage("update public.storytellers set sensitive = not sensitive")
    assert any("differs in sensitive" in text for text in differences(world))
