"""Is what the system tests need on this machine? Exits 2 naming what is missing and the package that brings it."""

import shutil
import sys
from pathlib import Path

NEEDS = {
    "PostgreSQL 15": (Path("/usr/lib/postgresql/15/bin/postgres").exists(), "postgresql-15"),
    "age": (shutil.which("age") is not None, "age"),
    "Chromium": (shutil.which("chromium") is not None, "chromium"),
    "Node.js": (shutil.which("node") is not None and shutil.which("npm") is not None, "nodejs npm"),
}


def main() -> int:
    """Print a line for each thing that is missing."""
    missing = {name: package for name, (there, package) in NEEDS.items() if not there}
    for name, package in missing.items():
        print(f"make test-system needs {name}: apt-get install {package}", file=sys.stderr)
    return 2 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
