"""The cut-over: freeze, sync, checkpoint, load, proof, access check, health, switch, watch, unfreeze; and the way back.

What belongs here: the steps of the night, what each asserts before it begins, and what a failure undoes. What does not:
the freeze, the switch, the load, a snapshot (packages of their own), Dagster (``assets.cutover``).

Invariants: until a load is committed the freeze ends by itself within a minute of the process's death; from that commit on
it stays until the switch or until the checkpoint is restored; how far a cut-over came is read from what was committed,
never from what a process remembers; no third state is left behind.
"""
