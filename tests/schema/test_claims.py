"""How an account becomes one with a storyteller: a one-time code, and a steward who confirms."""

from __future__ import annotations

import psycopg
import pytest

from tests.schema.world import SERVICE, World, in_background

CLAIM = "select public.claim_storyteller(%s)"


def issue(world: World, person: object) -> str:
    return str(world.ask(SERVICE, None, "select public.issue_claim_code(%s)", person))


def test_a_code_has_128_bits_and_is_kept_only_as_a_hash(world: World) -> None:
    code = issue(world, world.storyteller())
    assert len(bytes.fromhex(code)) == 16
    (row,) = world.all("select to_jsonb(c)::text from storyteller_claims c")
    assert code not in row[0]
    images = world.all("select after::text from audit.images where table_name = 'storyteller_claims'")
    assert images
    assert not any(code in image for (image,) in images)
    assert world.one("select code_hash = sha256(convert_to(%s, 'UTF8')) from storyteller_claims", code)


def test_a_claim_waits_for_a_steward_who_is_not_the_claimer(world: World) -> None:
    community = world.community()
    person = world.storyteller(community_id=community)
    claimer, steward = world.account(), world.account()
    world.member(community, claimer, "elder")
    world.member(community, steward, "steward")
    code = issue(world, person)
    assert world.ask("authenticated", claimer, CLAIM, code) == "waits for a steward"
    claim = world.one("select id from storyteller_claims")
    confirm = "select public.confirm_claim(%s, true)"
    assert world.one("select profile_id from storytellers") is None
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="not yours to confirm"):
        world.ask("authenticated", claimer, confirm, claim)
    with world.session("authenticated", steward) as conn:
        (row,) = conn.execute("select * from public.claims_to_confirm()").fetchall()
        assert (row["claim_id"], row["claimed_by"]) == (claim, claimer)
    assert world.ask("authenticated", steward, confirm, claim) is True
    assert world.one("select profile_id from storytellers") == claimer
    assert world.all("select confirmed_by from storyteller_claims") == [(steward,)]


@pytest.mark.parametrize("role", ["member", "guest", None])
def test_others_confirm_nothing(world: World, role: str | None) -> None:
    community = world.community()
    code = issue(world, world.storyteller(community_id=community))
    other = world.account()
    if role:
        world.member(community, other, role)
    world.ask("authenticated", world.account(), CLAIM, code)
    claim = world.one("select id from storyteller_claims")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.ask("authenticated", other, "select public.confirm_claim(%s, true)", claim)
    with world.session("authenticated", other) as conn:
        assert conn.execute("select * from public.claims_to_confirm()").fetchall() == []


def test_a_refused_claim_links_nobody_and_its_code_is_spent(world: World) -> None:
    person, account = world.storyteller(), world.account()
    code = issue(world, person)
    world.ask("authenticated", account, CLAIM, code)
    claim = world.one("select id from storyteller_claims")
    assert world.ask(SERVICE, None, "select public.confirm_claim(%s, false)", claim) is False
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        world.ask(SERVICE, None, "select public.confirm_claim(%s, true)", claim)
    assert world.one("select profile_id from storytellers") is None
    assert world.ask("authenticated", account, CLAIM, code) == "unknown or expired"


def test_a_code_works_once(world: World) -> None:
    code = issue(world, world.storyteller())
    assert world.ask("authenticated", world.account(), CLAIM, code) == "waits for a steward"
    assert world.ask("authenticated", world.account(), CLAIM, code) == "unknown or expired"


def test_an_expired_code_is_unknown(world: World) -> None:
    code = issue(world, world.storyteller())
    world.do("update storyteller_claims set expires_at = now()")
    assert world.ask("authenticated", world.account(), CLAIM, code) == "unknown or expired"


def test_a_new_code_ends_the_earlier_one(world: World) -> None:
    person = world.storyteller()
    first, second = issue(world, person), issue(world, person)
    assert world.ask("authenticated", world.account(), CLAIM, first) == "unknown or expired"
    assert world.ask("authenticated", world.account(), CLAIM, second) == "waits for a steward"


def test_of_two_codes_issued_at_once_one_stands(world: World) -> None:
    person = world.storyteller()
    query = "select public.issue_claim_code(%s)"
    with world.session(SERVICE) as first, world.session(SERVICE) as second:
        first.execute(query, (person,))
        waiting = in_background(world, second, lambda: second.execute(query, (person,)))
        first.commit()
        waiting.join()
    assert world.one("select count(*) from storyteller_claims where expires_at > clock_timestamp()") == 1


def test_five_tries_an_hour_wrong_or_right(world: World) -> None:
    person, account = world.storyteller(), world.account()
    code = issue(world, person)
    for _ in range(5):
        assert world.ask("authenticated", account, CLAIM, "guess") == "unknown or expired"
    assert world.ask("authenticated", account, CLAIM, code) == "too many attempts"
    assert world.ask("authenticated", world.account(), CLAIM, code) == "waits for a steward"
    world.do("update claim_attempts set at = at - interval '1 hour'")
    assert world.ask("authenticated", account, CLAIM, code) == "unknown or expired"


def test_tries_of_concurrent_sessions_are_counted_one_after_the_other(world: World) -> None:
    account = world.account()
    for _ in range(4):
        world.ask("authenticated", account, CLAIM, "guess")
    answers: list[object] = []

    def guess() -> None:
        answers.extend(second.execute(CLAIM, ("guess",)).fetchone().values())  # type: ignore[union-attr]  # the function has a row

    with world.session("authenticated", account) as first, world.session("authenticated", account) as second:
        first.execute(CLAIM, ("guess",))
        waiting = in_background(world, second, guess)
        first.commit()
        waiting.join()
    assert answers == ["too many attempts"]


def test_a_claimed_storyteller_is_not_claimed_again(world: World) -> None:
    owner = world.account()
    person = world.storyteller(account=owner)
    with pytest.raises(psycopg.errors.NoDataFound, match="no unclaimed storyteller"):
        issue(world, person)
    world.do("update storytellers set profile_id = null")
    code = issue(world, person)
    world.do("update storytellers set profile_id = %s", owner)
    assert world.ask("authenticated", world.account(), CLAIM, code) == "unknown or expired"


def test_of_two_waiting_claims_confirmed_at_once_one_is(world: World) -> None:
    person = world.storyteller()
    claims = []
    for _ in range(2):
        world.ask("authenticated", world.account(), CLAIM, issue(world, person))
        claims.append(world.one("select id from storyteller_claims order by issued_at desc limit 1"))
    confirm = "select public.confirm_claim(%s, true)"
    errors: list[str] = []

    def late() -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            second.execute(confirm, (claims[1],))
        errors.append(str(caught.value))
        second.rollback()

    with world.session(SERVICE) as first, world.session(SERVICE) as second:
        first.execute(confirm, (claims[0],))
        waiting = in_background(world, second, late)
        first.commit()
        waiting.join()
    assert len(errors) == 1
    assert world.one("select count(*) from storyteller_claims where confirmed_at is not null") == 1


def test_codes_and_tries_are_nobodys_to_read(world: World) -> None:
    account = world.account()
    issue(world, world.storyteller(account=None))
    world.ask("authenticated", account, CLAIM, "guess")
    for table in ("storyteller_claims", "claim_attempts"):
        for role in ("anon", "authenticated"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                world.ask(role, account, f"select count(*) from public.{table}")


@pytest.mark.parametrize("valid_for", ["30 seconds", "91 days", "-1 day", None])
def test_a_code_is_valid_for_a_sensible_time(world: World, valid_for: str | None) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="between one minute and 90 days"):
        world.ask(SERVICE, None, "select public.issue_claim_code(%s, %s)", world.storyteller(), valid_for)
