"""Accounts for storytellers, and claim codes for those who get none.

What belongs here: whose address may have an account, making, inviting, disabling, the codes. What does not: what an account
may see (the schema's policies), the app's own sign-up.

Invariants: an account that was there before is nobody's until its holder claims the storyteller with a code and a steward
confirms; linking an account publishes nothing and shows nothing more; no address and no code stands in a log, an event, an
error, or a table of ours.
"""
