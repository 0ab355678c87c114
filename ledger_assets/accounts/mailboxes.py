"""Whose mailbox an address is, as far as the address tells.

What belongs here: the reasons why an address gets no account. Pure: nothing is looked up.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

NO_ADDRESS = "no e-mail address"
INVALID = "the address cannot be one"
PLACEHOLDER = "the address stands for none"
SHARED = "the address is an office's"
REPEATED = "several storytellers have this address"

_ADDRESS = re.compile(
    r"(?=.{6,254}\Z)(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])"
)
_RESERVED = frozenset({"example", "invalid", "test", "localhost", "local", "internal", "onion"})
"""Top-level names that no mail reaches (RFC 2606, 6761, 6762)."""
_NOBODY = re.compile(
    r"(no|not|do-?not|dont)[._-]?reply|test(er|ing|user)?[._-]?\d*|none|na|n\.a|nil|null|nobody|noone|unknown|anonymous"
    r"|placeholder|dummy|fake|sample|example|tba|tbc|tbd|x+|abc|asdf|a|foo|bar|e?mail|your\.?(e-?mail|name)"
)
_OFFICES = re.compile(
    r"info|admin(istrat(or|ion))?|office|contact(us)?|hello|enquir(y|ies)|inquir(y|ies)|reception|support|help(desk)?|team"
    r"|sales|accounts|manager|secretary|webmaster|postmaster|hostmaster|abuse|root|media|community|staff|everyone|all"
)


def mailbox(address: str) -> str:
    """Where mail to this address ends: what stands after a plus sign only sorts it."""
    local, _, domain = address.partition("@")
    return f"{local.partition('+')[0]}@{domain}"


def refusal(address: str | None) -> str | None:
    """Why this address (trimmed, in lower case) gets no account; None: it may."""
    if address is None:
        return NO_ADDRESS
    if _ADDRESS.fullmatch(address) is None:
        return INVALID
    local, _, domain = mailbox(address).partition("@")
    labels = domain.split(".")
    if labels[-1] in _RESERVED or "example" in labels or _NOBODY.fullmatch(local):
        return PLACEHOLDER
    return SHARED if _OFFICES.fullmatch(local) else None


def repeated(addresses: Iterable[str]) -> frozenset[str]:
    """Mailboxes that more than one of these addresses lead to."""
    return frozenset(box for box, number in Counter(map(mailbox, addresses)).items() if number > 1)
