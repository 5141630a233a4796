"""A small language for shapes: how records.cddl is written down in this verifier.

A shape is a function of a value, its path and a `Seen`; it raises `ParleyError` with the
code of the first rule that is broken. Unknown keys are noted in the `Seen`, or refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cbor
from cid import DAG_CBOR, Link
from did import is_peer_id, key_of
from errors import ParleyError

MAX_TIME = 253402300799  # [REC-16]


@dataclass
class Seen:
    """What a shape came across: the paths of unknown keys."""

    unknown: list[str] = field(default_factory=list)


Shape = Callable[[Any, str, Seen], None]


def bad(path: str) -> ParleyError:
    return ParleyError("bad_field", path)


# ---- Forms of text ----------------------------------------------------------

FORMS: dict[str, tuple[int, re.Pattern[str]]] = {
    name: (size, re.compile(pattern))
    for name, size, pattern in (
        ("type", 64, r"[a-z][a-z0-9]*(-[a-z0-9]+)*"),
        ("decimal", 64, r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,3}[1-9])?"),
        ("currency", 3, r"[A-Z]{3}"),
        ("unit-code", 3, r"[A-Z0-9]{2,3}"),
        ("country", 2, r"[A-Z]{2}"),
        ("category", 81, r"[a-z][a-z0-9-]{0,15}:[A-Za-z0-9._-]{1,64}"),
        ("market", 64, r"[a-z0-9]+(-[a-z0-9]+)*(/[a-z0-9]+(-[a-z0-9]+)*)?"),
        ("roster-id", 32, r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)*"),
        ("language", 35, r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*"),
        ("code", 32, r"[a-z][a-z0-9]*(_[a-z0-9]+)*"),
        ("url", 512, r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#][!-~]*)?"),
        ("address", 256, r"(?:/[!-.0-~]+)+/p2p/(?P<peer>[1-9A-HJ-NP-Za-km-z]+)"),
    )
}


def has_form(name: str, text: str) -> bool:
    """Whether a text has a form, its length included."""
    size, pattern = FORMS[name]
    if len(text) > size:
        return False
    match = pattern.fullmatch(text)
    if match is None or name == "decimal" and text == "-0":  # [REC-23]
        return False
    return name != "address" or is_peer_id(match["peer"])  # [SEAL-2], [NET-6]


def form(name: str) -> Shape:
    def check(value: Any, path: str, _: Seen) -> None:
        if not isinstance(value, str) or not has_form(name, value):
            raise bad(path)

    return check


def text(size: int, lines: bool = False) -> Shape:
    """Text of 1 to `size` bytes without control characters ([REC-19])."""

    def check(value: Any, path: str, _: Seen) -> None:
        if not isinstance(value, str) or not 1 <= len(value.encode("utf-8")) <= size:
            raise bad(path)
        for character in value:
            if unicodedata.category(character) == "Cc" and not (lines and character in "\n\t"):
                raise bad(path)

    return check


# ---- Numbers, bytes, links --------------------------------------------------


def is_integer(value: Any) -> bool:
    return type(value) is int


def integer(low: int, high: int) -> Shape:
    def check(value: Any, path: str, _: Seen) -> None:
        if not is_integer(value) or not low <= value <= high:
            raise bad(path)

    return check


TIME = integer(0, MAX_TIME)
SOME_TIME = integer(1, MAX_TIME)  # an optional time: never 0 ([REC-18])


def boolean(value: Any, path: str, _: Seen) -> None:
    if not isinstance(value, bool):
        raise bad(path)


def octets(low: int, high: int | None = None, code: str = "bad_field") -> Shape:
    """A byte string; `code` is for one that is too long."""
    most = low if high is None else high

    def check(value: Any, path: str, _: Seen) -> None:
        if not isinstance(value, bytes) or len(value) < low:
            raise bad(path)
        if len(value) > most:
            raise ParleyError(code, path)

    return check


def link(value: Any, path: str, _: Seen) -> None:
    """A link in a field of the schema ([REC-21])."""
    if not isinstance(value, Link) or value.codec != DAG_CBOR:
        raise bad(path)


def did(value: Any, path: str, _: Seen) -> None:
    """A DID ([KEY-1], [KEY-2])."""
    if not isinstance(value, str):
        raise bad(path)
    key_of(value)


def one_of(*values: str) -> Shape:
    def check(value: Any, path: str, _: Seen) -> None:
        if value not in values or not isinstance(value, str):
            raise bad(path)

    return check


def exactly(number: int, code: str) -> Shape:
    def check(value: Any, path: str, _: Seen) -> None:
        if not is_integer(value):
            raise bad(path)
        if value != number:
            raise ParleyError(code, path)

    return check


# ---- Arrays and maps --------------------------------------------------------


def same_bytes(value: Any) -> bytes:
    """What tells two entries apart: their encoding."""
    return cbor.encode(value)


def array(low: int, high: int, item: Shape, differ: Callable[[Any], Any] | None = None) -> Shape:
    """An array; `differ` gives what its entries must differ in ([REC-42])."""

    def check(value: Any, path: str, seen: Seen) -> None:
        if not isinstance(value, list) or not low <= len(value) <= high:
            raise bad(path)
        for i, entry in enumerate(value):
            item(entry, f"{path}[{i}]", seen)
        if differ is not None and len({differ(entry) for entry in value}) != len(value):
            raise bad(path)

    return check


def anything(_value: Any, _path: str, _seen: Seen) -> None:
    return None


def free_map(value: Any, path: str, _: Seen) -> None:
    """A map whose content is free, and not empty ([REC-18])."""
    if not isinstance(value, dict) or not value:
        raise bad(path)


def mapping(fields: dict[str, Shape], closed: bool = False) -> Shape:
    """A map. A field whose name ends in `?` is optional. Other keys are noted, or refused
    where the map is closed ([REC-26] to [REC-28])."""
    shapes = {name.rstrip("?"): shape for name, shape in fields.items()}
    required = [name for name in fields if not name.endswith("?")]

    def check(value: Any, path: str, seen: Seen) -> None:
        if not isinstance(value, dict):
            raise bad(path)
        prefix = f"{path}." if path else ""
        for name in required:
            if name not in value:
                raise ParleyError("missing_field", prefix + name)
        for name, shape in shapes.items():
            if name in value:
                shape(value[name], prefix + name, seen)
        for name in value:
            if name not in shapes:
                if closed:
                    raise ParleyError("unknown_field", prefix + name)
                seen.unknown.append(prefix + name)

    return check
