"""The settings of accounts: what does not belong together is refused before anything is asked."""

from __future__ import annotations

import base64
import json

import pytest

from ledger_assets.accounts.settings import read_auth_settings
from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import SettingsError

PROJECT = "abcdefghijklmnopqrst"
URL = f"https://{PROJECT}.supabase.co"
DATABASE = f"postgresql://postgres:secret@db.{PROJECT}.supabase.co:5432/postgres"
PLAIN = "postgresql://me:word@db.riverbend.org.au:5432/ledger"
BASE = {"AIRTABLE_API_KEY": "patSynthetic", "AIRTABLE_BASE_ID": "appAAAAAAAAAAAAAA"}


def settings(env: dict[str, str], environment: Environment = Environment.PRODUCTION) -> Settings:
    return read_settings(environment, {"LEDGER_HOME": "/nowhere", **env})


def jwt(**claims: str) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "x"}, claims)
    ]
    return ".".join([*parts, "signature"])


KEY = jwt(role="service_role", ref=PROJECT)
REAL = settings({"DATABASE_URL": DATABASE, **BASE})


def test_a_project_and_its_own_key_are_taken() -> None:
    found = read_auth_settings(REAL, {"SUPABASE_URL": f"{URL}/", "SUPABASE_SERVICE_KEY": KEY})
    assert found is not None
    assert (found.url, found.service_key) == (URL, KEY)
    assert KEY not in repr(found)


def test_without_a_project_plain_postgres_serves() -> None:
    assert read_auth_settings(settings({}), {}) is None


def test_staging_has_a_project_of_its_own() -> None:
    staging = settings({}, Environment.STAGING)
    env = {"SUPABASE_URL": "http://127.0.0.1:1", "SUPABASE_SERVICE_KEY": "sb_secret_x"}
    assert read_auth_settings(staging, env) is None
    found = read_auth_settings(staging, {f"STAGING_{name}": value for name, value in env.items()})
    assert found is not None
    assert found.names == ("STAGING_SUPABASE_URL", "STAGING_SUPABASE_SERVICE_KEY")


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"SUPABASE_URL": URL}, "SUPABASE_SERVICE_KEY is not set, SUPABASE_URL is"),
        ({"SUPABASE_SERVICE_KEY": KEY}, "SUPABASE_URL is not set, SUPABASE_SERVICE_KEY is"),
        ({}, f"SUPABASE_URL is not set, but DATABASE_URL is a Supabase project's.*{URL}"),
        (
            {"SUPABASE_URL": "https://another.supabase.co", "SUPABASE_SERVICE_KEY": KEY},
            "is of project another.*another project's",
        ),
        ({"SUPABASE_URL": f"http://{PROJECT}.supabase.co", "SUPABASE_SERVICE_KEY": KEY}, "must be https"),
        (
            {"SUPABASE_URL": f"https://me:word@{PROJECT}.supabase.co", "SUPABASE_SERVICE_KEY": KEY},
            "without path or password",
        ),
        ({"SUPABASE_URL": f"{URL}/auth/v1", "SUPABASE_SERVICE_KEY": KEY}, "without path or password"),
        (
            {"SUPABASE_URL": URL, "SUPABASE_SERVICE_KEY": jwt(role="anon", ref=PROJECT)},
            "not the service role's key",
        ),
        (
            {"SUPABASE_URL": URL, "SUPABASE_SERVICE_KEY": jwt(role="service_role", ref="x")},
            "another project's key",
        ),
        ({"SUPABASE_URL": URL, "SUPABASE_SERVICE_KEY": "sb_publishable_x"}, "publishable key"),
        ({"SUPABASE_URL": URL, "SUPABASE_SERVICE_KEY": "two words"}, "copy the key again"),
    ],
)
def test_what_does_not_belong_together_is_refused(env: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        read_auth_settings(REAL, env)
    assert KEY not in str(caught.value)
    assert "secret" not in str(caught.value).replace("the secret one", "")


def test_a_project_beside_another_kind_of_database_is_refused() -> None:
    env = {"SUPABASE_URL": URL, "SUPABASE_SERVICE_KEY": KEY}
    for other in (settings({}), settings({"DATABASE_URL": PLAIN, **BASE})):
        with pytest.raises(SettingsError, match="no project's"):
            read_auth_settings(other, env)


def test_a_custom_domain_cannot_be_told_and_is_taken() -> None:
    env = {"SUPABASE_URL": "https://api.riverbend.org.au", "SUPABASE_SERVICE_KEY": KEY}
    assert read_auth_settings(REAL, env) is not None
