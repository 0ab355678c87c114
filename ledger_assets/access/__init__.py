"""Who may do what, as data (``matrix.md``), and the check that plays every cell of it in the real database.

What belongs here: the matrix, the small labelled world it speaks of, the sessions that try each cell. What does
not: what decides (``supabase/migrations``), the asset check (``checks``).
"""
