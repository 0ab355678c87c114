"""Sensors of one environment."""

import dagster as dg

from ledger_assets.environment import Environment

INTERVAL_SECONDS = 30


def build_sensors(environment: Environment) -> list[dg.SensorDefinition]:
    """The sensor that reports runs whose process died."""

    @dg.sensor(
        name=f"lost_runs_{environment}",
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        jobs=[],
        description="Reports runs whose process was killed as failed: Dagster would leave them STARTED for ever.",
    )
    def lost_runs(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        from ledger_assets.runs import report_lost_runs

        lost = report_lost_runs(context.instance)
        return dg.SkipReason(f"reported as failed: {', '.join(lost)}" if lost else "no run lost its process")

    return [lost_runs]
