"""Move an Airtable base into Supabase (Postgres), prove it, keep it safe: a Dagster asset graph."""
