"""What must be true before a command of the runbook, and how it ends where that is not with exit 0.

What belongs here: for a command, named by its section and a few of its words, what a person or the world did before. What
does not: any command of the page itself. An arrangement whose command has left the page fails the test.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from ledger_assets.announce.contacts import EXAMPLE
from tests.accounts.conftest import DOMAIN

from .carrying import Arranged, done
from .world import NAME, ROOT, Ran, World

BRISBANE = ZoneInfo("Australia/Brisbane")


A_FEW_TESTS = (
    f'bash -c "cd {ROOT} && $(make -n -C {ROOT} BIN={Path(sys.executable).parent} test | grep -o "[^ ]*python -m pytest.*")'
    ' -n 0 tests/docs/test_guides.py"'
)
"""What ``make test`` carries out, on one folder of the tests."""


def a_base_to_prepare(world: World) -> None:
    """Two empty projects and a bucket; a storyteller has an address of her own."""
    shutil.copy(EXAMPLE, world.filled["LEDGER_CONTACTS"])
    world.fill_in()
    people = world.base.table("Storytellers")
    (told,) = people.all(max_records=1)
    people.update(told["id"], {"Secure Contact Email": f"nora@{DOMAIN}"})


def what_doctor_says(world: World) -> None:
    """`doctor` names the commands for what is missing; here a person has done that."""
    for line in (
        "ledger-assets schema apply staging",
        "ledger-assets schema apply production",
        "ledger-assets backup setup staging",
        "ledger-assets backup setup production",
    ):
        done(world, line)


def as_before_the_night(world: World, _: Ran) -> None:
    assert world.query("production", "select source from migration.live") == [("airtable",)]
    assert world.query("production", "select count(*) from public.stories") == [(0,)]


def hook_that_fails(world: World) -> None:
    """Another night, whose app's host refuses what it is told."""
    world.deploys.answers = [404]
    ran = world.run(
        "ledger-assets cutover production --base-is-read-only --watch-minutes 0 --confirm " + NAME
    )
    assert ran.code == 1, ran.said
    assert "1 deploy hooks were not told" in ran.said
    world.known["CHECKPOINT"] = re.findall(r"backup-\d+-checkpoint", ran.said)[-1]


def hook_was_told(world: World, ran: Ran) -> None:
    assert "told (1 try)" in ran.said
    assert world.deploys.got[-1]["verified"]


def somebody_wrote(world: World) -> None:
    world.query("production", "update public.stories set title = title || '.'")


def all_is_back(world: World, ran: Ran) -> None:
    assert "lies encrypted in aside/" in ran.said
    as_before_the_night(world, ran)


def both_sides_wrote(world: World) -> None:
    """A conflict: the same storyteller changed in Postgres and in Airtable."""
    ((person,),) = world.query(
        "staging",
        "update public.storytellers set bio = coalesce(bio, '') || '.' where airtable_record_id = "
        "(select min(airtable_record_id) from public.storytellers) returning airtable_record_id",
    )
    world.base.table("Storytellers").update(person, {"Bio": "Another one."})


def conflict_found(world: World, ran: Ran) -> None:
    (found,) = re.findall(r"^(staging/\w+) +conflict ", ran.said, re.M)
    world.known["ID"] = found


def a_story_changed(world: World) -> None:
    stories = world.base.table("Stories")
    stories.update(stories.all(max_records=1)[0]["id"], {"Title": "Told anew"})


def a_copy_of_the_release(world: World) -> None:
    """It writes into the release itself: that of a copy, so that nothing else here reads a half-written file."""
    for name in ("ledger_assets", "supabase"):
        shutil.copytree(
            ROOT / name, world.folder / "release" / name, ignore=shutil.ignore_patterns("__pycache__")
        )


def the_same_catalogue(world: World, _: Ran) -> None:
    made, shipped = (
        one / "ledger_assets" / "schema" / "expected.json" for one in (world.folder / "release", ROOT)
    )
    assert made.read_text() == shipped.read_text()


def page_written(world: World, _: Ran) -> None:
    assert "</html>" in (world.folder / "health.html").read_text()


def somebody_hangs(world: World) -> None:
    """A transaction that does not end."""
    hanging = psycopg.connect(world.cluster.url("staging"))
    world.known["PID"] = str(hanging.info.backend_pid)
    world.hanging = hanging


def hangs_no_more(world: World, _: Ran) -> None:
    assert world.hanging is not None
    try:
        world.hanging.execute("select 1")
    except psycopg.OperationalError:
        return
    raise AssertionError("the transaction that was ended goes on")


def two_files(world: World) -> None:
    """As a person keeps the figures of two moments."""
    for name in ("before", "after"):
        done(world, f"ledger-assets inventory production --json > {name}.json")


def tests_of_today(world: World, _: Ran) -> None:
    said = done(world, "ledger-assets scorecard production --json").said
    assert "no record of a run" not in said


def a_storyteller(world: World) -> None:
    ((person,),) = world.query("staging", "select min(airtable_record_id) from public.storytellers")
    world.known["ID"] = person


def a_list(world: World) -> None:
    """A story whose tellers have consented, on record."""
    ((story, person),) = world.query(
        "staging",
        "select s.airtable_record_id, p.airtable_record_id from public.stories s join public.authorship a on "
        "a.story_id = s.id join public.storytellers p on p.id = a.storyteller_id where p.airtable_record_id <> %s "
        "and not p.sensitive order by 1 limit 1",
        world.known["ID"],
    )
    done(
        world,
        f"ledger-assets consent record staging --storyteller {person} --purpose public_sharing --given "
        "--evidence-kind form --evidence 'folder 12, page 3' --circle public",
    )
    (world.folder / "list.csv").write_text(f"story,circle\n{story},public\n")


def invited(world: World, _: Ran) -> None:
    assert world.auth.invited == [f"nora@{DOMAIN}"]


def frozen(world: World) -> None:
    done(world, "ledger-assets maintenance staging on --reason moving --minutes 30")


def thawed(world: World, ran: Ran) -> None:
    assert "writing is open" in ran.said


def loaded(world: World) -> None:
    """The announcements of a window that lies ahead."""
    ahead = datetime.now(BRISBANE).replace(microsecond=0) + timedelta(days=8)
    world.fill_in(MIGRATION_AT=ahead.isoformat())
    done(world, "set -a; . ./.env; set +a")


def announced(world: World, _: Ran) -> None:
    assert sorted(recipient for recipient, _ in world.box.got) == ["kim@example.org", "sam@example.org"]


def page_to_look_at(world: World, ran: Ran) -> None:
    (address,) = re.findall(r"open file://(\S+)", ran.said)
    assert json.loads(world.folder.joinpath(address).with_name("status.json").read_text())


ARRANGED = (
    Arranged("Before anything", "cp .env.example", after=lambda world, _: a_base_to_prepare(world)),
    Arranged("Before anything", "doctor", before=what_doctor_says),
    Arranged(  # without the two hours of the watch
        "The night",
        "--base-is-read-only",
        stands_for=(("--base-is-read-only", "--base-is-read-only --watch-minutes 0"),),
    ),
    Arranged("The night", "--back", after=as_before_the_night),
    Arranged("The night", "demo --cutover", stands_for=(("--cutover", "--cutover --scale 60"),), clean=True),
    Arranged("The night", "switch production --to supabase", before=hook_that_fails, after=hook_was_told),
    Arranged("The night", "rollback production", before=somebody_wrote, after=all_is_back),
    Arranged("Week 1 and 2: staging", "migrate staging --dry-run", before=both_sides_wrote),
    Arranged("Week 1 and 2: staging", "findings staging", after=conflict_found),
    Arranged("Sync", "sync staging   ", before=a_story_changed),
    Arranged(
        "Is the schema still ours?",
        "python -m",
        before=a_copy_of_the_release,
        after=the_same_catalogue,
        stands_for=(("python", "PYTHONPATH=release python"),),
    ),
    Arranged("Is everything well?", "--page", after=page_written),
    Arranged("Is everything well?", "--watch", code=130, until=r"UTC: "),
    Arranged("Is everything well?", "pg_terminate_backend", before=somebody_hangs, after=hangs_no_more),
    Arranged("Is everything well?", "loadtest", stands_for=(("ENV", "staging --seconds 1"),)),
    Arranged("Does it hold the load?", "loadtest", stands_for=(("--seconds 30", "--seconds 1"),)),
    Arranged(  # to its first step; `make demo` in .ci/run carries the same out to its end
        "Does it hold the load?",
        "demo --scale",
        until=r"1\. dry run",
        code=130,
        stands_for=(("20000", "60"), ("ledger-assets", "env LEDGER_HOME=larger ledger-assets")),
        clean=True,
    ),
    Arranged("Figures at two moments", "before.json", before=two_files),
    Arranged(
        "Was it a success? What happened?",
        "make test",
        after=tests_of_today,
        stands_for=(("FILE", '"$LEDGER_HOME/tests.xml"'), ("make test", A_FEW_TESTS)),
    ),
    Arranged("Publish, and withdraw", "consent show", before=a_storyteller),
    Arranged("Publish, and withdraw", "--dry-run", before=a_list),
    Arranged("Accounts", "invite", after=invited),
    Arranged("Freeze and switch", "off --force", before=frozen, after=thawed),
    Arranged("Announcements and status page", "week_before --dry-run", before=loaded),
    Arranged("Announcements and status page", "week_before --confirm", after=announced),
    Arranged("Announcements and status page", "status-page", after=page_to_look_at),
    Arranged(
        "Announcements and status page",
        "ui",
        until="Dagster is at",
        stands_for=(("ui", "ui --port PORT"),),
    ),
)
