"""Which failed runs a later one made good."""

import dagster as dg

from ledger_assets.environment import Environment
from ledger_assets.run_facts import MONTHS, run_facts


@dg.op(config_schema={"fails": bool})
def act(context: dg.OpExecutionContext) -> None:
    if context.op_config["fails"]:
        raise dg.Failure("as asked")


@dg.job
def migrate_staging() -> None:
    act()


@dg.job
def verify_staging() -> None:
    act()


def test_a_failed_run_is_made_good_by_a_later_one_of_its_job_and_its_months_alone() -> None:
    with dg.DagsterInstance.ephemeral() as instance:

        def run(job: dg.JobDefinition, month: str, *, fails: bool) -> str:
            done = job.execute_in_process(
                instance=instance,
                run_config={"ops": {"act": {"config": {"fails": fails}}}},
                tags={MONTHS[0]: month} if month else {},
                raise_on_error=False,
            )
            return done.run_id

        run(migrate_staging, "", fails=False)  # before it: makes nothing good
        good = run(migrate_staging, "", fails=True)
        run(verify_staging, "", fails=False)
        march = run(migrate_staging, "2025-03-01", fails=True)
        found = run_facts(instance, Environment.STAGING)
        assert [one.settled for one in found.failed] == [False, False]
        run(migrate_staging, "", fails=False)
        run(migrate_staging, "2025-04-01", fails=False)
        settled = {one.run_id: one.settled for one in run_facts(instance, Environment.STAGING).failed}
        assert settled == {good: True, march: False}
