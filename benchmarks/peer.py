"""The peer's side: dlt's own REST source, pointed at the same server, loading into the same Postgres.

Run by the Python of an environment of its own (``requirements.txt`` beside this file), so it imports nothing of this
project. Every table of the base, Airtable's paging as dlt's documentation configures it, dlt's defaults but for what
makes it faster here: tables are read in parallel, and rows go in by COPY (``csv``) and not by INSERT.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

started = time.monotonic()
os.environ.update(
    {
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "CRITICAL",
        "NORMALIZE__LOADER_FILE_FORMAT": "csv",
        "DLT_DATA_DIR": os.environ["PEER_FOLDER"],
    }
)

# Late, because dlt reads the variables above when it is imported.
import dlt  # noqa: E402 - see above
import requests  # noqa: E402 - see above
from dlt.sources.rest_api import rest_api_source  # noqa: E402 - see above


def main() -> None:
    """Load the base and print the seconds of dlt's three steps."""
    seconds = {"imports": time.monotonic() - started}
    root, base, token = (os.environ[name] for name in ("PEER_URL", "PEER_BASE", "PEER_TOKEN"))
    answer = requests.get(
        f"{root}/v0/meta/bases/{base}/tables", headers={"Authorization": f"Bearer {token}"}, timeout=60
    )
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{root}/v0/{base}/",
                "auth": {"type": "bearer", "token": token},
                "paginator": {"type": "cursor", "cursor_path": "offset", "cursor_param": "offset"},
            },
            "resources": [
                {
                    "name": table["id"],
                    "endpoint": {
                        "path": table["id"],
                        "params": {"pageSize": 100},
                        "data_selector": "records",
                    },
                    "parallelized": True,
                }
                for table in answer.json()["tables"]
            ],
        }
    )
    pipeline = dlt.pipeline(
        "peer",
        destination=dlt.destinations.postgres(os.environ["PEER_DATABASE_URL"]),
        dataset_name="peer",
        pipelines_dir=os.environ["PEER_FOLDER"],
    )
    for name, step in (
        ("extract", lambda: pipeline.extract(source)),
        ("normalize", pipeline.normalize),
        ("load", lambda: pipeline.load(raise_on_failed_jobs=True)),
    ):
        before = time.monotonic()
        step()
        seconds[name] = time.monotonic() - before
    status = Path("/proc/self/status").read_text(encoding="ascii")
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024
    counts = pipeline.last_trace.last_normalize_info.row_counts
    resources = {name.replace("_", "").lower() for name in source.resources}
    records = sum(n for name, n in counts.items() if name.replace("_", "") in resources)
    print(json.dumps({"seconds": seconds, "records": records, "megabytes": round(peak, 1)}))


if __name__ == "__main__":
    main()
