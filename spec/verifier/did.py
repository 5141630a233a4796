"""DIDs and base58btc (document 3, "DIDs"; peer IDs of document 8)."""

from __future__ import annotations

from functools import lru_cache

import ed25519
from errors import ParleyError

_ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PLACE = {character: place for place, character in enumerate(_ALPHABET)}
_PREFIX = "did:key:z"
_ED25519 = b"\xed\x01"
PEER_PREFIX = bytes.fromhex("002408011220")  # [NET-1]


def base58_encode(raw: bytes) -> str:
    zeros = len(raw) - len(raw.lstrip(b"\0"))
    number, out = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = _ALPHABET[digit] + out
    return "1" * zeros + out


def base58_decode(text: str) -> bytes:
    number = 0
    for character in text:
        if character not in _PLACE:
            raise ValueError("not base58btc")
        number = number * 58 + _PLACE[character]
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


@lru_cache(maxsize=4096)
def key_of(did: str) -> bytes:
    """The public key that a DID names ([KEY-1], [KEY-2])."""
    if len(did) != 56 or not did.startswith(_PREFIX + "6Mk"):
        raise ParleyError("bad_key", "form")
    try:
        raw = base58_decode(did[len(_PREFIX) :])
    except ValueError:
        raise ParleyError("bad_key", "base58btc") from None
    if len(raw) != 34 or raw[:2] != _ED25519 or of_key(raw[2:]) != did:
        raise ParleyError("bad_key", "form")
    if ed25519.usable_key(raw[2:]) is None:
        raise ParleyError("bad_key", "point")
    return raw[2:]


def of_key(key: bytes) -> str:
    """The DID of a public key."""
    return _PREFIX + base58_encode(_ED25519 + key)


def is_peer_id(text: str) -> bool:
    """Whether this is the text of an Ed25519 peer ID ([NET-1])."""
    if len(text) > 60:
        return False
    try:
        raw = base58_decode(text)
    except ValueError:
        return False
    return len(raw) == 38 and raw[:6] == PEER_PREFIX and base58_encode(raw) == text
