"""The fold of self-made deals, and archives of them."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import archive
import cbor
import cid
from cid import Link
from deal import DealKey, State, fold
from errors import ParleyError
from records import DAY, Record
from samples import STRANGER, Deal


class Folds(unittest.TestCase):
    def setUp(self) -> None:
        self.deal = Deal()
        self.offer = self.deal.offer()
        self.acceptance = self.deal.acceptance(self.offer)
        self.confirmation = self.deal.confirmation(self.acceptance)
        self.chain = [self.offer, self.acceptance, self.confirmation]

    def fold(self, *records: Record) -> State:
        """The state, which is the same in reverse and with repeats ([DEAL-7])."""
        state = fold(self.deal.intent, self.deal.key, records)
        again = fold(self.deal.intent, self.deal.key, records[::-1] + records)
        self.assertEqual(state, again)
        return state

    def test_document_6(self) -> None:
        """[DEAL-2]"""
        key = DealKey(
            cid.from_text("bafyreifywjod5vd25xkt2awzbqqrsp4dkroyj77b7gf2i77px7t57xbli4"),
            "did:key:z6MkhFwXNFWosleufVSf4wcL9Ct7WRuXreGSFtRSvHhWj5G2",
            1,
        )
        raw = bytes.fromhex(
            "83d82a58250001711220b8b25c3ed47aedd53d02d90c21193f83545d84ffe1f9"
            "8ba47fefbfe7dfdc2b4778386469643a6b65793a7a364d6b684677584e46576f"
            "734c6575677653663477634c3974337575525875654753465452675376486857"
            "6a35473201"
        )
        vendor = cbor.decode(raw)[1]
        key = DealKey(key.intent, vendor, 1)
        self.assertEqual(key.encode(), raw)
        self.assertEqual(
            cid.to_text(key.id), "bafyreif6avtgqzzgxf7oxsz6f7okm4lazk4ysncow25cadstuyjwxiff5a"
        )

    def test_agreed(self) -> None:
        self.assertEqual(self.fold(self.offer).phase, "open")
        pending = self.fold(self.offer, self.acceptance)
        self.assertEqual((pending.phase, pending.takes_award), ("pending", True))
        agreed = self.fold(*self.chain)
        self.assertEqual((agreed.phase, agreed.agreement), ("agreed", self.confirmation.id))
        self.assertTrue(agreed.committed and agreed.takes_award)

    def test_waiting(self) -> None:
        """[DEAL-10]"""
        state = self.fold(self.confirmation)
        self.assertEqual(state.phase, "pending")
        self.assertEqual(state.waiting, {self.confirmation.id: self.acceptance.id})
        self.assertTrue(state.committed)
        state = self.fold(self.confirmation, self.acceptance)
        self.assertEqual(set(state.waiting.values()), {self.offer.id})

    def test_misfits(self) -> None:
        """[DEAL-8]"""
        other = Deal(round_=2).offer()
        unlisted = self.deal.offer(terms="TPR")
        stranger = self.deal.offer(seed=STRANGER)
        blocked = self.deal.offer(number=2, colour="red")
        late = self.deal.acceptance(self.offer, at=DAY + 1)
        taken = self.deal.acceptance(blocked)
        wrong = self.deal.acceptance(self.acceptance)
        for record, code, with_ in (
            (other, "deal_mismatch", []),
            (unlisted, "terms_not_offered", []),
            (stranger, "wrong_author", []),
            (late, "offer_expired", [self.offer]),
            (taken, "unknown_field", [blocked]),
            (wrong, "bad_field", [self.acceptance]),
        ):
            self.assertEqual(self.fold(record, *with_).misfit[record.id], code)
        self.assertEqual(self.fold(blocked).misfit, {})
        self.assertEqual(self.fold(other).phase, "open")

    def test_voids(self) -> None:
        """[DEAL-11]"""
        ask = self.deal.ask()
        lawful = self.fold(self.offer, self.acceptance, ask, self.deal.void(ask))
        self.assertEqual((lawful.phase, lawful.takes_award), ("voided", False))
        early = self.deal.void(self.acceptance, at=4)
        self.assertEqual(self.fold(self.offer, self.acceptance, early).phase, "conflict")
        late = self.deal.void(self.acceptance, at=DAY + 1)
        self.assertEqual(self.fold(self.offer, self.acceptance, late).phase, "voided")
        bare = self.deal.void(None)
        self.assertEqual(self.fold(bare).phase, "voided")
        self.assertEqual(self.fold(bare, self.offer).phase, "conflict")
        self.assertEqual(self.fold(self.deal.void(ask)).waiting, {self.deal.void(ask).id: ask.id})

    def test_conflicts(self) -> None:
        """[DEAL-12]"""
        second = self.deal.acceptance(self.offer, at=9)
        self.assertEqual(self.fold(self.offer, self.acceptance, second).phase, "conflict")
        again = self.deal.confirmation(self.acceptance, at=9)
        state = self.fold(*self.chain, again)
        self.assertEqual((state.phase, state.agreement), ("conflict", None))
        self.assertEqual(set(state.evidence), {again.id, self.confirmation.id})
        ask = self.deal.ask()
        self.assertEqual(self.fold(*self.chain, ask, self.deal.void(ask)).phase, "conflict")

    def test_restored(self) -> None:
        """[DEAL-27] to [DEAL-29]"""
        restored = self.deal.restored()
        void = self.deal.customer_void(restored)
        state = self.fold(*self.chain, restored, void)
        self.assertEqual((state.phase, state.takes_award), ("voided", True))
        answered = self.deal.void(void, at=7)
        state = self.fold(*self.chain, restored, void, answered)
        self.assertEqual((state.phase, state.takes_award), ("voided", False))
        held = self.deal.held(restored, self.confirmation)
        self.assertEqual(self.fold(*self.chain, restored, held).phase, "agreed")
        self.assertEqual(self.fold(*self.chain, restored, held, void).phase, "conflict")
        self.assertEqual(self.fold(*self.chain, void).waiting[void.id], restored.id)

    # ---- Archives -----------------------------------------------------------

    def file(self, content: list[Record], **own: Any) -> bytes:
        key = self.deal.key
        manifest = {
            "parley": 1,
            "kind": "deal",
            "deal": [Link(key.intent), key.vendor, key.round],
            "records": [Link(r.id) for r in content],
        } | own
        return _car([cbor.encode(manifest)] + [r.block for r in content])

    def refused(self, code: str, data: bytes) -> None:
        with self.assertRaises(ParleyError) as caught:
            archive.read(data)
        self.assertEqual(caught.exception.code, code)

    def test_archive(self) -> None:
        """[ARC-1] to [ARC-6]"""
        records = [self.deal.intent, *self.chain]
        agreed = Link(self.confirmation.id)
        good = self.file(records, agreement=agreed)
        found = archive.read(good)
        self.assertEqual(found.deals[self.deal.key].agreement, self.confirmation.id)
        self.assertEqual(found.records, records)
        self.refused("malformed", good + b"\0")
        self.refused("malformed", good[:-1])
        self.refused("damaged", good[:-1] + bytes((good[-1] ^ 1,)))
        self.refused("duplicate", self.file([*records, self.offer]))
        self.refused("unknown_field", self.file(records, colour=1))
        self.refused("unsupported_version", self.file(records, parley=2))
        self.refused("bad_field", self.file([records[0], *records[:0:-1]]))
        more = self.file([*records, Deal(round_=2).offer(at=50)], agreement=agreed)
        self.assertEqual(len(archive.read(more).deals), 2)
        foreign = Deal(name="A table").offer(at=50)
        self.refused("deal_mismatch", self.file([*records, foreign], agreement=agreed))
        self.refused("bad_field", self.file(self.chain))
        listed = [Link(r.id) for r in records]
        self.refused("missing_record", self.file(records[:1] + records[2:], records=listed))

    def test_store(self) -> None:
        """[ARC-3]"""
        records = [self.deal.intent, *self.chain]
        page = cbor.encode([Link(r.id) for r in records])
        manifest = {"parley": 1, "kind": "store", "pages": [Link(cid.of_block(page))]}
        data = _car([cbor.encode(manifest), page] + [r.block for r in records])
        self.assertEqual(archive.read(data).deals[self.deal.key].phase, "agreed")


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _car(blocks: list[bytes]) -> bytes:
    root = Link(cid.of_block(blocks[0]))
    header = cbor.encode({"roots": [root], "version": 1})
    out = _varint(len(header)) + header
    for block in blocks:
        out += _varint(36 + len(block)) + cid.of_block(block) + block
    return out


if __name__ == "__main__":
    unittest.main()
