"""Debian's own ``age`` opens the key by its password, and with it what was sealed: no program of ours is needed."""

from __future__ import annotations

import os
import pty
import shutil
from pathlib import Path

import pytest

from ledger_assets.backup.identity import create
from ledger_assets.backup.sealing import seal_bytes
from ledger_assets.storage import ObjectStore

PASSWORD = "wattle and ironbark 7"

pytestmark = pytest.mark.system


def age(typed: str, *arguments: str) -> int:
    """Run ``age`` at a terminal of its own, type ``typed`` when it asks; its exit code."""
    program = shutil.which("age")
    assert program is not None, "apt-get install age"
    process, terminal = pty.fork()
    if process == 0:
        os.execv(program, ["age", *arguments])
    said = b""
    try:
        while data := os.read(terminal, 1024):
            said += data
            if b"passphrase" in said:
                os.write(terminal, typed.encode() + b"\n")
                said = b""
    except OSError:  # the terminal of a process that has ended
        pass
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


@pytest.mark.parametrize("size", [0, 5, 65535, 65536, 65537, 3_000_000])
def test_the_stock_tool_opens_the_key_and_what_is_sealed(
    tmp_path: Path, store: ObjectStore, size: int
) -> None:
    identity, protected = create(PASSWORD)
    plain = os.urandom(size)
    seal_bytes(store, "data/object.age", plain, [identity.recipient])
    key, sealed, out = tmp_path / "identity.age", tmp_path / "object.age", tmp_path / "object"
    key.write_bytes(protected)
    sealed.write_bytes(store.get("data/object.age"))
    assert age(PASSWORD, "-d", "-i", str(key), "-o", str(out), str(sealed)) == 0
    assert (out.read_bytes() if out.exists() else b"") == plain  # it makes no file for an empty one


def test_the_stock_tool_refuses_another_password(tmp_path: Path, store: ObjectStore) -> None:
    identity, protected = create(PASSWORD)
    seal_bytes(store, "object.age", b"text", [identity.recipient])
    key, sealed, out = tmp_path / "identity.age", tmp_path / "object.age", tmp_path / "object"
    key.write_bytes(protected)
    sealed.write_bytes(store.get("object.age"))
    assert age(PASSWORD + "x", "-d", "-i", str(key), "-o", str(out), str(sealed)) != 0
    assert not out.exists()
