"""The fold of this verifier against the program in document 6, over random sets."""

from __future__ import annotations

import random
import re
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from cid import Link
from deal import State, about, fold, follow, in_force, is_open, rounds
from records import DAY, Record
from samples import CUSTOMER, STRANGER, VENDOR, Deal, make

STATUSES = {"paid": "customer", "dispatched": "vendor", "delivered": "both"}

DOCUMENT = Path(__file__).resolve().parent.parent / "06-deals.md"


def program() -> SimpleNamespace:
    """The functions of document 6 ([DEAL-7], [DEAL-23], [DEAL-46])."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {
        "State": SimpleNamespace,
        "first": lambda entries: next(iter(entries), None),
        "STATUSES": STATUSES,
    }
    exec("\n".join(blocks), names)
    return SimpleNamespace(**names)


def view(r: Record) -> SimpleNamespace:
    """A record as the document's program sees it."""
    fields = {n: v.cid if isinstance(v, Link) else v for n, v in r.body.items() if n != "terms"}
    key = r.body.get("deal")
    extra = {
        "id": r.id,
        "crit": r.crit,
        "unknown": r.unknown,
        "terms": r.body.get("terms"),
        "deal": key and Key((key[0].cid, key[1], key[2])),
        "cites": r.link("cites"),
        "changes": r.link("changes"),
    }
    return SimpleNamespace(**(fields | extra))


class Key(tuple[bytes, str, int]):
    @property
    def intent(self) -> bytes:
        return self[0]

    @property
    def vendor(self) -> str:
        return self[1]

    @property
    def round(self) -> int:
        return self[2]


def pool(rng: random.Random) -> tuple[Deal, list[Record]]:
    """Records of one deal that cite each other, rightly and wrongly."""
    deal, out = Deal(), []
    extension = {"ext": {"example.com/x": 1}, "crit": ["example.com/x"]}
    out += [deal.offer(), deal.offer(at=2, number=2), deal.offer(terms="TPR")]
    out += [deal.offer(colour="red"), deal.offer(**extension), deal.offer(seed=STRANGER)]
    out += [Deal(round_=2).offer(), make(CUSTOMER, "terms", name="x", text="x")]
    out += [deal.counter(out[0]), deal.counter(out[2], at=3), deal.counter(out[-1])]
    out += [deal.terms_counter(), deal.terms_counter("PDC-INTENT"), deal.terms_counter(at=2)]
    out += [deal.restored(), deal.restored(at=8)]
    out += [deal.sign(VENDOR, "restored", 5, replyTo=out[0].body["replyTo"], **extension)]
    out += [deal.ask(kind, at) for kind in ("cancel", "decline", "award-notice") for at in (3, 4)]
    out += [deal.sign(STRANGER, "cancel", 3, reason="price")]
    for at in (2, 5, DAY + 1, DAY + 2):
        out += [deal.acceptance(rng.choice(out), at) for _ in range(3)]
    out += [deal.acceptance(out[0], **extension)]
    accepted = deal.acceptance(out[0])
    out += [accepted, deal.confirmation(accepted), deal.confirmation(accepted, at=DAY + 1)]
    for at in (3, 6, DAY + 1, DAY + 2):
        out += [deal.confirmation(rng.choice(out), at) for _ in range(3)]
    out += [deal.confirmation(rng.choice(out), seed=STRANGER)]
    for at in (6, 7):
        out += [deal.customer_void(rng.choice(out[8:18]), at)]
        out += [deal.held(rng.choice(out[8:18]), rng.choice(out), at)]
    for at in (4, DAY + 1, DAY + 5):
        out += [deal.void(rng.choice([None, *out]), at) for _ in range(8)]
    return deal, out


class Document(unittest.TestCase):
    def test_same(self) -> None:
        rng, theirs = random.Random(6), program().fold
        phases: dict[str, int] = {}
        for _ in range(4):
            deal, records = pool(rng)
            key = Key((deal.key.intent, deal.key.vendor, deal.key.round))
            for _ in range(1500):
                some = rng.choices(records, k=rng.randint(0, 5))
                if rng.random() < 0.7:  # what they cite, mostly
                    held = {r.id: r for r in records}
                    for r in some:  # grows as it goes
                        cited = (v.cid for v in r.body.values() if isinstance(v, Link))
                        some += [held[id_] for id_ in cited if id_ in held]
                mine = fold(deal.intent, deal.key, some)
                other = theirs(view(deal.intent), key, [view(r) for r in some])
                self.assertEqual(_plain(mine), _plain(other))
                phases[mine.phase] = phases.get(mine.phase, 0) + 1
        self.assertEqual(set(phases), {"open", "pending", "agreed", "voided", "conflict"})


    def test_rounds(self) -> None:
        rng, theirs = random.Random(7), program()
        records = chains(rng)
        intent = Deal().intent
        vendor = Deal().key.vendor
        seen: set[tuple[int, bool, bool, int]] = set()
        for _ in range(400):
            some = rng.sample(records, k=rng.randint(0, len(records)))
            mine = rounds(intent, vendor, some)
            other = theirs.rounds(view(intent), vendor, [view(r) for r in some])
            self.assertEqual(list(mine), list(other))
            for n in mine:
                self.assertEqual(_plain(mine[n]), _plain(other[n]))
                self.assertEqual(is_open(mine, n), theirs.is_open(other, n))
                self.assertEqual(about(mine, n), theirs.about(other, n))
                seen.add((n, is_open(mine, n), about(mine, n) is not None, len(in_force(mine))))
            holding = [s.agreement for s in theirs.in_force(other)]
            self.assertEqual([s.agreement for s in in_force(mine)], holding)
        self.assertLessEqual({(2, True, True, 1), (2, True, False, 0), (2, False, False, 0)}, seen)

    def test_follow(self) -> None:
        rng, theirs = random.Random(8), program()
        deal = Deal()
        agreement = deal.offer().id
        records = [deal.offer(), Deal(round_=2).follow_up(agreement)]
        extension = {"ext": {"example.com/x": 1}, "crit": ["example.com/x"]}
        for seed in (CUSTOMER, VENDOR, STRANGER):
            for status in (*STATUSES, "of_later"):
                records.append(deal.follow_up(agreement, seed, orderStatus=status))
            records.append(deal.follow_up(deal.intent.id, seed))
            records.append(deal.follow_up(agreement, seed, **extension))
            records.append(deal.sign(seed, "outcome", 9, agreement=Link(agreement), result="partly"))
            receipt = {"orderDate": 1, "priceCurrency": "EUR", "totalPrice": "1"}
            records.append(deal.sign(seed, "receipt", 8, agreement=Link(agreement), **receipt))
        customer = deal.intent.by
        key = Key((deal.key.intent, deal.key.vendor, deal.key.round))
        for _ in range(500):
            some = rng.choices(records, k=rng.randint(0, 12))
            said, misfit = follow(customer, deal.key, agreement, some, STATUSES)
            other, wrong = theirs.follow(customer, key, agreement, [view(r) for r in some])
            self.assertEqual(misfit, wrong)
            mine = [(word.side, word.status, word.record.id) for word in said]
            self.assertEqual(mine, [(side, status, r.id) for side, status, r in other])


def chains(rng: random.Random) -> list[Record]:
    """Records of three rounds, some of which change an agreement."""
    first, second, third = Deal(), Deal(round_=2), Deal(round_=3)
    offer = first.offer()
    accepted = first.acceptance(offer)
    agreed = first.confirmation(accepted)
    ask = first.ask(at=3)
    void = first.void(ask, at=4)
    out = [offer, accepted, agreed, ask, void, first.void(None, at=DAY + 2)]
    for deal, previous in ((second, agreed), (third, agreed)):
        for changes in (Link(previous.id), None):
            own = {"changes": changes} if changes else {}
            bid = deal.offer(at=20 * deal.key.round, **own)
            taken = deal.acceptance(bid, at=20 * deal.key.round + 1)
            out += [bid, taken, deal.confirmation(taken, at=20 * deal.key.round + 2)]
    out += [second.next_round(void), second.next_round(agreed), second.next_round(ask)]
    no = second.void(None, at=30)
    out += [no, third.next_round(no), third.next_round(void)]
    rng.shuffle(out)
    return out


def _plain(state: State | SimpleNamespace) -> dict[str, Any]:
    """The members of a state, with IDs instead of records."""
    members = {n: getattr(v, "id", v) for n, v in vars(state).items() if n != "asked"}
    for name in ("evidence", "lawful"):
        members[name] = {getattr(entry, "id", entry) for entry in members[name]}
    for name in ("counters", "next_rounds"):
        members[name] = [getattr(entry, "id", entry) for entry in members[name]]
    return members


if __name__ == "__main__":
    unittest.main()
