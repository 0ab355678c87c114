select quote_ident(attname) from pg_attribute where attrelid = %s::regclass and attnum > 0 and not attisdropped order by attnum
