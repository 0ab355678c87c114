"""The one partitioned asset's months. A record's month is that of its Airtable createdTime, which never changes."""

from datetime import date

import dagster as dg


def month_partitions(first_month: date) -> dg.MonthlyPartitionsDefinition:
    """Months from ``first_month`` to the current one; older records belong to the first."""
    return dg.MonthlyPartitionsDefinition(start_date=first_month.isoformat(), end_offset=1)
