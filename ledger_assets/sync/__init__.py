"""What changed in Airtable since an export, brought over as one new export that equals a full one of the same moment.

A webhook tells which records changed (``payloads``, ``drain``); their values, and those of every record whose computed
cells may follow from them (``depends``, ``spread``), are read again by REST; all others keep their exact text (``write``).
``run`` puts it together and says when only a full export will do. Nothing here imports Dagster.
"""
