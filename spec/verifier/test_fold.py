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
from deal import State, fold
from records import DAY, Record
from samples import CUSTOMER, STRANGER, VENDOR, Deal, make

DOCUMENT = Path(__file__).resolve().parent.parent / "06-deals.md"


def program() -> Any:
    """The function `fold` of document 6 ([DEAL-7])."""
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {
        "State": SimpleNamespace,
        "first": lambda entries: next(iter(entries), None),
    }
    exec("\n".join(blocks), names)
    return names["fold"]


def view(r: Record) -> SimpleNamespace:
    """A record as the document's program sees it."""
    fields = {n: v.cid if isinstance(v, Link) else v for n, v in r.body.items() if n != "terms"}
    key = r.body.get("deal")
    extra = {
        "id": r.id,
        "crit": r.crit,
        "unknown": r.unknown,
        "terms": r.body.get("terms"),
        "deal": key and (key[0].cid, key[1], key[2]),
        "cites": r.link("cites"),
    }
    return SimpleNamespace(**(fields | extra))


class Key(tuple[bytes, str, int]):
    @property
    def vendor(self) -> str:
        return self[1]


def pool(rng: random.Random) -> tuple[Deal, list[Record]]:
    """Records of one deal that cite each other, rightly and wrongly."""
    deal, out = Deal(), []
    extension = {"ext": {"example.com/x": 1}, "crit": ["example.com/x"]}
    out += [deal.offer(), deal.offer(at=2, number=2), deal.offer(terms="TPR")]
    out += [deal.offer(colour="red"), deal.offer(**extension), deal.offer(seed=STRANGER)]
    out += [Deal(round_=2).offer(), make(CUSTOMER, "terms", name="x", text="x")]
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
        out += [deal.customer_void(rng.choice(out[8:12]), at)]
        out += [deal.held(rng.choice(out[8:12]), rng.choice(out), at)]
    for at in (4, DAY + 1, DAY + 5):
        out += [deal.void(rng.choice([None, *out]), at) for _ in range(8)]
    return deal, out


class Document(unittest.TestCase):
    def test_same(self) -> None:
        rng, theirs = random.Random(6), program()
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


def _plain(state: State | SimpleNamespace) -> dict[str, Any]:
    """The members of a state, with IDs instead of records."""
    members = {n: getattr(v, "id", v) for n, v in vars(state).items()}
    members["evidence"] = set(members["evidence"])
    return members


if __name__ == "__main__":
    unittest.main()
