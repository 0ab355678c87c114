"""The checklist of the place where snapshots are kept: asked by ``backup setup`` and ``doctor``.

What belongs here: questions about the place itself. What does not: whether its snapshots are good (``verify``).

Invariants: what a store cannot answer is never called good; nothing is changed but a canary of its own; no line holds a
secret.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from botocore.exceptions import BotoCoreError, ClientError

from ledger_assets.backup import sealing
from ledger_assets.backup.bucket_questions import PROBES, Line, Place
from ledger_assets.backup.identity import Identity
from ledger_assets.backup.settings import BackupSettings, BucketSettings
from ledger_assets.backup.vault import open_vault
from ledger_assets.errors import LedgerError
from ledger_assets.storage_s3 import HINTS

FREE_BYTES = 2 * 1024**3
UNASKABLE = {"NotImplemented", "MethodNotAllowed", "UnsupportedOperation", "501", "405"}
FORBIDDEN = {"AccessDenied", "Forbidden", "403", "UnauthorizedOperation"}


def examine(settings: BackupSettings) -> Iterator[Line]:
    """Look at the place of the snapshots."""
    if not settings.bucket.remote:
        yield from _folder(settings)
    else:
        reached = True
        for name, probe in PROBES.items():
            line = _asked(name, probe, place_of(settings.bucket))
            yield line
            if name == "bucket" and line.level == "fail":
                reached = False
                break
        if not reached:
            return
    yield _canary(settings)


def _folder(settings: BackupSettings) -> Iterator[Line]:
    open_vault(settings)  # makes it, private
    root = Path(url2pathname(urlsplit(settings.bucket.url).path))
    mode = root.stat().st_mode & 0o777
    yield Line("ok" if mode & 0o077 == 0 else "fail", "folder", f"{root} mode {mode:o}", f"chmod 700 {root}")
    free = shutil.disk_usage(root).free
    yield Line(
        "ok" if free >= FREE_BYTES else "fail",
        "disk",
        f"{free / 1024**3:.1f} GiB free for snapshots",
        f"free {FREE_BYTES / 1024**3:.0f} GiB, or set BACKUP_BUCKET to a larger disk or a bucket",
    )
    if settings.password is not None:
        yield Line(
            "warn",
            "place",
            "snapshots are kept on this machine",
            "what destroys this machine destroys them: set BACKUP_BUCKET to a bucket with another provider",
        )


def place_of(bucket: BucketSettings) -> Place:
    """The bucket with a client of its own. Opens no connection."""
    import boto3
    from botocore.config import Config

    parts = urlsplit(bucket.url)
    client = boto3.client(
        "s3",
        endpoint_url=bucket.endpoint,
        region_name=bucket.region,
        aws_access_key_id=bucket.access_key,
        aws_secret_access_key=bucket.secret_key,
        aws_session_token=bucket.session_token,
        config=Config(
            connect_timeout=10,
            read_timeout=30,
            retries={"total_max_attempts": 3, "mode": "standard"},
            s3={"addressing_style": "path"},
            # Since boto3 1.36 a checksum is sent that R2, B2 and others refuse as "Unauthorized".
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            ignore_configured_endpoint_urls=True,
        ),
    )
    return Place(client, parts.netloc, parts.path.strip("/") + "/", bucket)


def _asked(name: str, probe: Callable[[Place], Line], place: Place) -> Line:
    try:
        return probe(place)
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", "unknown"))
        if name == "bucket":
            hint = HINTS["NoSuchBucket"] if code in {"404", "NoSuchBucket"} else HINTS.get(code, "")
            return Line("fail", name, f"{place.bucket}: the store answered {code}", hint or "check the store")
        if code in UNASKABLE:
            return Line(
                "warn", name, "cannot be asked here", "the store does not answer this: look in its console"
            )
        if code in FORBIDDEN:
            return Line(
                "warn",
                name,
                "cannot be asked with these credentials",
                f"allow them to ask ({code}), or look yourself",
            )
        return Line(
            "warn", name, f"the store answered {code}", HINTS.get(code, "look in the store's console")
        )
    except KeyError:
        # rclone answers some questions it does not know with a listing of the bucket and 200.
        return Line(
            "warn", name, "cannot be asked here", "the store does not answer this: look in its console"
        )
    except BotoCoreError as error:
        kind = type(error).__name__
        return Line(
            "fail",
            name,
            f"{place.bucket}: {kind}",
            "check AWS_ENDPOINT_URL, AWS_REGION, the keys and the network",
        )


def _canary(settings: BackupSettings) -> Line:
    """Write, read, compare and delete a sealed object, by a key of the moment: the real one may not be made yet."""
    key, text = f"canary/{uuid.uuid4().hex}.age", b"canary"
    identity = Identity.generate()
    try:
        store = open_vault(settings)
        sealed = sealing.seal_bytes(store, key, text, [identity.recipient])
        same = sealing.unseal_bytes(store, sealed, identity) == text
        store.delete(key)
        gone = store.size(key) is None
    except LedgerError as error:
        return Line("fail", "canary", str(error), "see the line itself")
    return Line(
        "ok" if same and gone else "fail",
        "canary",
        "written encrypted, read back, deleted" if same and gone else "not as it was written, or not deleted",
        "use another store: this one does not keep what it is given",
    )
