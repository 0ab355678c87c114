"""What a person reads when something is wrong: one line that names the setting and the remedy, exit 2, nothing done."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ledger_assets.environment import Environment, read_settings

SECRET = "pat0sentinel0secret"
BASE = "appABCDEFGHIJKLMN"


def command(home: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """``ledger-assets`` with no settings but ``environ``."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(home), "LEDGER_HOME": str(home / "ledger")}
    return subprocess.run(
        [sys.executable, "-c", "from ledger_assets.cli import main; main()", *arguments],
        env={**kept, "PYTHONPATH": os.pathsep.join(sys.path), **environ},
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
    )


DATABASE = "postgresql://postgres:hunter2secret@127.0.0.1:1/app"

WRONG = {
    "key without base": ({"AIRTABLE_API_KEY": SECRET}, "AIRTABLE_BASE_ID is not set"),
    "base without key": ({"AIRTABLE_BASE_ID": BASE}, "AIRTABLE_API_KEY is not set"),
    "not a base": (
        {"AIRTABLE_API_KEY": SECRET, "AIRTABLE_BASE_ID": "tblX"},
        "AIRTABLE_BASE_ID: 'tblX' is not a base id",
    ),
    "plain http": (
        {"AIRTABLE_API_KEY": SECRET, "AIRTABLE_BASE_ID": BASE, "AIRTABLE_ENDPOINT_URL": "http://example.org"},
        "AIRTABLE_ENDPOINT_URL: 'http://example.org' must be https://",
    ),
    "profile": ({"LEDGER_PROFILE": "other"}, "LEDGER_PROFILE: 'other' is not a profile"),
    "month": ({"LEDGER_FIRST_MONTH": "2024-13"}, "LEDGER_FIRST_MONTH: '2024-13' is not a month"),
    "rate": (
        {"AIRTABLE_REQUESTS_PER_SECOND": "fast"},
        "AIRTABLE_REQUESTS_PER_SECOND: 'fast' is not a number",
    ),
    "store": ({"OBJECT_STORE_URL": "gs://bucket/prefix"}, "OBJECT_STORE_URL: gs is not supported"),
    "store outside, unencrypted": (
        {"OBJECT_STORE_URL": "s3://bucket/prefix"},
        "OBJECT_STORE_URL: exports hold people's words and leave this machine only encrypted",
    ),
    "mappings": ({"LEDGER_MAPPINGS": "missing-folder"}, "LEDGER_MAPPINGS: the folder"),
    "synthetic base into a real database": (
        {"STAGING_DATABASE_URL": DATABASE},
        "STAGING_DATABASE_URL names a real database",
    ),
    "transaction pooler": (
        {
            "AIRTABLE_API_KEY": SECRET,
            "AIRTABLE_BASE_ID": BASE,
            "STAGING_DATABASE_URL": DATABASE.replace(":1/", ":6543/"),
        },
        "STAGING_DATABASE_URL: port 6543",
    ),
    "port is no number": (
        {
            "AIRTABLE_API_KEY": SECRET,
            "AIRTABLE_BASE_ID": BASE,
            "STAGING_DATABASE_URL": DATABASE.replace(":1/", ":x/"),
        },
        "STAGING_DATABASE_URL is not an address",
    ),
    "endpoint is no address": (
        {"AIRTABLE_API_KEY": SECRET, "AIRTABLE_BASE_ID": BASE, "AIRTABLE_ENDPOINT_URL": "http://[::1"},
        "AIRTABLE_ENDPOINT_URL is not an address",
    ),
    "key with a line break": (
        {"AIRTABLE_API_KEY": SECRET + "\n" + SECRET, "AIRTABLE_BASE_ID": BASE},
        "AIRTABLE_API_KEY holds a space",
    ),
    "the same database by another name": (
        {
            "AIRTABLE_API_KEY": SECRET,
            "AIRTABLE_BASE_ID": BASE,
            "STAGING_DATABASE_URL": DATABASE,
            "DATABASE_URL": DATABASE.replace("127.0.0.1", "localhost"),
        },
        "name the same database",
    ),
    "the same project directly and by the pooler": (
        {
            "AIRTABLE_API_KEY": SECRET,
            "AIRTABLE_BASE_ID": BASE,
            "STAGING_DATABASE_URL": "postgresql://postgres:hunter2secret@db.abcdef.supabase.co:5432/postgres",
            "DATABASE_URL": "postgresql://postgres.abcdef:x@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
        },
        "name the same database",
    ),
    "one database for both": (
        {
            "AIRTABLE_API_KEY": SECRET,
            "AIRTABLE_BASE_ID": BASE,
            "STAGING_DATABASE_URL": DATABASE,
            "DATABASE_URL": DATABASE.replace("postgres:", "other:"),
        },
        "STAGING_DATABASE_URL and DATABASE_URL name the same database",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_is_one_line_and_nothing_is_done(tmp_path: Path, case: str) -> None:
    environ, words = WRONG[case]
    done = command(tmp_path, "migrate", "staging", **environ)
    assert done.returncode == 2
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr + done.stdout
    assert "hunter2secret" not in done.stderr + done.stdout
    assert not (tmp_path / "ledger" / "postgres").exists()


def test_two_projects_behind_one_pooler_are_two_databases_with_names_of_their_own() -> None:
    pooler = "postgresql://postgres.{}:x@aws-0-eu-central-1.pooler.supabase.com:5432/postgres"
    environ = {
        "AIRTABLE_API_KEY": SECRET,
        "AIRTABLE_BASE_ID": BASE,
        "STAGING_DATABASE_URL": pooler.format("aaaa"),
        "DATABASE_URL": pooler.format("bbbb"),
    }
    names = [read_settings(environment, environ).target_name for environment in Environment]
    assert names == ["aaaa/postgres", "bbbb/postgres"]


def test_a_real_base_never_runs_in_the_embedded_production(tmp_path: Path) -> None:
    done = command(tmp_path, "export", "production", AIRTABLE_API_KEY=SECRET, AIRTABLE_BASE_ID=BASE)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "DATABASE_URL is not set" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["migrate", "staging", "--target=production"], "No such option"),
        (["migrate"], "Missing argument 'ENV'"),
        (["migrate", "prod"], "'prod' is not one of"),
        (["migrate", "staging", "--months", "2025-1"], "--months: '2025-1' is not a range of months"),
        (["migrate", "staging", "--months", "2025-03..2025-01"], "--months: 2025-03 is after 2025-01"),
        (
            ["migrate", "staging", "--dry-run", "--months", "2025-01"],
            "--dry-run and --months do not go together",
        ),
        (
            ["migrate", "staging", "--months", "2020-01"],
            "--months: 2020-01 is before the first month 2024-10",
        ),
        (["migrate", "staging", "--months", "2099-01"], "--months: 2099-01 is in the future"),
        (["health", "staging", "--minutes", "-1"], "Invalid value for '--minutes'"),
        (["loadtest", "staging", "--sessions", "0"], "Invalid value for '--sessions'"),
        (["review", "staging", "--since", "Sunday"], "--since 'Sunday' is not a time"),
        (["inventory", "staging", "--accept", "--compare", "2026-01-01"], "goes without --accept"),
        (["inventory", "staging", "--compare", "2026-01-01"], "no inventory was kept by then"),
        (["findings", "resolve", "17", "--take", "skip"], "write the id as it is listed"),
        (["findings", "resolve", "staging/3f9c0a7be21d4856"], "Missing option '--take'"),
    ],
)
def test_wrong_usage_is_exit_2(tmp_path: Path, arguments: list[str], words: str) -> None:
    done = command(tmp_path, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_production_asks_for_its_name_before_anything_starts(tmp_path: Path) -> None:
    done = command(tmp_path, "migrate", "production")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "--confirm ledger_production" in done.stderr
    assert not (tmp_path / "ledger" / "objects").exists()


def test_a_load_test_of_production_asks_for_its_name_before_anything_starts(tmp_path: Path) -> None:
    for confirm in ([], ["--confirm", "ledger_staging"]):
        done = command(tmp_path, "loadtest", "production", *confirm)
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
        assert "load test into production refused" in done.stderr
        assert "--confirm ledger_production" in done.stderr
        assert not (tmp_path / "ledger" / "postgres").exists()


def test_a_real_production_asks_for_the_backups_password_before_anything_starts(tmp_path: Path) -> None:
    """A load without a way back is refused in the end: nobody shall wait for an export to hear it."""
    done = command(
        tmp_path, "migrate", "production", "--confirm", "127.0.0.1/app", AIRTABLE_API_KEY=SECRET, AIRTABLE_BASE_ID=BASE,
        DATABASE_URL=DATABASE,
    )  # fmt: skip
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "BACKUP_ENCRYPTION_PASSWORD is not set" in done.stderr
    assert not (tmp_path / "ledger" / "objects").exists()


def test_the_help_shows_an_id_such_as_findings_have(tmp_path: Path) -> None:
    example = re.search(r"findings resolve staging/(\S+)", command(tmp_path, "findings", "--help").stdout)
    assert example is not None
    assert re.fullmatch(r"[0-9a-f]{16}", example[1])


def test_a_database_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    done = command(
        tmp_path,
        "schema",
        "apply",
        "staging",
        AIRTABLE_API_KEY=SECRET,
        AIRTABLE_BASE_ID=BASE,
        STAGING_DATABASE_URL=DATABASE,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "refuses connections" in done.stderr
    assert "or correct STAGING_DATABASE_URL\n" in done.stderr
    assert "hunter2secret" not in done.stderr


def test_a_wrong_production_database_is_told_by_its_own_variable(tmp_path: Path) -> None:
    done = command(
        tmp_path, "doctor", "production", AIRTABLE_API_KEY=SECRET, AIRTABLE_BASE_ID=BASE, DATABASE_URL=DATABASE,
        AIRTABLE_ENDPOINT_URL="http://127.0.0.1:1",
    )  # fmt: skip
    said = " ".join(done.stdout.split())
    assert "correct DATABASE_URL" in said
    assert "STAGING_DATABASE_URL" not in said + done.stderr


def test_a_home_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "ledger").write_text("a file")
    done = command(tmp_path, "status", "staging")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "LEDGER_HOME: the folder" in done.stderr


def test_every_setting_is_in_the_example_file_with_a_line_of_its_own() -> None:
    root = Path(__file__).resolve().parents[2]
    example = (root / ".env.example").read_text()
    source = "".join(path.read_text() for path in (root / "ledger_assets").rglob("*.py"))
    used = set(
        re.findall(
            r'"((?:AIRTABLE|LEDGER|DAGSTER|STAGING|DATABASE|DEPLOY|OBJECT|BACKUP|SCRATCH|MIGRATION|ANNOUNCE|STATUS|CUTOVER|MEDIA|SUPABASE)_[A-Z0-9_]+|AWS_(?:REGION|ENDPOINT_URL|[A-Z]+_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN))"',
            source,
        )
    ) - {
        "DAGSTER_HOME",
        "DAGSTER_POSTGRES_URL",  # Dagster reads .env, too: an empty one there would win
        "AWS_SSE_KMS_KEY_ID",  # what obstore would read by itself: refused, see storage_s3
    }
    lines = example.splitlines()
    named = {line.rstrip("=") for line in lines if re.fullmatch(r"[A-Z0-9_]+=", line)}
    assert used == named
    assert all(lines[i - 1].startswith("# ") for i, line in enumerate(lines) if line.endswith("="))
