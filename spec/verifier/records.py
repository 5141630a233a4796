"""Records: form, header, bodies, signature, time (document 2 and records.cddl)."""

from __future__ import annotations

from collections.abc import Callable
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
    SOME_TIME, TIME, Seen, Shape, array, bad, boolean, did, exactly, form, free_map,
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


def _amount(value: Any, path: str, seen: Seen) -> None:
    """A decimal that is not negative ([REC-44])."""
    form("decimal")(value, path, seen)
    if decimals.parse(value) < 0:
        raise bad(path)


def _tax_rate(value: Any, path: str, seen: Seen) -> None:
    """Percent, from 0 to 100 ([REC-44])."""
    _amount(value, path, seen)
    if decimals.parse(value) > decimals.parse("100"):
        raise bad(path)


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
            "taxRate?": _tax_rate,
        }
    )


_CHARGE = mapping(
    {
        "kind": one_of("tax", "delivery", "fee", "discount", "other"),
        "name?": text(200),
        "price": form("decimal"),
        "taxRate?": _tax_rate,
    }
)


def _within(shape: Shape, low: str, high: str) -> Shape:
    """A map with two times of which the second is not before the first ([REC-44])."""

    def check(value: Any, path: str, seen: Seen) -> None:
        shape(value, path, seen)
        if value.get(high, cbor.INT_MAX) < value.get(low, 0):
            raise bad(f"{path}.{high}")

    return check


def _says(shape: Shape, *names: str) -> Shape:
    """A map that has at least one of these keys ([REC-44])."""

    def check(value: Any, path: str, seen: Seen) -> None:
        shape(value, path, seen)
        if not any(name in value for name in names):
            raise bad(path)

    return check


def _paired(shape: Shape) -> Shape:
    """A map with a total and its currency, or neither ([REC-44])."""

    def check(value: Any, path: str, seen: Seen) -> None:
        shape(value, path, seen)
        if ("totalPrice" in value) != ("priceCurrency" in value):
            raise bad(f"{path}.totalPrice")

    return check


_DELIVERY_WINDOW = _within(mapping({"starts": TIME, "ends": TIME}), "starts", "ends")
_RETURN_POLICY = mapping(
    {
        "returnPolicyCategory": form("code"),
        "merchantReturnDays?": integer(0, 3660),
        "returnFees?": form("code"),
        "returnFeeAmount?": _amount,
        "description?": text(2000, lines=True),
    }
)
_PAYMENT = mapping({"priceCurrency": form("currency"), "price": _amount, "method?": text(64)})
_SELLER = _says(
    mapping({"legalName?": text(200), "taxID?": text(64), "address?": text(500)}),
    "legalName", "taxID", "address",
)  # fmt: skip
_MEASURE = mapping({"name": text(100), "value": form("decimal"), "unitCode?": form("unit-code")})
_TRANSACTION = _paired(
    mapping(
        {
            "agreement": link,
            "seller?": did,
            "orderDate?": SOME_TIME,
            "name?": text(200),
            "category?": _CATEGORIES,
            "priceCurrency?": form("currency"),
            "totalPrice?": _amount,
            "receipt?": link,
        }
    )
)
_KEPT = mapping({"record": link, "reason": form("code"), "until?": SOME_TIME})


def _preference_value(value: Any, path: str, seen: Seen) -> None:
    (free_map if isinstance(value, dict) else text(4000, lines=True))(value, path, seen)


def _salt(value: Any, path: str, seen: Seen) -> None:
    octets(32)(value, path, seen)
    if not any(value):  # [REC-18]
        raise bad(path)


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

_SUBJECT: dict[str, Shape] = {"deal": deal_key, "agreement": link}

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
        "deliveryWindow?": _DELIVERY_WINDOW,
        "returnPolicy?": _RETURN_POLICY,
        "taxIncluded?": boolean,
        "validUntil": TIME,
        "counter?": link,
        "changes?": link,
        "replyTo": REPLY_TO,
    },
    "counter": {
        "deal": deal_key,
        "offer": link,
        "itemOffered?": array(1, 200, _offer_item()),
        "charges?": array(1, 32, _CHARGE),
        "priceCurrency?": form("currency"),
        "totalPrice?": form("decimal"),
        "description?": text(4000, lines=True),
        "availabilityStarts?": SOME_TIME,
        "availabilityEnds?": SOME_TIME,
        "reason?": form("code"),
        "validUntil": TIME,
    },
    "terms-counter": {
        "deal": deal_key,
        "terms": _terms_ref,
        "description?": text(4000, lines=True),
        "replyTo": REPLY_TO,
    },
    "order-event": {
        **_SUBJECT,
        "orderStatus": form("code"),
        "occurred?": SOME_TIME,
        "description?": text(2000, lines=True),
        "trackingUrl?": form("url"),
        "payment?": _PAYMENT,
        "items?": array(1, 200, integer(0, 199), same_bytes),
    },
    "receipt": {
        **_SUBJECT,
        "orderDate": TIME,
        "priceCurrency": form("currency"),
        "totalPrice": form("decimal"),
        "items?": array(1, 200, _offer_item()),
        "charges?": array(1, 32, _CHARGE),
        "identifier?": text(64),
        "paymentMethod?": text(64),
        "seller?": _SELLER,
    },
    "outcome": {
        **_SUBJECT,
        "result": form("code"),
        "description?": text(4000, lines=True),
        "measure?": array(1, 16, _MEASURE),
    },
    "preference": {
        "salt?": _salt,
        "name": text(200),
        "category?": _CATEGORIES,
        "value": _preference_value,
        "supersedes?": link,
    },
    "membership": {
        "salt?": _salt,
        "member?": did,
        "programName": text(200),
        "hostingOrganization?": did,
        "membershipNumber?": text(64),
        "validFrom?": SOME_TIME,
        "validThrough?": SOME_TIME,
        "supersedes?": link,
    },
    "transaction-history": {
        "salt?": _salt,
        "transactions": array(1, 256, _TRANSACTION),
        "periodStarts?": SOME_TIME,
        "periodEnds?": SOME_TIME,
        "supersedes?": link,
    },
    "deletion-notice": {
        "intent": link,
        "deal?": deal_key,
        "erased": array(0, 64, link, same_bytes),
        "kept": array(0, 64, _KEPT),
        "description?": text(2000, lines=True),
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
    "next-round": {
        "deal": deal_key,
        "previous": link,
        "reason?": form("code"),
        "description?": text(4000, lines=True),
        **_REPLY,
    },
    "introduction": {"intent": link, "vendor": did, "relationship": did, "proof": octets(64)},
    "writer": {"instance": octets(16), "started": TIME},
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


def _in_order(body: dict[str, Any], first: str, last: str) -> None:
    """Two optional times, of which the second is not before the first."""
    if body.get(last, cbor.INT_MAX) < body.get(first, 0):
        raise bad(last)


def _check_valid_until(body: dict[str, Any]) -> None:
    """What an intent, an offer and a counter have in common ([REC-36], [REC-38])."""
    if not body["at"] < body["validUntil"] <= body["retainUntil"]:
        raise bad("validUntil")
    if body["validUntil"] > body["at"] + 180 * DAY:
        raise ParleyError("life_too_long", "validUntil")
    _in_order(body, "availabilityStarts", "availabilityEnds")  # [REC-43]


def _check_life(body: dict[str, Any], most: int) -> None:
    """[REC-36], [REC-37], [REC-45]"""
    if body["retainUntil"] > body["at"] + most:
        raise ParleyError("life_too_long", "retainUntil")


def _check_total(body: dict[str, Any], lines: str) -> None:
    """[DEAL-4], [DEAL-34]"""
    if decimals.parse(body["totalPrice"]) < 0:
        raise bad("totalPrice")
    if lines not in body:
        if "charges" in body:
            raise bad("charges")
        return
    total = sum(decimals.parse(line["price"]) for line in body[lines] + body.get("charges", []))
    if total != decimals.parse(body["totalPrice"]):
        raise ParleyError("total_mismatch", "totalPrice")


def _check_intent(body: dict[str, Any]) -> None:
    _check_valid_until(body)
    _check_life(body, 366 * DAY)


def _check_offer(body: dict[str, Any]) -> None:
    _check_valid_until(body)
    _check_total(body, "itemOffered")
    if "counter" in body and body["number"] < 2:  # [DEAL-36]
        raise bad("counter")
    if "changes" in body and body["deal"][2] < 2:  # [DEAL-37]
        raise bad("changes")


def _check_counter(body: dict[str, Any]) -> None:
    """[DEAL-32], [DEAL-34]"""
    _check_valid_until(body)
    if ("totalPrice" in body) != ("priceCurrency" in body):
        raise bad("totalPrice")
    if "totalPrice" in body:
        _check_total(body, "itemOffered")
    elif "itemOffered" in body or "charges" in body:
        raise bad("totalPrice")
    says = ("totalPrice", "description", "availabilityStarts", "availabilityEnds")
    if not any(name in body for name in says):
        raise bad("")


def _check_next_round(body: dict[str, Any]) -> None:
    if body["deal"][2] < 2:  # [DEAL-40]
        raise bad("deal")


def _check_introduction(body: dict[str, Any]) -> None:
    """[KEY-22]"""
    statement = cbor.encode([body["intent"], body["vendor"], body["relationship"]])
    message = b"parley/1/introduction\0" + statement
    if not ed25519.verify(key_of(body["relationship"]), message, body["proof"]):
        raise ParleyError("bad_signature", "proof")


def _check_notice(body: dict[str, Any]) -> None:
    """[REC-46]"""
    if "deal" in body and body["deal"][0] != body["intent"]:
        raise bad("deal")
    kept = [same_bytes(entry["record"]) for entry in body["kept"]]
    if len(set(kept)) != len(kept) or set(kept) & {same_bytes(id_) for id_ in body["erased"]}:
        raise bad("kept")


def _check_writer(body: dict[str, Any]) -> None:
    _check_life(body, 600)
    if body["started"] > body["at"]:  # [REC-44]
        raise bad("started")


_RULES: dict[str, Callable[[dict[str, Any]], None]] = {
    "intent": _check_intent,
    "withdrawal": lambda body: _check_life(body, 366 * DAY),
    "offer": _check_offer,
    "counter": _check_counter,
    "next-round": _check_next_round,
    "receipt": lambda body: _check_total(body, "items"),
    "introduction": _check_introduction,
    "membership": lambda body: _in_order(body, "validFrom", "validThrough"),
    "transaction-history": lambda body: _in_order(body, "periodStarts", "periodEnds"),
    "deletion-notice": _check_notice,
    "writer": _check_writer,
}


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
    if known and body["type"] in _RULES:
        _RULES[body["type"]](body)
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
