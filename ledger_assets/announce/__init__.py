"""Telling people: announcements, the status page, whom to call.

What belongs here: the words people read about a migration, when they are due, who gets them, the public page. What does
not: telling the team of snapshots and failures (``backup.notices``), and the migration itself (``cutover``).

Nothing here imports Dagster, and nothing here stops a migration: what cannot be told is kept and tried again.
"""
