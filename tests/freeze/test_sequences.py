"""Any order of what two cut-overs and the owner may do: one freeze at a time, and only its own token counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger_assets import events, freeze
from ledger_assets.demo.postgres import Cluster
from ledger_assets.errors import TargetError
from ledger_assets.load.connect import connect
from ledger_assets.switch import live, switch
from tests.freeze.world import lease, one

ACTS = ("take", "die", "hold", "release", "switch", "thaw", "on", "off", "force")
CUTOVERS = ("cut-1", "cut-2")


@dataclass
class Model:
    """What must be so. ``owner``: a cut-over, "by hand", or nobody."""

    owner: str | None = None
    held: bool = False
    token: int = 0
    tokens: dict[str, int] = field(default_factory=dict)
    source: str = "airtable"

    def mine(self, cutover: str) -> bool:
        return self.owner == cutover and self.tokens.get(cutover) == self.token

    def act(self, what: str, cutover: str) -> bool:
        """Whether it is permitted; then it has been done."""
        if what == "take":
            return self._freeze(cutover, self.owner in (None, cutover))
        if what == "on":
            return self._freeze("by hand", self.owner in (None, "by hand"))
        if what == "die":
            self.owner = self.owner if self.held or not self.mine(cutover) else None
            return True
        if what in ("off", "force"):
            permitted = what == "force" or self.owner not in CUTOVERS
            self.owner, self.held = (None, False) if permitted else (self.owner, self.held)
            return permitted
        if what == "thaw":
            permitted = not (self.mine(cutover) and self.held)
            self.owner = None if self.mine(cutover) and permitted else self.owner
            return permitted
        permitted = self.mine(cutover)
        if permitted and what == "hold":
            self.held = True
        if permitted and (what == "release" or (what == "switch" and self.source == "airtable")):
            self.held = False
        if permitted and what == "switch":
            self.source = "supabase"
        return permitted

    def _freeze(self, owner: str, permitted: bool) -> bool:
        if permitted:
            self.held = self.held and self.owner == owner
            self.owner, self.token = owner, self.token + 1
            self.tokens[owner] = self.token
        return permitted


def do(conn: psycopg.Connection, what: str, cutover: str, token: int) -> None:
    """The same, really."""
    if what == "take":
        lease(conn, cutover)
    elif what == "on":
        freeze.on(conn, reason="moving", who="owner")
    elif what == "die":
        # Its lease runs out, as far as this token is still the freeze's.
        conn.execute(
            "update migration.maintenance set lease_until = clock_timestamp() where token = %s and lease_until is not null",
            (token,),
        )
        conn.commit()
    elif what in ("off", "force"):
        freeze.off(conn, who="owner", force=what == "force")
    elif what == "thaw":
        freeze.thaw(conn, token, who="owner")
    elif what == "switch":
        switch(conn, "supabase", token=token, who="owner", run_id=cutover)
    else:
        with conn.transaction():
            {"hold": freeze.hold, "release": freeze.release}[what](conn.cursor(), token)


@pytest.fixture(scope="module")
def database(cluster: Cluster, migrated_template: str) -> Iterator[psycopg.Connection]:
    """One database for all examples; its row is made new for each."""
    with psycopg.connect(cluster.admin_url("postgres"), autocommit=True) as admin:
        admin.execute(f"create database sequences template {migrated_template} owner postgres".encode())
        with connect(cluster.url("sequences"), application_name="tests") as connection:
            yield connection
        admin.execute("drop database sequences with (force)")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(ACTS), st.sampled_from(CUTOVERS)), min_size=4, max_size=14))
def test_any_order(database: psycopg.Connection, steps: list[tuple[str, str]]) -> None:
    database.execute("delete from migration.maintenance; delete from migration.live")
    database.execute("insert into migration.maintenance default values")
    database.execute("insert into migration.live default values")
    database.commit()
    model, before = Model(), len(events.read(database))
    for what, cutover in steps:
        token = model.tokens.get(cutover, 99)
        permitted = model.act(what, cutover)
        try:
            do(database, what, cutover, token)
        except TargetError:
            assert not permitted, (what, cutover)
        else:
            assert permitted, (what, cutover)
        found = freeze.state(database)
        expected = (model.owner is not None, model.held, model.token)
        assert (found.live, found.live and found.held, found.token) == expected, (what, cutover)
        assert live(database).source == model.source
        assert one(database, "select public.maintenance_state() ->> 'frozen'") == str(found.live).lower()
    assert len(events.read(database)) >= before
