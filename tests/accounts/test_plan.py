"""The decision over random people and accounts: nobody gets an account at a mailbox that may be somebody else's."""

from __future__ import annotations

from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from ledger_assets.accounts import mailboxes
from ledger_assets.accounts.directory import User
from ledger_assets.accounts.plan import Person, decide

ADDRESSES = ["a@x.co", "a+1@x.co", "b@x.co", "c@x.co", "info@x.co", "a@example.org", "no address", None]
IDS = [UUID(int=number) for number in range(6)]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[Person], list[User]]:
    flags = st.booleans()
    everybody = []
    for number in range(draw(st.integers(1, 5))):
        state = draw(st.sampled_from([None, "intended", "made", "linked", "disabled", "deleted"]))
        everybody.append(
            Person(
                id=str(number),
                name=f"rec{number}",
                address=draw(st.sampled_from(ADDRESSES)),
                claimed=draw(flags),
                deceased=draw(flags),
                gone=draw(flags),
                user_id=IDS[number] if state else None,
                state=state,
                invited=False,
                has_profile=draw(flags),
                has_code=False,
            )
        )
    users = [
        User(
            id=one,
            email=draw(st.sampled_from([address for address in ADDRESSES if address])),
            storyteller=draw(st.sampled_from([None, "0", "1", "2"])),
            confirmed=draw(flags),
            signed_in=False,
            invited=False,
            banned=draw(flags),
        )
        for one in draw(st.lists(st.sampled_from(IDS), unique=True))
    ]
    return everybody, users


@example(
    (
        [Person("0", "rec0", "a@x.co", False, False, False, None, None, False, False, False)],
        [
            User(IDS[0], "a+1@x.co", None, False, False, False, False),
            User(IDS[1], "a@x.co", "0", False, False, False, False),
        ],
    )
)
@given(worlds())
def test_nobody_gets_an_account_that_may_be_anothers(world: tuple[list[Person], list[User]]) -> None:
    everybody, users = world
    decisions = decide(everybody, users)
    assert [decision.person for decision in decisions] == everybody
    assert all(bool(decision.why) == (decision.answer != "account") for decision in decisions)
    chosen = [decision.person for decision in decisions if decision.answer == "account"]
    boxes = [mailboxes.mailbox(person.address) for person in everybody if person.address is not None]
    for person in chosen:
        assert person.address is not None
        assert mailboxes.refusal(person.address) is None
        assert boxes.count(mailboxes.mailbox(person.address)) == 1
        assert (person.claimed, person.deceased, person.gone) == (False, False, False)
        theirs = [
            user for user in users if mailboxes.mailbox(user.email) == mailboxes.mailbox(person.address)
        ]
        assert all(user.storyteller == person.id for user in theirs)
    assert not any(decision.answer == "code" and decision.person.claimed for decision in decisions)
