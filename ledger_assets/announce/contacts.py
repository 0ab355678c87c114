"""Whom to call: one small file (``LEDGER_CONTACTS``), read strictly.

What belongs here: the file's form, its faults in words, the lines that people read. What does not: where the lines stand
(``templates``, ``status_page``, the command ``contacts``).

Invariants: a file with a fault gives nothing, and every fault has a line of its own; what is not marked public is never
given to a public text (a database administrator's own number does not belong on a page that anybody reads).
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ledger_assets.announce.recipients import is_address
from ledger_assets.errors import SettingsError

CONTACTS = "LEDGER_CONTACTS"
EXAMPLE = Path(__file__).with_name("contacts.example.toml")
ROLES = {
    "technical": {"database_admin": "Database Admin", "backend_lead": "Backend Lead", "devops": "DevOps"},
    "business": {
        "product_manager": "Product Manager",
        "community_manager": "Community Manager",
        "support_lead": "Support Lead",
    },
}
ESCALATION = {"technical_team": "Technical team", "cto": "CTO", "vendor": "Emergency vendor support"}
"""In this order they are tried."""
FIELDS = frozenset({"name", "phone", "email", "public"})
LONGEST = 200


@dataclass(frozen=True)
class Contact:
    """Somebody to call. ``public``: their number may stand where anybody reads it."""

    role: str
    name: str
    phone: str | None = None
    email: str | None = None
    public: bool = False

    @property
    def line(self) -> str:
        """For people: role, name, and how to reach them."""
        return f"{self.role}: {', '.join(part for part in (self.name, self.phone, self.email) if part)}"


@dataclass(frozen=True)
class Step:
    """A step of the escalation: whom to try, and when it is time to."""

    contact: Contact
    when: str | None = None


@dataclass(frozen=True)
class Contacts:
    """The whole file. ``platform``: what its people call it; ``status_page``: where they read the page."""

    platform: str
    status_page: str | None
    technical: tuple[Contact, ...]
    business: tuple[Contact, ...]
    escalation: tuple[Step, ...]

    @property
    def public(self) -> tuple[Contact, ...]:
        """Those that anybody may call."""
        everybody = (*self.business, *self.technical, *(step.contact for step in self.escalation))
        return tuple(contact for contact in everybody if contact.public)

    @property
    def behind(self) -> str:
        """Who else is at work, by role alone, and who is called when they cannot help."""
        team = ", ".join(contact.role for contact in self.technical)
        first, *rest = (step.contact.role for step in self.escalation)
        return f"At work behind them: {team}. If needed, in this order: {', then '.join((first, *rest))}."

    def document(self) -> dict[str, Any]:
        """For ``--json``."""
        return asdict(self)


def contacts_file(*, synthetic: bool, environ: Mapping[str, str] | None = None) -> Path:
    """The file named by the setting; in the synthetic world the example. Raises SettingsError."""
    value = (os.environ if environ is None else environ).get(CONTACTS, "").strip()
    if value:
        return Path(value).absolute()
    if synthetic:
        return EXAMPLE
    raise SettingsError(
        f"{CONTACTS} is not set: copy {EXAMPLE.name} (`ledger-assets contacts --example` prints it), fill it in, and set "
        "the variable to its path"
    )


def read_contacts(path: Path) -> Contacts:
    """Read the file. Raises SettingsError with one line for each fault."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{CONTACTS}: the file {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{CONTACTS}: {path.name} is not UTF-8: save it as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        where = re.search(r"\(at .*\)", str(error))
        raise SettingsError(
            f"{CONTACTS}: {path.name} is not TOML {where[0] if where else ''}".strip()
        ) from None
    faults = list(_faults(found))
    if faults:
        raise SettingsError("\n".join(f"{CONTACTS}: {path.name}: {fault}" for fault in faults))
    return Contacts(
        platform=found["platform"].strip(),
        status_page=found.get("status_page"),
        technical=tuple(
            _contact(title, found["technical"][role]) for role, title in ROLES["technical"].items()
        ),
        business=tuple(
            _contact(title, found["business"][role], public=True) for role, title in ROLES["business"].items()
        ),
        escalation=tuple(
            Step(_contact(title, found["escalation"][step]), found["escalation"][step].get("when"))
            for step, title in ESCALATION.items()
        ),
    )


def _contact(role: str, found: Mapping[str, Any], *, public: bool = False) -> Contact:
    phone, email = found.get("phone"), found.get("email")
    return Contact(role, found["name"].strip(), phone, email, found.get("public", public))


def _faults(found: Mapping[str, Any]) -> Iterator[str]:
    known = {"platform", "status_page", *ROLES, "escalation"}
    yield from (
        f"{name!r} is not known here; known are {', '.join(sorted(known))}" for name in found.keys() - known
    )
    platform = found.get("platform")
    if platform is None:
        yield 'platform is missing: write platform = "what its people call it"'
    elif fault := _text_fault(platform):
        yield f"platform {fault}"
    page = found.get("status_page", "https://")
    if not isinstance(page, str) or not page.startswith("https://") or _text_fault(page):
        yield "status_page is not the address that people open (https://...)"
    for group, roles in ROLES.items():
        yield from _group_faults(group, found.get(group), roles, FIELDS)
    yield from _group_faults("escalation", found.get("escalation"), ESCALATION, FIELDS | {"when"})
    steps = found.get("escalation")
    if isinstance(steps, dict) and steps.keys() == ESCALATION.keys() and list(steps) != list(ESCALATION):
        yield f"the steps of escalation must stand in the order {', '.join(ESCALATION)}"


def _group_faults(
    group: str, found: object, roles: Mapping[str, str], fields: frozenset[str]
) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"[{group}] is missing: it needs {', '.join(roles)}"
        return
    for name in sorted(found.keys() - roles.keys()):
        yield f"{group}.{name} is not known; known are {', '.join(roles)}"
    for name in roles:
        if name not in found:
            yield f"{group}.{name} is missing: write [{group}.{name}] with name, and phone or email"
        elif not isinstance(found[name], dict):
            yield f"{group}.{name} is not a table: write [{group}.{name}]"
        else:
            yield from (f"{group}.{name}{fault}" for fault in _contact_faults(found[name], fields))


def _contact_faults(found: Mapping[str, Any], fields: frozenset[str]) -> Iterator[str]:
    for name in sorted(found.keys() - fields):
        yield f".{name} is not known; known are {', '.join(sorted(fields))}"
    for name in sorted((fields - {"public"}) & found.keys()):
        if fault := _text_fault(found[name]):
            yield f".{name} {fault}"
    if "name" not in found:
        yield ".name is missing"
    if not found.keys() & {"phone", "email"}:
        yield " cannot be reached: give phone, email or both"
    if isinstance(found.get("phone"), str) and not re.search(r"\d{3}", found["phone"].replace(" ", "")):
        yield ".phone is not a telephone number"
    if isinstance(found.get("email"), str) and not is_address(found["email"]):
        yield ".email is not an e-mail address"
    if not isinstance(found.get("public", False), bool):
        yield ".public is neither true nor false"


def _text_fault(value: object) -> str | None:
    if not isinstance(value, str) or not value.strip():
        return "is not a text, or is empty"
    if len(value) > LONGEST or not value.isprintable():
        return f"is not one line of at most {LONGEST} characters"
    return None
