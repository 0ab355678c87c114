"""One small change of the open world for each ingredient of the rule: what a mutated rule or trigger must fail.

What belongs here: changes that matter, by name. What does not: what follows from them (the oracle knows).

Invariants: each case starts from ``open_world`` and is judged after it; every ingredient has a case that is red
without it (``mutants``).
"""

from tests.consent.cases import circles, consents, families, readers, ties
from tests.consent.cases.base import CASES, SINGLE

__all__ = ["CASES", "SINGLE", "circles", "consents", "families", "readers", "ties"]
