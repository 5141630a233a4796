"""The strict subset of DAG-CBOR in which everything is encoded (document 2, "Encoding").

Values are dict, list, str, bytes, int, bool, None and `cid.Link`.
"""

from __future__ import annotations

from typing import Any

from cid import Link, is_cid
from errors import ParleyError

MAX_DEPTH = 16  # [REC-11]
MAX_VALUES = 8192  # [REC-12]
INT_MIN, INT_MAX = -(2**63), 2**63 - 1  # [REC-5]

_UINT, _NINT, _BYTES, _TEXT, _ARRAY, _MAP, _TAG, _SIMPLE = range(8)


def decode(data: bytes) -> Any:
    """Decode one whole value, or refuse it ([REC-5] to [REC-14])."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.pos != len(data):
        raise ParleyError("malformed", "bytes after the value")  # [REC-13]
    return value


def encode(value: Any) -> bytes:
    """Encode a value in its one encoding."""
    out = bytearray()
    _write(out, value)
    return bytes(out)


class _Reader:
    """A cursor over the bytes; counts values as it goes."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0
        self.values = 0

    def take(self, count: int) -> bytes:
        end = self.pos + count
        if end > len(self.data):
            raise ParleyError("malformed", "cut short")
        piece = self.data[self.pos : end]
        self.pos = end
        return piece

    def count(self, values: int = 1) -> None:
        self.values += values
        if self.values > MAX_VALUES:
            raise ParleyError("too_large", "too many values")

    def head(self) -> tuple[int, int]:
        """Major type and argument of a head. Floats and simple values are refused here
        but for false, true and null, whose argument is 20, 21, 22 ([REC-10])."""
        first = self.take(1)[0]
        major, info = first >> 5, first & 31
        if 28 <= info <= 30:
            raise ParleyError("malformed", "reserved head")
        if info == 31:
            # Indefinite lengths are well-formed CBOR for these types only ([REC-6]).
            if major in (_BYTES, _TEXT, _ARRAY, _MAP):
                raise ParleyError("not_canonical", "indefinite length")
            raise ParleyError("malformed", "break or indefinite head")
        if info < 24:
            argument = info
        else:
            width = 1 << (info - 24)
            argument = int.from_bytes(self.take(width), "big")
            if major == _SIMPLE:
                if info == 24 and argument < 32:
                    raise ParleyError("malformed", "simple value in two bytes")
                raise ParleyError("not_canonical", "float or simple value")
            shortest = 24 if width == 1 else 1 << (4 * width)
            if argument < shortest:
                raise ParleyError("not_canonical", "head is not the shortest")
        if major == _SIMPLE and argument not in (20, 21, 22):
            raise ParleyError("not_canonical", "simple value")
        return major, argument

    def text(self, length: int) -> str:
        try:
            return self.take(length).decode("utf-8")
        except UnicodeDecodeError:
            raise ParleyError("not_canonical", "text is not UTF-8") from None  # [REC-8]

    def value(self, depth: int) -> Any:
        self.count()
        major, argument = self.head()
        if major == _UINT:
            if argument > INT_MAX:
                raise ParleyError("not_canonical", "integer out of range")
            return argument
        if major == _NINT:
            if argument > INT_MAX:
                raise ParleyError("not_canonical", "integer out of range")
            return -1 - argument
        if major == _BYTES:
            return self.take(argument)
        if major == _TEXT:
            return self.text(argument)
        if major == _SIMPLE:
            return (False, True, None)[argument - 20]
        if major == _TAG:
            return self.link(argument)
        if depth == MAX_DEPTH:
            raise ParleyError("too_deep")
        if argument > (MAX_VALUES - self.values) // (major - _ARRAY + 1):
            raise ParleyError("too_large", "too many values")  # [ERR-5]: before reading them
        if major == _ARRAY:
            return [self.value(depth + 1) for _ in range(argument)]
        return self.map(argument, depth)

    def map(self, pairs: int, depth: int) -> dict[str, Any]:
        """A map; its keys are text, unique and sorted ([REC-7])."""
        out: dict[str, Any] = {}
        last: tuple[int, bytes] | None = None
        for _ in range(pairs):
            self.count()
            major, length = self.head()
            if major != _TEXT:
                raise ParleyError("not_canonical", "key is not text")
            key = self.text(length)
            place = (length, key.encode("utf-8"))
            if last is not None and place <= last:
                raise ParleyError("not_canonical", "keys are not sorted, or one is twice")
            last = place
            out[key] = self.value(depth + 1)
        return out

    def link(self, tag: int) -> Link:
        """Tag 42 in its one form ([REC-9]); it counts as two values ([REC-12])."""
        if tag != 42:
            raise ParleyError("not_canonical", "tag")
        self.count()
        major, length = self.head()
        if major != _BYTES:
            raise ParleyError("not_canonical", "link is not a byte string")
        content = self.take(length)
        if len(content) != 37 or content[0] != 0 or not is_cid(content[1:]):
            raise ParleyError("not_canonical", "link")
        return Link(content[1:])


def _head(out: bytearray, major: int, argument: int) -> None:
    if argument < 24:
        out.append(major << 5 | argument)
        return
    for info, width in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << (8 * width):
            out.append(major << 5 | info)
            out += argument.to_bytes(width, "big")
            return
    raise ValueError("argument out of range")


def _write(out: bytearray, value: Any) -> None:
    if value is None or isinstance(value, bool):
        out.append({False: 0xF4, True: 0xF5, None: 0xF6}[value])
    elif isinstance(value, Link):
        out += b"\xd8\x2a\x58\x25\x00" + value.cid
    elif isinstance(value, int):
        if value >= 0:
            _head(out, _UINT, value)
        else:
            _head(out, _NINT, -1 - value)
    elif isinstance(value, bytes):
        _head(out, _BYTES, len(value))
        out += value
    elif isinstance(value, str):
        raw = value.encode("utf-8")
        _head(out, _TEXT, len(raw))
        out += raw
    elif isinstance(value, list):
        _head(out, _ARRAY, len(value))
        for item in value:
            _write(out, item)
    elif isinstance(value, dict):
        _head(out, _MAP, len(value))
        for key in sorted(value, key=lambda k: (len(k.encode()), k.encode())):
            _write(out, key)
            _write(out, value[key])
    else:
        raise TypeError(f"cannot encode {type(value).__name__}")
