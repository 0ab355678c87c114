"""Move an Airtable base into Supabase (Postgres), prove it, keep it safe: a Dagster asset graph."""

from ledger_assets.memory import look_rarely, set_polars

set_polars()
look_rarely()
