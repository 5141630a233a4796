"""What carries records: bundles, frames and invites (documents 4, 5 and 8)."""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cbor
import cid
import records
from cbor import decode
from did import is_peer_id
from errors import ParleyError
from records import MAX_BLOCK, Record
from schema import Seen, array, form, is_integer, mapping, text

MAX_FRAME = 65536  # [NET-9]
MAX_BUNDLE_RECORDS = 16  # [SEAL-9]
MAX_PAYLOAD = 131068  # [SEAL-6]
MAX_INVITE = 4096  # [NET-27]
_INVITE = "parley://join/"
_REGISTRY = Path(__file__).resolve().parent.parent / "registry"


def _versioned(raw: bytes, length: int) -> list[Any]:
    """An array that begins with version 1."""
    value = decode(raw)
    if not isinstance(value, list) or not value or not is_integer(value[0]):
        raise ParleyError("malformed", "not a versioned array")
    if value[0] != 1:
        raise ParleyError("unsupported_version")
    if len(value) != length:
        raise ParleyError("malformed", "length of the array")
    return value


def _block(value: Any) -> bytes:
    if not isinstance(value, bytes) or not value:
        raise ParleyError("malformed", "block")
    if len(value) > MAX_BLOCK:
        raise ParleyError("too_large", "block")
    return value


def parse_bundle(payload: bytes) -> list[Record]:
    """The records of a bundle, all of them valid ([SEAL-9], [SEAL-10])."""
    if len(payload) > MAX_PAYLOAD:
        raise ParleyError("too_large", "payload")
    blocks = _versioned(payload, 2)[1]
    if isinstance(blocks, list) and len(blocks) > MAX_BUNDLE_RECORDS:
        raise ParleyError("too_large", "records of the bundle")
    if not isinstance(blocks, list) or not blocks:
        raise ParleyError("malformed", "records of the bundle")
    return [records.parse(_block(block)) for block in blocks]


@dataclass(frozen=True)
class Frame:
    """A gossip frame ([NET-9] to [NET-11])."""

    message_id: bytes
    block: bytes
    stamp: bytes

    @property
    def stamp_bits(self) -> int:
        if not self.stamp:
            return 0
        preimage = b"parley/1/stamp\0" + cid.of_block(self.block) + self.stamp
        digest = hashlib.sha256(preimage).digest()
        return 256 - int.from_bytes(digest, "big").bit_length()


def parse_frame(raw: bytes) -> Frame:
    if len(raw) > MAX_FRAME:
        raise ParleyError("too_large", "frame")
    _, block, stamp = _versioned(raw, 3)
    if not isinstance(stamp, bytes) or len(stamp) not in (0, 8):
        raise ParleyError("malformed", "stamp")
    return Frame(hashlib.sha256(raw).digest(), _block(block), stamp)


def judge_frame(frame: Frame, market: str, now: int) -> None:
    """What gossip checks of a frame's record, for a topic ([NET-13], [INT-24])."""
    record = records.parse(frame.block)
    if registry("record-types.csv", "type", "gossip").get(record.type) != "yes":
        raise ParleyError("unknown_type")
    records.check_time(record, now)
    life = record.body["retainUntil"] - record.at
    if record.type == "terms" and life > 366 * 86400:  # [TERMS-11]
        raise ParleyError("life_too_long")
    named = record.type in ("intent", "withdrawal")
    if named and record.body.get("market") != market:
        raise ParleyError("wrong_market")


def verdict_of(code: str) -> str:
    """What gossip does with a frame that fails with a code ([ERR-2])."""
    verdict = registry("codes.csv", "code", "verdict").get(code, "none")
    return "ignore" if verdict == "none" else verdict


@lru_cache
def registry(name: str, key: str, value: str) -> dict[str, str]:
    with (_REGISTRY / name).open(newline="", encoding="utf-8") as file:
        return {row[key]: row[value] for row in csv.DictReader(file)}


def codes() -> set[str]:
    """All registered error codes."""
    return set(registry("codes.csv", "code", "verdict"))


_DIALLED = re.compile(
    r"/(?:ip4/(?P<ip4>[^/]+)|ip6/(?P<ip6>[^/]+)|dns[46]?/[^/]+)"
    r"/(?:tcp/(?P<tcp>[0-9]+)|udp/(?P<udp>[0-9]+)/quic-v1)"
    r"(?:/p2p/(?P<relay>[^/]+)/p2p-circuit)?/p2p/(?P<peer>[^/]+)"
)


def _dialled(value: Any, path: str, seen: Seen) -> None:
    """An address of document 8, "Addresses" ([NET-27], [NAT-1])."""
    form("address")(value, path, seen)
    match = _DIALLED.fullmatch(value)
    if match is None or int(match["tcp"] or match["udp"]) > 65535:
        raise ParleyError("bad_field", path)
    if match["relay"] and (match["relay"] == match["peer"] or not is_peer_id(match["relay"])):
        raise ParleyError("bad_field", path)
    try:
        if match["ip4"]:
            ipaddress.IPv4Address(match["ip4"])
        if match["ip6"]:
            ipaddress.IPv6Address(match["ip6"])
    except ValueError:
        raise ParleyError("bad_field", path) from None


_INVITE_SHAPE = mapping(
    {
        "addrs": array(1, 8, _dialled),
        "markets?": array(1, 32, form("market")),
        "name?": text(200),
    }
)


def parse_invite(link: str) -> dict[str, Any]:
    """The map of an invite ([NET-27])."""
    link = link.strip()
    if len(link.encode()) > MAX_INVITE:
        raise ParleyError("too_large", "link")
    if not link.startswith(_INVITE):
        raise ParleyError("malformed", "link")
    encoded = link[len(_INVITE) :]
    try:
        raw = base64.b64decode(encoded + "=" * (-len(encoded) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise ParleyError("malformed", "base64url") from None
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != encoded:
        raise ParleyError("malformed", "base64url")
    body, checksum = raw[:-4], raw[-4:]
    if checksum != hashlib.sha256(b"parley/1/invite\0" + body).digest()[:4]:
        raise ParleyError("malformed", "checksum")
    invite = cbor.decode(body)
    if not isinstance(invite, dict):
        raise ParleyError("malformed", "not a map")
    try:
        _INVITE_SHAPE(invite, "", Seen())
    except ParleyError:
        raise ParleyError("bad_field", "invite") from None
    return invite
