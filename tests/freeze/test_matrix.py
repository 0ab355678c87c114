"""Every cell of the access matrix during a freeze: every write is refused with PT503, every read answers as before."""

from __future__ import annotations

import psycopg

from ledger_assets.access import run
from ledger_assets.access.ids import ROLES
from ledger_assets.access.matrix import load
from ledger_assets.access.reach import reachable
from ledger_assets.access.trials import world
from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect

REFUSED = frozenset({"error_PT503"})
WRITERS = {"claim_storyteller", "confirm_claim", "issue_claim_code", "validate_analysis", "split_value"}
WRITING = {
    *(f"{schema}.{name}" for schema in ("public", "private") for name in WRITERS),
    "public.carry_out_erasure",
    "private.erase",
}
UNCOUNTED = {"public.record_view", "private.record_view"}


def played_frozen(cluster: Cluster, url: str) -> tuple[int, list[str]]:
    """How many writes that the matrix permits were refused, and what is not as it must be."""
    with (
        connect(cluster.admin_url(url.rsplit("/", 1)[1].split("?")[0]), application_name="tests") as admin,
        admin.transaction(force_rollback=True),
    ):
        run.prepare(admin)
        rows, matrix, found = world(), load(), reachable(admin)
        run.write(admin, rows)
        open_ = {column: run.session(admin, matrix, found, rows, column) for column in ROLES}
        admin.execute(
            "update migration.maintenance set frozen = true, reason = 'moving', since = now(), cutover = 'cut-1', "
            "lease_until = clock_timestamp() + interval '1 hour'"
        )
        frozen = {column: run.session(admin, matrix, found, rows, column) for column in ROLES}
    refused, wrong = 0, []
    for column, seen in open_.items():
        assert seen.keys() == frozen[column].keys()
        for (subject, act), labels in seen.items():
            now = frozen[column][subject, act]
            name = subject.split("(")[0]
            reads = act == "read" or (name != subject and name not in WRITING | UNCOUNTED)
            if reads or not labels:
                # A refusal by privilege comes first; one by policy or by the function itself may come after.
                right = now == labels or (not reads and now == REFUSED)
            else:
                right = now == (frozenset() if name in UNCOUNTED else REFUSED)
                refused += 1
            if not right:
                wrong.append(f"{subject}, {act}, {column}: {sorted(labels)} became {sorted(now)}")
    return refused, wrong


def test_every_permitted_write_is_refused_and_every_read_is_as_before(
    cluster: Cluster, database_url: str
) -> None:
    refused, wrong = played_frozen(cluster, database_url)
    assert wrong == []
    assert refused > 200


def test_a_table_that_forgot_the_freeze_would_be_named(
    cluster: Cluster, database_url: str, conn: psycopg.Connection
) -> None:
    conn.execute("drop trigger aa_refuse_frozen on public.story_comments")
    conn.commit()
    _, wrong = played_frozen(cluster, database_url)
    assert {line.split(",")[0] for line in wrong} == {"public.story_comments"}
