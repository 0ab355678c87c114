"""The parts of a schema's repair (``backup.repair``): statements from definitions, what is taken away, what is made, values.

What belongs here: each part. What does not: their order, the transaction and its checks (``backup.repair``).
"""
