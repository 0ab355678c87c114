"""Invented sentences, transcripts, names of people and of files, drawn from the vocabulary.

Pure functions of a random generator. Invariant: what is drawn depends on the generator alone.
"""

from __future__ import annotations

import random

from ledger_assets.demo import vocabulary as words

_SYLLABLES = (
    "wen",
    "dar",
    "mi",
    "loo",
    "tha",
    "gar",
    "nel",
    "bri",
    "ko",
    "sul",
    "ve",
    "rin",
    "pa",
    "tor",
    "esh",
    "um",
)
_UNSAFE = (
    "IMG {n} (1).jpeg",
    "photo #{n}?.jpeg",
    "Zoë's portrait {n}.jpeg",
    "a&b+c={n}.jpeg",
    "50% crop {n}.jpeg",
    "scan: {n}.jpeg",
)


def sentence(rng: random.Random) -> str:
    """One sentence."""
    number = int(rng.random() * _SENTENCES)
    number, subject = divmod(number, len(words.SENTENCE_SUBJECTS))
    number, verb = divmod(number, len(words.SENTENCE_VERBS))
    end, thing = divmod(number, len(words.SENTENCE_OBJECTS))
    return (
        f"{words.SENTENCE_SUBJECTS[subject]} {words.SENTENCE_VERBS[verb]} "
        f"{words.SENTENCE_OBJECTS[thing]} {words.SENTENCE_ENDS[end]}"
    )


_SENTENCES = (
    len(words.SENTENCE_SUBJECTS)
    * len(words.SENTENCE_VERBS)
    * len(words.SENTENCE_OBJECTS)
    * len(words.SENTENCE_ENDS)
)


def sentences(rng: random.Random, count: int) -> list[str]:
    """Several sentences."""
    return [sentence(rng) for _ in range(count)]


def transcript(spoken: list[str]) -> str:
    """Sentences as a transcript: paragraphs of four."""
    return "\n\n".join(" ".join(spoken[i : i + 4]) for i in range(0, len(spoken), 4))


def story_transcript(rng: random.Random, spoken: list[str], *, escaped: bool, struck: bool, odd: bool) -> str:
    """A transcript with time stamps; with the marks that an editor leaves behind where asked for."""
    lines = []
    seconds = 0
    for line in spoken:
        seconds += rng.randrange(4, 40)
        lines.append(f"[{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}] {line}")
    if escaped:
        lines[0] = lines[0].replace("[", "\\[").replace("]", "\\]") + " \\*\\*"
    if struck and len(lines) > 1:
        lines[1] = lines[1] + " ~~and so on, and so on~~"
    if odd:
        lines[-1] = lines[-1].replace(" ", "\u00a0", 1) + "\u200b"
    return "\n".join(lines)


def reworded(rng: random.Random, text: str) -> str:
    """A sentence that says much the same in words that were never said."""
    opening = rng.choice(("We learn that", "In the end", "It seems that"))
    return f"{opening} {text[0].lower()}{text[1:-1]}, truly."


def people(rng: random.Random, count: int, block: int) -> list[str]:
    """``count`` different names. Blocks after the first have family names of their own."""
    suffix = ""
    number = block
    while number:
        number, rest = divmod(number, len(_SYLLABLES))
        suffix = _SYLLABLES[rest] + suffix
    names = [f"{given} {family}" for given in words.GIVEN_NAMES for family in words.FAMILY_NAMES]
    chosen = rng.sample(names, count)
    return [f"{name}-{suffix.capitalize()}" for name in chosen] if suffix else chosen


def file_names(rng: random.Random, count: int, *, unsafe: int, repeated: int) -> list[str]:
    """Names of ``count`` files: some unsafe in an object key, some equal to one before."""
    plain = [f"portrait-{number:03d}.jpeg" for number in range(count - unsafe - repeated)]
    names = plain + [rng.choice(_UNSAFE).format(n=number) for number in range(unsafe)]
    names += [rng.choice(plain) for _ in range(repeated)] if plain else []
    rng.shuffle(names)
    return names


def theme_names(rng: random.Random, count: int) -> list[str]:
    """Names of ``count`` themes, about a tenth of them in groups that are equal but for case and space."""
    combinations = [
        f"{opening} {subject}" for opening in words.THEME_OPENINGS for subject in words.THEME_SUBJECTS
    ]
    rng.shuffle(combinations)
    grouped = [*words.REPEATED_THEMES, *combinations[:26]]
    single = combinations[26:]
    groups = min(28, count // 29)
    in_groups = min(round(count * 81 / 839), groups * 3)
    names = [grouped[i % groups] for i in range(in_groups)] if groups else []
    for i in range(min(5, in_groups)):
        names[i] = names[i].lower() if i % 2 else f"{names[i]} "
    names += single[: count - in_groups]
    rng.shuffle(names)
    return names


def partition(rng: random.Random, total: int, parts: int, low: int, high: int) -> list[int]:
    """``total`` split into ``parts`` numbers between ``low`` and ``high`` (as near as that is possible)."""
    if parts == 0:
        return []
    sizes = [min(low, total // parts)] * parts
    left = total - sum(sizes)
    while left > 0:
        index = rng.randrange(parts)
        if sizes[index] < high or left > parts * high:
            sizes[index] += 1
            left -= 1
        elif min(sizes) >= high:
            sizes[index] += left
            left = 0
    return sizes
