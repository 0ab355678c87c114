"""Cells counted from the export's text: the quick way counts what the definition says, however the text is written."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger_assets.extract.export import TableManifest
from ledger_assets.proof.delivered import Counted, _rows

WORDS = ("error", "specialValue", "null", "name", "err\\or", "")
words = st.sampled_from(WORDS)
single = st.one_of(
    st.none(), st.booleans(), words, st.just(1e300), st.dictionaries(words, words | st.none(), max_size=2)
)
cells = single | st.lists(single, max_size=3) | st.lists(st.lists(single, max_size=1), max_size=1)
records = st.lists(st.dictionaries(st.sampled_from(("fldA", "fldB", "null")), cells, max_size=3), max_size=4)


def escaped(text: str) -> str:
    """The same JSON with the first letter of both words written as an escape, as a serialiser may."""
    return text.replace("error", "\\u0065rror").replace("specialValue", "\\u0073pecialValue")


def is_error(cell: Any) -> bool:
    """By definition: an object with one of the two keys, alone or in a list."""
    every = cell if isinstance(cell, list) else [cell]
    return any(isinstance(one, dict) and {"error", "specialValue"} & set(one) for one in every)


@settings(deadline=None)
@given(records, st.booleans())
def test_cells_and_errors_are_counted_by_their_definition(every: list[dict[str, Any]], odd: bool) -> None:
    """A cell is a key with a value other than null."""
    table = TableManifest("tblA", "A", len(every), 1, 0, 0, "", "", "", "")
    page = [json.dumps({"id": f"rec{n}", "fields": fields}) for n, fields in enumerate(every)]
    counted = Counted()
    rows = _rows(table, map(escaped, page) if odd else page, counted, set())
    assert counted.records == rows.count("\n") == len(every)
    assert counted.cells == Counter(n for one in every for n, cell in one.items() if cell is not None)
    assert counted.errors == Counter(n for one in every for n, cell in one.items() if is_error(cell))


def test_a_number_that_no_integer_holds_is_counted() -> None:
    """Python refuses to read more than 4,300 digits as an integer."""
    raw = f'{{"id": "recA", "fields": {{"fldA": {"9" * 5000}}}}}'
    counted = Counted()
    _rows(TableManifest("tblA", "A", 1, 1, 0, 0, "", "", "", ""), [raw], counted, set())
    assert counted.cells == {"fldA": 1}
