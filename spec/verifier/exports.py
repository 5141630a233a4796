"""Agreements in the forms of others (document 11)."""

from __future__ import annotations

import base64
import csv
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import cid
from archive import Archive
from cid import Link
from deal import FOLLOW_UPS, DealKey, Word, follow
from errors import ParleyError
from records import Record

_REGISTRY = Path(__file__).resolve().parent.parent / "registry"
_SAFE = 2**53 - 1
_KEYWORDS = {"@id", "@type", "@value", "@language", "@list", "@set"}
_ODRL_CONTEXTS = {"http://www.w3.org/ns/odrl.jsonld", "https://www.w3.org/ns/odrl.jsonld"}
_XSD = "http://www.w3.org/2001/XMLSchema#"
_PREFIXES = {
    "dpv": "https://w3id.org/dpv#",
    "ai": "https://w3id.org/dpv/ai#",
    "ieee-7012": "https://w3id.org/dpv/standards/ieee/7012#",
}
_IRI = re.compile(r'[A-Za-z][A-Za-z0-9+.-]*:[^ <>"{}|\\^`]+', re.DOTALL)

Object = dict[str, Any]


def _table(name: str) -> dict[str, dict[str, str]]:
    with (_REGISTRY / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {next(iter(row.values())): row for row in rows}


class Agreement:
    """The records of an agreement ([EXP-1], [EXP-4])."""

    def __init__(self, found: Archive) -> None:
        if found.kind != "deal":
            raise ParleyError("unsupported_format", found.kind)
        assert found.about is not None
        self.key, state = found.about, found.deals[found.about]
        if state.phase != "agreed":
            raise ParleyError("not_found", state.phase)
        by_id = {r.id: r for r in found.records}
        assert state.agreement and state.acceptance
        self.intent = found.records[0]
        self.confirmation = by_id[state.agreement]
        self.acceptance = by_id[state.acceptance]
        self.offer = by_id[self.acceptance.body["offer"].cid]
        self.roster: str | None = None
        self.terms: Record | None = None
        cited = self.offer.body["terms"]
        if isinstance(cited, Link):
            if cited.cid not in by_id:
                raise ParleyError("missing_record", str(cited))
            self.terms = by_id[cited.cid]
        else:
            self.roster = cited
        self.person, self.seller = self.intent.by, self.key.vendor
        statuses = {row["code"]: row["said_by"] for row in _table("order-statuses.csv").values()}
        later = [r for r in found.records if r.type in FOLLOW_UPS]
        self.said, _ = follow(self.person, self.key, state.agreement, later, statuses)
        self.name = self.confirmation.text_id

    @property
    def terms_iri(self) -> str:
        if self.terms is not None:
            return _iri(self.terms)
        assert self.roster
        return _PREFIXES["ieee-7012"] + self.roster

    def rules(self) -> tuple[list[dict[str, str]], bool]:
        """The rules of the roster, and whether they are all ([EXP-7])."""
        lists, rules = _table("roster-rules.csv"), _table("rules.csv")
        if self.roster not in lists:
            raise ParleyError("unknown_agreement", self.roster or "")
        row = lists[self.roster]
        return [rules[name] for name in row["rules"].split()], row["only"] == "yes"


def _iri(r: Record) -> str:
    return "ipfs://" + r.text_id


def _ref(iri: str) -> Object:
    return {"@id": iri}


def _instant(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _time(seconds: int) -> Object:
    return {"@type": _XSD + "dateTime", "@value": _instant(seconds)}


def _number(text: str) -> Any:
    """[EXP-3]"""
    digits = text.replace(".", "").replace("-", "").lstrip("0")
    return text if len(digits) > 15 else Decimal(text)


def _whole(name: str) -> str:
    prefix, _, local = name.partition(":")
    return _PREFIXES[prefix] + local


def _some(pairs: Object) -> Object:
    """The members that have a value."""
    return {key: value for key, value in pairs.items() if value not in (None, [], {})}


def canonical(value: Any) -> str:
    """RFC 8785, for what exports have."""
    if isinstance(value, dict):
        entries = sorted(value.items(), key=lambda entry: entry[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(k)}:{canonical(v)}" for k, v in entries) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    if isinstance(value, Decimal):
        return format(value, "f")
    return json.dumps(value, ensure_ascii=False)


# ---- ODRL ------------------------------------------------------------------


def odrl(a: Agreement) -> Object:
    """[EXP-6]"""
    doc: Object = {
        "@type": "Agreement",
        "uid": _iri(a.confirmation),
        "assigner": a.person,
        "assignee": a.seller,
        "conflict": "prohibit",
        "dct:identifier": a.name,
        "dct:issued": _time(a.confirmation.at),
        "dct:references": [_ref(_iri(r)) for r in (a.intent, a.offer, a.acceptance)],
    }
    if replaced := a.offer.link("changes"):
        doc["dct:replaces"] = _ref("ipfs://" + cid.to_text(replaced))
    if a.terms is None:
        _spell_out(doc, a)
    else:
        _own_terms(doc, a.terms)
    doc["@context"] = _context(doc)
    return doc


def _spell_out(doc: Object, a: Agreement) -> None:
    """[EXP-7], [EXP-8]"""
    rules, only = a.rules()
    doc["profile"] = "https://w3id.org/dpv/mappings/odrl"
    doc["dct:description"] = _table("terms.csv")[a.roster or ""]["sentence"]
    doc["ieee-7012:hasAgreement"] = _ref(a.terms_iri)
    if only:
        doc["ieee-7012:hasDeonticInterpretation"] = _ref(
            _PREFIXES["ieee-7012"] + "ProhibitiveInterpretation"
        )
    for rule in rules:
        limits = [
            {"leftOperand": left, "operator": operator, "rightOperand": _ref(_whole(rule[column]))}
            for column, left, operator in (
                ("purpose", "purpose", "eq"),
                ("recipient", "recipient", "isA"),
                ("technology", "https://w3id.org/dpv/mappings/odrl#Technology", "isA"),
            )
            if rule[column]
        ]
        entry = {"action": _whole(rule["action"]), "target": _whole(rule["target"])}
        doc.setdefault(rule["kind"], []).append(_some({**entry, "constraint": limits}))


def _own_terms(doc: Object, terms: Record) -> None:
    """[EXP-9], [EXP-10]"""
    body = terms.body
    based_on = body.get("basedOn")
    node = _some(
        {
            "@id": _iri(terms),
            "@type": "ieee-7012:Agreement",
            "dct:title": body["name"],
            "dct:description": body["text"],
            "dct:language": body.get("inLanguage"),
            "dct:relation": _ref(_PREFIXES["ieee-7012"] + based_on) if based_on else None,
        }
    )
    doc["ieee-7012:hasAgreement"] = node
    doc["obligation"] = [{"action": "reviewPolicy", "target": _iri(terms)}]
    if "policy" in body:
        policy = _plain(body["policy"])
        embedded = _Names(policy).embed(policy)
        if embedded is not None:
            doc["inheritFrom"] = embedded
        else:
            node["ieee-7012:hasMachineReadableFormat"] = {"@type": "@json", "@value": policy}


def _plain(value: Any) -> Any:
    if isinstance(value, Link):
        return _ref("ipfs://" + cid.to_text(value.cid))
    if isinstance(value, bytes):
        return {"@type": _XSD + "base64Binary", "@value": base64.b64encode(value).decode()}
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _SAFE:
        return {"@type": _XSD + "integer", "@value": str(value)}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    return value


def _walk(value: Any, under: str = "") -> Iterator[tuple[str, str]]:
    """Every key, with itself, and every text, with its key."""
    if isinstance(value, dict):
        for key, entry in value.items():
            yield key, key
            yield from _walk(entry, key)
    elif isinstance(value, list):
        for entry in value:
            yield from _walk(entry, under)
    elif isinstance(value, str):
        yield under, value


def _prefix(name: str, terms: dict[str, dict[str, str]]) -> dict[str, str] | None:
    head, colon, _ = name.partition(":")
    term = terms.get(head) if colon else None
    return term if term and term["iri"].endswith(("#", "/")) else None


def _context(doc: Object) -> Object:
    """[EXP-11]"""
    terms, context = _table("odrl-context.csv"), {}
    for _, name in _walk(doc):
        for term in (terms.get(name), _prefix(name, terms)):
            if term:
                kind = term["coercion"]
                context[term["term"]] = {"@id": term["iri"], "@type": kind} if kind else term["iri"]
    return context


class _Names:
    """What means something in a policy ([EXP-10])."""

    def __init__(self, policy: Object) -> None:
        self.terms = _table("odrl-context.csv")
        self.own: list[Object] = []
        self.odrl = "@context" not in policy
        self.good = True
        stated = policy.get("@context", [])
        for entry in stated if isinstance(stated, list) else [stated]:
            if isinstance(entry, str):
                self.good &= entry in _ODRL_CONTEXTS and not self.own
                self.odrl = True
            elif isinstance(entry, dict):
                self.good &= all(map(self._defines, entry, entry.values()))
                self.own.append(entry)
            else:
                self.good = False

    @staticmethod
    def _defines(key: str, value: Any) -> bool:
        if isinstance(value, dict):
            fine = all(k in ("@id", "@type") and isinstance(v, str) for k, v in value.items())
        else:
            fine = isinstance(value, str)
        return fine and not key.startswith("@")

    def known(self, name: str) -> bool:
        if name.startswith("@"):
            return name in _KEYWORDS
        head, colon, rest = name.partition(":")
        if any(name in c or (colon and head in c) for c in self.own):
            return True
        if self.odrl and (name in self.terms or _prefix(name, self.terms)):
            return True
        return bool(colon) and rest.startswith("//")

    def names_things(self, key: str) -> bool:
        if key in ("@id", "@type"):
            return True
        for context in reversed(self.own):
            if key in context:
                value = context[key]
                if isinstance(value, dict):
                    return value.get("@type") in ("@id", "@vocab")
                return value in ("@id", "@type")
        term = self.terms.get(key) if self.odrl else None
        return bool(term and (term["coercion"] or term["iri"].startswith("@")))

    def embed(self, policy: Object) -> Object | None:
        out = {key: value for key, value in policy.items() if key != "@context"}
        for key, text in _walk(out):
            if key == text:
                fine = self.known(text)
            else:
                fine = not self.names_things(key) or self.known(text) or bool(_IRI.fullmatch(text))
            if not fine:
                return None
        if not self.good:
            return None
        return {**out, "@context": self.own} if self.own else out


# ---- Consent ---------------------------------------------------------------

_UNSTATED = (
    "The agreement does not state storage locations, the retention period, jurisdiction, "
    "a method of withdrawal, recipients by name, or the parties' names and contacts."
)
_RELATIONS = {
    "permission": ("dpv:hasProcess", "dpv:Permission"),
    "prohibition": ("dpv:hasProhibition", "dpv:Prohibition"),
    "obligation": ("dpv:hasObligation", "dpv:Obligation"),
}


def consent(a: Agreement) -> Object:
    """[EXP-12]"""
    profile = "https://w3id.org/dpv/schema/dpv-27560#"
    return {
        "@context": {
            **_PREFIXES,
            "dct": "http://purl.org/dc/terms/",
            "schema": "https://schema.org/",
        },
        "@id": _iri(a.confirmation) + "#consent-receipt",
        "@type": "dpv:ConsentReceipt",
        "dct:identifier": a.name,
        "dct:conformsTo": _ref(profile + "receipt"),
        "dct:created": _time(a.confirmation.at),
        "dct:publisher": _ref(a.seller),
        "dct:source": _ref(_iri(a.confirmation)),
        "schema:recipient": _ref(a.person),
        "dpv:hasRecordOfActivity": {
            "@id": _iri(a.confirmation) + "#consent-record",
            "@type": "dpv:ConsentRecord",
            "dct:identifier": a.name,
            "dct:conformsTo": _ref(profile + "record"),
            "dct:description": _UNSTATED,
            "dpv:hasDataSubject": _role(a.person, "dpv:DataSubject"),
            "dpv:hasDataController": _role(a.seller, "dpv:DataController"),
            "dpv:hasLegalBasis": _ref(_PREFIXES["dpv"] + "Consent"),
            "dpv:hasConsentStatus": {
                "@type": ["dpv:ConsentGiven", "dpv:ExpressedConsent"],
                "dpv:isIndicatedBy": _ref(a.person),
                "dpv:isIndicatedAtTime": _time(a.acceptance.at),
                "dpv:hasIndicationMethod": _ref(_iri(a.acceptance)),
            },
            "ieee-7012:hasAgreement": _ref(a.terms_iri),
            **_consented(a),
        },
    }


def _role(party: str, role: str) -> Object:
    return {"@id": party, "@type": role, "dct:identifier": party}


def _consented(a: Agreement) -> Object:
    """[EXP-12] to [EXP-14]"""
    notice = {"@id": a.terms_iri, "@type": "dpv:ConsentNotice"}
    if a.terms is not None:
        body = a.terms.body
        said = {
            "dct:title": body["name"],
            "dct:description": body["text"],
            "dct:language": body.get("inLanguage"),
            "dct:date": _time(a.terms.at),
        }
        process = {
            "@type": "dpv:Process",
            "dpv:hasPersonalData": _ref(_PREFIXES["dpv"] + "PersonalData"),
            "dpv:hasPurpose": {"@type": "dpv:Purpose", "dct:description": body["text"]},
        }
        return {"dpv:hasNotice": _some({**notice, **said}), "dpv:hasProcess": [process]}
    rules, only = a.rules()
    entry = _table("terms.csv")[a.roster or ""]
    said = {
        "dct:title": entry["name"],
        "dct:description": entry["sentence"],
        "dct:language": "en",
    }
    out: Object = {"dpv:hasNotice": {**notice, **said}}
    if only:
        out["ieee-7012:hasDeonticInterpretation"] = _ref(
            _PREFIXES["ieee-7012"] + "ProhibitiveInterpretation"
        )
    for rule in rules:
        relation, kind = _RELATIONS[rule["kind"]]
        whole = {c: _ref(_whole(rule[c])) for c in rule if ":" in rule[c] and c != "summary"}
        anonymous = rule["target"] == "dpv:AnonymisedData"
        recipient = whole.get("recipient")
        if recipient is None and rule["kind"] != "prohibition":
            recipient = _ref(a.seller)
        out.setdefault(relation, []).append(
            _some(
                {
                    "@type": ["dpv:Process", kind],
                    "dct:description": rule["summary"],
                    "dpv:hasProcessing": whole["action"],
                    "dpv:hasData" if anonymous else "dpv:hasPersonalData": whole["target"],
                    "dpv:hasPurpose": whole.get("purpose"),
                    "dpv:isImplementedUsingTechnology": whole.get("technology"),
                    "dpv:hasRecipient": recipient,
                }
            )
        )
    return out


# ---- Orders ----------------------------------------------------------------


_ORDER_STATUS = {
    "processing": "OrderProcessing",
    "payment_due": "OrderPaymentDue",
    "ready_for_pickup": "OrderPickupAvailable",
    "dispatched": "OrderInTransit",
    "delivered": "OrderDelivered",
    "fulfilled": "OrderDelivered",
    "returned": "OrderReturned",
    "problem": "OrderProblem",
}


def _order_status(said: list[Word]) -> str:
    """[EXP-24]"""
    events = [(w.side, w.status) for w in said if w.record.type == "order-event"]
    last, word = "OrderProcessing", {}
    for i, (side, status) in enumerate(events):
        settled = ("vendor", "payment_received") in events[i:]
        if status not in _ORDER_STATUS or (status == "payment_due" and settled):
            continue
        last = word[side] = _ORDER_STATUS[status]
    return "OrderProblem" if "OrderProblem" in word.values() else last


def schemaorg(a: Agreement) -> Object:
    """[EXP-16] to [EXP-18]"""
    asked, offered = a.intent.body, a.offer.body
    key = DealKey.of(offered["deal"])
    assert key
    area = asked.get("areaServed", {})
    address = {k: area[k] for k in area if k in _ADDRESS}
    window = offered.get("deliveryWindow")
    if window is None:
        names = {"starts": "availabilityStarts", "ends": "availabilityEnds"}
        window = {end: offered.get(name) for end, name in names.items()}
    delivery = _some(
        {
            "expectedArrivalFrom": _moment(window, "starts"),
            "expectedArrivalUntil": _moment(window, "ends"),
            "deliveryAddress": {"@type": "PostalAddress", **address} if address else None,
        }
    )
    return _some(
        {
            "@context": {"@vocab": "https://schema.org/", "orderStatus": {"@type": "@id"}},
            "@id": _iri(a.confirmation),
            "@type": "Order",
            "name": asked["name"],
            "identifier": [
                {"@type": "PropertyValue", "propertyID": p["propertyID"], "value": p["value"]}
                for p in asked.get("identifier", [])
            ],
            "orderNumber": cid.to_text(key.id),
            "confirmationNumber": a.name,
            "orderDate": _instant(a.acceptance.at),
            "orderStatus": "https://schema.org/" + _order_status(a.said),
            "customer": _party(a.person),
            "seller": _party(a.seller),
            "acceptedOffer": _offer(a),
            "orderedItem": [
                _some(
                    {
                        "@type": "OrderItem",
                        "orderItemNumber": str(number),
                        "orderedItem": _product(line, offered["priceCurrency"]),
                        "orderQuantity": _quantity(line),
                    }
                )
                for number, line in enumerate(offered["itemOffered"], 1)
            ],
            "orderDelivery": {"@type": "ParcelDelivery", **delivery} if delivery else None,
        }
    )


_ADDRESS = {"addressCountry", "addressRegion", "addressLocality", "postalCode"}


def _moment(body: Object, name: str) -> str | None:
    return _instant(body[name]) if body.get(name) else None


def _party(name: str) -> Object:
    return {"@id": name, "identifier": name}


def _quantity(line: Object) -> Object | None:
    amount = line.get("eligibleQuantity")
    if amount is None:
        return None
    value = _number(amount["value"])
    return {"@type": "QuantitativeValue", "value": value, "unitCode": amount["unitCode"]}


def _product(line: Object, currency: str) -> Object:
    unit = line.get("unitPrice")
    price = {"@type": "Offer", "price": _number(unit), "priceCurrency": currency} if unit else None
    return _some(
        {
            "@type": "Product",
            "name": line["name"],
            "description": line.get("description"),
            "category": line.get("category"),
            "offers": price,
            "additionalProperty": [
                {
                    "@type": "PropertyValue",
                    "propertyID": "taxRate",
                    "value": _number(line["taxRate"]),
                    "unitCode": "P1",
                }
            ]
            if "taxRate" in line
            else None,
        }
    )


def _offer(a: Agreement) -> Object:
    """[EXP-17]"""
    offered = a.offer.body
    currency, total = offered["priceCurrency"], _number(offered["totalPrice"])
    lines = offered["itemOffered"]
    parts = []
    for line in lines:
        quantity = _quantity(line)
        kind = "UnitPriceSpecification" if quantity else "PriceSpecification"
        part = {"@type": kind, "name": line["name"], "price": _number(line["price"])}
        parts.append(_some({**part, "priceCurrency": currency, "referenceQuantity": quantity}))
    for charge in offered.get("charges", []):
        by_truck = charge["kind"] == "delivery"
        parts.append(
            {
                "@type": "DeliveryChargeSpecification" if by_truck else "PriceSpecification",
                "name": charge.get("name", charge["kind"]),
                "additionalType": charge["kind"],
                "price": _number(charge["price"]),
                "priceCurrency": currency,
            }
        )
    included = offered.get("taxIncluded")
    tax = {} if included is None else {"valueAddedTaxIncluded": included}
    goods: Object
    if len(lines) == 1 or not any("eligibleQuantity" in line for line in lines):
        goods = {"itemOffered": [_product(line, currency) for line in lines]}
        if len(lines) == 1:
            goods["eligibleQuantity"] = _quantity(lines[0])
    else:
        goods = {"includesObject": [_counted(line, currency) for line in lines]}
    return _some(
        {
            "@type": "Offer",
            "@id": _iri(a.offer),
            "offeredBy": _party(a.seller),
            "description": offered.get("description"),
            "availabilityStarts": _moment(offered, "availabilityStarts"),
            "availabilityEnds": _moment(offered, "availabilityEnds"),
            "validFrom": _instant(a.offer.at),
            "validThrough": _instant(offered["validUntil"]),
            "price": total,
            "priceCurrency": currency,
            "priceSpecification": {
                "@type": "CompoundPriceSpecification",
                "price": total,
                "priceCurrency": currency,
                "priceComponent": parts,
                **tax,
            },
            "hasMerchantReturnPolicy": _returns(offered),
            "subjectOf": _work(a),
            **goods,
        }
    )


_RETURNS = {
    "finite_window": "MerchantReturnFiniteReturnWindow",
    "not_permitted": "MerchantReturnNotPermitted",
    "unlimited_window": "MerchantReturnUnlimitedWindow",
    "customer_pays": "ReturnFeesCustomerResponsibility",
    "fixed": "ReturnShippingFees",
    "free": "FreeReturn",
}


def _returns(offered: Object) -> Object | None:
    policy = offered.get("returnPolicy")
    if policy is None:
        return None
    node: Object = {"@type": "MerchantReturnPolicy"}
    for name in ("returnPolicyCategory", "returnFees"):
        if code := policy.get(name):
            known = _RETURNS.get(code)
            node[name] = _ref("https://schema.org/" + known) if known else code
    if "merchantReturnDays" in policy:
        node["merchantReturnDays"] = policy["merchantReturnDays"]
    if "returnFeeAmount" in policy:
        node["returnShippingFeesAmount"] = {
            "@type": "MonetaryAmount",
            "value": _number(policy["returnFeeAmount"]),
            "currency": offered["priceCurrency"],
        }
    if "description" in policy:
        node["description"] = policy["description"]
    return node


def _counted(line: Object, currency: str) -> Object:
    quantity = _quantity(line) or {}
    return _some(
        {
            "@type": "TypeAndQuantityNode",
            "typeOfGood": _product(line, currency),
            "amountOfThisGood": quantity.get("value"),
            "unitCode": quantity.get("unitCode"),
        }
    )


def _work(a: Agreement) -> Object | None:
    node = {"@type": "CreativeWork", "@id": a.terms_iri}
    if a.terms is not None:
        body = a.terms.body
        said = {"name": body["name"], "text": body["text"], "inLanguage": body.get("inLanguage")}
        return _some({**node, **said})
    entry = _table("terms.csv").get(a.roster or "")
    if entry is None:
        return None
    return {**node, "name": entry["name"], "text": entry["sentence"], "inLanguage": "en"}


FORMATS: dict[str, Callable[[Agreement], Object]] = {
    "odrl": odrl,
    "consent": consent,
    "schemaorg": schemaorg,
}


def export(found: Archive, form: str) -> str:
    """An agreement in one of the forms ([EXP-2])."""
    return canonical(FORMATS[form](Agreement(found)))
