"""One module per measurement; each has ``measure(run) -> list[Row]``."""
