"""Sealed objects: any size comes back, whatever was changed is refused, and a failing disk is never silent."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger_assets.backup import sealing
from ledger_assets.backup.identity import Identity
from ledger_assets.backup.sealing import (
    Damaged,
    NotForThisKey,
    Sealed,
    open_bytes,
    plain_size,
    seal_bytes,
    seal_file,
    unseal_bytes,
    unseal_to,
)
from ledger_assets.errors import SettingsError, StoreError
from ledger_assets.storage import ObjectExists, ObjectMissing, ObjectStore, open_store

KEY = Identity.generate()
SIZES = st.one_of(
    st.integers(0, 300),
    st.sampled_from([n * 65536 + d for n in (1, 2, 3) for d in (-1, 0, 1)]),
    st.integers(0, 400_000),
)


def sealed_in(folder: str, data: bytes) -> tuple[ObjectStore, Sealed]:
    """A store with ``data`` sealed at ``object.age``."""
    store = open_store((Path(folder) / "store").as_uri())
    return store, seal_bytes(store, "object.age", data, [KEY.recipient])


@given(SIZES)
@example(3_000_000)
def test_any_size_comes_back_and_its_size_is_known_from_the_header(size: int) -> None:
    data = os.urandom(size)
    with TemporaryDirectory() as folder:
        store, sealed = sealed_in(folder, data)
        stored = store.get("object.age")
        assert stored.startswith(b"age-encryption.org/v1\n")
        assert (sealed.size, sealed.sha256) == (len(stored), hashlib.sha256(stored).hexdigest())
        assert (sealed.plain_size, sealed.plain_sha256) == (size, hashlib.sha256(data).hexdigest())
        assert plain_size(stored[:4096], len(stored)) == size
        assert unseal_bytes(store, sealed, KEY) == data
        assert open_bytes(store, "object.age", KEY) == data


@given(SIZES, st.floats(0, 1, exclude_max=True), st.integers(1, 255), st.binary(min_size=1, max_size=20))
@example(100, 0.999999, 1, b"x")
@example(131_072, 0.0, 255, b"\0")
def test_whatever_is_cut_changed_or_added_is_refused(size: int, where: float, bits: int, more: bytes) -> None:
    with TemporaryDirectory() as folder:
        store, sealed = sealed_in(folder, os.urandom(size))
        stored = store.get("object.age")
        at = int(where * len(stored))  # the header's length is random
        flipped = bytearray(stored)
        flipped[at] ^= bits
        for damaged in (stored[:at], bytes(flipped), stored + more):
            store.put("object.age", damaged)
            path = Path(folder) / "plain"
            with pytest.raises(Damaged, match=r"object object\.age") as caught:
                unseal_to(store, sealed, path, KEY)
            assert not isinstance(caught.value, NotForThisKey)
            with pytest.raises(Damaged):
                open_bytes(store, "object.age", KEY)
            assert [one.name for one in Path(folder).iterdir()] == ["store"]


def test_another_file_sealed_for_the_same_key_is_refused(tmp_path: Path) -> None:
    store, sealed = sealed_in(str(tmp_path), b"one")
    seal_bytes(store, "object.age", b"two", [KEY.recipient], create=False)
    with pytest.raises(Damaged):
        unseal_bytes(store, sealed, KEY)


@pytest.mark.parametrize(
    "wrong", [{"plain_sha256": "0" * 64}, {"plain_size": 4}, {"sha256": "0" * 64}, {"size": 1}]
)
def test_each_number_of_the_manifest_counts(tmp_path: Path, wrong: dict[str, object]) -> None:
    store, sealed = sealed_in(str(tmp_path), b"one")
    with pytest.raises(Damaged):
        unseal_to(store, replace(sealed, **wrong), tmp_path / "plain", KEY)
    assert not (tmp_path / "plain").exists()


def test_another_key_and_a_missing_object_are_told_apart(tmp_path: Path) -> None:
    store, sealed = sealed_in(str(tmp_path), b"one")
    other = Identity.generate()
    with pytest.raises(NotForThisKey, match=other.key_id):
        unseal_bytes(store, sealed, other)
    with pytest.raises(NotForThisKey):
        open_bytes(store, "object.age", other)
    store.delete("object.age")
    with pytest.raises(Damaged, match="is missing"):
        unseal_bytes(store, sealed, KEY)
    with pytest.raises(ObjectMissing):
        open_bytes(store, "object.age", KEY)


def test_every_recipient_opens_it_and_none_is_refused(store: ObjectStore) -> None:
    offline = Identity.generate()
    sealed = seal_bytes(store, "object.age", b"text", [KEY.recipient, offline.recipient])
    assert unseal_bytes(store, sealed, offline) == unseal_bytes(store, sealed, KEY) == b"text"
    with pytest.raises(SettingsError, match="backup setup"):
        seal_bytes(store, "other.age", b"text", [])
    assert store.size("other.age") is None


def test_a_sealed_file_is_private_and_leaves_nothing_beside_it(tmp_path: Path, store: ObjectStore) -> None:
    folder = tmp_path / "dump"
    folder.mkdir()
    plain = folder / "toc.dat"
    plain.write_bytes(os.urandom(100_000))
    sealed = seal_file(store, "data/toc.dat.age", plain, [KEY.recipient])
    assert [one.name for one in folder.iterdir()] == ["toc.dat"]
    unseal_to(store, sealed, folder / "again", KEY)
    assert (folder / "again").read_bytes() == plain.read_bytes()
    assert (folder / "again").stat().st_mode & 0o777 == 0o600
    with pytest.raises(ObjectExists):
        seal_file(store, "data/toc.dat.age", plain, [KEY.recipient])


class FullAt(io.RawIOBase):
    """A disk with room for so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, data: object) -> int:
        size = len(bytes(data))  # type: ignore[arg-type]  # pyrage hands over bytes or a buffer
        if self.room == 0 and size:
            raise OSError(28, "No space left on device")
        taken = min(size, self.room)
        self.room -= taken
        return taken


@given(st.integers(0, 200_000), st.data())
@example(500, None)
def test_a_disk_that_is_full_at_any_byte_is_never_silent(size: int, data: st.DataObject | None) -> None:
    plain = os.urandom(size)
    whole = 380 + size  # more than the header, the nonce and the tags can be without
    room = 100 if data is None else data.draw(st.integers(0, size + 180))
    assert room < whole
    with pytest.raises(StoreError, match=r"object k was not sealed: No space left .* make room"):
        sealing._encrypt("k", io.BytesIO(plain).read, FullAt(room), [KEY.recipient])


@given(st.integers(1, 200_000), st.data())
def test_a_disk_that_is_full_while_decrypting_is_never_silent(size: int, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        store, sealed = sealed_in(folder, os.urandom(size))
        with pytest.raises(StoreError, match=r"No space left .* make room") as caught:
            sealing._decrypt(store, "object.age", FullAt(data.draw(st.integers(0, size - 1))), KEY, sealed)
        assert not isinstance(caught.value, Damaged)


def test_what_fails_to_be_read_is_never_sealed(store: ObjectStore) -> None:
    def read(_: int) -> bytes:
        raise OSError(5, "Input/output error")

    with pytest.raises(StoreError, match="Input/output error"):
        sealing._encrypt("k", read, io.BytesIO(), [KEY.recipient])


def test_an_encryption_that_leaves_out_its_end_is_noticed_by_its_size(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sealing.pyrage.encrypt_io

    def cut(source: object, sink: io.BytesIO, keys: object) -> None:
        whole = io.BytesIO()
        real(source, whole, keys)
        sink.write(whole.getvalue()[:-1])

    monkeypatch.setattr(sealing.pyrage, "encrypt_io", cut)
    with pytest.raises(StoreError, match="object k was not sealed"):
        seal_bytes(store, "k", b"text", [KEY.recipient])
    assert store.size("k") is None


LIMITED = """
import resource, sys
from pathlib import Path
from ledger_assets.backup.sealing import seal_file
from ledger_assets.storage import open_store
from ledger_assets.errors import StoreError
store, plain, recipient, limit = sys.argv[1:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    seal_file(open_store(store), "object.age", Path(plain), [recipient])
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [0, 100, 65_536, 100_000, 100_200])
def test_a_real_limit_on_files_ends_the_sealing_and_nothing_is_stored(tmp_path: Path, limit: int) -> None:
    plain, place = tmp_path / "plain", (tmp_path / "store").as_uri()
    plain.write_bytes(os.urandom(100_000))
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, place, str(plain), KEY.recipient, str(limit)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "object object.age was not sealed: File too large" in done.stdout
    assert open_store(place).size("object.age") is None
    assert sorted(one.name for one in tmp_path.iterdir()) == ["plain", "store"]


MEASURED = """
import resource, sys
from pathlib import Path
from ledger_assets.backup.sealing import seal_file, unseal_to
from ledger_assets.backup.identity import Identity
from ledger_assets.storage import open_store
folder = Path(sys.argv[1])
store, key = open_store((folder / "store").as_uri()), Identity.generate()
def both(name):
    unseal_to(store, seal_file(store, name, folder / name, [key.recipient], create=False), folder / "out", key)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(both("small"), both("large"))
"""


def test_memory_does_not_grow_with_the_object(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(os.urandom(1_000_000))
    with (tmp_path / "large").open("wb") as file:
        file.truncate(300_000_000)
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    small, large = map(int, done.stdout.split())
    assert large - small < 80_000  # KiB


class Lying(ObjectStore):
    """A store that keeps something else than it was given."""

    def __init__(self, inner: ObjectStore, keep: slice, before: bytes = b"") -> None:
        super().__init__(inner._store, inner.url)
        self.keep, self.before = keep, before

    def put(self, key: str, data: bytes | Path, *, create: bool = False) -> None:
        content = data if isinstance(data, bytes) else data.read_bytes()
        super().put(key, self.before + content[self.keep], create=create)


@pytest.mark.parametrize(
    ("keep", "before"), [(slice(0, -1), b""), (slice(0, 0), b""), (slice(1, None), b"A")]
)
def test_a_store_that_keeps_something_else_is_noticed_at_once(
    store: ObjectStore, keep: slice, before: bytes
) -> None:
    with pytest.raises(Damaged, match="not what was just stored"):
        seal_bytes(Lying(store, keep, before), "object.age", b"text", [KEY.recipient])
