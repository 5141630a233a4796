"""Encoding, records and what carries them."""

from __future__ import annotations

import base64
import hashlib
import sys
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import carriers
import cbor
import cid
import decimals
import hpke
import mailbox
import records
import samples
from cid import Link
from errors import ParleyError
from records import DAY
from samples import AT, CUSTOMER, VENDOR

EXAMPLE = bytes.fromhex(
    "82a76176016261741a6955b90062627978386469643a6b65793a7a364d6b6568"
    "52676637794a62676147665973646f41734b6442504533646a324359686f7751"
    "64636a71534a6776566464747970656a7769746864726177616c66696e74656e"
    "74d82a58250001711220b8b25c3ed47aedd53d02d90c21193f83545d84ffe1f9"
    "8ba47fefbfe7dfdc2b4766726561736f6e66626f756768746b72657461696e55"
    "6e74696c1a697e97805840d9ec38c2b3245a0f774c837fade2200366d88a479d"
    "6d6c8d51f286ec7eba71ca52f43595e507471003bbaa89e5585d59f2bf7cfa87"
    "9eff298b025a3437de0a01"
)


class Codes(unittest.TestCase):
    def refused(self, code: str, function: Any, *arguments: Any) -> None:
        with self.assertRaises(ParleyError) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code, caught.exception)


class Encoding(Codes):
    def test_round_trip(self) -> None:
        value = {"b": [1, -1, 23, 24, -25, 2**63 - 1, -(2**63)], "aa": {}, "c": b"\0" * 300,
                 "d": [True, False, None, "é" * 20], "e": Link(cid.of_block(b""))}  # fmt: skip
        self.assertEqual(cbor.decode(cbor.encode(value)), value)

    def test_refused(self) -> None:
        """[REC-5] to [REC-14]"""
        for code, data in (
            ("not_canonical", "1817"), ("not_canonical", "190018"), ("not_canonical", "1a0000ffff"),
            ("not_canonical", "1b00000000ffffffff"), ("not_canonical", "1b8000000000000000"),
            ("not_canonical", "3b8000000000000000"), ("not_canonical", "5f4100ff"),
            ("not_canonical", "9fff"), ("not_canonical", "bfff"), ("not_canonical", "7fff"),
            ("not_canonical", "a2616200616100"), ("not_canonical", "a2616100616100"),
            ("not_canonical", "a262616100616200"), ("not_canonical", "a10000"),
            ("not_canonical", "61ff"), ("not_canonical", "63eda080"), ("not_canonical", "62c080"),
            ("not_canonical", "c000"), ("not_canonical", "f7"), ("not_canonical", "e0"),
            ("not_canonical", "f820"), ("not_canonical", "f93c00"),
            ("not_canonical", "fb3ff0000000000000"), ("not_canonical", "d82a4100"),
            ("malformed", ""), ("malformed", "ff"), ("malformed", "1c"), ("malformed", "f818"),
            ("malformed", "1f"), ("malformed", "0000"), ("malformed", "6261"),
            ("malformed", "8200"), ("malformed", "df"), ("too_large", "9a00ffffff"),
            ("too_large", "bb4000000000000000"),
        ):  # fmt: skip
            with self.subTest(data):
                self.refused(code, cbor.decode, bytes.fromhex(data))

    def test_depth_and_count(self) -> None:
        """[REC-11], [REC-12]"""
        cbor.decode(b"\x81" * 16 + b"\0")
        self.refused("too_deep", cbor.decode, b"\x81" * 17 + b"\0")
        cbor.decode(cbor.encode([0] * 8191))
        self.refused("too_large", cbor.decode, cbor.encode([0] * 8192))
        link = Link(cid.of_block(b""))
        cbor.decode(cbor.encode([link] * 4095))
        self.refused("too_large", cbor.decode, cbor.encode([link] * 4096))

    def test_decimals(self) -> None:
        """[REC-23]"""
        for text in ("-0", "01", "1.", ".5", "1.10", "1.00000", "+1", "1e3", "1.00001", "",
                     "1" * 16, "1\n", "١"):  # fmt: skip
            self.refused("bad_field", decimals.parse, text)
        self.assertEqual(decimals.parse("-0.0001"), -1)
        self.assertEqual(decimals.total(["0.1", "0.2", "-10"]), "-9.7")
        self.refused("total_mismatch", decimals.total, ["9" * 15, "1"])


class Records(Codes):
    def test_document_2(self) -> None:
        r = records.parse(EXAMPLE)
        self.assertEqual(r.text_id, "bafyreia3fpzctf6gjdajo3bv6qqzpgrlvux6idfssvoxycvc7ezcg3qo3a")
        self.refused("malformed", records.parse, EXAMPLE + b"\0")
        self.refused("bad_signature", records.parse, EXAMPLE[:-1] + b"\0")
        self.refused("too_large", records.parse, EXAMPLE + bytes(61440))
        self.refused("not_canonical", records.parse, EXAMPLE[:-66] + b"\x59\0" + EXAMPLE[-65:])

    def intent(self, **own: Any) -> bytes:
        fields = samples.intent_fields(**own)
        return records.sign(CUSTOMER, samples.body(CUSTOMER, "intent", **fields))

    def test_fields(self) -> None:
        """One fault each."""
        records.parse(self.intent())
        for code, own in (
            ("missing_field", {"salt": None}), ("bad_field", {"salt": bytes(31)}),
            ("bad_field", {"category": []}), ("bad_field", {"category": ["cpv:1", "cpv:1"]}),
            ("bad_field", {"terms": ["TPR", "TPR"]}), ("bad_field", {"ext": {}}),
            ("bad_field", {"availabilityStarts": 0}), ("bad_field", {"id": "x"}),
            ("bad_field", {"areaServed": {}}), ("bad_field", {"areaServed": {"colour": 1}}),
            ("bad_field", {"name": "a\nb"}), ("bad_field", {"name": "a\u0085"}),
            ("bad_field", {"description": ""}), ("bad_field", {"description": "\r"}),
            ("bad_field", {"crit": ["x"]}), ("bad_field", {"colour": [None]}),
            ("bad_field", {"awards": True}), ("bad_field", {"market": "Test"}),
            ("bad_field", {"validUntil": AT}), ("bad_field", {"validUntil": AT + 91 * DAY}),
            ("life_too_long", {"retainUntil": AT + 367 * DAY}),
            ("life_too_long", {"validUntil": AT + 181 * DAY, "retainUntil": AT + 200 * DAY}),
            ("seal_unknown_suite", {"replyTo": samples.reply_to(suite=3)}),
            ("bad_field", {"replyTo": samples.reply_to(suite=2)}),
            ("bad_field", {"replyTo": samples.reply_to(mailboxes=["/ip4/1.2.3.4/tcp/1"])}),
            ("bad_field", {"priceSpecification": {"priceCurrency": "EUR"}}),
            ("bad_field", {"priceSpecification": {"priceCurrency": "EUR", "minPrice": "-1"}}),
            ("unsupported_version", {"v": 2}), ("bad_field", {"v": "1"}),
            ("bad_key", {"by": "did:key:z6Mk"}), ("bad_field", {"type": "Intent"}),
        ):  # fmt: skip
            with self.subTest(own):
                self.refused(code, records.parse, self.intent(**own))

    def test_description_may_have_lines(self) -> None:
        """[REC-19]"""
        self.assertEqual(records.parse(self.intent(description="a\n\tb")).unknown, ())

    def test_unknown_keys(self) -> None:
        """[REC-26] to [REC-29]"""
        item = {"name": "Chair", "colour": {"deep": 1}}
        r = records.parse(self.intent(itemOffered=[item], size=[1]))
        self.assertEqual(r.unknown, ("itemOffered[0].colour", "size"))
        deal = samples.Deal()
        self.assertEqual(deal.offer(colour="red").unknown, ("colour",))
        offer = deal.offer()
        with self.assertRaises(ParleyError) as caught:
            deal.acceptance(offer, colour="red")
        self.assertEqual(caught.exception.code, "unknown_field")
        with self.assertRaises(ParleyError) as caught:
            deal.acceptance(offer, replyTo=samples.reply_to(colour=1))
        self.assertEqual(caught.exception.code, "unknown_field")
        self.assertFalse(samples.make(VENDOR, "rating", anything=[1]).known)

    def test_ext_is_free(self) -> None:
        r = records.parse(self.intent(ext={"example.com/x": [None, ""]}, crit=["example.com/x"]))
        self.assertEqual(r.crit, ["example.com/x"])

    def test_total(self) -> None:
        """[DEAL-4]"""
        deal = samples.Deal()
        for code, own in (
            ("total_mismatch", {"totalPrice": "10.0001"}),
            ("bad_field", {"totalPrice": "10.0"}),
            ("bad_field", {"itemOffered": [{"name": "x", "price": "-1"}], "totalPrice": "-1",
                           "charges": None}),
        ):  # fmt: skip
            self.refused(code, lambda own=own: deal.offer(**own))

    def test_time(self) -> None:
        """[REC-32] to [REC-34]"""
        r = samples.intent()
        records.check_time(r, AT - 600)
        records.check_time(r, AT + 10 * DAY - 1)
        self.refused("not_yet_valid", records.check_time, r, AT - 601)
        self.refused("expired", records.check_time, r, AT + 10 * DAY)


class Carriers(Codes):
    def test_envelope_of_document_4(self) -> None:
        payload = cbor.encode([1, [EXAMPLE]])
        public = hpke.sealing_keys(bytes(range(0x40, 0x60)), 1)["public"]
        sealed = hpke.seal(1, public, bytes(range(0x60, 0x80)), payload)
        self.assertEqual(
            hashlib.sha256(sealed).hexdigest(),
            "b7486ab9ac46700d7382832878b78a427fe8c5ee700814f9985c2c24e305044b",
        )
        opened = hpke.open_envelope(bytes(range(0x40, 0x60)), sealed)
        self.assertEqual([r.block for r in carriers.parse_bundle(opened)], [EXAMPLE])

    def test_bundle(self) -> None:
        """[SEAL-9], [SEAL-10]"""
        for code, value in (
            ("unsupported_version", [2, [EXAMPLE]]), ("malformed", [1, []]), ("malformed", {}),
            ("too_large", [1, [EXAMPLE] * 17]), ("malformed", [1, [EXAMPLE], 0]),
            ("malformed", [1, [EXAMPLE, EXAMPLE + b"\0"]]), ("malformed", ["1", [EXAMPLE]]),
        ):  # fmt: skip
            self.refused(code, carriers.parse_bundle, cbor.encode(value))

    def test_frame(self) -> None:
        """[NET-9] to [NET-13]"""
        block = samples.intent().block
        raw = cbor.encode([1, block, bytes(8)])
        frame = carriers.parse_frame(raw)
        self.assertEqual(frame.message_id, hashlib.sha256(raw).digest())
        carriers.judge_frame(frame, "test", AT)
        self.refused("wrong_market", carriers.judge_frame, frame, "general", AT)
        self.refused("expired", carriers.judge_frame, frame, "test", AT + 10 * DAY)
        terms = samples.make(CUSTOMER, "terms", name="Mine", text="Mine.")
        carriers.judge_frame(carriers.parse_frame(cbor.encode([1, terms.block, b""])), "test", AT)
        preference = samples.make(CUSTOMER, "preference", name="Size", value="M")
        other = carriers.parse_frame(cbor.encode([1, preference.block, b""]))
        self.assertEqual(other.stamp_bits, 0)
        self.refused("unknown_type", carriers.judge_frame, other, "test", AT)
        self.assertEqual(carriers.verdict_of("unknown_type"), "ignore")
        self.assertEqual(carriers.verdict_of("not_a_code"), "ignore")
        for code, value in (("malformed", [1, block]), ("malformed", [1, block, bytes(7)]),
                            ("unsupported_version", [0, block, b""])):  # fmt: skip
            self.refused(code, carriers.parse_frame, cbor.encode(value))

    def test_invite(self) -> None:
        """[NET-27]"""

        def link(value: Any, damage: int = 0) -> str:
            raw = cbor.encode(value)
            check = hashlib.sha256(b"parley/1/invite\0" + raw).digest()[:4]
            check = bytes((check[0] ^ damage,)) + check[1:]
            return "parley://join/" + base64.urlsafe_b64encode(raw + check).decode().rstrip("=")

        peer = "12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X"
        good = {"addrs": [f"/ip4/192.0.2.7/tcp/4001/p2p/{peer}"], "later": 1}
        self.assertEqual(carriers.parse_invite(link(good)), good)
        relay = "12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN"
        through = {"addrs": [f"/ip4/192.0.2.7/tcp/4001/p2p/{relay}/p2p-circuit/p2p/{peer}"]}
        self.assertEqual(carriers.parse_invite(link(through)), through)
        for other in (peer, relay[:-1], relay + f"/p2p-circuit/p2p/{relay}"):
            odd = {"addrs": [f"/ip4/192.0.2.7/tcp/4001/p2p/{other}/p2p-circuit/p2p/{peer}"]}
            self.refused("bad_field", carriers.parse_invite, link(odd))
        self.refused("malformed", carriers.parse_invite, link(good, damage=1))
        self.refused("malformed", carriers.parse_invite, link(good) + "=")
        self.refused("bad_field", carriers.parse_invite, link({"name": "x"}))
        self.refused("bad_field", carriers.parse_invite, link({"addrs": ["/ip4/1.2.3.4"]}))
        self.refused("too_large", carriers.parse_invite, link({**good, "x": "x" * 4000}))

    def test_mailbox_messages(self) -> None:
        """[BOX-1], [BOX-2], [BOX-16]"""

        def stream(value: Any) -> bytes:
            raw = cbor.encode(value)
            length, out = len(raw), b""
            while length > 127:
                out, length = out + bytes((length & 127 | 128,)), length >> 7
            return out + bytes((length,)) + raw

        def parse(value: Any, direction: str = "request", op: str | None = None) -> str:
            return mailbox.parse_message("mailbox", direction, op, stream(value)).shape

        deposit = {"op": "deposit", "token": bytes(32), "envelope": bytes(1074)}
        self.assertEqual(parse(deposit), "deposit")
        self.refused("unknown_field", parse, {**deposit, "x": 1})
        self.refused("missing_field", parse, {"op": "deposit", "token": bytes(32)})
        self.refused("too_large", parse, {**deposit, "envelope": bytes(163841)})
        self.refused("bad_field", parse, {"op": "steal"})
        self.refused("malformed", parse, [])
        pickup = {"op": "pickup", "key": bytes(32), "at": AT, "proof": bytes(64), "max": 1}
        self.assertEqual(parse({**pickup, "wait": 60}), "pickup")
        self.refused("bad_field", parse, {**pickup, "wait": 61})
        with self.assertRaises(mailbox.StreamReset):
            parse({**deposit, "envelope": bytes(164352)})
        picked = [[hashlib.sha256(b"x").digest(), b"x"]]
        answer = {"envelopes": picked, "more": False}
        self.assertEqual(parse(answer, "response", "pickup"), "picked-up")
        answer["envelopes"] = [[bytes(32), b"x"]]
        self.refused("malformed", parse, answer, "response", "pickup")
        for odd in (b"\0", b"\x81\x00\xa0", b"\xff"):  # no length, a longer form, cut
            with self.assertRaises(mailbox.StreamReset):
                mailbox.parse_message("mailbox", "request", None, odd)
        self.assertEqual(parse({"error": "over_quota", "x": 1}, "response", "remove"), "refusal")

    def test_proof_of_document_4(self) -> None:
        made = hpke.sealing_keys(bytes(range(0x40, 0x60)), 1)
        peer = bytes.fromhex(
            "002408011220cd14b37f956e953194ff7fb73b3d81dcc561d61a7538094b7c3e1a643ee5f3aa"
        )
        message = mailbox.proof_message(peer, AT, "pickup", [])
        self.assertEqual(len(message), 69)
        mailbox.check_proof(
            made["pickupKey"],
            message,
            bytes.fromhex(
                "f6be7d779fce4bed2dd3be83764dec23d146acdb1f83aed14cd973666c70c88b"
                "4914d8e8a0ee980575766dac5c1be4e639e35a9704e110d5f359a3cdeb30d409"
            ),
        )


if __name__ == "__main__":
    unittest.main()
