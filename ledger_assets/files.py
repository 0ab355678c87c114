"""The project's own files that are not Python: in a checkout beside the package, in a wheel inside it."""

from pathlib import Path

from ledger_assets.errors import LedgerError

PACKAGE = Path(__file__).resolve().parent


def project_file(name: str) -> Path:
    """Path of ``dagster.yaml``, ``workspace.yaml`` or ``supabase/migrations``."""
    for folder in (PACKAGE.parent, PACKAGE / "project"):
        if (folder / name).exists():
            return folder / name
    raise LedgerError(f"{name} is missing from this installation of ledger-assets: install it again")
