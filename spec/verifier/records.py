"""Records: form, header, bodies, signature, time (document 2 and records.cddl)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import cbor
import cid
import decimals
import ed25519
from cid import Link
from did import key_of
from errors import ParleyError
from schema import (
    SOME_TIME, TIME, Seen, Shape, array, bad, did, exactly, form, free_map,
    has_form, integer, is_integer, link, mapping, octets, one_of, same_bytes, text,
)  # fmt: skip

MAX_BLOCK = 61440  # [REC-2]
DAY = 86400
MAX_AHEAD = 600  # [REC-32]
_LABEL = b"parley/1/record\0"  # [KEY-8]


@dataclass(frozen=True)
class Record:
    """A valid record."""

    block: bytes = field(repr=False)
    id: bytes
    body: dict[str, Any] = field(repr=False)
    known: bool
    unknown: tuple[str, ...]

    @property
    def type(self) -> str:
        return self.body["type"]

    @property
    def by(self) -> str:
        return self.body["by"]

    @property
    def at(self) -> int:
        return self.body["at"]

    @property
    def crit(self) -> list[str]:
        return self.body.get("crit", [])

    @property
    def text_id(self) -> str:
        return cid.to_text(self.id)

    def link(self, name: str) -> bytes | None:
        """The ID that a field cites, or None."""
        value = self.body.get(name)
        return value.cid if isinstance(value, Link) else None


# ---- Shapes -----------------------------------------------------------------

_CATEGORIES = array(1, 8, form("category"), same_bytes)


def _terms_ref(value: Any, path: str, seen: Seen) -> None:
    (link if isinstance(value, Link) else form("roster-id"))(value, path, seen)


def _reply_to(closed: bool) -> Shape:
    def of_suite(key_bytes: int) -> Shape:
        return mapping(
            {
                "suite": integer(1, 2),
                "key": octets(key_bytes),
                "token": octets(32),
                "mailboxes": array(0, 8, form("address"), same_bytes),
            },
            closed,
        )

    suites = {1: of_suite(32), 2: of_suite(1216)}

    def check(value: Any, path: str, seen: Seen) -> None:
        if not isinstance(value, dict):
            raise bad(path)
        if "suite" not in value:
            raise ParleyError("missing_field", f"{path}.suite")
        suite = value["suite"]
        if not is_integer(suite):
            raise bad(f"{path}.suite")
        if suite not in suites:
            raise ParleyError("seal_unknown_suite", f"{path}.suite")  # [SEAL-1]
        suites[suite](value, path, seen)

    return check


REPLY_TO, CLOSED_REPLY_TO = _reply_to(False), _reply_to(True)


def deal_key(value: Any, path: str, seen: Seen) -> None:
    """[DEAL-1]"""
    if not isinstance(value, list) or len(value) != 3:
        raise bad(path)
    link(value[0], f"{path}[0]", seen)
    did(value[1], f"{path}[1]", seen)
    integer(1, 1000)(value[2], f"{path}[2]", seen)


_quantity_shape = mapping({"value": form("decimal"), "unitCode": form("unit-code")})


def _quantity(value: Any, path: str, seen: Seen) -> None:
    _quantity_shape(value, path, seen)
    if decimals.parse(value["value"]) <= 0:  # [REC-43]
        raise bad(f"{path}.value")


_AREA_FIELDS: dict[str, Shape] = {
    "addressCountry?": form("country"),
    "addressRegion?": text(100),
    "addressLocality?": text(100),
    "postalCode?": text(16),
}
_AREA_NAMES = [name.rstrip("?") for name in _AREA_FIELDS]
_area_shape = mapping(_AREA_FIELDS)


def _area(value: Any, path: str, seen: Seen) -> None:
    _area_shape(value, path, seen)
    if not any(name in value for name in _AREA_NAMES):  # [REC-43]
        raise bad(path)


def _area_identity(value: dict[str, Any]) -> tuple[Any, ...]:
    """What two areas are compared by: the fields of the schema ([REC-42])."""
    return tuple(value.get(name) for name in _AREA_NAMES)


_price_shape = mapping(
    {"priceCurrency": form("currency"), "minPrice?": form("decimal"), "maxPrice?": form("decimal")}
)


def _price_specification(value: Any, path: str, seen: Seen) -> None:
    """[REC-43]"""
    _price_shape(value, path, seen)
    low, high = (decimals.parse(value[n]) if n in value else None for n in ("minPrice", "maxPrice"))
    if low is None and high is None:
        raise bad(path)
    if low is not None and low < 0:
        raise bad(f"{path}.minPrice")
    if high is not None and (high < 0 or low is not None and high < low):
        raise bad(f"{path}.maxPrice")


def _demand_item() -> Shape:
    return mapping(
        {
            "name": text(500),
            "description?": text(2000, lines=True),
            "category?": _CATEGORIES,
            "eligibleQuantity?": _quantity,
            "areaServed?": _area,
        }
    )


def _offer_item() -> Shape:
    return mapping(
        {
            "name": text(500),
            "description?": text(2000, lines=True),
            "category?": _CATEGORIES,
            "item?": integer(0, 199),
            "eligibleQuantity?": _quantity,
            "unitPrice?": form("decimal"),
            "price": form("decimal"),
        }
    )


_CHARGE = mapping(
    {
        "kind": one_of("tax", "delivery", "fee", "discount", "other"),
        "name?": text(200),
        "price": form("decimal"),
    }
)

_HEADER: dict[str, Shape] = {
    "type": form("type"),
    "v": exactly(1, "unsupported_version"),  # [REC-15]
    "by": did,
    "at": TIME,
    "retainUntil": TIME,
    "crit?": array(1, 16, text(64), same_bytes),
    "ext?": free_map,
}

_REPLY: dict[str, Shape] = {"replyTo?": CLOSED_REPLY_TO}
_ASK: dict[str, Shape] = {"deal": deal_key, "reason": form("code"), **_REPLY}

_OPEN: dict[str, dict[str, Shape]] = {
    "intent": {
        "salt": octets(32),
        "market?": form("market"),
        "name": text(200),
        "description?": text(8000, lines=True),
        "inLanguage?": form("language"),
        "category": _CATEGORIES,
        "itemOffered": array(1, 200, _demand_item()),
        "areaServed?": _area,
        "priceSpecification?": _price_specification,
        "availabilityStarts?": SOME_TIME,
        "availabilityEnds?": SOME_TIME,
        "validUntil": TIME,
        "terms": array(1, 8, _terms_ref, same_bytes),
        "awards": integer(1, 1000),
        "replyTo": REPLY_TO,
        "identifier?": array(1, 4, mapping({"propertyID": text(64), "value": text(256)})),
    },
    "withdrawal": {"intent": link, "market?": form("market"), "reason?": form("code")},
    "profile": {
        "name": text(200),
        "description?": text(4000, lines=True),
        "url?": form("url"),
        "category?": array(1, 32, form("category"), same_bytes),
        "areaServed?": array(1, 32, _area, _area_identity),
        "markets?": array(1, 32, form("market"), same_bytes),
        "terms?": array(1, 32, _terms_ref, same_bytes),
        "nextKey": octets(32),
        "previous?": link,
        "replyTo": REPLY_TO,
    },
    "terms": {
        "name": text(200),
        "text": text(32768, lines=True),
        "inLanguage?": form("language"),
        "basedOn?": form("roster-id"),
        "policy?": free_map,
    },
    "offer": {
        "deal": deal_key,
        "number": integer(1, 1000),
        "description?": text(4000, lines=True),
        "itemOffered": array(1, 200, _offer_item()),
        "charges?": array(1, 32, _CHARGE),
        "priceCurrency": form("currency"),
        "totalPrice": form("decimal"),
        "terms": _terms_ref,
        "availabilityStarts?": SOME_TIME,
        "availabilityEnds?": SOME_TIME,
        "validUntil": TIME,
        "replyTo": REPLY_TO,
    },
    "delivery-receipt": {"records": array(1, 64, link, same_bytes)},
}

_CLOSED: dict[str, dict[str, Shape]] = {  # [REC-28]
    "acceptance": {"deal": deal_key, "offer": link, "replyTo": CLOSED_REPLY_TO},
    "confirmation": {"deal": deal_key, "acceptance": link},
    "void": {"deal": deal_key, "reason": form("code"), "cites?": link, **_REPLY},
    "cancel": _ASK,
    "decline": _ASK,
    "award-notice": {**_ASK, "offersReceived?": integer(1, 100000)},
    "restored": {"deal": deal_key, "replyTo": CLOSED_REPLY_TO},
    "held": {"deal": deal_key, "restored": link, "decision": link},
    "customer-void": {"deal": deal_key, "restored": link},
}

_HEADER_SHAPE = mapping(_HEADER)
_BODIES: dict[str, Shape] = {
    **{name: mapping({**_HEADER, **own}) for name, own in _OPEN.items()},
    **{name: mapping({**_HEADER, **own}, closed=True) for name, own in _CLOSED.items()},
}


# ---- Rules over several fields ----------------------------------------------


def _check_header(body: dict[str, Any]) -> None:
    """The rules for every type: [REC-17], [REC-20], [REC-22], [REC-35], [REC-41]."""
    if "id" in body:
        raise bad("id")
    if body["retainUntil"] < body["at"]:
        raise bad("retainUntil")
    if body["retainUntil"] > body["at"] + 3660 * DAY:
        raise ParleyError("life_too_long", "retainUntil")
    extensions = body.get("ext", {})
    if any(name not in extensions for name in body.get("crit", [])):
        raise bad("crit")
    for name, value in body.items():
        if name != "ext" and _has_null(value):
            raise bad(name)


def _has_null(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_null(entry) for entry in value.values())
    if isinstance(value, list):
        return any(_has_null(entry) for entry in value)
    return value is None


def _check_valid_until(body: dict[str, Any]) -> None:
    """What an intent and an offer have in common ([REC-36], [REC-38])."""
    if not body["at"] < body["validUntil"] <= body["retainUntil"]:
        raise bad("validUntil")
    if body["validUntil"] > body["at"] + 180 * DAY:
        raise ParleyError("life_too_long", "validUntil")
    if body.get("availabilityEnds", cbor.INT_MAX) < body.get("availabilityStarts", 0):
        raise bad("availabilityEnds")  # [REC-43]


def _check_total(body: dict[str, Any]) -> None:
    """[DEAL-4]"""
    lines = body["itemOffered"] + body.get("charges", [])
    total = sum(decimals.parse(line["price"]) for line in lines)
    if total != decimals.parse(body["totalPrice"]):
        raise ParleyError("total_mismatch", "totalPrice")
    if total < 0:
        raise bad("totalPrice")


def _check_body(body: dict[str, Any]) -> None:
    if body["type"] in ("intent", "offer"):
        _check_valid_until(body)
    if body["type"] in ("intent", "withdrawal"):
        if body["retainUntil"] > body["at"] + 366 * DAY:  # [REC-36], [REC-37]
            raise ParleyError("life_too_long", "retainUntil")
    if body["type"] == "offer":
        _check_total(body)


# ---- Parsing ----------------------------------------------------------------


def parse(block: bytes) -> Record:
    """A record from its block, with all checks but those of time ([REC-39])."""
    if len(block) > MAX_BLOCK:
        raise ParleyError("too_large", "block")
    whole = cbor.decode(block)
    if (
        not isinstance(whole, list)
        or len(whole) != 2
        or not isinstance(whole[0], dict)
        or not isinstance(whole[1], bytes)
        or len(whole[1]) != 64
    ):
        raise ParleyError("malformed", "not a record")  # [REC-1]
    body, signature = whole
    if is_integer(body.get("v")) and body["v"] != 1:
        raise ParleyError("unsupported_version", "v")
    seen = Seen()
    known = isinstance(body.get("type"), str) and body["type"] in _BODIES
    if known:
        _BODIES[body["type"]](body, "", seen)
    else:  # [REC-29]
        _HEADER_SHAPE(body, "", Seen())
    _check_header(body)
    if known:
        _check_body(body)
    message = _LABEL + block[1:-66]
    if not ed25519.verify(key_of(body["by"]), message, signature):
        raise ParleyError("bad_signature")  # [REC-30]
    return Record(block, cid.of_block(block), body, known, tuple(sorted(seen.unknown)))


def check_time(record: Record, now: int) -> None:
    """[REC-32] to [REC-34]"""
    if record.at > now + MAX_AHEAD:
        raise ParleyError("not_yet_valid")
    if now >= record.body["retainUntil"]:
        raise ParleyError("expired")
    if record.type == "intent" and now >= record.body["validUntil"]:
        raise ParleyError("expired")


def sign(seed: bytes, body: dict[str, Any]) -> bytes:
    """A record by a key, for self tests: nothing is checked."""
    raw = cbor.encode(body)
    return b"\x82" + raw + b"\x58\x40" + ed25519.sign(seed, _LABEL + raw)


assert all(has_form("type", name) for name in _BODIES)
