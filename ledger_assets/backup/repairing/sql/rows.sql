select {label}, count(*) over () from only {table} t where {condition} order by 1 limit {shown}
