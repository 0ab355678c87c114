"""The storytellers of a block, with the faults of the real base's.

Counts are those of the real base (187 storytellers), scaled to the block. The order of the drawing is part of
the result: a change here changes every base made from the same seed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ledger_assets.demo import texts
from ledger_assets.demo import vocabulary as words
from ledger_assets.demo.draft import Block, Draft, moment

WITHOUT_MEDIA = 10
"""The last storytellers have no media; six of them are empty shells or duplicates."""


def fill_people(block: Block) -> None:
    """Give every storyteller of the block its own cells."""
    people = block.drafts["Storytellers"]
    with_media = people[: len(people) - block.share(WITHOUT_MEDIA, "Storytellers")]
    for draft, name in zip(people, texts.people(block.rng, len(people), block.number), strict=True):
        draft.values["Name"] = name
    for draft in block.some("Storytellers", 4):
        draft.created = moment(
            block.rng, datetime(2024, 8, 5, tzinfo=UTC), datetime(2024, 12, 20, tzinfo=UTC)
        )
    _work(block, with_media)
    _words(block, with_media)
    _contact(block, with_media)
    _consent(block, with_media)
    _files(block, with_media)
    _names(block, people, with_media)


def _work(block: Block, people: list[Draft]) -> None:
    rng = block.rng
    for index, draft in enumerate(block.some("Storytellers", 180, people)):
        draft.values["Project"] = _each_once(block, words.PROJECTS, index)
    for index, draft in enumerate(block.some("Storytellers", 100, people)):
        draft.values["Organisation"] = _each_once(block, words.ORGANISATIONS, index)
    for index, draft in enumerate(block.some("Storytellers", 150, people)):
        draft.values["Role"] = _each_once(block, words.ROLES, index)
    for draft in block.some("Storytellers", 98, people):
        written = moment(rng, datetime(2024, 10, 3, tzinfo=UTC), draft.created + timedelta(days=1))
        draft.values["Created At"] = f"{written:%Y-%m-%d}"


def _each_once(block: Block, values: tuple[str, ...], index: int) -> str:
    """Every value comes once, the rest at random: rare values are there in a small base too."""
    return values[index] if index < len(values) else block.rng.choice(values)


def _words(block: Block, people: list[Draft]) -> None:
    rng = block.rng
    for field, count, length in (
        ("Bio", 68, 4),
        ("Personal Quote", 27, 1),
        ("Empathy Ledger Reflection", 27, 3),
    ):
        for draft in block.some("Storytellers", count, people):
            draft.values[field] = " ".join(texts.sentences(rng, length))
    for field, count, values in (("Website themes", 27, words.WEBSITE_THEMES), ("Tag", 12, words.TAGS)):
        for draft in block.some("Storytellers", count, people):
            draft.values[field] = rng.sample(values, rng.randrange(1, 4))
    for draft in block.some("Storytellers", 25, people):
        draft.values["Preferred Name"] = str(draft.values["Name"]).split()[0]
    for field, count in (("YJ", 50), ("Website", 27), ("Done", 23)):
        for draft in block.some("Storytellers", count, people):
            draft.values[field] = True


def _contact(block: Block, people: list[Draft]) -> None:
    for index, draft in enumerate(block.some("Storytellers", 23, people)):
        draft.values["Secure Contact Email"] = f"storyteller.{block.number}.{index}@example.org"
    for index, draft in enumerate(block.some("Storytellers", 14, people)):
        # The numbers that the Australian regulator keeps free for fiction.
        draft.values["Phone Number"] = f"+614915701{10 + index % 90:02d}"
    for draft in block.some("Storytellers", 24, people):
        draft.values["Magic Link URL"] = (
            f"https://magic.example.org/enter?token={block.rng.getrandbits(96):024x}"
        )
    for draft in block.some("Storytellers", 8, people):
        draft.values["RAW Video and photo URL"] = f"https://raw.example.org/{block.rng.getrandbits(40):010x}"
    for draft in block.some("Storytellers", 26, people):
        person = {"id": "usrSyntheticPerson", "email": "collector@example.org", "name": "Robin Collector"}
        draft.values["User who added story"] = person


def _consent(block: Block, people: list[Draft]) -> None:
    """54 with a status; with other evidence alone 28; the rest with no evidence at all."""
    stated = block.some("Storytellers", 54, people)
    for draft in stated:
        draft.values["Consent Status"] = words.CONSENT_STATUSES[0]
    if stated:
        stated[-1].values["Consent Status"] = words.CONSENT_STATUSES[1]
    unstated = [draft for draft in people if "Consent Status" not in draft.values]
    prefer = [*block.some("Storytellers", 30, stated), *block.some("Storytellers", 17, unstated)]
    for draft in prefer:
        draft.values["Preferences"] = words.PREFERENCES[0]
    for draft in block.some("Storytellers", 23, stated):
        draft.values["Preferred Anonymity Level"] = words.ANONYMITY_LEVELS[0]


def _files(block: Block, people: list[Draft]) -> None:
    rng = block.rng
    portraits = block.some("Storytellers", 172, people)
    names = texts.file_names(
        rng,
        len(portraits),
        unsafe=min(block.share(33, "Storytellers"), len(portraits) // 3),
        repeated=min(block.share(12, "Storytellers"), len(portraits) // 3),
    )
    for index, (draft, name) in enumerate(zip(portraits, names, strict=True)):
        kind, suffix = "image/jpeg", "jpeg"
        if index < 2:
            kind, suffix = "image/heic", "HEIC"
        elif index % 15 == 0:
            kind, suffix = "image/png", "png"
        draft.values["File Profile Image"] = [block.add_file(name.replace("jpeg", suffix), kind)]
    bare = [d for d in people if "Consent Status" not in d.values and "Preferences" not in d.values]
    stated = [d for d in people if "Consent Status" in d.values]
    forms = [*block.some("Storytellers", 8, bare), *block.some("Storytellers", 8, stated)]
    for index, draft in enumerate(forms):
        pages = 2 if index < 7 else 1
        draft.values["Consent Form Photo"] = [
            block.add_file(f"consent-{index:02d}-{page}.jpeg", "image/jpeg") for page in range(pages)
        ]
    for index, draft in enumerate(block.some("Storytellers", 6, [d for d in bare if d not in forms])):
        draft.values["Signature"] = [block.add_file(f"signature-{index}.png", "image/png")]


def _names(block: Block, people: list[Draft], with_media: list[Draft]) -> None:
    """The faults: single names, two people in one record, stray spaces, letters beyond ASCII, duplicates."""
    chosen = block.some("Storytellers", 66, with_media)
    given = block.rng.sample(words.GIVEN_NAMES, len(words.GIVEN_NAMES))
    single, pairs, spaced = (block.share(count, "Storytellers") for count in (29, 3, 11))
    for index, draft in enumerate(chosen[:single]):
        draft.values["Name"] = given[index]
    for draft in chosen[single : single + pairs]:
        draft.values["Name"] = f"{draft.values['Name']} & {texts.people(block.rng, 1, block.number)[0]}"
    for index, draft in enumerate(chosen[single + pairs : single + pairs + spaced]):
        name = str(draft.values["Name"])
        draft.values["Name"] = (f"{name} ", f" {name}", f"{name}\n", name.replace(" ", "  ", 1))[index % 4]
    shells = people[len(with_media) :]
    if len(shells) < 4:
        return
    originals = [d for d in with_media if d not in chosen][:4]
    shells[0].values["Name"] = originals[0].values["Name"]
    shells[1].values["Name"] = str(originals[1].values["Name"]).upper()
    originals[2].values["Name"] = originals[3].values["Name"]
    originals[2].values["Project"], originals[3].values["Project"] = words.PROJECTS[0], words.PROJECTS[1]
    later = [d for d in with_media if d not in chosen][4:6]
    later[0].values["Name"] = f"{later[1].values['Name']} "
    later[0].values["Project"], later[1].values["Project"] = words.PROJECTS[2], words.PROJECTS[3]
    shells[2].values["Name"] = shells[3].values["Name"]
