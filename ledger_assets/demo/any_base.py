"""The base of every shape: each field type, a dozen tables linked in circles, cells that few tools keep.

Made in chunks like the five-table base: ``Everything`` and ``People`` come in chunks linked among themselves, the
other tables with the first chunk.
"""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

from ledger_assets.demo import any_schema as schema
from ledger_assets.demo import texts
from ledger_assets.demo.basefile import SEQ_PER_TABLE, BaseFile, Comment, Row, tables_to_json
from ledger_assets.demo.cells import Cells, Raw, encode, pack
from ledger_assets.demo.derived import derivations, set_derived
from ledger_assets.demo.draft import Block, Draft, connect, iso, moment, to_cells
from ledger_assets.demo.model import Table, airtable_id

EVERYTHING, PEOPLE = 1250, 60
COMMENTS = 120
"""On one record: more than a page of comments."""
USER = {"id": "usrSyntheticMember", "email": "member@example.org", "name": "Ash Member"}

ODD_TEXTS = (
    '"a \\u0000 within"', '"lone \\ud800 surrogate"', '"pair \\ud83d\\ude00 escaped"', '"\\u2028 and \u2029 and \u0085"',
    '"tab\\tand\\r\\nline"', '"\\/solidus\\/"', '" "', '"\u200b"', '"NULL"', '"\\\\N"', '"\\"quoted\\", comma; semicolon"',
    '"\ufeffmark"', '"e\u0301 and \u00e9"', '"\U0001f469\u200d\U0001f33e"', '"<script>alert(1)</script>"', '"\'; --"',
)  # fmt: skip
ODD_NUMBERS = (
    "1e400", "-1e400", "9007199254740993", "123456789012345678901234567890", "0.1", "1e-400", "-0.0", "1E+2",
    "3.141592653589793238462643383279", "-0", "1.10", '{"error":"#ERROR!"}', '{"specialValue":"NaN"}',
    '{"specialValue":"-Infinity"}', "0", "5e-324",
)  # fmt: skip
ODD_THINGS = (
    '{"a":{"b":[{"c":null}]}}', "[]", "{}", "[null]", "[[1,[2,[3]]],{}]", "0", '{"":""}', '{"k\\u0000ey":1e400}',
    '{"b":1,"a":2}', "[1e200000]", "-1", '{"\\ud800":1}', "[true,false,null]", '"text"', "1.50", "[[],[[]]]",
)  # fmt: skip


def fill(file: BaseFile, *, seed: int, records: int | None) -> None:
    """Write the records; about ``records`` of them, 1,400 when None."""
    file.set_meta("tables", tables_to_json(schema.TABLES))
    plan = derivations(schema.TABLES)
    field_ids = {
        table.name: {f.name: table.field_id(f.name) for f in table.fields} for table in schema.TABLES
    }
    written = dict.fromkeys(field_ids, 0)
    left = EVERYTHING + PEOPLE if records is None else records
    number = 0
    while left > 0:
        size = min(left, EVERYTHING + PEOPLE)
        block = _chunk(seed, number, size)
        cells: dict[str, Cells] = {}
        by_table: dict[str, list[tuple[str, str, Cells]]] = {}
        for table in schema.TABLES:
            for draft in block.drafts.get(table.name, ()):
                cells[draft.id] = to_cells(draft, table, field_ids[table.name])
                by_table.setdefault(table.id, []).append((draft.id, iso(draft.created), cells[draft.id]))
        set_derived(plan, by_table, cells.get)
        for index, table in enumerate(schema.TABLES):
            _write(file, index, table, block, cells, written)
        file.add_attachments(block.files)
        file.add_comments(block.comments)
        block.forget()
        left -= size
        number += 1
    file.set_meta("autonumber", str(written["Everything"] + 1))


def _write(
    file: BaseFile, index: int, table: Table, block: Block, cells: dict[str, Cells], written: dict[str, int]
) -> None:
    drafts = block.drafts.get(table.name, [])
    start = index * SEQ_PER_TABLE + written[table.name] + 1
    commented = [comment.record_id for comment in block.comments]
    file.add_records(
        Row(start + i, d.id, iso(d.created), iso(d.created), commented.count(d.id), pack(cells[d.id]))
        for i, d in enumerate(drafts)
    )
    written[table.name] += len(drafts)


def _chunk(seed: int, number: int, size: int) -> Block:
    rng = random.Random(f"any/{seed}/{number}")  # noqa: S311 - invented data, not keys
    block = Block(rng, number, seed)
    people = max(1, size * PEOPLE // (EVERYTHING + PEOPLE))
    counts = {"Everything": size - people, "People": people}
    if number == 0:
        counts |= {"Ring A": 6, "Ring B": 5, "Ring C": 4, "Tree": 9, "Field notes": 7, "field_notes": 5}
        counts |= {"FIELD-notes": 4, "Blank rows": 12, schema.ODD_VALUES.name: len(ODD_TEXTS)}
    for table, count in counts.items():
        block.drafts[table] = [
            Draft(table, airtable_id("rec", "any", seed, table, number, index), moment(rng))
            for index in range(count)
        ]
    _people(block)
    for index, draft in enumerate(block.drafts["Everything"]):
        _everything(block, draft, number * EVERYTHING + index)
    if number == 0:
        _rings(block)
        _tree(block)
        _notes(block)
        _odd(block)
        _comments(block)
    return block


def _people(block: Block) -> None:
    people = block.drafts["People"]
    for index, (draft, name) in enumerate(
        zip(people, texts.people(block.rng, len(people), block.number), strict=True)
    ):
        draft.values |= {
            "Name": None if index % 17 == 16 else name,
            "Agreed": index % 9 == 0,
            "Weight": None if index % 5 == 4 else Raw(f"{index}.{index % 1000:03d}"),
            "Level": schema.LEVELS[index % 7] if index % 7 < 6 else None,
            "linked_items": "text of linked_items",
            "A b": "text of A b",
            "a_b": "text of a_b" if index % 2 else None,
            "a b ": "text of a b with a space",
        }


def _everything(block: Block, draft: Draft, index: int) -> None:
    rng = block.rng
    if index % 50 == 49:
        draft.values |= {"Number": index + 1, "Changed": iso(draft.created), "Made by": USER}
        return
    sentence = texts.sentence(rng)
    later = draft.created + timedelta(minutes=index % 5000, milliseconds=index % 1000)
    values: dict[str, Any] = {
        "Title": sentence,
        "Long line": (sentence * 4)[:200] if index % 10 == 0 else None,
        "Notes": f"{sentence}\n\n{texts.sentence(rng)}" if index % 2 else None,
        "Rich notes": f"**{sentence}**\n- one\n- two" if index % 3 == 0 else None,
        "Mail": f"person.{index}@example.org" if index % 4 == 0 else None,
        "Page": f"https://example.org/{index}?q=a%20b#c" if index % 4 == 1 else None,
        "Phone": f"+614915701{10 + index % 90}" if index % 4 == 2 else None,
        "Agreed": index % 3 == 0,
        "Amount": Raw(f"{rng.randrange(10**6)}.{rng.randrange(10**8):08d}")
        if index % 6
        else Raw("9007199254740993"),
        "Price": Raw(f"{rng.randrange(1000)}.{rng.randrange(100):02d}"),
        "Share": Raw(f"0.{rng.randrange(1000):03d}"),
        "Length": Raw(f"{rng.randrange(9000)}.{rng.randrange(1, 1000):03d}"),
        "Stars": rng.randrange(11) or None,
        "Day": f"{draft.created:%Y-%m-%d}",
        "Moment": iso(later),
        "Changed": iso(later),
        "Level": rng.choice(schema.LEVELS) or Raw('""') if index % 5 else None,
        "Languages": rng.sample(schema.LANGUAGES, rng.randrange(len(schema.LANGUAGES))),
        "Owner": USER if index % 3 == 1 else None,
        "Team": [USER, {"id": "usrSyntheticSecond"}] if index % 11 == 0 else None,
        "Made by": USER,
        "Changed by": USER if index % 2 else None,
        "Number": index + 1,
        "Code": {"text": f"{index:08d}", "type": "ean8"} if index % 2 else {"text": f"{index}"},
        "Open": {"label": "Open", "url": f"https://example.org/open/{index}"},
        "Machine summary": {"state": "generated", "isStale": index % 2 == 0, "value": sentence},
        "Synced from": "Other base" if index % 8 == 0 else None,
        "Order by hand": f"a{index:06d}" if index % 2 else None,
        "Quantum": Raw(ODD_THINGS[index % len(ODD_THINGS)]),
    }
    draft.values |= values
    if index % 25 == 0:
        draft.values["Files"] = [
            block.add_file(f"file {index}.png", "image/png"),
            block.add_file("a/b.txt", "text/plain"),
        ]
    people = block.drafts["People"]
    for person in rng.sample(people, min(len(people), (0, 1, 1, 2, 3)[index % 5])):
        connect(draft, "People", person, "Everything")
    for person in rng.sample(people, min(len(people), 2 if index % 40 == 0 else index % 2)):
        connect(draft, "Main person", person, "# linked items")


def _rings(block: Block) -> None:
    rings = [block.drafts[name] for name in ("Ring A", "Ring B", "Ring C")]
    for number, ring in enumerate(rings):
        for index, draft in enumerate(ring):
            draft.values["Name"] = f"Ring {'ABC'[number]}{index}"
            following = rings[(number + 1) % 3]
            for step in range(index % 3):
                connect(draft, "Next", following[(index + step) % len(following)], "Previous")
    for index, person in enumerate(block.drafts["People"][:20]):
        connect(rings[0][index % 5], "People", person, "Ring")


def _tree(block: Block) -> None:
    tree = block.drafts["Tree"]
    for index, draft in enumerate(tree):
        draft.values["Name"] = f"Node {index}"
        draft.links["Parent"] = [tree[index // 2]] if index else [tree[0]]
        if index in (4, 7):
            draft.links["Parent"] = [tree[1], tree[2]]
        if index % 3 == 0:
            draft.values["Hidden records"] = [
                airtable_id("rec", "hidden", index),
                airtable_id("rec", "hidden", 0),
            ]
            draft.values["Name (from Hidden records)"] = ["a name from elsewhere", None]
    for index, person in enumerate(block.drafts["People"]):
        if index % 2:
            person.links["Place in the tree"] = [tree[index % len(tree)]]


def _notes(block: Block) -> None:
    for table in ("Field notes", "field_notes", "FIELD-notes"):
        for index, draft in enumerate(block.drafts[table]):
            draft.values["Note"] = f"{table} {index}"
    for index, draft in enumerate(block.drafts["Field notes"]):
        draft.values |= {"Kind": ("River", "river")[index % 2], "Done": index == 3}
    for index, draft in enumerate(block.drafts["field_notes"]):
        draft.values |= {"Amount": Raw(f"{index}.5"), "Day": "0024-02-29" if index == 1 else "2024-02-29"}
        twins = block.drafts["FIELD-notes"]
        if index % 2:
            connect(draft, "Twin", twins[index % len(twins)], "Twin")


def _odd(block: Block) -> None:
    for index, draft in enumerate(block.drafts[schema.ODD_VALUES.name]):
        draft.values |= {
            "Name": Raw(ODD_TEXTS[index - 1]),
            "Text": Raw(ODD_TEXTS[index]),
            "Number": Raw(ODD_NUMBERS[index]),
            "Anything": Raw(ODD_THINGS[index]),
            "x" * 80: "eighty",
            "x" * 80 + "y": "eighty-one",
            "select": "a word of SQL",
            'quote " and \\ and {brace}': "quoted",
        }


def _comments(block: Block) -> None:
    for draft, several in ((block.drafts["Everything"][0], COMMENTS), (block.drafts["Blank rows"][1], 1)):
        for position in range(several):
            comment_id = airtable_id("com", draft.id, position)
            body: dict[str, Any] = {
                "id": comment_id,
                "text": f"Comment {position}: @[usrSyntheticMember] {texts.sentence(block.rng)}",
                "createdTime": iso(draft.created + timedelta(hours=position)),
                "lastUpdatedTime": iso(draft.created + timedelta(hours=position + 1))
                if position % 2
                else None,
                "author": USER,
                "mentioned": {USER["id"]: {"type": "user", "id": USER["id"], "displayName": USER["name"]}},
                "reactions": [],
            }
            if position % 10 == 9:
                body["parentCommentId"] = airtable_id("com", draft.id, position - 1)
            block.comments.append(Comment(comment_id, draft.id, position, encode(body)))
