"""CIDs as records have them: CIDv1, sha2-256, 36 bytes ([REC-3], [REC-9])."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

DAG_CBOR = 0x71


@dataclass(frozen=True)
class Link:
    """A link: the 36 bytes of a CID."""

    cid: bytes

    @property
    def codec(self) -> int:
        return self.cid[1]

    def __str__(self) -> str:
        return to_text(self.cid)


def is_cid(raw: bytes) -> bool:
    """Whether these are the bytes of a CID in the form of [REC-9]."""
    return len(raw) == 36 and raw[0] == 1 and raw[1] < 0x80 and raw[2:4] == b"\x12\x20"


def of_block(block: bytes, codec: int = DAG_CBOR) -> bytes:
    """The CID of a block ([REC-3])."""
    return bytes((1, codec, 0x12, 0x20)) + hashlib.sha256(block).digest()


def to_text(raw: bytes) -> str:
    """Multibase base32, lower case, without padding ([REC-3])."""
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def from_text(text: str) -> bytes:
    """The bytes of a CID's text; only the one text of a CID is taken."""
    if not text.startswith("b") or text != text.lower():
        raise ValueError(f"not a CID: {text}")
    padded = text[1:].upper() + "=" * (-len(text[1:]) % 8)
    raw = base64.b32decode(padded)
    if not is_cid(raw) or to_text(raw) != text:
        raise ValueError(f"not a CID: {text}")
    return raw
