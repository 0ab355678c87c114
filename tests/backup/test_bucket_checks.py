"""The checklist of the snapshots' place: what is good, what is not, and what a store cannot be asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ledger_assets.backup import bucket_checks
from ledger_assets.backup.bucket_checks import examine
from ledger_assets.backup.bucket_questions import Line
from ledger_assets.backup.settings import BackupSettings, BucketSettings
from ledger_assets.environment import Environment
from tests.backup import s3

ABORT = {
    "ID": "abort",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
}
BLOCKED = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)


def lines(
    bucket: BucketSettings, home: Path, password: str | None = "wattle and ironbark 7"
) -> dict[str, Line]:
    """What the checklist says, by name."""
    return {line.name: line for line in examine(BackupSettings(Environment.STAGING, home, bucket, password))}


def rules(server: s3.Server, bucket: BucketSettings, *rules: dict[str, Any]) -> None:
    """Set the bucket's lifecycle rules."""
    server.client().put_bucket_lifecycle_configuration(
        Bucket=s3.bucket_name(bucket), LifecycleConfiguration={"Rules": list(rules)}
    )


def test_a_bucket_as_it_should_be_is_good_throughout(moto_server: s3.Server, tmp_path: Path) -> None:
    bucket = moto_server.bucket(ObjectLockEnabledForBucket=True)
    client, name = moto_server.client(), s3.bucket_name(bucket)
    client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    client.put_object_lock_configuration(
        Bucket=name,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 7}},
        },
    )
    client.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=BLOCKED)
    rules(moto_server, bucket, ABORT)
    with s3.proxy(moto_server) as proxy:
        found = lines(replace(bucket, endpoint=proxy.endpoint), tmp_path)
    assert {name: line.level for name, line in found.items()} == dict.fromkeys(
        [*bucket_checks.PROBES, "canary"], "ok"
    )
    assert found["object lock"].found == "GOVERNANCE, 7 days"


def test_a_bucket_as_it_is_created_is_usable_and_each_weakness_has_its_remedy(
    moto_bucket: BucketSettings, tmp_path: Path
) -> None:
    found = lines(moto_bucket, tmp_path)
    weak = {name for name, line in found.items() if line.level == "warn"}
    assert weak == {"versioning", "object lock", "lifecycle", "public access"}
    assert all(found[name].remedy for name in weak)
    assert not [line for line in found.values() if line.level == "fail"]


def test_what_a_store_cannot_be_asked_is_never_called_good(
    rclone_bucket: BucketSettings, tmp_path: Path
) -> None:
    found = lines(rclone_bucket, tmp_path)
    for name in ("region", "object lock", "lifecycle", "public access"):
        assert (found[name].level, found[name].found) == ("warn", "cannot be asked here")
    assert "ignores If-None-Match" in found["conditional writes"].found
    assert found["canary"].level == "ok"


@pytest.mark.parametrize("code", ["NotImplemented", "AccessDenied", "InternalError"])
def test_a_refused_question_is_never_called_good(
    moto_server: s3.Server, moto_bucket: BucketSettings, tmp_path: Path, code: str
) -> None:
    status = {"NotImplemented": 501, "AccessDenied": 403, "InternalError": 500}[code]
    with s3.proxy(moto_server) as proxy:
        proxy.disturb = lambda seen: (
            s3.Answer(status, code) if seen.method == "GET" and seen.path.count("/") == 1 else None
        )
        found = lines(replace(moto_bucket, endpoint=proxy.endpoint), tmp_path)
    for name in ("region", "versioning", "object lock", "lifecycle", "public access", "stale uploads"):
        assert found[name].level == "warn", found[name]
        assert found[name].remedy


def test_a_rule_that_deletes_by_age_is_a_failure_where_it_meets_snapshots(
    moto_server: s3.Server, moto_bucket: BucketSettings, tmp_path: Path
) -> None:
    delete = {
        "ID": "delete",
        "Status": "Enabled",
        "Filter": {"Prefix": "backups/"},
        "Expiration": {"Days": 30},
    }
    rules(moto_server, moto_bucket, ABORT, delete)
    assert lines(moto_bucket, tmp_path)["lifecycle"].level == "fail"
    rules(moto_server, moto_bucket, ABORT, {**delete, "Filter": {"Prefix": "backups/staging/media/"}})
    assert lines(moto_bucket, tmp_path)["lifecycle"].level == "fail"
    rules(moto_server, moto_bucket, ABORT, {**delete, "Filter": {"Prefix": "logs/"}})
    assert lines(moto_bucket, tmp_path)["lifecycle"].level == "ok"
    rules(moto_server, moto_bucket, ABORT, {**delete, "Status": "Disabled"})
    assert lines(moto_bucket, tmp_path)["lifecycle"].level == "ok"


def test_a_public_bucket_is_a_failure(
    moto_server: s3.Server, moto_bucket: BucketSettings, tmp_path: Path
) -> None:
    moto_server.client().put_bucket_acl(Bucket=s3.bucket_name(moto_bucket), ACL="public-read")
    assert lines(moto_bucket, tmp_path)["public access"].level == "fail"


def test_a_bucket_in_another_region_is_a_failure(moto_bucket: BucketSettings, tmp_path: Path) -> None:
    line = lines(replace(moto_bucket, region="eu-central-1"), tmp_path)["region"]
    assert (line.level, line.found) == (
        "fail",
        f"the bucket is in {s3.REGION}, AWS_REGION says eu-central-1",
    )


def test_compliance_is_named_as_in_the_way_of_erasure(moto_server: s3.Server, tmp_path: Path) -> None:
    bucket = moto_server.bucket(ObjectLockEnabledForBucket=True)
    moto_server.client().put_object_lock_configuration(
        Bucket=s3.bucket_name(bucket),
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 1}},
        },
    )
    line = lines(bucket, tmp_path)["object lock"]
    assert (line.level, line.found) == ("warn", "COMPLIANCE, 1 years")


def test_an_unfinished_upload_is_counted(
    rclone_server: s3.Server, rclone_bucket: BucketSettings, tmp_path: Path
) -> None:
    name = s3.bucket_name(rclone_bucket)
    rclone_server.client().create_multipart_upload(Bucket=name, Key="backups/staging/x")
    line = lines(rclone_bucket, tmp_path)["stale uploads"]
    assert (line.level, line.found) == ("ok", "0 unfinished, 1 under way")


def test_an_upload_left_by_a_killed_process_is_named(
    moto_server: s3.Server, moto_bucket: BucketSettings, tmp_path: Path
) -> None:
    name = s3.bucket_name(moto_bucket)
    moto_server.client().create_multipart_upload(Bucket=name, Key="backups/staging/x")  # dated 2010 by moto
    line = lines(moto_bucket, tmp_path)["stale uploads"]
    assert (line.level, line.found) == ("warn", "1 unfinished, 0 under way")
    assert "lifecycle rule" in line.remedy


def test_no_bucket_and_no_store_end_the_checklist_with_one_failure(
    moto_bucket: BucketSettings, rclone_bucket: BucketSettings, tmp_path: Path
) -> None:
    for bucket, words in (
        (replace(moto_bucket, url="s3://nothing-here/backups/staging"), "404"),
        (replace(rclone_bucket, secret_key="not/the/secret/key/at/all"), "403"),
        (replace(moto_bucket, endpoint="http://127.0.0.1:9"), "EndpointConnectionError"),
    ):
        found = lines(bucket, tmp_path)
        assert [(line.name, line.level) for line in found.values()] == [("bucket", "fail")]
        assert words in found["bucket"].found
        assert found["bucket"].remedy


def test_checks_leave_nothing_behind(s3_server: s3.Server, tmp_path: Path) -> None:
    bucket = s3_server.bucket()
    lines(bucket, tmp_path)
    assert s3_server.client().list_objects_v2(Bucket=s3.bucket_name(bucket)).get("KeyCount", 0) == 0


def test_a_store_that_does_not_give_back_what_it_was_given_is_a_failure(
    rclone_server: s3.Server, rclone_bucket: BucketSettings, tmp_path: Path
) -> None:
    with s3.proxy(rclone_server) as proxy:
        proxy.disturb = lambda seen: (
            s3.Answer(404, "NoSuchKey") if seen.method == "GET" and "canary" in seen.path else None
        )
        found = lines(replace(rclone_bucket, endpoint=proxy.endpoint), tmp_path)
    assert found["canary"].level == "fail"


def test_a_folder_is_private_and_named_as_lying_on_this_machine(tmp_path: Path) -> None:
    bucket = BucketSettings((tmp_path / "vault").as_uri())
    found = lines(bucket, tmp_path)
    assert {name: line.level for name, line in found.items()} == {
        "folder": "ok",
        "disk": "ok",
        "place": "warn",
        "canary": "ok",
    }
    assert (tmp_path / "vault").stat().st_mode & 0o777 == 0o700
    assert "place" not in lines(bucket, tmp_path, password=None)


def test_a_disk_without_room_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket_checks, "FREE_BYTES", 2**60)
    assert lines(BucketSettings((tmp_path / "vault").as_uri()), tmp_path)["disk"].level == "fail"
