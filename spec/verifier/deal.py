"""The fold of a deal (document 6, "The fold")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cbor
import cid
from cid import Link
from records import Record

VENDOR = {"offer", "confirmation", "void", "restored"}
ASKS = {"cancel", "decline", "award-notice"}
CUSTOMER = {"acceptance", "held", "customer-void"} | ASKS


@dataclass(frozen=True)
class DealKey:
    """[DEAL-1]"""

    intent: bytes
    vendor: str
    round: int

    @staticmethod
    def of(value: Any) -> DealKey | None:
        """The key that a decoded `deal` field states, or None."""
        match value:
            case [Link() as intent, str() as vendor, int() as round_]:
                return DealKey(intent.cid, vendor, round_)
        return None

    def encode(self) -> bytes:
        return cbor.encode([Link(self.intent), self.vendor, self.round])

    @property
    def id(self) -> bytes:
        """[DEAL-2]"""
        return cid.of_block(self.encode())


@dataclass(frozen=True)
class State:
    """What the fold gives; IDs instead of records."""

    phase: str
    acceptance: bytes | None
    confirmation: bytes | None
    void: bytes | None
    customer_void: bytes | None
    held: bytes | None
    agreement: bytes | None
    committed: bool
    takes_award: bool
    misfit: dict[bytes, str]
    waiting: dict[bytes, bytes]
    evidence: tuple[bytes, ...]


def states(r: Record, key: DealKey) -> bool:
    """Whether a record is of the deal ([DEAL-1])."""
    return r.type in VENDOR | CUSTOMER and DealKey.of(r.body["deal"]) == key


def place(intent: Record, key: DealKey, r: Record) -> str | None:
    """Why a record has no part in its deal, whatever else may arrive ([DEAL-8])."""
    if r.by != (key.vendor if r.type in VENDOR else intent.by):
        return "wrong_author"
    if r.type == "offer":
        return None if r.body["terms"] in intent.body["terms"] else "terms_not_offered"
    return "critical_extension" if r.crit else None


def fold(intent: Record, key: DealKey, records: Iterable[Record]) -> State:
    """The state of a deal ([DEAL-7])."""
    given = list(records)
    known = {r.id: r for r in given if states(r, key)}
    part: dict[bytes, Record] = {}
    misfit = {r.id: "deal_mismatch" for r in given if not states(r, key)}
    waiting: dict[bytes, bytes] = {}
    for r in sorted(known.values(), key=lambda r: (r.at, r.id)):
        fault = place(intent, key, r)
        if fault is None:
            part[r.id] = r
        else:
            misfit[r.id] = fault

    def of(*types: str) -> list[Record]:
        return [r for r in part.values() if r.type in types]

    def is_part(id_: bytes, *types: str) -> bool:
        return id_ in part and part[id_].type in types

    def cited(r: Record, name: str) -> bytes:
        id_ = r.link(name)
        assert id_ is not None
        return id_

    def firm_until(offer: bytes) -> int:
        return part[offer].body["validUntil"]

    # Acceptances: at most one is in force.
    good: list[Record] = []
    for a in of("acceptance"):
        offer = cited(a, "offer")
        if offer not in known:
            waiting[a.id] = offer
        elif not is_part(offer, "offer"):
            misfit[a.id] = misfit.get(offer, "bad_field")
        elif a.at > firm_until(offer):
            misfit[a.id] = "offer_expired"
        elif part[offer].crit:
            misfit[a.id] = "critical_extension"
        elif part[offer].unknown:
            misfit[a.id] = "unknown_field"
        else:
            good.append(a)

    # Confirmations: whole ones complete the chain from the intent.
    whole: list[Record] = []
    for c in of("confirmation"):
        acceptance_id = cited(c, "acceptance")
        found = is_part(acceptance_id, "acceptance")
        missing = cited(part[acceptance_id], "offer") if found else acceptance_id
        if missing not in known:
            waiting[c.id] = missing
        elif not found or acceptance_id in misfit:
            misfit[c.id] = misfit.get(acceptance_id, "bad_field")
        elif c.at > firm_until(missing):
            misfit[c.id] = "offer_expired"
        else:
            whole.append(c)

    # The customer's answers to restored.
    def answers(r: Record) -> bool:
        restored = cited(r, "restored")
        if is_part(restored, "restored"):
            return True
        if restored not in known:
            waiting[r.id] = restored
        else:
            misfit[r.id] = "bad_field"
        return False

    customer_voids = [r for r in of("customer-void") if answers(r)]
    helds = [r for r in of("held") if answers(r)]
    for h in helds:
        if cited(h, "decision") not in known:
            waiting[h.id] = cited(h, "decision")

    def judge(v: Record) -> bool | bytes:
        """Whether a void is lawful ([DEAL-11]), or the ID that is missing to tell."""
        cites = v.link("cites")
        if cites is None:
            return all(firm_until(o.id) < v.at for o in of("offer"))
        if cites not in known:
            return cites
        if is_part(cites, *ASKS):
            return True
        if is_part(cites, "customer-void"):
            restored = cited(known[cites], "restored")
            return is_part(restored, "restored") if restored in known else restored
        if is_part(cites, "acceptance"):
            offer = cited(known[cites], "offer")
            if offer not in known:
                return offer
            return is_part(offer, "offer") and firm_until(offer) < v.at
        return False

    lawful: list[Record] = []
    unlawful: list[Record] = []
    for v in of("void"):
        verdict = judge(v)
        if isinstance(verdict, bytes):
            waiting[v.id] = verdict
        else:
            (lawful if verdict else unlawful).append(v)

    # Conflict ([DEAL-12]).
    acceptances, confirmations, voids = of("acceptance"), of("confirmation"), of("void")
    evidence: set[bytes] = set()
    if len(acceptances) > 1:
        evidence |= {r.id for r in acceptances}
    if unlawful:
        evidence |= {r.id for r in unlawful}
    if customer_voids and helds:
        evidence |= {r.id for r in customer_voids + helds}
    if not customer_voids and confirmations and len(confirmations) + len(voids) > 1:
        evidence |= {r.id for r in confirmations + voids}
    conflict = bool(evidence)
    ended = bool(lawful or customer_voids)

    unmatched = [r for r in acceptances if r.id in waiting]
    confirmation = _first(whole) or _first([r for r in confirmations if r.id in waiting])
    if whole:
        acceptance: Record | None = part[cited(whole[0], "acceptance")]
    else:
        acceptance = _first(good) or _first(unmatched)
    if conflict:
        phase = "conflict"
    elif ended:
        phase = "voided"
    elif whole:
        phase = "agreed"
    else:
        phase = "pending" if acceptance or confirmation else "open"
    decided = bool(lawful or unlawful) and bool(customer_voids or not confirmations)
    return State(
        phase=phase,
        acceptance=_id(acceptance),
        confirmation=_id(confirmation),
        void=_id(_first(lawful)),
        customer_void=_id(_first(customer_voids)),
        held=_id(_first(helds)),
        agreement=whole[0].id if phase == "agreed" else None,
        committed=not conflict and not ended and confirmation is not None,
        takes_award=bool(good or unmatched) and not decided,
        misfit=misfit,
        waiting=waiting,
        evidence=tuple(sorted(evidence)),
    )


def _first(records: list[Record]) -> Record | None:
    return records[0] if records else None


def _id(record: Record | None) -> bytes | None:
    return record.id if record else None
