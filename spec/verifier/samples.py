"""Records that the self tests sign."""

from __future__ import annotations

from typing import Any

import did
import ed25519
import records
from cid import Link
from deal import DealKey
from records import DAY, Record

AT = 1767225600
CUSTOMER, VENDOR, STRANGER = (bytes((n,)) * 32 for n in (1, 2, 3))


def did_of(seed: bytes) -> str:
    return did.of_key(ed25519.public_key(seed))


def body(seed: bytes, type_: str, at: int = AT, **own: Any) -> dict[str, Any]:
    """A body with its header; members of None are left out."""
    header = {"type": type_, "v": 1, "by": did_of(seed), "at": at, "retainUntil": AT + 90 * DAY}
    return {name: value for name, value in (header | own).items() if value is not None}


def make(seed: bytes, type_: str, at: int = AT, **own: Any) -> Record:
    """A valid record."""
    return records.parse(records.sign(seed, body(seed, type_, at, **own)))


def reply_to(**own: Any) -> dict[str, Any]:
    return {"suite": 1, "key": bytes(32), "token": bytes(32), "mailboxes": [], **own}


def intent_fields(**own: Any) -> dict[str, Any]:
    return {
        "salt": bytes(32),
        "market": "test",
        "name": "A chair",
        "category": ["cpv:39112000"],
        "itemOffered": [{"name": "Chair"}],
        "validUntil": AT + 10 * DAY,
        "terms": ["PDC-INTENT"],
        "awards": 1,
        "replyTo": reply_to(),
    } | own


def intent(**own: Any) -> Record:
    return make(CUSTOMER, "intent", **intent_fields(**own))


class Deal:
    """One deal on one intent, and the records that its sides may sign."""

    def __init__(self, round_: int = 1, **own: Any) -> None:
        self.intent = intent(**own)
        self.key = DealKey(self.intent.id, did_of(VENDOR), round_)

    def sign(self, seed: bytes, type_: str, at: int, **own: Any) -> Record:
        key = [Link(self.key.intent), self.key.vendor, self.key.round]
        return make(seed, type_, AT + at, **({"deal": key} | own))

    def offer(self, at: int = 1, seed: bytes = VENDOR, **own: Any) -> Record:
        fields = {
            "number": 1,
            "itemOffered": [{"name": "Chair", "item": 0, "price": "10.5"}],
            "charges": [{"kind": "discount", "price": "-0.5"}],
            "priceCurrency": "EUR",
            "totalPrice": "10",
            "terms": "PDC-INTENT",
            "validUntil": AT + DAY,
            "replyTo": reply_to(),
        }
        return self.sign(seed, "offer", at, **(fields | own))

    def acceptance(self, offer: Record, at: int = 2, **own: Any) -> Record:
        fields = {"offer": Link(offer.id), "replyTo": reply_to()}
        return self.sign(CUSTOMER, "acceptance", at, **(fields | own))

    def confirmation(self, acceptance: Record, at: int = 3, seed: bytes = VENDOR) -> Record:
        return self.sign(seed, "confirmation", at, acceptance=Link(acceptance.id))

    def void(self, cites: Record | None, at: int = 4) -> Record:
        link = None if cites is None else Link(cites.id)
        return self.sign(VENDOR, "void", at, reason="out_of_stock", cites=link)

    def ask(self, type_: str = "cancel", at: int = 3) -> Record:
        return self.sign(CUSTOMER, type_, at, reason="changed_mind")

    def counter(self, offer: Record, at: int = 2) -> Record:
        fields = {"offer": Link(offer.id), "description": "Less.", "validUntil": AT + DAY}
        return self.sign(CUSTOMER, "counter", at, **fields)

    def terms_counter(self, terms: str = "SD-BASE", at: int = 1) -> Record:
        return self.sign(VENDOR, "terms-counter", at, terms=terms, replyTo=reply_to())

    def next_round(self, previous: Record, at: int = 7) -> Record:
        return self.sign(CUSTOMER, "next-round", at, previous=Link(previous.id))

    def follow_up(self, agreement: bytes, seed: bytes = VENDOR, at: int = 8, **own: Any) -> Record:
        fields = {"agreement": Link(agreement), "orderStatus": "delivered"}
        return self.sign(seed, "order-event", at, **(fields | own))

    def restored(self, at: int = 5) -> Record:
        return self.sign(VENDOR, "restored", at, replyTo=reply_to())

    def held(self, restored: Record, decision: Record, at: int = 6) -> Record:
        links = {"restored": Link(restored.id), "decision": Link(decision.id)}
        return self.sign(CUSTOMER, "held", at, **links)

    def customer_void(self, restored: Record, at: int = 6) -> Record:
        return self.sign(CUSTOMER, "customer-void", at, restored=Link(restored.id))
