"""Random parts of a world. Most choices fall on what keeps a story open: a world where all is closed proves nothing."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.consent.world import (
    ACCOUNTS,
    ENFORCEMENTS,
    PAIR,
    PEOPLE,
    PRIVACIES,
    PURPOSES,
    REVIEWS,
    ROLES,
    SENSITIVITIES,
    STATUSES,
    STORIES,
    Consent,
    ConsentKey,
    Person,
    Protocol,
    Story,
    World,
    open_world,
)


def mostly(usual: object, others: tuple[object, ...], weight: int = 6) -> st.SearchStrategy[object]:
    """``usual``, and now and then another."""
    return st.sampled_from([usual] * weight + list(others))


rarely = mostly(False, (True,), 9)
people = st.builds(
    Person,
    privacy=mostly("public", PRIVACIES, 8),
    sensitive=rarely,
    deceased=rarely,
    account=mostly(None, ("account-1", "account-2"), 1),
)
stories = st.builds(
    Story,
    status=mostly("published", STATUSES, 12),
    privacy=st.sampled_from(
        ["public", "public", "community", "community", "organisation", "organisation", "private"]
    ),
    sensitivity=mostly("standard", SENSITIVITIES),
    review=rarely,
    community=mostly(1, (2, None)),
    organisation=mostly(1, (2, None), 4),
    gone=rarely,
)
consents = st.builds(
    Consent,
    state=mostly("given", ("withdrawn",)),
    expires=st.sampled_from([None, None, None, 1, 2, 0, -1]),
    gone=rarely,
)
consent_keys: st.SearchStrategy[ConsentKey] = st.tuples(
    st.sampled_from(PEOPLE),
    st.sampled_from(PURPOSES),
    st.sampled_from([None, *STORIES]),
    st.sampled_from(["form", "airtable"]),
)
protocols = st.builds(
    Protocol,
    community=mostly(1, (2,), 2),
    enforcement=st.sampled_from(ENFORCEMENTS),
    privacy=st.sampled_from(PRIVACIES),
    active=st.booleans(),
)
reviews = st.sampled_from(["approved", "approved", *REVIEWS])
memberships = st.tuples(st.sampled_from(ROLES), mostly(True, (False,), 4))
story_numbers, person_numbers, either = (
    st.sampled_from(STORIES),
    st.sampled_from(PEOPLE),
    st.sampled_from(PAIR),
)
accounts = st.sampled_from(ACCOUNTS)
TIES = {
    "authorship": st.tuples(story_numbers, person_numbers),
    "story_interviews": st.tuples(story_numbers, either),
    "interview_storytellers": st.tuples(either, person_numbers),
}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A whole world: the open one, disturbed."""
    w = open_world()
    w.people = {p: draw(people) for p in PEOPLE}
    w.stories = {s: draw(stories) for s in STORIES}
    w.authors = draw(st.sets(TIES["authorship"], min_size=2, max_size=5)) | draw(
        st.sampled_from([set(), {(1, 1), (2, 1), (3, 2)}])
    )
    w.made_from = draw(st.sets(TIES["story_interviews"], max_size=3))
    w.speakers = draw(st.sets(TIES["interview_storytellers"], max_size=2))
    w.consents |= draw(st.dictionaries(consent_keys, consents, max_size=5))
    for key in draw(st.sets(st.sampled_from(sorted(w.consents, key=str)), max_size=3)):
        del w.consents[key]
    w.protocols = draw(st.dictionaries(either, protocols, max_size=1))
    w.reviews = draw(st.dictionaries(story_numbers, reviews, max_size=2))
    w.members |= draw(st.dictionaries(st.tuples(accounts, either), memberships, max_size=4))
    w.organisation_members |= draw(st.sets(st.tuples(accounts, either), max_size=3))
    return w
