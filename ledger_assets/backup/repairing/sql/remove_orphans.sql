delete from only {table} t where {orphans}
