"""The attachments' bytes: small real PNG and JPEG pictures, drawn from a seed whenever they are asked for.

Nothing is stored, so that a base of 500,000 records stays small. Invariant: one seed and type, one content;
two seeds, two contents.
"""

from __future__ import annotations

import random
import struct
import zlib

WIDTH, HEIGHT = 48, 32
_LEVELS = 16


def content(seed: int, kind: str) -> bytes:
    """The file's bytes. ``kind``: image/png, image/jpeg, image/heic, or anything else for plain text."""
    rng = random.Random(seed)  # noqa: S311 - pictures, not keys
    noise = rng.randbytes(rng.randrange(900, 3600))
    if kind == "image/png":
        return _png(rng, noise)
    if kind == "image/jpeg":
        return _jpeg(rng, noise)
    if kind == "image/heic":
        return _box(b"ftyp", b"heic\x00\x00\x00\x00mif1heic") + _box(b"mdat", noise)
    return b"File " + str(seed).encode() + b"\n" + noise.hex().encode()


def _box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + name + body


def _png(rng: random.Random, noise: bytes) -> bytes:
    rows = b"".join(b"\x00" + bytes(rng.choices(range(256), k=WIDTH)) for _ in range(HEIGHT))

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"noIs", noise)
        + chunk(b"IEND", b"")
    )


def _jpeg(rng: random.Random, noise: bytes) -> bytes:
    """A baseline grey JPEG of flat 8x8 squares: every block is its DC difference and an end-of-block."""

    def segment(marker: int, body: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body

    # DC categories 0-5 have the 3-bit codes 0-5; AC knows only end-of-block, code 0.
    dc = bytes([0, 0, 6] + [0] * 13) + bytes(range(6))
    ac = bytes([1] + [0] * 15) + b"\x00"
    bits = []
    level = 0
    for _ in range(WIDTH // 8 * HEIGHT // 8):
        following = rng.randrange(-_LEVELS // 2, _LEVELS // 2)
        difference = following - level
        level = following
        size = abs(difference).bit_length()
        bits.append(f"{size:03b}")
        if size:
            bits.append(f"{difference if difference > 0 else difference + (1 << size) - 1:0{size}b}")
        bits.append("0")
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    scan = int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\x00")
    return (
        b"\xff\xd8"
        + segment(0xE0, b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00")
        + segment(0xFE, noise)
        + segment(0xDB, b"\x00" + b"\x40" * 64)
        + segment(0xC0, struct.pack(">BHHBBBB", 8, HEIGHT, WIDTH, 1, 1, 0x11, 0))
        + segment(0xC4, b"\x00" + dc)
        + segment(0xC4, b"\x10" + ac)
        + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00")
        + scan
        + b"\xff\xd9"
    )
