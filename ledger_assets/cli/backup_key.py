"""Commands of the snapshots' place and key: ``backup setup``, ``backup password``. They run in no job: both ask a person."""

from __future__ import annotations

import click
from rich.text import Text

from ledger_assets.cli.session import console, environment_argument, settings_for
from ledger_assets.cli.tables import table
from ledger_assets.environment import Environment
from ledger_assets.errors import CheckFailed


@click.command()
@environment_argument
def setup(environment: Environment) -> None:
    """Prepare the place: make the key, look at the bucket, write and read a canary, print the recovery kit.

    Exit 1 when something of the bucket must be put right first.
    """
    from ledger_assets.backup.bucket_checks import examine
    from ledger_assets.backup.settings import read_backup_settings
    from ledger_assets.backup.vault import key_files, open_vault, password_file, set_up_key

    settings = settings_for(environment)
    wanted = read_backup_settings(settings)
    vault = open_vault(wanted)
    identity = set_up_key(vault, wanted)
    shown = table("", "looked at", "found")
    failed = []
    for line in examine(wanted):
        colour = {"ok": "green", "warn": "yellow", "fail": "red"}[line.level]
        shown.add_row(Text(line.level, colour), line.name, line.found)
        if line.level != "ok":
            shown.add_row("", "", Text(f"do: {line.remedy}", "bold"))
        if line.level == "fail":
            failed.append(line.name)
    console.print(shown)
    protection = "BACKUP_ENCRYPTION_PASSWORD"
    if wanted.password is None:
        protection = f"the password of this synthetic world in {password_file(wanted)}"
    console.print(
        f"\nRecovery kit: print it and keep it where this machine is not.\n"
        f"  snapshots  {vault.url}\n"
        f"  key        {identity.key_id}, protected by {protection}: {key_files(vault, identity.key_id)[-1]}\n"
        f"  public     {identity.recipient}\n"
        f"  further    {', '.join(wanted.recipients) or 'none: without the password nobody can read a snapshot'}\n"
        f"  tools      age, pg_restore and psql; each snapshot's RECOVERY.md says how"
    )
    if failed:
        raise CheckFailed(f"not ready: {', '.join(failed)}")


@click.command()
@environment_argument
def password(environment: Environment) -> None:
    """Change the password that protects the backups' key; the new one is asked for.

    No snapshot is rewritten; the copies of the key inside earlier ones keep the old password.
    """
    from ledger_assets.backup.settings import read_backup_settings
    from ledger_assets.backup.vault import change_password, open_vault

    wanted = read_backup_settings(settings_for(environment))
    # Asked for and no option: an argument stands in the process list.
    new = click.prompt("New password", hide_input=True, confirmation_prompt=True)
    identity = change_password(open_vault(wanted), wanted, new)
    console.print(
        f"key {identity.key_id} is protected anew: set BACKUP_ENCRYPTION_PASSWORD to the new one everywhere"
    )
