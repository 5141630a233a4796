"""The messages inside of reconciling, and fingerprints (document 8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from errors import ParleyError

VERSION = 0x61
_MODULUS = 1 << 256


@dataclass(frozen=True)
class Range:
    """One range of a message; `time` is None where it ends beyond all items."""

    time: int | None
    prefix: bytes
    fingerprint: bytes | None = None
    ids: tuple[bytes, ...] | None = None

    def end(self) -> tuple[int, int, bytes]:
        """Where it ends, to be compared."""
        if self.time is None:
            return 1, 0, b""
        return 0, self.time, self.prefix.ljust(32, b"\0")


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.pos = data, 0

    def take(self, size: int) -> bytes:
        found = self.data[self.pos : self.pos + size]
        if len(found) != size:
            raise ParleyError("malformed", "cut off")
        self.pos += size
        return found

    def varint(self) -> int:
        number = 0
        for _ in range(9):
            byte = self.take(1)[0]
            number = number << 7 | byte & 0x7F
            if byte < 0x80:
                return number
        raise ParleyError("malformed", "a number of 2^63 or more")


def _varint(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))


def parse(message: bytes) -> list[Range]:
    """The ranges of a message ([NET-31])."""
    reader = _Reader(message)
    version = reader.take(1)[0]
    if version != VERSION:
        raise ParleyError("unsupported_version", hex(version))
    ranges: list[Range] = []
    time = 0
    last = (0, 0, bytes(32))
    while reader.pos < len(message):
        if last[0]:
            raise ParleyError("malformed", "behind the last range")
        step = reader.varint()
        if step:
            time += step - 1
            if time >= 1 << 63:
                raise ParleyError("malformed", "a time of 2^63 or more")
        length = reader.varint()
        if length > 32:
            raise ParleyError("malformed", "prefix")
        prefix = reader.take(length)
        mode = reader.varint()
        fingerprint_ = ids = None
        if mode == 1:
            fingerprint_ = reader.take(16)
        elif mode == 2:
            count = reader.varint()
            if count * 32 > len(message):
                raise ParleyError("malformed", "cut off")
            ids = tuple(reader.take(32) for _ in range(count))
        elif mode:
            raise ParleyError("malformed", "mode")
        found = Range(time if step else None, prefix, fingerprint_, ids)
        if found.end() < last:
            raise ParleyError("malformed", "out of order")
        last = found.end()
        ranges.append(found)
    return ranges


def fingerprint(ids: list[bytes]) -> bytes:
    """That of a range of these IDs."""
    total = sum(int.from_bytes(id_, "little") for id_ in ids) % _MODULUS
    return hashlib.sha256(total.to_bytes(32, "little") + _varint(len(ids))).digest()[:16]
