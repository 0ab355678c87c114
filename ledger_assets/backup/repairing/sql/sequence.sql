select setval(pg_get_serial_sequence({table_text}, {column_text}), greatest(m.n, 1), m.n > 0)
from (select greatest(coalesce(max({column}), 0), {last}) as n from {table}) m
