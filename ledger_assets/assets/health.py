"""The op job ``health_<env>``: every measure as one asset check with a page, so that the web UI has their trend.

What belongs here: logging and telling. What does not: the measures (``health``), what is recorded (``monitoring``).

A run that found something bad has succeeded: it would otherwise be counted by the measure of failed runs, and stay bad by
itself. People are told when what is bad changes, not every quarter of an hour.
"""

from datetime import UTC, datetime

import dagster as dg

from ledger_assets.assets.faults import one_line_failures
from ledger_assets.assets.keys import key
from ledger_assets.environment import Environment, read_settings
from ledger_assets.resources.notifier import Notifier
from ledger_assets.resources.object_store import ObjectStoreResource
from ledger_assets.resources.run_lock import RunLock

CHECK = "nothing_bad"


def build_health_job(environment: Environment) -> dg.JobDefinition:
    """The job."""
    asset = key(environment, "operations", "health")

    @dg.op(name="look")
    def look(
        context: dg.OpExecutionContext, objects: ObjectStoreResource, notifier: Notifier, run_lock: RunLock
    ) -> None:
        from ledger_assets import monitoring
        from ledger_assets.backup import messages
        from ledger_assets.run_facts import run_facts

        with one_line_failures(environment):
            settings, store = read_settings(environment), objects.open()
            runs = run_facts(context.instance, environment)
            looked = monitoring.look(settings, store, runs=runs, run_id=context.run_id)
            page = monitoring.publish(store, looked.report, run_id=context.run_id)
        report = looked.report
        states = {one.name: one.state for one in report.measures}
        context.log_event(
            dg.AssetMaterialization(
                asset,
                metadata={
                    "headline": report.headline,
                    "page": dg.MetadataValue.path(page),
                    "bad": len(report.of("bad")),
                    "to_look_at": len(report.of("warn")),
                    "not_known": len(report.of("unknown")),
                    "measures": dg.MetadataValue.json(states),
                },
            )
        )
        judged = dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=CHECK,
            passed=report.passed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"bad": dg.MetadataValue.json(list(report.bad))},
        )
        context.log_event(judged)  # type: ignore[arg-type]  # it takes evaluations; its annotation leaves them out
        if looked.changed and report.bad:
            now = datetime.now(UTC)
            notifier.send(messages.health_bad(environment, report.bad, at=now))

    @dg.job(
        name=f"health_{environment}",
        description="Is everything well? Connections, locks, runs, consent, the way back; changes nothing.",
    )
    def job() -> None:
        look()

    return job
