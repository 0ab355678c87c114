"""Announcements: what is due, to whom, and that each gets it once.

What belongs here: from a step to sent messages. What does not: the words (``templates``), who has what (``mailing``), the
state of the window (``state``).

Invariants: nothing leaves from staging; nothing is sent before every file that it needs was judged; a step that says
something of the migration is sent because the migration's state says so, never because of the clock alone.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ledger_assets.announce import mailing, page_words, status_page
from ledger_assets.announce.contacts import Contacts, contacts_file, read_contacts
from ledger_assets.announce.mailing import Mailed, Send
from ledger_assets.announce.recipients import read_recipients
from ledger_assets.announce.settings import announce_folder, recipients_file, templates_folder
from ledger_assets.announce.state import State
from ledger_assets.announce.templates import Step, Template, read_templates
from ledger_assets.announce.window import AT, Window
from ledger_assets.environment import Environment, Settings
from ledger_assets.errors import SettingsError

if TYPE_CHECKING:
    import psycopg

    from ledger_assets.events import Outcome

WEEK, DAY, HOUR = timedelta(days=7), timedelta(days=1), timedelta(hours=1)
EARLY = timedelta(hours=1)
"""How long before its time the migration may begin: an announcement earlier than that is a slip."""
TOMORROW = timedelta(hours=36)
AFTERWARDS = timedelta(days=7)
"""How long the schedule goes on telling those who could not be reached that it is over."""
AGAIN = timedelta(minutes=59)
WEBHOOK = "webhook"


@dataclass(frozen=True)
class Text:
    """What one step says. None of it is anybody's own."""

    subject: str
    body: str


@dataclass(frozen=True)
class Announced:
    """A step, to people and to the webhook. ``mailed`` is None where the community wants no such announcement."""

    step: Step
    window: str
    mailed: Mailed | None
    webhook: Mailed | None

    @property
    def complete(self) -> bool:
        """Has everybody got it who could?"""
        return all(one is None or one.complete for one in (self.mailed, self.webhook))

    @property
    def in_vain(self) -> bool:
        """Does nobody have it, although somebody should?"""
        one = self.mailed
        return one is not None and not one.busy and one.waiting > 0 and one.sent + one.had == 0

    @property
    def outcome(self) -> Outcome:
        """For the record."""
        if any(one is not None and one.busy for one in (self.mailed, self.webhook)):
            return "refused"
        return "done" if self.complete else "failed"

    @property
    def counts(self) -> dict[str, object]:
        """For the record: counts alone."""
        found: dict[str, object] = {"step": str(self.step), "window": self.window}
        for name, one in (("people", self.mailed), (WEBHOOK, self.webhook)):
            if one is not None:
                found[name] = {"recipients": one.recipients, "sent": one.sent, "before": one.had,
                               "refused": one.refused, "waiting": one.waiting}  # fmt: skip
        return found


@dataclass(frozen=True)
class Plan:
    """Everything that an announcement needs, read and judged. ``state``: as ``kept``, and what the step itself says."""

    window: Window
    kept: State
    state: State
    folder: Path
    contacts: Contacts
    template: Template | None
    recipients: tuple[str, ...]

    def text(self) -> Text | None:
        """The announcement in words."""
        if self.template is None:
            return None
        return Text(*self.template.fill(_values(self.window, self.state, self.contacts)))


def prepare(
    settings: Settings, step: Step, *, now: datetime, environ: Mapping[str, str] | None = None
) -> Plan:
    """Read and judge everything that ``step`` needs. Raises SettingsError."""
    state, window = status_page.current(settings, environ=environ)
    contacts = read_contacts(contacts_file(synthetic=settings.database_url is None, environ=environ))
    template = read_templates(templates_folder(environ))[step]
    recipients = read_recipients(recipients_file(environ))
    return Plan(
        window, state, _after(state, step, now), announce_folder(settings), contacts, template, recipients
    )


def announce(
    settings: Settings, step: Step, *, now: datetime, environ: Mapping[str, str] | None = None
) -> Announced:
    """Send ``step`` to all who do not have it; open or close the window's state with it, and publish the page.

    Raises SettingsError before anything was sent, OSError when who has it cannot be remembered.
    """
    if settings.environment is not Environment.PRODUCTION:
        raise SettingsError("announcements are never sent from staging: --dry-run shows them")
    plan = prepare(settings, step, now=now, environ=environ)
    refuse_untimely(plan.window, plan.kept, step, now)
    email, hook = sender(environ)
    if plan.state != plan.kept:
        status_page.publish(settings, plan.state, now=now, environ=environ)
    else:
        republish(settings, now=now, environ=environ)
    text = plan.text()
    if text is None:
        return Announced(step, plan.window.key, None, None)
    from ledger_assets.backup.messages import announcement

    message = announcement(text.subject, text.body, at=now)
    folder, name = plan.folder / plan.window.key, _name(step, plan.state, now)
    told = None
    if hook is not None:
        told = mailing.mail(folder, plan.window.key, f"{name}.{WEBHOOK}", message, [WEBHOOK], hook)
    mailed = mailing.mail(folder, plan.window.key, name, message, plan.recipients, email)
    return Announced(step, plan.window.key, mailed, told)


def due(
    settings: Settings, *, now: datetime, environ: Mapping[str, str] | None = None
) -> tuple[Step | None, str]:
    """The step that people should have and do not all have yet; None with the reason. Raises SettingsError.

    At most one: who missed a reminder gets the later one alone.
    """
    env = os.environ if environ is None else environ
    if not env.get(AT, "").strip():
        return None, f"{AT} is not set"
    state, window = status_page.current(settings, environ=environ)
    step = _timely(state, window, now)
    if step is None:
        late = state.phase == "planned" and now >= window.start
        return None, "the window's time has come, and nobody has said that the migration began" if late else (
            "nothing is due"
        )
    template = read_templates(templates_folder(environ))[step]
    if template is None:
        return None, f"{step} is not announced: its template is empty"
    folder, name = announce_folder(settings) / window.key, _name(step, state, now)
    recipients = read_recipients(recipients_file(environ))
    waiting = mailing.standing(folder, window.key, name, recipients).waiting
    if env.get("BACKUP_WEBHOOK_URL", "").strip():
        waiting += mailing.standing(folder, window.key, f"{name}.{WEBHOOK}", [WEBHOOK]).waiting
    if not waiting:
        return None, f"everybody has {step}"
    tried = mailing.tried_at(folder, name)
    if tried is not None and tried <= now < tried + AGAIN:
        return None, f"{step} waits for {waiting:,}, and is tried again at most once an hour"
    return step, f"{step} waits for {waiting:,}"


def republish(settings: Settings, *, now: datetime, environ: Mapping[str, str] | None = None) -> None:
    """Write the page anew while a window is announced or open, so that its time is never old. Never raises."""
    try:
        state, window = status_page.current(settings, environ=environ)
    except SettingsError:
        return
    if state.phase == "open" or (state.phase == "planned" and now >= window.start - WEEK):
        status_page.publish(settings, state, now=now, environ=environ)


def record(connection: psycopg.Connection, announced: Announced, *, run_id: str | None = None) -> None:
    """Keep what was announced among the events: the step and counts. Raises TargetError."""
    from ledger_assets import events

    events.record(connection, "announce", announced.outcome, run_id=run_id, detail=announced.counts)


def refuse_untimely(window: Window, state: State, step: Step, now: datetime) -> None:
    """Whether ``step`` would be untrue now. Raises SettingsError."""
    if step in {Step.WEEK_BEFORE, Step.DAY_BEFORE}:
        if now >= window.start:
            raise SettingsError(
                f"{step}: {AT} has passed ({window.when(window.start)}): set the new time first"
            )
        if step is Step.DAY_BEFORE and now < window.start - TOMORROW:
            raise SettingsError(f"{step}: it is more than a day until {AT} ({window.when(window.start)})")
    elif now < window.start - EARLY:
        raise SettingsError(
            f"{step}: the window of {AT} begins {window.when(window.start)}: set the right time first"
        )
    elif step is Step.HOURLY and state.phase != "open":
        raise SettingsError(f"{step}: no migration is under way: announce {Step.BEGUN} first")


def _timely(state: State, window: Window, now: datetime) -> Step | None:
    if state.phase == "open":
        begun = state.begun_at or window.start
        return Step.HOURLY if _hour(begun, now) else Step.BEGUN
    if state.phase in {"done", "rolled_back"}:
        return Step(state.phase) if now < (state.ended_at or window.end) + AFTERWARDS else None
    if window.start - WEEK <= now < window.start - DAY:
        return Step.WEEK_BEFORE
    return Step.DAY_BEFORE if window.start - DAY <= now < window.start else None


def _after(state: State, step: Step, now: datetime) -> State:
    """What announcing ``step`` says of the window, where the cut-over has not said it already."""
    if step is Step.BEGUN and state.phase != "open":
        return state.begun(now)
    if step is Step.DONE and state.phase != "done":
        return state.closed("done", now)
    if step is Step.ROLLED_BACK and state.phase != "rolled_back":
        return state.closed("rolled_back", now)
    return state


def _name(step: Step, state: State, now: datetime) -> str:
    """The step's name in the ledger: each hour is an announcement of its own."""
    if step is not Step.HOURLY:
        return str(step)
    return f"{step}-{max(_hour(state.begun_at or now, now), 1):03}"


def _hour(begun: datetime, now: datetime) -> int:
    return max(int((now - begun) / HOUR), 0)


def _values(window: Window, state: State, contacts: Contacts) -> dict[str, str]:
    hours = window.length / HOUR
    public = "\n".join(f"  {contact.line}" for contact in contacts.public)
    return {
        "platform": contacts.platform,
        "start": window.when(window.start),
        "start_day": window.day(window.start),
        "start_time": window.clock(window.start),
        "end": window.when(window.end),
        "end_time": window.clock(window.end),
        "hours": f"{hours:g} hour{'' if hours == 1 else 's'}",
        "zone": window.zone_words(window.start),
        "progress": f"{page_words.progress(state)} {page_words.works(state)}",
        "status_page": f"See how it goes: {contacts.status_page}" if contacts.status_page else "",
        "contacts": f"Questions? Call or write to us:\n{public}\n\n{contacts.behind}"
        if public
        else contacts.behind,
    }


def sender(environ: Mapping[str, str] | None = None) -> tuple[Send, Send | None]:
    """How a message reaches an address, and how the webhook (None: there is none). Opens nothing. Raises SettingsError."""
    from ledger_assets.backup.channels import channels, email_channel
    from ledger_assets.backup.settings import read_notice_settings

    notices = read_notice_settings(environ)
    if notices.smtp_url is None:
        raise SettingsError(
            "BACKUP_SMTP_URL is not set: announcements leave by it (smtp://user:password@host:587)"
        )
    email = email_channel(notices.smtp_url)
    hook = channels(notices.webhook_url, (), None).get(WEBHOOK)
    return email, None if hook is None else lambda _address, message: hook(message)
