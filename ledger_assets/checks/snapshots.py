"""Checks of ``<env>/snapshots/*``: does a snapshot restore exactly, and do Airtable, database and snapshot agree?"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import dagster as dg

from ledger_assets.assets.faults import EXIT_CODE
from ledger_assets.checks.results import SAMPLE, result, shown, spec
from ledger_assets.errors import CheckFailed

if TYPE_CHECKING:
    from ledger_assets.backup.rehearse import Rehearsal
    from ledger_assets.backups import Taken

RESTORES = "restores_exactly"
ERASED = "erased_absent"
THREE_WAY = "three_way"
STILL = "still_restores_exactly"


def specs(asset: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The checks of a snapshot."""
    return [
        spec(
            asset,
            RESTORES,
            "Fetched, decrypted, restored into a scratch Postgres: counts, fingerprints, sequences, foreign keys, "
            "constraints, policies, indexes and grants are the manifest's.",
        ),
        spec(asset, ERASED, "Nobody is in it who had themselves erased before it was taken."),
        dg.AssetCheckSpec(
            THREE_WAY,
            asset=asset,
            blocking=False,
            description="No record of the snapshot is missing from the live database; the snapshot is what its export was.",
        ),
    ]


def still_specs(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check of the re-verification."""
    return spec(asset, STILL, "Snapshots taken earlier still restore exactly.")


def told(taken: "Taken") -> dict[str, dg.MetadataValue]:
    """What a person wants to know of a snapshot."""
    manifest, done = taken.snapshot.manifest, taken.verification
    facts = {
        "snapshot": manifest.id,
        "rows": manifest.rows,
        "bytes": manifest.bytes,
        "files": manifest.media_files,
        "seconds_to_take": manifest.seconds,
        "seconds_to_restore": done.seconds,
        "bytes_read_back": done.bytes_read,
        "reason": manifest.reason,
    }
    return {name: shown(value) for name, value in facts.items()}


def materialized(asset: dg.AssetKey, taken: "Taken") -> dg.MaterializeResult[None]:
    """The materialisation of a snapshot, with its checks."""
    done, compared = taken.verification, taken.compared
    facts = {"compared": "nothing was loaded yet"} if compared is None else compared.facts()
    return dg.MaterializeResult(
        asset_key=asset,
        metadata=told(taken),
        data_version=dg.DataVersion(taken.snapshot.id),
        check_results=[
            result(asset, ERASED, not taken.erased_left, {"left": list(taken.erased_left)}),
            result(
                asset, RESTORES, done.passed, {"snapshot": taken.snapshot.id, "problems": list(done.problems)}
            ),
            result(
                asset,
                THREE_WAY,
                compared is None or compared.passed,
                facts,
                severity=dg.AssetCheckSeverity.WARN,
            ),
        ],
    )


def not_restored(taken: "Taken") -> dg.Failure:
    """Of a job without checks: the same answer as a failed run."""
    if taken.verification.passed:
        said = f"holds somebody who was erased before it was taken: {taken.erased_left[0]}"
    else:
        said = f"does not restore exactly: {taken.verification.problems[0]}"
    return dg.Failure(
        description=f"snapshot {taken.snapshot.id} {said}",
        metadata={EXIT_CODE: CheckFailed.exit_code},
        allow_retries=False,
    )


def reverified(asset: dg.AssetKey, found: "Sequence[Taken]") -> dg.MaterializeResult[None]:
    """The materialisation of a re-verification, with its check."""
    failed = {one.snapshot.id: list(one.problems[:SAMPLE]) for one in found if one.problems}
    facts = {
        "snapshots": [one.snapshot.id for one in found],
        "seconds": round(sum(one.verification.seconds for one in found), 3),
        "bytes_read_back": sum(one.verification.bytes_read for one in found),
    }
    return dg.MaterializeResult(
        asset_key=asset,
        metadata={name: shown(value) for name, value in facts.items()},
        check_results=[result(asset, STILL, not failed, {"failed": failed})],
    )


def rehearsed(found: "Rehearsal") -> dict[str, dg.MetadataValue]:
    """What a person wants to know of a rehearsal; the seconds are its trend in the web UI."""
    facts = {
        "snapshot": found.snapshot_id,
        "rows": found.rows,
        "rows_brought_back": found.brought_back,
        "seconds_to_restore": found.restore_seconds,
        "seconds_to_recover": found.recover_seconds,
        "passed": found.passed,
        **({} if found.take_seconds is None else {"seconds_to_take": found.take_seconds}),
    }
    return {name: shown(value) for name, value in facts.items()}


def not_recovered(found: "Rehearsal") -> dg.Failure:
    """A rehearsal that did not bring everything back."""
    return dg.Failure(
        description=f"the rehearsal from {found.snapshot_id} did not bring everything back: {found.problems[0]}",
        metadata={EXIT_CODE: CheckFailed.exit_code},
        allow_retries=False,
    )
