"""Airtable's own JavaScript client reads the local server: it was not made by us and knows nothing of us."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pyairtable
import pytest

from ledger_assets.demo.base import create_base
from ledger_assets.demo.server import LocalAirtable

pytestmark = pytest.mark.system

CLIENT = "airtable@0.12.2"
SCRIPT = """
const Airtable = require('airtable');
const [endpointUrl, apiKey, baseId, ...tables] = process.argv.slice(2);
const base = new Airtable({ apiKey, endpointUrl }).base(baseId);
(async () => {
  const read = {};
  for (const table of tables) {
    const records = await base(table).select().all();
    read[table] = records.map((record) => record._rawJson);
  }
  const created = await base('Themes').create([{ fields: { 'Theme Name': 'From JavaScript' } }]);
  await base('Themes').update(created[0].id, { Description: 'Described' });
  read.found = (await base('Themes').find(created[0].id)).fields;
  await base('Themes').destroy(created[0].id);
  console.log(JSON.stringify(read));
})().catch((error) => { console.error(error); process.exit(1); });
"""


def test_the_official_client_reads_every_record_and_writes(tmp_path: Path) -> None:
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(tmp_path), CLIENT],
        check=True,
        capture_output=True,
    )
    (tmp_path / "read.js").write_text(SCRIPT)
    create_base(tmp_path / "base.sqlite")
    with LocalAirtable(tmp_path / "base.sqlite", requests_per_second=None) as server:
        base = pyairtable.Api(server.api_key, endpoint_url=server.url).base(server.base_id)
        names = [table.name for table in base.tables()]
        done = subprocess.run(
            ["node", "read.js", server.url, server.api_key, server.base_id, *names],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            text=True,
        )
        read = json.loads(done.stdout)
        for name in names:
            fields = {r["id"]: set(r["fields"]) for r in base.table(name).all()}
            assert {r["id"]: set(r["fields"]) for r in read[name]} == fields
    assert read["found"] == {"Theme Name": "From JavaScript", "Description": "Described"}
