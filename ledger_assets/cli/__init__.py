"""``ledger-assets``: the commands. Thin over the jobs, so that whatever a command does is a run in the web UI too.

Exit codes: 0 done, 1 a check failed, 2 wrong usage or settings. An error is one line. Modules here parse, call and
print; they hold no rule of the lane. Heavy imports (Dagster, Polars) happen inside the commands: ``--help`` is quick.
"""

import logging
import os
import signal
import sys

import click

from ledger_assets.cli.accounts import accounts
from ledger_assets.cli.announce import announce, contacts, status_page
from ledger_assets.cli.backup import backup
from ledger_assets.cli.consent import consent
from ledger_assets.cli.cutover import cutover
from ledger_assets.cli.demo import demo, ui
from ledger_assets.cli.erase import erase
from ledger_assets.cli.health import health, loadtest
from ledger_assets.cli.inventory import inventory
from ledger_assets.cli.judge import after_action, scorecard
from ledger_assets.cli.lane import export, migrate, verify
from ledger_assets.cli.late_edits import late_edits
from ledger_assets.cli.look import doctor, status
from ledger_assets.cli.maintenance import maintenance
from ledger_assets.cli.media import media
from ledger_assets.cli.publish import publish
from ledger_assets.cli.recover import recover
from ledger_assets.cli.restore import restore, rollback
from ledger_assets.cli.review import findings
from ledger_assets.cli.schema import schema
from ledger_assets.cli.session import ASKED
from ledger_assets.cli.switch import switch
from ledger_assets.cli.sync import sync
from ledger_assets.errors import LedgerError, named


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="ledger-assets")
def commands() -> None:
    """Move a community's Airtable base into Supabase (Postgres), and prove that nothing was lost.

    ENV is staging or production. With no settings at all everything runs on this machine with a synthetic base;
    .env.example lists every setting.
    """


for command in (
    export,
    schema,
    migrate,
    sync,
    verify,
    backup,
    restore,
    rollback,
    recover,
    cutover,
    late_edits,
    maintenance,
    switch,
    inventory,
    findings,
    accounts,
    media,
    publish,
    consent,
    erase,
    health,
    loadtest,
    scorecard,
    after_action,
    announce,
    status_page,
    contacts,
    doctor,
    status,
    demo,
    ui,
):
    commands.add_command(command)


def main() -> None:
    """Entry point: a person sees one line per error, the log keeps the place of an unexpected one."""
    os.umask(0o077)
    # Ended in order by SIGTERM too: the embedded parts are stopped by whoever leaves last.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        commands.main(standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.Abort:
        print("stopped", file=sys.stderr)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except LedgerError as error:
        print(f"ledger-assets: {named(str(error), ASKED.get())}", file=sys.stderr)
        sys.exit(error.exit_code)
    except Exception as error:  # noqa: BLE001 - the text may hold cell values: kind and place only
        from ledger_assets.unexpected import place

        logging.getLogger("ledger_assets").error("%s", place(error))
        print(f"ledger-assets: {place(error)}", file=sys.stderr)
        sys.exit(2)
