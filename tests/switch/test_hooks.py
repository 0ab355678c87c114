"""Deploy hooks against a real HTTP server: signed, repeated, recorded; an address and a secret are never shown."""

from __future__ import annotations

import io
import socket

import psycopg
import pytest

from ledger_assets import events
from ledger_assets.environment import Environment
from ledger_assets.errors import SettingsError
from ledger_assets.switch import Called, Hooks, call_hooks, lines, live, outstanding, read_hooks, switch
from ledger_assets.switch.hooks import ACTION, PAUSES, deliver
from tests.backup.test_channels import everything_logged
from tests.switch.receiver import SECRET, TOKEN, fingerprint, receiver

__all__ = ["everything_logged"]


def hooks(*urls: str) -> Hooks:
    return read_hooks({"DEPLOY_HOOK_URLS": ", ".join(urls), "DEPLOY_HOOK_SECRET": SECRET})


def flip(conn: psycopg.Connection, to: str = "supabase") -> None:
    switch(conn, to, token=None, who="night watch", run_id=None)  # type: ignore[arg-type]  # one of both


def call(conn: psycopg.Connection, which: Hooks) -> tuple[tuple[Called, ...], list[float]]:
    """What became of them, and the pauses that would have been made."""
    pauses: list[float] = []
    called = call_hooks(
        conn, which, environment=Environment.STAGING, who="night watch", run_id="run-1", pause=pauses.append
    )
    return called, pauses


def test_each_is_told_once_signed_with_what_is_live(conn: psycopg.Connection) -> None:
    with receiver() as one, receiver() as other:
        flip(conn)
        called, pauses = call(conn, hooks(one.url, other.url))
        assert ([c.taken for c in called], pauses) == ([True, True], [])
        assert call(conn, hooks(one.url, other.url)) == ((), [])
    at = live(conn).switched_at
    assert at is not None
    assert one.got == other.got == [
        {
            "verified": True, "path": f"/hook/{TOKEN}", "environment": "staging", "source": "supabase",
            "generation": 1, "at": at.isoformat(),
        }
    ]  # fmt: skip


def test_another_secret_does_not_verify(conn: psycopg.Connection) -> None:
    with receiver() as one:
        flip(conn)
        call(conn, read_hooks({"DEPLOY_HOOK_URLS": one.url, "DEPLOY_HOOK_SECRET": "not" + SECRET}))
    assert [got["verified"] for got in one.got] == [False]


def test_one_that_fails_is_tried_again_with_growing_pauses(conn: psycopg.Connection) -> None:
    with receiver() as one:
        one.answers = [500, 503]
        flip(conn)
        ((called,), pauses) = call(conn, hooks(one.url))
    assert (called.tries, called.taken, pauses) == (3, True, list(PAUSES[:2]))
    assert [
        (e.outcome, e.detail["try"], e.detail["trouble"]) for e in events.read(conn, actions=[ACTION])
    ] == [
        ("failed", 1, "answered 500"),
        ("failed", 2, "answered 503"),
        ("done", 3, ""),
    ]


def test_one_that_is_dead_undoes_nothing_and_the_next_call_tells_only_that_one(
    conn: psycopg.Connection,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/{TOKEN}"
    with receiver() as one:
        flip(conn)
        called, pauses = call(conn, hooks(dead, one.url))
        assert lines(called) == [
            "deploy hook 127.0.0.1: told (1 try)",
            f"deploy hook 127.0.0.1: refuses connections ({len(PAUSES) + 1} tries)",
        ]
        assert pauses == list(PAUSES)
        assert live(conn).source == "supabase"
        assert [hook.url for hook in outstanding(conn, hooks(dead, one.url))] == [dead]
        call(conn, hooks(dead, one.url))
        assert len(one.got) == 1


@pytest.mark.parametrize("answer", [302, 307, 308, 400, 401, 404, 410])
def test_a_wrong_address_is_not_tried_again_and_a_redirect_not_followed(
    conn: psycopg.Connection, answer: int
) -> None:
    with receiver() as one:
        one.answers = [answer]
        flip(conn)
        ((called,), pauses) = call(conn, hooks(one.url))
        assert (called.trouble, called.tries, pauses) == (f"answered {answer}", 1, [])
        assert [got["path"] for got in one.got] == [f"/hook/{TOKEN}"]


def test_a_new_flip_is_told_to_all_again_also_to_those_that_took_the_last(conn: psycopg.Connection) -> None:
    with receiver() as one, socket.create_server(("127.0.0.1", 0)) as silent:
        late = f"http://127.0.0.1:{silent.getsockname()[1]}/{TOKEN}"
        silent.close()
        flip(conn)
        call(conn, hooks(one.url, late))
        flip(conn, "airtable")
        assert len(outstanding(conn, hooks(one.url, late))) == 2
        call(conn, hooks(one.url))
    assert [(got["source"], got["generation"]) for got in one.got] == [("supabase", 1), ("airtable", 2)]


def test_before_the_first_switch_nobody_is_told(conn: psycopg.Connection) -> None:
    with receiver() as one:
        assert call(conn, hooks(one.url)) == ((), [])
    assert one.got == []


def test_a_server_that_drips_is_left_in_time() -> None:
    with receiver() as one:
        one.drip = True
        (hook,) = hooks(one.url).all
        assert deliver(hook, SECRET.encode(), b"{}", longest=0.3) == ("no answer in 0 s", True)


def test_neither_address_nor_secret_is_logged_recorded_or_shown(
    conn: psycopg.Connection, everything_logged: io.StringIO
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/{TOKEN}"
    with receiver() as one:
        one.answers = [500, 404]
        which = hooks(one.url, dead, f"https://no-such-host.invalid/{TOKEN}")
        flip(conn)
        called, _ = call(conn, which)
    told = [str(e.detail) for e in events.read(conn)]
    assert len(told) > 8
    for text in (everything_logged.getvalue(), *told, *lines(called), repr(which), repr(called)):
        for hidden in (TOKEN, SECRET, fingerprint(one.url), fingerprint(dead), fingerprint(TOKEN)):
            assert hidden not in text


@pytest.mark.parametrize(
    ("urls", "secret", "message"),
    [
        ("https://a.example/x", "", "DEPLOY_HOOK_SECRET is not set"),
        ("https://a.example/x", "short", "DEPLOY_HOOK_SECRET is too short"),
        ("http://a.example/x", SECRET, "number 1 must be https"),
        ("https://a.example/x,ftp://b.example/x", SECRET, "number 2 is not an address"),
        ("https://user:pass@a.example/x", SECRET, "number 1 must not hold a user name"),
        ("https://a.example:port/x", SECRET, "DEPLOY_HOOK_URLS is not an address"),
        (f"{TOKEN}", SECRET, "number 1 is not an address"),
    ],
)
def test_wrong_settings_are_named_without_their_value(urls: str, secret: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        read_hooks({"DEPLOY_HOOK_URLS": urls, "DEPLOY_HOOK_SECRET": secret})
    assert not any(part in str(caught.value) for part in ("a.example", "pass@", TOKEN, SECRET))


def test_none_is_no_hook_and_the_same_address_twice_is_one() -> None:
    assert read_hooks({"DEPLOY_HOOK_URLS": " , "}) == Hooks()
    assert len(hooks("https://a.example/x", "https://a.example/x").all) == 1
