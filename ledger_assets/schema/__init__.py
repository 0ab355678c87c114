"""Is the live schema the one that the migrations make? Catalogues read, compared, and every difference named.

What belongs here: reading a database's catalogue and comparing it. What does not: applying migrations
(``load.schema``), rows. Nothing here writes to the database that is looked at, and nothing reads a table's rows.
"""
