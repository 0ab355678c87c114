"""What people had erased: the list of it beside the snapshots, and taking them out of everything that is kept.

What belongs here: the list, its application to a database, purging what is stored. What does not: erasing in Postgres
(``supabase/migrations``, 12_acts), leaving erased records out of an export (``extract``).
"""
