"""What a bucket is asked: where it is, what it keeps, who may read it.

What belongs here: one small function for each question. What does not: a store that cannot answer (``bucket_checks``).

Invariant: a function takes what it needs from the answer by name, so that an answer to another question is an error
(KeyError) and never "ok".
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import ClientError

from ledger_assets.backup.settings import BucketSettings

CHECKED = {"ChecksumAlgorithm": "SHA256"}
"""A bucket with object lock takes nothing without a checksum."""
STALE = timedelta(days=1)
"""No upload takes longer; what is older was left by a killed process and is paid for unseen."""


@dataclass(frozen=True)
class Line:
    """One thing looked at. ``remedy`` says what to do when the level is not ``ok``."""

    level: Literal["ok", "warn", "fail"]
    name: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Place:
    """A bucket, and a client to ask about it."""

    client: Any
    bucket: str
    prefix: str
    settings: BucketSettings


def _bucket(place: Place) -> Line:
    place.client.head_bucket(Bucket=place.bucket)
    return Line("ok", "bucket", f"{place.settings.url} answers")


def _region(place: Place) -> Line:
    said = place.client.get_bucket_location(Bucket=place.bucket).get("LocationConstraint")
    region = {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(said, said)
    if region == place.settings.region:
        return Line("ok", "region", f"{region}")
    if place.settings.endpoint is not None and not said:
        return Line("warn", "region", "cannot be asked here", "the store does not say: look in its console")
    return Line(
        "fail",
        "region",
        f"the bucket is in {region}, AWS_REGION says {place.settings.region}",
        "stories may lie only where their community allows: use a bucket there, or set AWS_REGION to the bucket's own",
    )


def _versioning(place: Place) -> Line:
    status = place.client.get_bucket_versioning(Bucket=place.bucket).get("Status", "off")
    return Line(
        "ok" if status == "Enabled" else "warn",
        "versioning",
        f"{status}",
        "turn on versioning: who steals the keys can then overwrite snapshots, but not destroy them",
    )


def _lock(place: Place) -> Line:
    try:
        found = place.client.get_object_lock_configuration(Bucket=place.bucket)["ObjectLockConfiguration"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "ObjectLockConfigurationNotFoundError":
            raise
        found = {"ObjectLockEnabled": ""}
    _ = found["ObjectLockEnabled"]
    rule = found.get("Rule", {}).get("DefaultRetention", {})
    if not rule:
        return Line(
            "warn",
            "object lock",
            "no default retention",
            "a bucket with object lock (GOVERNANCE, some days) keeps snapshots from whoever has the keys",
        )
    lasts = f"{rule['Days']} days" if rule.get("Days") else f"{rule.get('Years')} years"
    if rule.get("Mode") == "COMPLIANCE":
        return Line(
            "warn",
            "object lock",
            f"COMPLIANCE, {lasts}",
            "nobody can shorten it, and a person's right to be erased cannot wait for it: use GOVERNANCE",
        )
    return Line("ok", "object lock", f"{rule.get('Mode')}, {lasts}")


def _lifecycle(place: Place) -> Line:
    try:
        rules = place.client.get_bucket_lifecycle_configuration(Bucket=place.bucket)["Rules"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchLifecycleConfiguration":
            raise
        rules = []
    ours = [rule for rule in rules if rule.get("Status") == "Enabled" and _concerns(rule, place.prefix)]
    if any("Expiration" in rule and set(rule["Expiration"]) & {"Days", "Date"} for rule in ours):
        return Line(
            "fail",
            "lifecycle",
            "a rule deletes objects by age",
            "remove its expiration: it does not know which snapshot is the last good one; BACKUP_KEEP_* decide",
        )
    if not any("AbortIncompleteMultipartUpload" in rule for rule in ours):
        return Line(
            "warn",
            "lifecycle",
            "nothing aborts stale uploads",
            "add a rule AbortIncompleteMultipartUpload after 2 days: a killed process leaves parts that nobody sees",
        )
    return Line("ok", "lifecycle", "stale uploads are aborted, nothing is deleted by age")


def _concerns(rule: dict[str, Any], prefix: str) -> bool:
    """Can the rule meet an object of ours? We set no tags."""
    where = rule.get("Filter", {})
    both = where.get("And", {})
    if "Tag" in where or both.get("Tags"):
        return False
    theirs = str(where.get("Prefix") or both.get("Prefix") or rule.get("Prefix") or "")
    return theirs.startswith(prefix) or prefix.startswith(theirs)


def _public(place: Place) -> Line:
    remedy = "turn on all four settings of Block Public Access, and remove public statements from the bucket's policy"
    try:
        if place.client.get_bucket_policy_status(Bucket=place.bucket)["PolicyStatus"]["IsPublic"]:
            return Line("fail", "public access", "the bucket's policy makes it public", remedy)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchBucketPolicy":
            raise
    grants = place.client.get_bucket_acl(Bucket=place.bucket)["Grants"]
    if any(str(grant.get("Grantee", {}).get("URI", "")).endswith("Users") for grant in grants):
        return Line("fail", "public access", "the bucket's ACL lets everybody in", remedy)
    try:
        block = place.client.get_public_access_block(Bucket=place.bucket)["PublicAccessBlockConfiguration"]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchPublicAccessBlockConfiguration":
            raise
        block = {}
    if sum(block.values()) == 4:
        return Line("ok", "public access", "blocked")
    return Line("warn", "public access", "not public, and not blocked", remedy)


def _uploads(place: Place) -> Line:
    pages = place.client.get_paginator("list_multipart_uploads").paginate(
        Bucket=place.bucket, Prefix=place.prefix
    )
    try:
        begun = [upload["Initiated"] for page in pages for upload in page.get("Uploads", [])]
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchUpload":  # rclone's word for none
            raise
        begun = []
    stale = sum(at < datetime.now(UTC) - STALE for at in begun)
    return Line(
        "warn" if stale else "ok",
        "stale uploads",
        f"{stale} unfinished, {len(begun) - stale} under way",
        "add the lifecycle rule that aborts them",
    )


def _exclusive(place: Place) -> Line:
    """Does the store refuse a second create? A store that ignores the condition takes both."""
    key = f"{place.prefix}canary/{uuid.uuid4().hex}"
    place.client.put_object(Bucket=place.bucket, Key=key, Body=b"", **CHECKED)
    try:
        place.client.put_object(Bucket=place.bucket, Key=key, Body=b"", IfNoneMatch="*", **CHECKED)
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") != 412:
            raise
        return Line("ok", "conditional writes", "a second writer is refused")
    finally:
        place.client.delete_object(Bucket=place.bucket, Key=key)
    return Line(
        "warn",
        "conditional writes",
        "the store ignores If-None-Match",
        "ids of snapshots stay unique without it; do not run backups of one environment on two machines",
    )


PROBES: dict[str, Callable[[Place], Line]] = {
    "bucket": _bucket,
    "region": _region,
    "versioning": _versioning,
    "object lock": _lock,
    "lifecycle": _lifecycle,
    "public access": _public,
    "stale uploads": _uploads,
    "conditional writes": _exclusive,
}
