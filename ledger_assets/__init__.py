"""Move an Airtable base into Supabase (Postgres), prove it, keep it safe: a Dagster asset graph."""

from ledger_assets.memory import set_polars

set_polars()
