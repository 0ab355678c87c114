"""What must be true before a command of the recovery page: what was lost, and of which snapshot it is.

What belongs here and what not: as in ``runbook``.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from .carrying import Arranged, done
from .runbook import a_base_to_prepare
from .world import NAME, Ran, World

CONFIRMED = f" --confirm {NAME}"
"""The page says once, for the whole block, that production asks for it."""
QUICK = f"{CONFIRMED} --without-emergency"
"""One restore of the page takes its emergency snapshot, the others are spared it."""
NEW_PASSWORD = "wattle and ironbark 8"
TYPED = f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n"


def a_loaded_production(world: World) -> None:
    """Where the page begins: the migration is over."""
    done(world, "cp .env.example .env")
    a_base_to_prepare(world)
    done(world, "set -a; . ./.env; set +a")
    for line in ("schema apply production", "schema apply staging", "backup setup staging"):
        done(world, f"ledger-assets {line}")


def rows(world: World) -> None:
    done(world, f"ledger-assets migrate production --confirm {NAME}")


def password_of_staging(world: World) -> None:
    assert world.run("ledger-assets backup password staging", typed=TYPED).code == 0


def another_password(world: World, ran: Ran) -> None:
    """A person sets it everywhere, as the command says."""
    assert "is protected anew" in ran.said
    world.fill_in(BACKUP_ENCRYPTION_PASSWORD=NEW_PASSWORD)
    done(world, "set -a; . ./.env; set +a")


def newest(world: World, ran: Ran) -> None:
    world.known["ID"] = re.findall(r"backup-\d+-full", ran.said)[-1]


def stories(world: World) -> int:
    ((count,),) = world.query("production", "select count(*) from public.stories")
    return int(count)


def lost_stories(world: World) -> None:
    world.known["STORIES"] = str(stories(world))
    world.query("production", "truncate public.stories cascade")


def are_back(world: World, ran: Ran) -> None:
    assert stories(world) == int(world.known["STORIES"]) > 0, ran.said
    ((undo,),) = world.query("production", "select max(undo_id) from migration.undo")
    world.known["N"] = str(undo)


def one_changed(world: World) -> None:
    world.query("production", "update public.stories set title = 'Not theirs'")


def as_it_was(world: World, ran: Ran) -> None:
    assert world.query("production", "select count(*) from public.stories where title = 'Not theirs'") == [
        (0,)
    ]
    are_back(world, ran)


def somebody(world: World) -> None:
    ((person,),) = world.query(
        "production", "update public.storytellers set bio = 'Not theirs' where airtable_record_id = (select "
        "min(airtable_record_id) from public.storytellers) returning airtable_record_id",
    )  # fmt: skip
    world.known["recXXXXXXXXXXXXXX"] = person


def has_their_words(world: World, ran: Ran) -> None:
    assert world.query("production", "select count(*) from public.storytellers where bio = 'Not theirs'") == [
        (0,)
    ]
    are_back(world, ran)


def checkpoint(world: World) -> None:
    said = done(world, "ledger-assets backup list production").said
    world.known["ID"] = re.findall(r"backup-\d+-checkpoint", said)[-1]


def is_empty_as_then(world: World, ran: Ran) -> None:
    assert stories(world) == 0
    ((undo,),) = world.query("production", "select max(undo_id) from migration.undo")
    world.known["N"] = str(undo)


def new_project(world: World) -> None:
    """An empty database elsewhere; its password is in no command line."""
    world.cluster.ensure_database("elsewhere")
    parts = urlsplit(world.cluster.url("elsewhere"))
    world.known |= {
        "...": str(parts.password),
        "postgresql://postgres@new-host:5432/postgres": f"postgresql://postgres@{parts.hostname}:{parts.port}/elsewhere",
    }
    said = done(world, "ledger-assets backup list production").said
    world.known["ID"] = re.findall(r"backup-\d+-full", said)[-1]


def stands_elsewhere(world: World, ran: Ran) -> None:
    assert "rows restored and equal to its manifest" in ran.said
    assert world.query("elsewhere", "select count(*) from public.stories") == [(int(world.known["STORIES"]),)]
    del world.known["..."]


def somebody_asks(world: World) -> None:
    """As the app writes it down."""
    ((request,),) = world.query(
        "production",
        "insert into public.erasure_requests (scope, storyteller_id, reason) select 'storyteller', id, 'asked' from "
        "public.storytellers order by airtable_record_id desc limit 1 returning id",
    )
    world.known["REQUEST"] = str(request)


def erased(world: World, ran: Ran) -> None:
    assert world.known["ID"] in ran.said
    assert world.query("production", "select state from public.erasure_requests") == [("done",)]


def lost_files(world: World) -> None:
    """The object store has lost a file that the database names."""
    media = sorted(Path(world.environ["LEDGER_HOME"], "objects", "production", "media").iterdir())
    media[0].unlink()


def files_are_back(world: World, ran: Ran) -> None:
    assert "1 files that the object store had lost are there again" in ran.said


ARRANGED = (
    Arranged("Once", "backup setup", before=a_loaded_production),
    Arranged(
        "Once",
        "backup password",
        before=password_of_staging,
        after=another_password,
        typed=TYPED,
    ),
    Arranged("Every day", "take production", before=rows, after=newest),
    Arranged("Every day", "migrate production", code=2),
    Arranged("When something is lost", "--scenario", before=lost_stories),
    Arranged("When something is lost", "--plan", after=are_back),
    Arranged("When something is lost", "--dry-run", before=one_changed),
    Arranged(
        "When something is lost", "--mode exact", after=as_it_was, stands_for=(("exact", f"exact{QUICK}"),)
    ),
    Arranged(
        "When something is lost",
        "--table",
        before=one_changed,
        after=as_it_was,
        stands_for=(("stories", f"stories{QUICK}"),),
    ),
    Arranged(
        "When something is lost",
        "--storyteller",
        before=somebody,
        after=has_their_words,
        stands_for=(("recXXXXXXXXXXXXXX", f"recXXXXXXXXXXXXXX{QUICK}"),),
    ),
    Arranged(
        "When something is lost",
        "rollback",
        before=checkpoint,
        after=is_empty_as_then,
        stands_for=(("--to ID", f"--to ID{QUICK}"),),
    ),
    Arranged(
        "When something is lost", "--undo", after=are_back, stands_for=(("--undo N", f"--undo N{CONFIRMED}"),)
    ),
    Arranged("When something is lost", "--into", before=new_project, after=stands_elsewhere),
    Arranged(
        "When something is lost",
        "--files",
        before=lost_files,
        after=files_are_back,
        stands_for=(("--files", f"--files{CONFIRMED}"),),
    ),
    Arranged("People who had themselves erased", "erase ENV"),
    Arranged(
        "People who had themselves erased",
        "--request",
        before=somebody_asks,
        after=erased,
        stands_for=(("REQUEST", f"REQUEST{CONFIRMED}"),),
    ),
    Arranged(
        "When a line says",
        "--files",
        before=lost_files,
        after=files_are_back,
        stands_for=(("--files", f"--files{CONFIRMED}"),),
    ),
)
