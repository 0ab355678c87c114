"""Calling the deploy hooks: signed, tried again with growing pauses, each try recorded.

What belongs here: which hook is outstanding, one try, the order of tries. What does not: the flip.

Invariants: only the newest generation is told, so that a late message never undoes a newer one; what is recorded and
said of a hook is its host and its mark, never its address or its answer; redirects are not followed (a message would go
where nobody said) and TLS is verified; a try ends within ``LONGEST`` seconds whatever the other side does.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from ledger_assets import events
from ledger_assets.environment import Environment
from ledger_assets.switch.flip import Live, live
from ledger_assets.switch.settings import Hook, Hooks

if TYPE_CHECKING:
    import psycopg

ACTION = "switch_hook"
PAUSES = (1.0, 4.0, 10.0)
"""Seconds before each further try; afterwards it is the next ``switch`` that tries."""
TIMEOUT = 10.0
LONGEST = 15.0
SIGNATURE, TIMESTAMP = "X-Ledger-Signature", "X-Ledger-Timestamp"
WORTH_AGAIN = frozenset({408, 425, 429})
"""Answers below 500 that may be another one later."""


@dataclass(frozen=True)
class Called:
    """One hook after its tries. ``trouble`` empty: it took the message."""

    host: str
    mark: str
    tries: int
    trouble: str

    @property
    def taken(self) -> bool:
        """Whether it took the message."""
        return not self.trouble


def outstanding(connection: psycopg.Connection, hooks: Hooks) -> tuple[Hook, ...]:
    """The hooks that have not taken the newest generation. None before the first switch."""
    now = live(connection)
    if now.generation == 0:
        return ()
    taken = {
        event.detail.get("hook")
        for event in events.read(connection, actions=[ACTION])
        if event.outcome == "done" and event.detail.get("generation") == now.generation
    }
    return tuple(hook for hook in hooks.all if hook.mark not in taken)


def call_hooks(
    connection: psycopg.Connection,
    hooks: Hooks,
    *,
    environment: Environment,
    who: str,
    run_id: str | None,
    pause: Callable[[float], object] = time.sleep,
) -> tuple[Called, ...]:
    """Tell every outstanding hook which source is live. Raises TargetError only when the database fails."""
    waiting = dict.fromkeys(outstanding(connection, hooks), 0)
    state, called = live(connection), list[Called]()
    for seconds in (0.0, *PAUSES):
        if waiting and seconds:
            pause(seconds)
        for hook, (trouble, again) in _deliver_all(list(waiting), hooks.secret, body(environment, state)):
            waiting[hook] += 1
            detail = {
                "host": hook.host, "hook": hook.mark, "generation": state.generation, "to": state.source,
                "try": waiting[hook], "trouble": trouble,
            }  # fmt: skip
            outcome: events.Outcome = "failed" if trouble else "done"
            events.record(connection, ACTION, outcome, who=who, run_id=run_id, detail=detail)
            if not trouble or not again or seconds == PAUSES[-1]:
                called.append(Called(hook.host, hook.mark, waiting.pop(hook), trouble))
    return tuple(called)


def _deliver_all(waiting: list[Hook], secret: bytes, message: bytes) -> list[tuple[Hook, tuple[str, bool]]]:
    """One try of each, all at once: the app must not stay frozen for the sum of what they take."""
    with ThreadPoolExecutor(max_workers=max(1, len(waiting))) as pool:
        return list(zip(waiting, pool.map(lambda hook: deliver(hook, secret, message), waiting), strict=True))


def body(environment: Environment, state: Live) -> bytes:
    """What a hook is told."""
    at = state.switched_at.isoformat() if state.switched_at else None
    return json.dumps(
        {"environment": environment.value, "source": state.source, "generation": state.generation, "at": at}
    ).encode()


def signature(secret: bytes, timestamp: str, message: bytes) -> str:
    """Of ``timestamp.body``: the receiver computes the same, and refuses what is old."""
    return "sha256=" + hmac.new(secret, timestamp.encode() + b"." + message, hashlib.sha256).hexdigest()


def deliver(hook: Hook, secret: bytes, message: bytes, *, longest: float = LONGEST) -> tuple[str, bool]:
    """One try: the trouble (empty: taken), and whether another try may help.

    In a thread that may be left behind: a server that sends a byte now and then never runs into a time-out.
    """
    outcome: list[tuple[str, bool]] = []
    worker = threading.Thread(
        target=_post, args=(hook, secret, message, outcome), name="ledger-hook", daemon=True
    )
    worker.start()
    worker.join(longest)
    return outcome[0] if outcome else (f"no answer in {longest:.0f} s", True)


def _post(hook: Hook, secret: bytes, message: bytes, outcome: list[tuple[str, bool]]) -> None:
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "ledger-assets",
        TIMESTAMP: timestamp,
        SIGNATURE: signature(secret, timestamp, message),
    }
    try:
        request = Request(hook.url, data=message, headers=headers, method="POST")  # noqa: S310 - settings allow http(s) only
        with build_opener(_NoRedirect).open(request, timeout=TIMEOUT):
            outcome.append(("", False))
    except HTTPError as error:
        error.close()
        outcome.append((f"answered {error.code}", error.code >= 500 or error.code in WORTH_AGAIN))
    except Exception as error:  # noqa: BLE001 - nothing may escape the thread: it would be printed with the address
        outcome.append((_kind(error), True))


def _kind(error: BaseException) -> str:
    """The kind of a failure; its text may quote the address."""
    reason = getattr(error, "reason", None)
    inner = reason if isinstance(reason, BaseException) else error
    return {"gaierror": "no such host", "ConnectionRefusedError": "refuses connections"}.get(
        type(inner).__name__, type(inner).__name__
    )


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """No request: the redirect is an error of its number."""


def lines(called: Sequence[Called]) -> list[str]:
    """For people: one line per hook."""
    return [
        f"deploy hook {one.host}: {'told' if one.taken else one.trouble} ({one.tries} tr{'y' if one.tries == 1 else 'ies'})"
        for one in called
    ]
