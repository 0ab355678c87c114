"""The key: only its password opens it, any age tool can, and what was changed is refused."""

from __future__ import annotations

import hashlib

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger_assets.backup import identity as module
from ledger_assets.backup.identity import (
    DamagedKey,
    Identity,
    WrongPassword,
    check_mac,
    check_password,
    create,
    mac,
    rewrap,
    unlock,
)
from ledger_assets.errors import LedgerError, SettingsError

PASSWORD = "wattle and ironbark 7"
WEAK = [
    "",
    "short",
    "elevenchars",
    "aaaaaaaaaaaaaaaa",
    "abababababab",
    "Correct Horse Battery Staple",
    "line\nbreak here",
]


@pytest.fixture(scope="module")
def made() -> tuple[Identity, bytes]:
    """A key and its file, made once: each costs 256 MiB and half a second."""
    return create(PASSWORD)


@pytest.fixture(scope="module")
def cheap() -> tuple[Identity, bytes]:
    """A key whose file costs nothing to open, for trying many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WORK_FACTOR", 4)
        return create(PASSWORD)


def test_the_password_opens_the_key(made: tuple[Identity, bytes]) -> None:
    identity, data = made
    again = unlock(data, PASSWORD)
    assert again.recipient == identity.recipient
    assert again.key_id == hashlib.sha256(identity.recipient.encode()).hexdigest()[:16]
    assert data.split(b"\n")[1].split()[-1] == b"18"


def test_another_age_implementation_opens_the_key(made: tuple[Identity, bytes]) -> None:
    identity, data = made
    text = pyrage.passphrase.decrypt(data, PASSWORD).decode()
    assert f"# public key: {identity.recipient}\n" in text
    assert Identity(text.splitlines()[-1]).recipient == identity.recipient


def test_another_password_is_named_as_wrong_and_shown_nowhere(cheap: tuple[Identity, bytes]) -> None:
    with pytest.raises(WrongPassword, match="BACKUP_ENCRYPTION_PASSWORD") as caught:
        unlock(cheap[1], PASSWORD + "x")
    assert PASSWORD not in str(caught.value)


@given(st.data())
def test_a_changed_byte_is_never_opened(cheap: tuple[Identity, bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(cheap[1]) - 1))
    other = data.draw(st.integers(1, 255))
    changed = bytearray(cheap[1])
    changed[at] ^= other
    with pytest.raises(LedgerError):
        unlock(bytes(changed), PASSWORD)


def test_a_header_that_only_spells_its_mac_differently_is_refused_as_age_does(
    cheap: tuple[Identity, bytes],
) -> None:
    end = cheap[1].index(b"\n", cheap[1].index(b"\n--- ") + 1)
    letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    same = letters[letters.index(cheap[1][end - 1]) ^ 1]  # the last two bits are no part of the 32 bytes
    with pytest.raises(DamagedKey):
        unlock(cheap[1][: end - 1] + bytes([same]) + cheap[1][end:], PASSWORD)


@given(st.data())
def test_a_cut_or_extended_file_is_never_opened(cheap: tuple[Identity, bytes], data: st.DataObject) -> None:
    cut = cheap[1][: data.draw(st.integers(0, len(cheap[1]) - 1))]
    with pytest.raises(DamagedKey):
        unlock(cut, PASSWORD)
    with pytest.raises(DamagedKey):
        unlock(cheap[1] + data.draw(st.binary(min_size=1)), PASSWORD)


def test_a_work_factor_that_would_take_all_memory_is_refused_before_it_is_computed(
    made: tuple[Identity, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> bytes:
        raise AssertionError("computed")

    monkeypatch.setattr(hashlib, "scrypt", never)
    header, rest = made[1].split(b" 18\n", 1)
    with pytest.raises(DamagedKey, match=r"2\^21"):
        unlock(header + b" 21\n" + rest, PASSWORD)


def test_another_password_is_another_file_for_the_same_key(
    cheap: tuple[Identity, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WORK_FACTOR", 4)
    data = rewrap(cheap[0], "grevillea and saltbush 8")
    assert unlock(data, "grevillea and saltbush 8").recipient == cheap[0].recipient
    with pytest.raises(WrongPassword):
        unlock(data, PASSWORD)


@pytest.mark.parametrize("text", WEAK)
def test_a_weak_password_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match="BACKUP_ENCRYPTION_PASSWORD") as caught:
        create(text)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("text", [PASSWORD, "ngaïo-and-pōhutukawa", "x7Kq!pR2vTzz"])
def test_a_good_password_is_taken(text: str) -> None:
    check_password(text)


def test_the_secret_never_prints(made: tuple[Identity, bytes]) -> None:
    shown = f"{made[0]!r} {made[0]} {made[0].age!r}"
    assert "AGE-SECRET-KEY" not in shown
    assert made[0].key_id in shown


def test_a_mac_is_of_one_key_one_purpose_and_one_text() -> None:
    one, other = Identity.generate(), Identity.generate()
    given = mac(one, "manifest", b"text")
    assert check_mac(one, "manifest", b"text", given)
    assert not check_mac(one, "manifest", b"Text", given)
    assert not check_mac(one, "state", b"text", given)
    assert not check_mac(other, "manifest", b"text", given)
    assert not check_mac(one, "manifest", b"text", given[:-1])
    assert not check_mac(one, "manifest", b"text", "é")
