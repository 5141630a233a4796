"""The fold of a deal (document 6, "The fold")."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import cbor
import cid
from cid import Link
from records import Record

VENDOR = {"offer", "confirmation", "void", "restored", "terms-counter"}
ASKS = {"cancel", "decline", "award-notice"}
CUSTOMER = {"acceptance", "held", "customer-void", "counter", "next-round"} | ASKS


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
    changes: bytes | None
    counters: tuple[bytes, ...]
    terms_counter: bytes | None
    next_rounds: tuple[bytes, ...]
    asked: frozenset[bytes]  # what the next-rounds cite
    lawful: frozenset[bytes]


def states(r: Record, key: DealKey) -> bool:
    """Whether a record is of the deal ([DEAL-1])."""
    return r.type in VENDOR | CUSTOMER and DealKey.of(r.body["deal"]) == key


def place(intent: Record, key: DealKey, r: Record) -> str | None:
    """Why a record has no part in its deal, whatever else may arrive ([DEAL-8])."""
    if r.by != (key.vendor if r.type in VENDOR else intent.by):
        return "wrong_author"
    if r.type == "offer":
        return None if r.body["terms"] in intent.body["terms"] else "terms_not_offered"
    if r.crit:
        return "critical_extension"
    if r.type == "terms-counter" and r.body["terms"] in intent.body["terms"]:
        return "bad_field"
    return None


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

    # What binds nobody ([DEAL-31]).
    counters: list[Record] = []
    for c in of("counter"):
        offer = cited(c, "offer")
        if offer not in known:
            waiting[c.id] = offer
        elif not is_part(offer, "offer"):
            misfit[c.id] = misfit.get(offer, "bad_field")
        else:
            counters.append(c)
    terms_counters = of("terms-counter")
    for t in terms_counters[1:]:
        misfit[t.id] = "terms_counter_spent"

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
    buys = any(part[cited(a, "offer")].link("changes") is None for a in good)
    changes = None
    if phase == "agreed":
        assert acceptance is not None
        changes = part[cited(acceptance, "offer")].link("changes")
    next_rounds = of("next-round")
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
        takes_award=(buys or bool(unmatched)) and not decided,
        misfit=misfit,
        waiting=waiting,
        evidence=tuple(sorted(evidence)),
        changes=changes,
        counters=tuple(r.id for r in counters),
        terms_counter=_id(_first(terms_counters)),
        next_rounds=tuple(r.id for r in next_rounds),
        asked=frozenset(cited(r, "previous") for r in next_rounds),
        lawful=frozenset(r.id for r in lawful),
    )


# ---- Rounds -------------------------------------------------------------------

Rounds = dict[int, State]


def rounds(intent: Record, vendor: str, records: Iterable[Record]) -> Rounds:
    """The states of the rounds that have records, by round."""
    by_key: dict[DealKey, list[Record]] = {}
    for r in records:
        key = DealKey.of(r.body["deal"]) if r.type in VENDOR | CUSTOMER else None
        if key is not None and (key.intent, key.vendor) == (intent.id, vendor):
            by_key.setdefault(key, []).append(r)
    order = sorted(by_key, key=lambda key: key.round)
    return {key.round: fold(intent, key, by_key[key]) for key in order}


def is_open(by_round: Rounds, n: int) -> bool:
    """[DEAL-23]"""
    if n == 1:
        return True
    before = by_round.get(n - 1)
    if before is None:
        return False
    if before.phase != "voided":
        return before.phase == "agreed"
    whole = all(k in by_round for k in range(1, n))
    return before.void is not None and whole and bool(by_round[n].asked & before.lawful)


def about(by_round: Rounds, n: int) -> bytes | None:
    """The agreement that a round is about ([DEAL-42])."""
    while n > 1 and n - 1 in by_round:
        n -= 1
        if by_round[n].phase == "agreed":
            return by_round[n].agreement
    return None


def in_force(by_round: Rounds) -> list[State]:
    """[DEAL-44]"""
    agreed = [s for s in by_round.values() if s.phase == "agreed"]
    changed = {s.changes for s in agreed}
    return [s for s in agreed if s.agreement not in changed]


# ---- After the agreement --------------------------------------------------------

FOLLOW_UPS = {"order-event", "receipt", "outcome"}


@dataclass(frozen=True)
class Word:
    """What one side said in one follow-up record."""

    side: str
    status: str
    record: Record


def follow(
    customer: str,
    key: DealKey,
    agreement: bytes,
    records: Iterable[Record],
    statuses: dict[str, str],
) -> tuple[list[Word], dict[bytes, str]]:
    """What was said about an agreement, and the misfits ([DEAL-46])."""
    said: list[Word] = []
    misfit: dict[bytes, str] = {}
    unique = {r.id: r for r in records}
    for r in sorted(unique.values(), key=lambda r: (r.at, r.id)):
        about_it = r.type in FOLLOW_UPS and DealKey.of(r.body["deal"]) == key
        if not about_it or r.link("agreement") != agreement:
            misfit[r.id] = "deal_mismatch"
            continue
        status, by = "other", "vendor" if r.type == "receipt" else "both"
        if r.type == "order-event" and r.body["orderStatus"] in statuses:
            status = r.body["orderStatus"]
            by = statuses[status]
        authors = {"customer": customer, "vendor": key.vendor}
        sides = [s for s, did in authors.items() if did == r.by and by in ("both", s)]
        if not sides:
            misfit[r.id] = "wrong_author"
        elif r.crit:
            misfit[r.id] = "critical_extension"
        else:
            said.append(Word(sides[0], status, r))
    return said, misfit


def _first(records: list[Record]) -> Record | None:
    return records[0] if records else None


def _id(record: Record | None) -> bytes | None:
    return record.id if record else None
