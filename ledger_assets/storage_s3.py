"""A bucket as an object store: how it is opened, and what its errors mean.

What belongs here: the client's options and the words for its failures. What does not: reading and writing (``storage``).

Invariants: only what the settings say is used, and of the environment only the machine's role; no error shows a key; a
request is repeated for two minutes at most, then it fails.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ledger_assets.errors import SettingsError

if TYPE_CHECKING:
    from obstore.store import S3Config, S3Store

    from ledger_assets.backup.settings import BucketSettings

UNASKED = (
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_SSE_CUSTOMER_KEY_BASE64",
    "AWS_PROXY_URL",
    "AWS_PROXY_CA_CERTIFICATE",
)
"""obstore reads every ``AWS_*`` variable and an option cannot be set back to nothing (measured: with the first of these
every object was written with that option). A customer's key (SSE-C) would make all snapshots unreadable without it."""


@dataclass(frozen=True)
class Patience:
    """How long a store is waited for."""

    retries: int = 8
    most: timedelta = timedelta(minutes=2)
    """For one request and its repetitions."""
    backoff: timedelta = timedelta(milliseconds=200)
    silence: timedelta = timedelta(seconds=30)
    """A connection on which nothing comes is given up."""


HINTS = {
    "ExpiredToken": "the credentials have expired: renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN",
    "TokenRefreshRequired": "the credentials have expired: renew them",
    "InvalidToken": "AWS_SESSION_TOKEN does not belong to the key, or has expired",
    "InvalidAccessKeyId": "the store does not know AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY is not the key's, or this machine changed the request on its way",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it (NTP)",
    "AccessDenied": "the credentials may not do this: allow it in the bucket's policy or the role",
    "NoSuchBucket": "there is no such bucket: create it, or correct the bucket's name",
    "PermanentRedirect": "the bucket is in another region: set AWS_REGION to its own",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_REGION to its own",
    "SlowDown": "the store asks for fewer requests: run this again later",
    "InsufficientStorage": "the store is full",
    "QuotaExceeded": "the store's quota is used up",
    "401": "the credentials are not accepted",
    "403": "the credentials may not do this, or have expired: renew them, or allow it in the bucket's policy or the role",
    "301": "the bucket is in another region: set AWS_REGION to its own",
}


def open_bucket(bucket: BucketSettings, patience: Patience) -> S3Store:
    """The client of ``bucket.url``. Opens no connection. Raises :class:`SettingsError`."""
    from obstore.store import S3Store

    parts = urlsplit(bucket.url)
    _refuse_unasked(bucket)
    country = ".cn" if (bucket.region or "").startswith("cn-") else ""
    endpoint = bucket.endpoint or f"https://s3.{bucket.region}.amazonaws.com{country}"
    config: S3Config = {
        "region": bucket.region or "us-east-1",
        "endpoint": endpoint,
        "aws_endpoint_url_s3": endpoint,
        "virtual_hosted_style_request": False,
        "skip_signature": False,
        "unsigned_payload": False,
        "s3_express": False,
        "request_payer": False,
        "conditional_put": "etag",
        # Of the content, in a header: a bucket with object lock takes nothing without, and the store can check it.
        "checksum_algorithm": "SHA256",
        # One request for each object: several stores lack the bulk request, and it hides refusals in an answer of 200.
        "disable_bulk_delete": True,
    }
    if bucket.access_key is not None and bucket.secret_key is not None:
        config["access_key_id"] = bucket.access_key
        config["secret_access_key"] = bucket.secret_key
    if bucket.session_token is not None:
        config["session_token"] = bucket.session_token
    if bucket.kms_key is not None:
        config["server_side_encryption"] = "aws:kms"
        config["sse_kms_key_id"] = bucket.kms_key
    return S3Store(
        parts.netloc,
        prefix=parts.path.strip("/") or None,
        config=config,
        client_options={
            "allow_http": endpoint.startswith("http://"),
            "allow_invalid_certificates": False,
            "connect_timeout": timedelta(seconds=10),
            "read_timeout": patience.silence,
            # Of a whole part or object: 8 MiB at 30 kB/s. Silence is noticed by the read timeout long before.
            "timeout": timedelta(minutes=5),
        },
        retry_config={
            "max_retries": patience.retries,
            "retry_timeout": patience.most,
            "backoff": {"init_backoff": patience.backoff, "max_backoff": timedelta(seconds=10), "base": 2},
        },
    )


def reason(said: str) -> str:
    """Why the store refused, in plain words, from obstore's error text: never its debug dump."""
    if match := re.search(r"<Code>([A-Za-z0-9]{1,60})</Code>", said):
        return _with_hint(match[1])
    if match := re.search(r"status code: (\d{3})", said):
        return _with_hint(match[1], "the store answered ")
    if is_silence(said):
        return "the store did not answer in time: is it up, and does the network let requests through?"
    if re.search(r"kind: Connect|dns error|Connection refused", said):
        return "the store cannot be reached: check AWS_ENDPOINT_URL, AWS_REGION and the network"
    if "request or response body error" in said or "kind: Interrupted" in said:
        return "the connection to the store ended before all had come: run this again"
    if re.search(r"credential|169\.254\.169\.254|token", said):
        return "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the machine a role"
    return "the request failed: run this again"


def is_silence(said: str) -> bool:
    """Nothing came in time: what was asked for may have been done, or not."""
    return re.search(r"kind: Timeout|TimedOut|timed out", said) is not None


def bucket_is_missing(said: str) -> bool:
    """obstore says "not found" of a missing object and of a missing bucket alike."""
    return "<Code>NoSuchBucket</Code>" in said


def _with_hint(code: str, before: str = "") -> str:
    if (hint := HINTS.get(code)) is None and code.startswith("5"):
        hint = "it is in trouble: run this again later"
    return f"{before}{code}: {hint}" if hint else f"{before}{code}"


def _refuse_unasked(bucket: BucketSettings) -> None:
    names = list(UNASKED)
    if bucket.kms_key is not None:
        names = [name for name in names if name not in {"AWS_SERVER_SIDE_ENCRYPTION", "AWS_SSE_KMS_KEY_ID"}]
    if bucket.access_key is None:
        names += ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    if bucket.session_token is None:
        names += ["AWS_SESSION_TOKEN", "AWS_TOKEN"]
    # A whole other client: temporary sessions of a shell must not sign for the bucket's own keys.
    if found := sorted(name for name in names if os.environ.get(name)):
        raise SettingsError(
            f"{found[0]} is set in the environment, but is not one of this project's settings: unset it "
            "(BACKUP_KMS_KEY encrypts by a key of the store's)"
        )
