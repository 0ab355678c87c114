"""The settings of placed files: what does not belong together is refused before anything is opened."""

from __future__ import annotations

import pytest

from ledger_assets.environment import Environment, Settings, read_settings
from ledger_assets.errors import SettingsError
from ledger_assets.placing.settings import read_media_settings

REAL = {
    "DATABASE_URL": "postgresql://postgres:word@db.riverbend.org.au:5432/ledger",
    "AIRTABLE_API_KEY": "patSynthetic",
    "AIRTABLE_BASE_ID": "appAAAAAAAAAAAAAA",
}
KEYS = {
    "MEDIA_S3_REGION": "ap-southeast-2",
    "MEDIA_ACCESS_KEY_ID": "key",
    "MEDIA_SECRET_ACCESS_KEY": "hidden",
}


def settings(**env: str) -> Settings:
    return read_settings(Environment.PRODUCTION, {"LEDGER_HOME": "/nowhere", **env})


def test_without_a_setting_the_embedded_world_has_a_folder_and_a_real_one_must_name_it() -> None:
    found = read_media_settings(settings(), {})
    assert found is not None
    assert (found.private.url, found.public) == ("file:///nowhere/served/production", None)
    assert read_media_settings(settings(**REAL), {}) is None


def test_supabases_storage_is_found_by_the_projects_address() -> None:
    env = {**KEYS, "MEDIA_STORE_URL": "s3://media/files", "SUPABASE_URL": "https://abc.supabase.co"}
    found = read_media_settings(settings(), env)
    assert found is not None
    assert found.private.url == "s3://media/files/production"
    assert found.private.endpoint == "https://abc.supabase.co/storage/v1/s3"
    assert "hidden" not in repr(found)
    other = read_media_settings(settings(), {**env, "MEDIA_S3_ENDPOINT": "http://127.0.0.1:9000/"})
    assert other is not None
    assert other.private.endpoint == "http://127.0.0.1:9000"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"MEDIA_PUBLIC_STORE_URL": "s3://public"}, "MEDIA_STORE_URL is not"),
        ({"MEDIA_STORE_URL": "https://abc.supabase.co"}, "write it as"),
        ({"MEDIA_STORE_URL": "file:///"}, "write it as"),
        (
            {"MEDIA_STORE_URL": "s3://media", "MEDIA_S3_REGION": "x", "MEDIA_ACCESS_KEY_ID": "x"},
            "MEDIA_SECRET_ACCESS_KEY is not",
        ),
        ({"MEDIA_STORE_URL": "s3://media"}, "MEDIA_S3_REGION is not set"),
        (
            {**KEYS, "MEDIA_STORE_URL": "s3://media", "MEDIA_PUBLIC_STORE_URL": "s3://media/public"},
            "the same bucket",
        ),
        ({"MEDIA_STORE_URL": "file:///a/media", "MEDIA_PUBLIC_STORE_URL": "file:///b/media"}, "another name"),
        ({"MEDIA_STORE_URL": "file:///a", "MEDIA_PUBLIC_STORE_URL": "file:///a/public"}, "one in the other"),
        (
            {**KEYS, "MEDIA_STORE_URL": "s3://media", "BACKUP_BUCKET": "media"},
            "BACKUP_BUCKET name the same bucket",
        ),
        (
            {**KEYS, "MEDIA_STORE_URL": "s3://m-a", "OBJECT_STORE_URL": "s3://m-a/x"},
            "OBJECT_STORE_URL name the same",
        ),
        (
            {**KEYS, "MEDIA_STORE_URL": "s3://media", "BACKUP_REGIONS": "nz-1, au-1"},
            "not one of BACKUP_REGIONS",
        ),
        ({**KEYS, "MEDIA_STORE_URL": "s3://media", "MEDIA_S3_ENDPOINT": "http://x.co"}, "must be https"),
    ],
)
def test_what_does_not_belong_together_is_refused(env: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        read_media_settings(settings(), env)
    assert "hidden" not in str(caught.value)
