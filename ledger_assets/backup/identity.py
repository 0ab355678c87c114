"""The key of the backups: an age identity, kept as a standard passphrase file, and the MACs made with it.

What belongs here: the password's rules, the passphrase file (``age -d -i identity.age`` opens it), MACs. What does not:
encrypting snapshots (``sealing``), where the file is kept (``vault``).

Invariants: the secret never shows in ``repr`` or an error; the work factor is fixed, and one that would take more than
1 GiB of memory is refused before it is computed; another password is another file for the same identity, so changing it
rewrites no snapshot.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
from datetime import UTC, datetime

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyrage import IdentityError, x25519

from ledger_assets.backup.settings import PASSWORD
from ledger_assets.errors import SettingsError, StoreError

LEAST_CHARACTERS = 12
KNOWN = frozenset(
    {
        "123456789012",
        "1234567890123456",
        "changemechangeme",
        "changemeplease",
        "correcthorsebatterystaple",
        "letmeinletmein",
        "passwordpassword",
        "password1234",
        "qwertyuiop12",
        "qwertyuiopasdfgh",
        "secretsecret",
        "supersecretpassword",
        "yourpasswordhere",
        "yourpassphrasehere",
    }
)
"""Passwords of examples and of the top of every list of guesses, without spaces and signs."""

VERSION = b"age-encryption.org/v1"
WORK_FACTOR = 18
"""log2 of scrypt's N: 256 MiB and 0.5 s. pyrage takes what a second allows: 2^20 here, and under 900 MB it aborts."""
MOST_WORK = 20
MOST_BYTES = 16 * 1024
"""A passphrase file has some 400 bytes; what is larger is something else."""
CHUNK_NONCE = bytes(11) + b"\x01"
"""The nonce of the first and last chunk of an age payload."""


class WrongPassword(SettingsError):
    """The password does not open the key."""


class DamagedKey(StoreError):
    """The key's file is not what was written."""


class Identity:
    """The secret key of the backups. Prints as its public ``key_id``."""

    __slots__ = ("_secret", "age", "key_id", "recipient")

    def __init__(self, secret: str) -> None:
        self.age = x25519.Identity.from_str(secret)
        self._secret = secret
        self.recipient = str(self.age.to_public())
        self.key_id = hashlib.sha256(self.recipient.encode("ascii")).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"Identity({self.key_id})"

    @classmethod
    def generate(cls) -> Identity:
        """A new one, that nobody keeps yet."""
        return cls(str(x25519.Identity.generate()))

    def lines(self, created: datetime) -> bytes:
        """The identity file as ``age-keygen`` writes it."""
        at = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"# created: {at}\n# public key: {self.recipient}\n{self._secret}\n".encode("ascii")

    def derived(self, purpose: str) -> bytes:
        """32 bytes for ``purpose`` that nobody has who has not this identity."""
        info = f"ledger-assets/{purpose}".encode()
        return HKDF(SHA256(), 32, salt=None, info=info).derive(self._secret.encode("ascii"))


def check_password(text: str) -> None:
    """Refuse a password that would be guessed. Raises :class:`SettingsError`."""
    plain = re.sub(r"[^a-z0-9]", "", text.lower())
    fault = None
    if not text:
        fault = "is empty"
    elif not text.isprintable():
        fault = "holds a line break or another control character"
    elif len(text) < LEAST_CHARACTERS:
        fault = f"has fewer than {LEAST_CHARACTERS} characters"
    elif re.fullmatch(r"(.{1,4})\1+.{0,3}", text):
        fault = "repeats a few characters"
    elif plain in KNOWN:
        fault = "is one that everybody tries first"
    if fault is not None:
        raise SettingsError(
            f"{PASSWORD} {fault}: choose a passphrase of at least {LEAST_CHARACTERS} characters that stands nowhere else"
        )


def create(password: str) -> tuple[Identity, bytes]:
    """A new identity, and its passphrase file. Raises :class:`SettingsError` for a weak password."""
    check_password(password)
    identity = Identity.generate()
    return identity, _wrap(identity, password)


def rewrap(identity: Identity, password: str) -> bytes:
    """The same identity's file under another password. Raises :class:`SettingsError` for a weak one."""
    check_password(password)
    return _wrap(identity, password)


def unlock(data: bytes, password: str) -> Identity:
    """The identity in a passphrase file. Raises :class:`WrongPassword` or :class:`DamagedKey`."""
    header, salt, work, body, mac, payload = _parse(data)
    try:
        file_key = ChaCha20Poly1305(_stretched(password, salt, work)).decrypt(bytes(12), body, None)
    except InvalidTag:
        raise WrongPassword(
            f"{PASSWORD} does not open the backups' key: set the password that it was made or last changed with"
        ) from None
    if not hmac.compare_digest(hmac.digest(_expanded(file_key, b"", b"header"), header, "sha256"), mac):
        raise _damaged("its header was changed")
    nonce, chunk = payload[:16], payload[16:]
    try:
        text = ChaCha20Poly1305(_expanded(file_key, nonce, b"payload")).decrypt(CHUNK_NONCE, chunk, None)
        secrets = [line for line in text.decode("ascii").split() if line.startswith("AGE-SECRET-KEY-1")]
        return Identity(secrets[0])
    except (InvalidTag, IndexError, UnicodeDecodeError, IdentityError):
        raise _damaged("its content was changed") from None


def mac(identity: Identity, purpose: str, data: bytes) -> str:
    """HMAC-SHA256 of ``data``, hexadecimal. Each ``purpose`` has a key of its own."""
    return hmac.digest(identity.derived(purpose), data, "sha256").hex()


def check_mac(identity: Identity, purpose: str, data: bytes, given: str) -> bool:
    """Is ``given`` the MAC of ``data``? Compares in constant time."""
    return hmac.compare_digest(mac(identity, purpose, data).encode("ascii"), given.encode("utf-8"))


def _wrap(identity: Identity, password: str) -> bytes:
    """The passphrase file, in the format of age-encryption.org/v1 with one scrypt stanza."""
    file_key, salt, nonce = os.urandom(16), os.urandom(16), os.urandom(16)
    body = ChaCha20Poly1305(_stretched(password, salt, WORK_FACTOR)).encrypt(bytes(12), file_key, None)
    header = b"%s\n-> scrypt %s %d\n%s\n---" % (VERSION, _encode(salt), WORK_FACTOR, _encode(body))
    mac = hmac.digest(_expanded(file_key, b"", b"header"), header, "sha256")
    chunk = ChaCha20Poly1305(_expanded(file_key, nonce, b"payload")).encrypt(
        CHUNK_NONCE, identity.lines(datetime.now(UTC)), None
    )
    return b"%s %s\n%s%s" % (header, _encode(mac), nonce, chunk)


def _parse(data: bytes) -> tuple[bytes, bytes, int, bytes, bytes, bytes]:
    """Header up to its MAC, the scrypt stanza's salt, work factor and body, the MAC, the payload."""
    match = re.match(
        rb"(age-encryption\.org/v1\n-> scrypt ([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n---) "
        rb"([A-Za-z0-9+/]{43})\n",
        data,
    )
    if match is None or len(data) > MOST_BYTES:
        raise _damaged("it is not an age file protected by a password")
    work = int(match[3])
    if work > MOST_WORK:
        raise _damaged(f"its work factor 2^{work} would take more than 1 GiB of memory")
    try:
        salt, body, mac = (_decode(match[number]) for number in (2, 4, 5))
    except ValueError:
        raise _damaged("its header was changed") from None
    return match[1], salt, work, body, mac, data[match.end() :]


def _stretched(password: str, salt: bytes, work: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8"),
        salt=VERSION + b"/scrypt" + salt,
        n=1 << work,
        r=8,
        p=1,
        maxmem=(1 << work) * 1024 + (1 << 20),
        dklen=32,
    )


def _expanded(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=salt or None, info=info).derive(key)


def _encode(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _decode(text: bytes) -> bytes:
    """Base64 without padding. Raises ValueError when its last bits are not zero: age refuses that too."""
    data = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    if _encode(data) != text:
        raise ValueError
    return data


def _damaged(why: str) -> DamagedKey:
    return DamagedKey(
        f"the backups' key is damaged ({why}): use the identity.age of a snapshot, each holds the same key"
    )
