"""The messages of mailboxes, catching up, reconciling, peers and the stem (documents 4 and 8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import cbor
import ed25519
from errors import ParleyError
from schema import (
    TIME, Seen, Shape, array, boolean, form, integer, mapping, octets, text,
)  # fmt: skip

MAX_ENVELOPE = 163840  # [BOX-5]
# Limits by protocol and direction ([BOX-1], [NET-18], [NET-29], [PEER-6], [STEM-1]).
LIMITS = {
    ("mailbox", "request"): 164352,
    ("mailbox", "response"): 1048576,
    ("catchup", "request"): 512,
    ("catchup", "response"): 270336,
    ("peers", "request"): 512,
    ("peers", "response"): 32768,
    ("stem", "request"): 65792,
    ("stem", "response"): 512,
    ("reconcile", "request"): 40960,
    ("reconcile", "response"): 270336,
}


class StreamReset(Exception):
    """The message's length is beyond its limit, 0, or in a longer form than needed."""


_ENVELOPE = octets(1, MAX_ENVELOPE, "too_large")
_PROOF: dict[str, Shape] = {"key": octets(32), "at": TIME, "proof": octets(64)}


def _op(value: Any, path: str, seen: Seen) -> None:
    if not isinstance(value, str):
        raise ParleyError("bad_field", path)


def _picked(value: Any, path: str, seen: Seen) -> None:
    if not isinstance(value, list) or len(value) != 2:
        raise ParleyError("bad_field", path)
    octets(32)(value[0], f"{path}[0]", seen)
    _ENVELOPE(value[1], f"{path}[1]", seen)
    if hashlib.sha256(value[1]).digest() != value[0]:
        raise ParleyError("malformed", path)  # [BOX-16]


def cursor(value: Any, path: str, _: Seen) -> None:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= 128:
        raise ParleyError("bad_field", path)


def _frames(value: Any, path: str, seen: Seen) -> None:
    array(0, 1000, octets(0, 262144))(value, path, seen)
    if sum(len(frame) for frame in value) > 262144:  # [NET-18]
        raise ParleyError("too_large", path)


REQUESTS: dict[str, Shape] = {
    "deposit": mapping(
        {"op": _op, "token": octets(32), "envelope": _ENVELOPE, "stamp?": octets(8)}, closed=True
    ),
    "pickup": mapping(
        {
            "op": _op,
            **_PROOF,
            "after?": octets(1, 64),
            "max": integer(1, 256),
            "wait": integer(0, 60),
        },
        closed=True,
    ),
    "remove": mapping({"op": _op, **_PROOF, "ids": array(1, 256, octets(32))}, closed=True),
}

_CATCHUP_REQUEST = mapping(
    {"market": form("market"), "limit": integer(1, 1000), "after?": cursor}
)
_PEERS_REQUEST = mapping({"market": form("market"), "limit": integer(1, 16)})
_STEM_REQUEST = mapping({"frame": octets(1, 65536), "market": form("market")})

_RANGES = octets(1, 32768)
_RECONCILE: dict[str, Shape] = {
    "reconcile-first": mapping({"market": form("market"), "cutoff": TIME, "message": _RANGES}),
    "reconcile-next": mapping({"message": _RANGES}),
    "reconcile-want": mapping({"want": array(1, 1000, octets(32))}),
}


def _wanted(value: Any, path: str, seen: Seen) -> None:
    mapping({"frames": _frames, "through": integer(1, 1000)})(value, path, seen)
    if len(value["frames"]) > value["through"]:  # [NET-29]
        raise ParleyError("malformed", path)


def _ignored(value: Any, path: str, seen: Seen) -> None:
    """What is of no account if it has another shape ([BOX-2])."""


_REFUSAL = mapping({"error": _op, "hint?": _ignored, "time?": _ignored, "bits?": _ignored})


def _address(value: Any, path: str, _: Seen) -> None:
    if not isinstance(value, str) or not 1 <= len(value.encode()) <= 256:
        raise ParleyError("bad_field", path)  # of whatever kind: [PEER-6]


RESPONSES: dict[str, tuple[str, Shape]] = {
    "deposit": ("stored", mapping({"stored": octets(32), "until": TIME, "receipt": octets(64)})),
    "pickup": ("picked-up", mapping({"envelopes": array(0, 256, _picked), "more": boolean})),
    "remove": ("removed", mapping({"removed": integer(0, 256)})),
    "peers": ("peers-named", mapping({"addrs": array(0, 64, _address)})),
    "catchup": ("caught-up", mapping({"frames": _frames, "next?": cursor})),
    "stem": ("taken", mapping({})),
    "reconciled": ("reconciled", mapping({"message": _RANGES})),
    "wanted": ("wanted", _wanted),
}


@dataclass(frozen=True)
class Message:
    """A message that has a shape of records.cddl."""

    shape: str
    unknown: tuple[str, ...]


def read_varint(data: bytes, pos: int, code: str = "malformed") -> tuple[int, int]:
    """An unsigned varint and where it ends; `code` is for one that is not the shortest."""
    number = shift = 0
    while True:
        if pos >= len(data) or shift > 63:
            raise ParleyError("malformed", "varint")
        byte = data[pos]
        pos += 1
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            break
    if byte == 0 and shift > 7:
        raise ParleyError(code, "varint")
    return number, pos


def parse_message(protocol: str, direction: str, op: str | None, stream: bytes) -> Message:
    """A request or a response: its length, its encoding, its shape ([BOX-1], [BOX-2])."""
    try:
        length, begin = read_varint(stream, 0)
    except ParleyError:
        raise StreamReset from None
    if not 1 <= length <= LIMITS[protocol, direction]:
        raise StreamReset
    raw = stream[begin:]
    if len(raw) != length:
        raise ParleyError("malformed", "length")
    message = cbor.decode(raw)
    if not isinstance(message, dict):
        raise ParleyError("malformed", "not a map")
    seen = Seen()
    if direction == "request":
        name, shape = _request(protocol, message)
    elif "error" in message:
        name, shape = "refusal", _REFUSAL
    elif protocol == "reconcile":
        name, shape = RESPONSES["reconciled" if "message" in message else "wanted"]
    else:
        name, shape = RESPONSES[(op or "") if protocol == "mailbox" else protocol]
    try:
        shape(message, "", seen)
    except ParleyError:
        if direction == "response":
            raise ParleyError("malformed", name) from None
        raise
    if direction == "request" and protocol != "mailbox" and seen.unknown:
        raise ParleyError("bad_field", seen.unknown[0])  # [NET-18], [NET-29], [PEER-6], [STEM-1]
    return Message(name, tuple(sorted(seen.unknown)))


def _request(protocol: str, message: dict[str, Any]) -> tuple[str, Shape]:
    if protocol == "catchup":
        return "catchup-request", _CATCHUP_REQUEST
    if protocol == "peers":
        return "peers-request", _PEERS_REQUEST
    if protocol == "stem":
        return "stem-request", _STEM_REQUEST
    if protocol == "reconcile":
        name = "next"
        if "want" in message:
            name = "want"
        elif "market" in message or "cutoff" in message:
            name = "first"
        return f"reconcile-{name}", _RECONCILE[f"reconcile-{name}"]
    op = message.get("op")
    if not isinstance(op, str) or op not in REQUESTS:
        raise ParleyError("bad_field", "op")
    return op, REQUESTS[op]


def proof_message(peer: bytes, at: int, op: str, ids: list[bytes]) -> bytes:
    """What the key of a token signs ([BOX-6])."""
    head = b"parley/1/pickup\0" + peer + at.to_bytes(8, "big")
    return head + op.encode() + b"\0" + b"".join(ids)


def check_proof(key: bytes, message: bytes, proof: bytes) -> None:
    if not ed25519.verify(key, message, proof):
        raise ParleyError("proof_failed")


def custody_message(token: bytes, envelope_id: bytes, until: int) -> bytes:
    """What a mailbox signs when it has an envelope ([BOX-17])."""
    return b"parley/1/custody\0" + token + envelope_id + until.to_bytes(8, "big")


def check_receipt(peer: bytes, message: bytes, receipt: bytes) -> None:
    """By the key in the peer ID ([NET-1])."""
    if len(peer) != 38 or peer[:6] != bytes.fromhex("002408011220"):
        raise ParleyError("proof_failed")
    check_proof(peer[6:], message, receipt)


def stamp_bits(peer: bytes, token: bytes, envelope_id: bytes, stamp: bytes) -> int:
    """The work of a deposit's stamp ([BOX-19])."""
    if not stamp:
        return 0
    digest = hashlib.sha256(b"parley/1/deposit-stamp\0" + peer + token + envelope_id + stamp).digest()
    return 256 - int.from_bytes(digest, "big").bit_length()
