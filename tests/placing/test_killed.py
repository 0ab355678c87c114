"""Killed anywhere: no row names what is not there, and the same again finishes as if nothing had happened."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from ledger_assets.placing.verify import NOT_PLACED, Verified
from tests.placing.conftest import Files


@pytest.mark.parametrize(
    ("what", "number"),
    [
        ("uploaded", 1),
        ("uploaded", 3),
        ("uploaded", 5),
        ("named", 1),
        ("named", 4),
        ("deleted", 1),
        ("deleted", 2),
    ],
)
@pytest.mark.parametrize("kind", ["folders", "rclone"])
def test_killed(kind: str, what: str, number: int, database_url: str, request: pytest.FixtureRequest) -> None:
    files: Files = request.getfixturevalue(kind)
    teller = files.world.storyteller()
    closed = files.file(story_id=files.world.story(teller))
    gone = files.file("consent_form", storyteller_id=files.world.storyteller())
    files.place()
    files.withdraw(teller)
    files.world.do("delete from media_assets where id = %s", gone)
    made = [closed, *(files.file() for _ in range(4))]
    arguments = (what, str(number), database_url, files.store.url, str(files.settings.home))
    process = subprocess.run(
        [sys.executable, "-m", "tests.placing.killed", *arguments],
        env=os.environ,
        capture_output=True,
        check=False,
    )
    assert process.returncode == -signal.SIGKILL, process.stderr

    for shelf_problem in files.verify().problems.items():
        # The closed picture's row may name what was taken away; nothing else may be the matter.
        assert shelf_problem[0] == NOT_PLACED or shelf_problem[1] == [str(closed)]
    done = files.place()
    assert (done.problems, done.changed) == ({}, 0)
    assert files.verify() == Verified(5, {}, 0)
    assert "private" in str(files.row(closed)[0])
    assert all("public" in str(files.row(one)[0]) for one in made[1:])
