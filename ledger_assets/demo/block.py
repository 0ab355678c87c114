"""One block of the synthetic base: media, themes, quotes and stories, and who told what.

Counts are those of the real base, scaled to the block. The storytellers: :mod:`ledger_assets.demo.people`.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ledger_assets.demo import texts
from ledger_assets.demo import vocabulary as words
from ledger_assets.demo.basefile import Comment
from ledger_assets.demo.cells import encode
from ledger_assets.demo.draft import Block, Draft, connect, iso, moment
from ledger_assets.demo.model import airtable_id
from ledger_assets.demo.people import fill_people

WITHOUT_TELLERS = 7
WITHOUT_TRANSCRIPT = 6


def make_block(seed: int, number: int, counts: Mapping[str, int], *, long_texts: bool) -> Block:
    """Block ``number`` of the base of ``seed`` with so many records of each table."""
    rng = random.Random(f"{seed}/{number}")  # noqa: S311 - invented data, not keys
    block = Block(rng, number, seed)
    for table, count in counts.items():
        block.drafts[table] = [
            Draft(table, airtable_id("rec", seed, table, number, index), moment(rng))
            for index in range(count)
        ]
    fill_people(block)
    _tellers(block)
    spoken = _media(block, long_texts=long_texts)
    _themes(block)
    _quotes(block, spoken)
    _story_links(block)
    _places(block)
    _stories(block)
    _comments(block)
    return block


def _tellers(block: Block) -> None:
    """Who is in which media: mostly one each way, a few two or three, some none."""
    people, media = block.drafts["Storytellers"], block.drafts["Media"]
    told = people[: len(people) - block.share(10, "Storytellers")]
    shown = media[: len(media) - block.share(WITHOUT_TELLERS, "Media")]
    for index, draft in enumerate(shown):
        if told:
            connect(draft, "Storytellers", told[index % len(told)], "Media")
    if len(told) > 20 and len(shown) > 20:
        connect(shown[10], "Storytellers", told[11], "Media")
    for draft in shown:
        first = draft.links.get("Storytellers")
        if first:
            draft.created = min(first[0].created + timedelta(minutes=block.rng.randrange(1, 90)), _LATEST)


_LATEST = datetime(2025, 5, 31, 20, tzinfo=UTC)


def _media(block: Block, *, long_texts: bool) -> dict[str, list[str]]:
    """The media's own cells. Returns the sentences spoken in each, by record id."""
    rng, media = block.rng, block.drafts["Media"]
    spoken: dict[str, list[str]] = {}
    for index, draft in enumerate(media):
        names = [str(t.values["Name"]) for t in draft.links.get("Storytellers", ())]
        name = names[0] if names else "Unknown"
        same = rng.random() < 63 / 183
        draft.values["File Name"] = name if same else f"Interview with {name.strip()} ({index + 1}).mp4"
        draft.values["Processed"] = True
        length = int(rng.lognormvariate(4.0, 0.6)) + 6 if long_texts else rng.randrange(6, 20)
        if index == 3 and long_texts:
            length = 1300
        spoken[draft.id] = texts.sentences(rng, length)
    written = media[: len(media) - block.share(WITHOUT_TRANSCRIPT, "Media")]
    for draft in written:
        draft.values["Transcript"] = texts.transcript(spoken[draft.id])
    for index in range(0, block.share(12, "Media") // 2 * 2, 2):
        written[-1 - index].values["Transcript"] = written[-2 - index].values["Transcript"]
        spoken[written[-1 - index].id] = spoken[written[-2 - index].id]
    for draft in block.some("Media", 189):
        draft.values["Summary"] = " ".join(texts.sentences(rng, 3))
    for index, draft in enumerate(block.some("Media", 176)):
        draft.values["Type"] = words.MEDIA_TYPES[1 if 0 < index < 7 else 2 if index == 7 else 0]
    for draft in block.some("Media", 168):
        draft.values["Created At"] = f"{draft.created:%Y-%m-%d}"
    for index, draft in enumerate(block.some("Media", 81)):
        host = "web" if index % 4 == 3 else "share"
        draft.values["Video draft link"] = f"https://{host}.video.example/view/{rng.getrandbits(44):011x}"
    projects = (*words.PROJECTS, *words.MEDIA_ONLY_PROJECTS)
    for index, draft in enumerate(block.some("Media", 178)):
        tellers = draft.links.get("Storytellers", ())
        told = tellers[0].values.get("Project") if tellers else None
        differs = told is None or rng.random() < 0.08
        draft.values["Project"] = projects[index] if index < 13 else rng.choice(projects) if differs else told
    return spoken


def _themes(block: Block) -> None:
    rng, themes = block.rng, block.drafts["Themes"]
    names = texts.theme_names(rng, len(themes))
    for draft, name in zip(themes, names, strict=True):
        draft.values["Theme Name"] = name
        draft.values["Description"] = " ".join(texts.sentences(rng, 2))
    linked = themes[: len(themes) - block.share(28, "Themes")]
    extra = block.share(19, "Themes") + 2 * block.share(2, "Themes")
    sources = _sources(block, len(linked) + extra, 2, 19)
    _assign(linked, sources, "Related Media", "Themes")


def _quotes(block: Block, spoken: Mapping[str, list[str]]) -> None:
    """Quotes: most are said in their transcript word for word, many are not, some have no source."""
    rng, quotes = block.rng, block.drafts["Quotes"]
    linked = quotes[: len(quotes) - block.share(36, "Quotes")]
    _assign(
        linked,
        _sources(block, len(linked) + block.share(10, "Quotes"), 3, 15),
        "Transcript Reference",
        "Quotes",
    )
    verbatim = {draft.id for draft in block.some("Quotes", 624, linked)}
    for index, draft in enumerate(quotes):
        media = draft.links.get("Transcript Reference")
        text = rng.choice(spoken[media[0].id]) if media else texts.sentence(rng)
        if draft.id not in verbatim:
            text = texts.reworded(rng, text)
        elif index % 5 == 0:
            text = text.upper().rstrip(".")
        draft.values["Quote Text"] = text
        rare = index % 97 == 5
        draft.values["Theme"] = rng.choice(words.QUOTE_THEMES[7:] if rare else words.QUOTE_THEMES[:7])
    for index in range(block.share(30, "Quotes")):
        quotes[index * 2 + 1].values["Quote Text"] = quotes[index * 2].values["Quote Text"]


def _sources(block: Block, links: int, low: int, high: int) -> list[Draft]:
    """Media that have a transcript, each as often as records shall link to it; ``links`` in all."""
    media = [m for m in block.drafts["Media"] if "Transcript" in m.values]
    sizes = texts.partition(block.rng, links if media else 0, len(media), low, high)
    return [m for m, size in zip(media, sizes, strict=True) for _ in range(size)]


def _assign(drafts: list[Draft], sources: list[Draft], field: str, inverse: str) -> None:
    """One source each, in order; those left over go to the first records as a second or third source."""
    for draft, source in zip(drafts, sources, strict=False):
        connect(draft, field, source, inverse)
        draft.created = source.created + timedelta(minutes=5)
    left = sources[len(drafts) :]
    for position, source in enumerate(left):
        for draft in drafts[position:]:
            if len(draft.links[field]) == 1 and source not in draft.links[field]:
                connect(draft, field, source, inverse)
                break


def _story_links(block: Block) -> None:
    """26 people told the stories, one to three each; two stories have two tellers; one row is blank."""
    stories = block.drafts["Stories"]
    told = [p for p in block.drafts["Storytellers"] if p.links.get("Media")]
    stories = stories[: len(stories) - block.share(1, "Stories")]
    tellers = told[12:38] if len(told) > 38 else told
    if not tellers:
        return
    order = [*tellers, *tellers[:11], *tellers[:3]]
    for index, draft in enumerate(stories):
        _tell(draft, order[index % len(order)])
    if len(stories) > 30:
        _tell(stories[0], tellers[-1])
        _tell(stories[1], tellers[-2])


def _tell(story: Draft, teller: Draft) -> None:
    media = teller.links["Media"][0]
    connect(story, "Storytellers", teller, "Stories")
    connect(story, "Media", media, "Stories")
    story.created = min(max(story.created, media.created + timedelta(hours=1)), _LATEST)


def _places(block: Block) -> None:
    """Storytellers.Location against the media's: agree, only one side, differ (also by spelling), none."""
    rng = block.rng
    for index, media in enumerate(block.some("Media", 182)):
        media.values["Location"] = (
            words.MEDIA_LOCATIONS[index % 20] if index < 40 else rng.choice(words.TOWNS)
        )
    spelled = {"Tennant Creek": "Tennent Creek", "Bundaberg": "Bundaburg"}
    values = words.STORYTELLER_LOCATIONS
    for index, person in enumerate(block.some("Storytellers", 139)):
        shown = person.links.get("Media")
        place = shown[0].values.get("Location") if shown else None
        if place in spelled:
            person.values["Location"] = spelled[place]
        elif index < len(values) or place not in values or rng.random() < 0.05:
            person.values["Location"] = values[index % len(values)]
        else:
            person.values["Location"] = place


def _stories(block: Block) -> None:
    rng, stories = block.rng, block.drafts["Stories"]
    gaps = [number for number in range(2, 43) if number not in (9, 23)]
    for index, draft in enumerate(stories):
        draft.values["Story ID"] = 41 * block.number + gaps[index]
        draft.modified = draft.created + timedelta(
            minutes=rng.randrange(1, 9000), milliseconds=rng.randrange(1000)
        )
        draft.values["Airtable: Last modified time"] = iso(draft.modified)
    filled = stories[: len(stories) - block.share(1, "Stories")]
    for index, draft in enumerate(filled):
        told = texts.sentences(rng, rng.randrange(5, 60))
        draft.values |= {
            "Title": f"{texts.sentence(rng).split(' and ')[0].rstrip('.')} ({block.number * 41 + index + 1})",
            "Story Transcript": texts.story_transcript(
                rng, told, escaped=index % 5 < 3, struck=index % 5 > 2, odd=index in (4, 17)
            ),
            "Video Story Link": f"https://share.video.example/view/{rng.getrandbits(44):011x}",
            "Created": f"{draft.created:%Y-%m-%d}",
        }
        link = draft.values["Video Story Link"]
        draft.values["Video Embed Code"] = f'<iframe src="{link}" width="640" allowfullscreen></iframe>'
    for draft in block.some("Stories", 28, filled):
        draft.values["Story copy"] = " ".join(texts.sentences(rng, rng.randrange(3, 9)))
    _publishing(block, filled)
    _images(block, filled)


def _publishing(block: Block, filled: list[Draft]) -> None:
    def consented(story: Draft) -> bool:
        return (
            "Consent Status" in story.links["Storytellers"][0].values
            if "Storytellers" in story.links
            else False
        )

    agreed = [story for story in filled if consented(story)]
    others = [story for story in filled if not consented(story)]
    allowed = [*others[: block.share(6, "Stories")], *agreed][: block.share(22, "Stories")]
    for story in allowed:
        story.values["Permissions"] = words.STORY_PERMISSIONS[0]
    for story in block.some("Stories", 22, filled):
        story.values["Status"] = words.STORY_STATUSES[0]
        story.values["Watermark"] = f"WM-{block.rng.getrandbits(20):05X}"
    for story in block.some("Stories", 9, filled):
        story.values["CMS-B: Action"] = "ops"
        story.values["CMS-B: Message"] = "Validation error: field 'slug' is required"
        story.values["CMS-B: Sync time"] = iso(story.created + timedelta(days=2))
        story.values["Airtbale record ID"] = story.id


def _images(block: Block, filled: list[Draft]) -> None:
    """31 pictures on 31 stories, but only 20 files: five are shared by two stories, three by three."""
    with_image = block.some("Stories", 31, filled)
    uses = (
        ([3] * 3 + [2] * 5 + [1] * 12)[: len(with_image)] if len(with_image) > 19 else [1] * len(with_image)
    )
    shared = [i for i, times in enumerate(uses) for _ in range(times)]
    made = [
        block.add_file(f"story image {i}.jpeg" if i % 3 else "image.jpeg", "image/jpeg")
        for i in range(len(uses))
    ]
    for draft, index in zip(with_image, shared, strict=False):
        draft.values["Story Image"] = [made[index]]


def _comments(block: Block) -> None:
    author = {"id": "usrSyntheticEditor", "email": "editor@example.org", "name": "Sam Editor"}
    for table, count in (("Storytellers", 8), ("Stories", 4), ("Media", 2)):
        for draft in block.some(table, count):
            for position in range(block.rng.randrange(1, 4)):
                comment_id = airtable_id("com", draft.id, position)
                body = {
                    "id": comment_id,
                    "text": texts.sentence(block.rng),
                    "createdTime": iso(draft.created + timedelta(days=position + 1)),
                    "lastUpdatedTime": None,
                    "author": author,
                }
                block.comments.append(Comment(comment_id, draft.id, position, encode(body)))
