"""The consent rule in plain Python: who sees what, from the rule in words and from nothing else.

What belongs here: the words at the head of 09_visibility.sql and in docs/consent.md, one line of code for each. What
does not: SQL, and anything learnt from reading it: this file and the migrations judge one another.

Invariants: pure; times are whole days from now, so that nothing here depends on the clock.
"""

from __future__ import annotations

from collections.abc import Set

from tests.consent.world import Protocol, Story, World

ANON = "anon"
SERVICE = "service"
LIMITS: dict[str, frozenset[str]] = {
    "public": frozenset(),
    "community": frozenset({"community"}),
    "organisation": frozenset({"organisation"}),
    "private": frozenset({"closed"}),
}
UNDECIDED = {"pending", "in_review", "needs_consultation"}


def people(w: World, story: int) -> set[int]:
    """A story's authors, and whoever speaks in an interview it is made from."""
    interviews = {i for s, i in w.made_from if s == story}
    return {p for s, p in w.authors if s == story} | {p for i, p in w.speakers if i in interviews}


def consented(w: World, person: int, story: int, purpose: str) -> bool:
    """Given for that very purpose, for this story or all, not expired, and withdrawn nowhere."""
    said = [
        c
        for (p, what, s, _), c in w.consents.items()
        if p == person and what == purpose and s in (None, story)
    ]
    if any(c.state == "withdrawn" for c in said):
        return False
    return any(not c.gone and (c.expires is None or c.expires > 0) for c in said)


def protocols(w: World, story: Story) -> list[Protocol]:
    """The protocols in force for a story."""
    return [p for p in w.protocols.values() if p.active and p.community == story.community]


def circle(w: World, number: int) -> frozenset[str]:
    """What remains when every limit is put on the story at once; consent apart."""
    story, told_by, rules = w.stories[number], people(w, number), protocols(w, w.stories[number])
    limits = LIMITS[story.privacy]
    for person in told_by:
        limits |= LIMITS[w.people[person].privacy]
        limits |= {"community"} if w.people[person].sensitive else frozenset()
    for rule in rules:
        limits |= LIMITS[rule.privacy] if rule.enforcement == "strict" else frozenset()
    limits |= {"standard": frozenset(), "sensitive": {"community"}, "sacred": {"closed"}}[story.sensitivity]
    demanded = (
        story.review or story.sensitivity != "standard" or any(r.enforcement == "required" for r in rules)
    )
    if w.reviews.get(number, "none" if demanded else "approved") != "approved":
        limits |= {"closed"}
    if story.status != "published" or story.gone or not told_by:
        limits |= {"closed"}
    return limits


def is_open(w: World, story: int) -> bool:
    """Whether anybody but its own people may see the story: each has consented to each purpose the circle needs."""
    limits = circle(w, story)
    needed = {f"{limit}_sharing" for limit in limits or {"public"}}
    return "closed" not in limits and all(
        consented(w, person, story, purpose)
        for person in people(w, story)
        for purpose in needed | ({"posthumous"} if w.people[person].deceased else set())
    )


def analysable(w: World, story: int) -> bool:
    """Whether what a machine said of the story may be shown beside it."""
    return is_open(w, story) and all(consented(w, p, story, "ai_analysis") for p in people(w, story))


def communities(w: World, who: str, roles: tuple[str, ...] = ("elder", "steward", "member")) -> set[int]:
    """The communities in which this account has been approved in one of these roles."""
    return {c for (a, c), (role, approved) in w.members.items() if a == who and approved and role in roles}


def in_circle(w: World, story: int, who: str) -> bool:
    """Open, and the reader belongs to each circle that limits it."""
    s, limits = w.stories[story], circle(w, story)
    return (
        is_open(w, story)
        and ("community" not in limits or s.community in communities(w, who))
        and ("organisation" not in limits or (who, s.organisation) in w.organisation_members)
    )


def own(w: World, who: str) -> set[int]:
    """The people that this account has claimed."""
    return {p for p, person in w.people.items() if person.account == who}


def to_review(w: World, story: int, who: str) -> bool:
    """Elders read what waits for them, while its people let the community see it (the dead: posthumously)."""
    s = w.stories[story]
    return (
        s.community in communities(w, who, ("elder", "steward"))
        and w.reviews.get(story) in UNDECIDED
        and s.sensitivity != "sacred"
        and not s.gone
        and bool(people(w, story))
        and all(
            consented(w, p, story, purpose)
            for p in people(w, story)
            for purpose in ["community_sharing", *(["posthumous"] if w.people[p].deceased else [])]
        )
    )


def expected(w: World, who: str) -> dict[str, Set[object]]:
    """What one reader sees, by kind."""
    every, mine = set(w.stories), own(w, who)
    told = {s for s in every if any((s, p) in w.authors for p in mine)}
    shown = {s for s in every if in_circle(w, s, who)}
    seen = every if who == SERVICE else shown | told | {s for s in every if to_review(w, s, who)}
    analysed = {s for s in shown if analysable(w, s)}
    standing = every == {1, 2, 3} and analysed == every and all(w.stories[s].community == 1 for s in every)
    insights = {n for n in w.insights if standing and (n == "public" or 1 in communities(w, who))}
    all_of_them = who == SERVICE
    told_together = {(s, p) for s, p in w.authors if s in seen}
    return {
        "stories": set(seen),
        "page": set(shown),
        "found": set(shown),
        "by_theme": {s for s in analysed if any(x == s for x, _ in w.made_from)},
        "detail": shown | told,
        "detail_quotes": {(s, p) for s, p in w.authors if s in shown | told},
        "detail_comments": shown | told,
        "cards": {p for s, p in w.authors if s in shown},
        "card_quotes": {p for s, p in w.authors if s in shown},
        "authorship": {(s, p) for s, p in w.authors if all_of_them or s in seen or p in mine},
        "quotes": {
            (s, p) for s in every for p in w.people if all_of_them or (s, p) in told_together or p in mine
        },
        "images": set(seen),
        "comments": set(seen),
        "reactions": set(seen),
        "analysis": every if all_of_them else {s for s in seen if analysable(w, s)},
        "versions": every if all_of_them else told,
        "themes": {1, 2} if all_of_them else {i for s, i in w.made_from if s in analysed},
        "insights": set(w.insights) if all_of_them else insights,
        "view_insights": insights,
        "interviews": {1, 2} if all_of_them else {i for i, p in w.speakers if p in mine},
    }
