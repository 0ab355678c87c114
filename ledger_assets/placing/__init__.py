"""Migrated files put where the app serves them, and found there again.

What belongs here: the stores, the keys, the pass that places, moves and removes, the check that reads back. What does not:
fetching files from Airtable (``extract``), who may see a file (the schema: policies, ``private.open_media``).

Invariants: everything is private unless ``private.open_media`` names it, and a public store is optional; a row names a key
only after the bytes were read back from there; only keys of our own shape are ever removed.
"""
