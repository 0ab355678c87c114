"""The acts by which people open and close stories: publishing a list, recording a consent or a withdrawal.

What belongs here: reading what a person listed or said, doing it in one audited transaction, and answering by ids.
What does not: the consent rule and what is in a story's way (``private.story_rule`` and ``private.obstacles``, in
supabase/migrations). No Dagster; like resolving a finding, an act is a person's own and no run.

Invariants: nothing opens without evidence; no answer, error or log line holds a title, a name or a word of a person.
"""
