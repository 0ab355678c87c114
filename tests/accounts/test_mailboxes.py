"""Which addresses get an account."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets.accounts.mailboxes import INVALID, NO_ADDRESS, PLACEHOLDER, SHARED, refusal, repeated

GOOD = [
    "nora@riverbend.org.au",
    "n.o-r_a+stories@mail.riverbend.au",
    "tester.noreply@x.co",
    "infoteller@x.co",
    "testa@x.co",
]


@pytest.mark.parametrize("address", GOOD)
def test_a_persons_own_address_may_have_one(address: str) -> None:
    assert refusal(address) is None


@pytest.mark.parametrize(
    "address",
    ["nora", "nora@home", "@x.co", "nora@", "a b@x.co", "nora@x.co, kim@x.co", "nora@@x.co", "mailto:nora@x.co",
     "<nora@x.co>", "nora@x..co", "nora@-x.co", ".nora@x.co", "nora.@x.co", "nora@x.c", f"{'n' * 65}@x.co",
     f"nora@{'x' * 64}.co", "nora@127.0.0.1", "nora@x.co\n", "nöra@x.co", "nora@x.co;kim@x.co"],
)  # fmt: skip
def test_what_is_no_address(address: str) -> None:
    assert refusal(address) == INVALID


@pytest.mark.parametrize(
    "address",
    ["nora@example.com", "nora@mail.example.org", "nora@example.co.uk", "nora@x.test", "nora@x.invalid", "nora@pc.local",
     "noreply@x.co", "no-reply@x.co", "do-not-reply@x.co", "donotreply@x.co", "test@x.co", "test12@x.co", "test+1@x.co",
     "none@x.co", "n.a@x.co", "unknown@x.co", "xxx@x.co", "placeholder@x.co", "your.email@x.co", "email@x.co"],
)  # fmt: skip
def test_what_stands_for_none(address: str) -> None:
    assert refusal(address) == PLACEHOLDER


@pytest.mark.parametrize(
    "name", ["info", "admin", "office", "contact", "enquiries", "reception", "team", "administration"]
)
def test_an_offices_address_is_nobodys_own(name: str) -> None:
    assert refusal(f"{name}@riverbend.org.au") == SHARED
    assert refusal(f"{name}+nora@riverbend.org.au") == SHARED


def test_without_an_address() -> None:
    assert refusal(None) == NO_ADDRESS


def test_the_same_mailbox_of_two_is_found() -> None:
    assert repeated(["a@x.co", "a+b@x.co", "b@x.co"]) == {"a@x.co"}


@given(st.text(max_size=300))
def test_any_text_is_answered(text: str) -> None:
    found = refusal(text)
    assert found in (None, INVALID, PLACEHOLDER, SHARED)
    if found is None:
        assert text.isascii()
        assert text.count("@") == 1
        assert not any(character.isspace() or character in ',;<>:"()[]' for character in text)
