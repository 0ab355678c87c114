update only {table} t set {values} where {orphans}
