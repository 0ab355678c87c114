-- Count and content of one table, whatever the order of its rows: sums (never XOR: two equal rows would cancel out) of both
-- halves of each row's md5. The same on every version from 15 to 18 under contents.SETTINGS. Without "offset 0" Postgres
-- puts the md5's expression in the place of both m and computes it twice.
select count(*), coalesce(sum(('x' || substr(m, 1, 16))::bit(64)::bigint), 0)::text,
  coalesce(sum(('x' || substr(m, 17, 16))::bit(64)::bigint), 0)::text
from (select md5(row({columns})::text) as m from only {table}{part} offset 0) q
