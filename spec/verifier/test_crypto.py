"""Published values of the algorithms, and the examples of documents 3 and 4."""

from __future__ import annotations

import hashlib
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import did
import ed25519
import hpke
import keys
import mlkem
from errors import ParleyError

raw = bytes.fromhex


class Ed25519(unittest.TestCase):
    """RFC 8032, 7.1, and the strict profile of document 3."""

    def test_rfc_8032(self) -> None:
        for seed, key, message, signature in (
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
                "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
                "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            ),
            (
                "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
                "72",
                "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e"
                "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
            ),
        ):
            self.assertEqual(ed25519.public_key(raw(seed)).hex(), key)
            self.assertEqual(ed25519.sign(raw(seed), raw(message)).hex(), signature)
            self.assertTrue(ed25519.verify(raw(key), raw(message), raw(signature)))
            self.assertFalse(ed25519.verify(raw(key), b"other", raw(signature)))

    def test_small_order(self) -> None:
        """[KEY-5]: the eight points, in canonical and in other encodings."""
        for y in (
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0000000000000000000000000000000000000000000000000000000000000000",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        ):
            point = ed25519.decompress(raw(y))
            assert point is not None
            self.assertTrue(ed25519.small_order(point))
            self.assertIsNone(ed25519.usable_key(raw(y)))

    def test_not_canonical(self) -> None:
        """[KEY-4]"""
        for encoded in (
            (1 | 1 << 255).to_bytes(32, "little"),  # x = 0 with the sign bit
            (ed25519.P + 1).to_bytes(32, "little"),
            (2**255 - 1).to_bytes(32, "little"),
            (2).to_bytes(32, "little"),  # no such point
        ):
            self.assertIsNone(ed25519.decompress(encoded))

    def test_s_below_l(self) -> None:
        """[KEY-6]"""
        seed = bytes(32)
        signature = ed25519.sign(seed, b"x")
        s = int.from_bytes(signature[32:], "little") + ed25519.L
        larger = signature[:32] + s.to_bytes(32, "little")
        self.assertTrue(ed25519.verify(ed25519.public_key(seed), b"x", signature))
        self.assertFalse(ed25519.verify(ed25519.public_key(seed), b"x", larger))

    def test_mixed_order(self) -> None:
        """[KEY-7]: the equation decides, without the cofactor."""
        torsion = ed25519.decompress(
            raw("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
        )
        assert torsion is not None and ed25519._BASE is not None
        scalar, r = 987654321, 123456789
        mixed = ed25519._add(ed25519._base_plus(scalar, 0, None), torsion)
        key = ed25519.compress(mixed)
        commitment = ed25519.compress(ed25519._base_plus(r, 0, None))
        results = {}
        for i in range(64):
            message = bytes((i,))
            k = ed25519._hash(commitment, key, message)
            s = (r + k * scalar) % ed25519.L
            results[k % 8] = ed25519.verify(key, message, commitment + s.to_bytes(32, "little"))
        self.assertEqual(results, {n: n == 0 for n in range(8)})


class Sealing(unittest.TestCase):
    def test_rfc_7748(self) -> None:
        self.assertEqual(
            hpke.x25519(
                raw("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"),
                raw("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            ).hex(),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        )
        nine = (9).to_bytes(32, "little")
        self.assertEqual(
            hpke.x25519(nine, nine).hex(),
            "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
        )

    def test_rfc_8439(self) -> None:
        text = (
            b"Ladies and Gentlemen of the class of '99: If I could offer you "
            b"only one tip for the future, sunscreen would be it."
        )
        key, nonce = bytes(range(0x80, 0xA0)), raw("070000004041424344454647")
        aad = raw("50515253c0c1c2c3c4c5c6c7")
        sealed = hpke.aead_seal(key, nonce, aad, text)
        self.assertEqual(sealed[:16].hex(), "d31a8d34648e60db7b86afbc53ef7ec2")
        self.assertEqual(sealed[-16:].hex(), "1ae10b594f09e26a7e902ecbd0600691")
        self.assertEqual(hpke.aead_open(key, nonce, aad, sealed), text)
        self.assertIsNone(hpke.aead_open(key, nonce, b"", sealed))

    def test_rfc_9180(self) -> None:
        """A.2.1: base mode of suite 1."""
        private_e, public_e = hpke.derive_key_pair(
            1, raw("909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b")
        )
        private_r, public_r = hpke.derive_key_pair(
            1, raw("1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df")
        )
        self.assertEqual(
            public_e.hex(), "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
        )
        self.assertEqual(
            public_r.hex(), "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a"
        )
        shared = hpke._decapsulate(1, private_r, public_r, public_e)
        assert shared is not None
        self.assertEqual(
            shared.hex(), "0bbe78490412b4bbea4812666f7916932b828bba79942424abb65244930d69a7"
        )
        self.assertEqual(
            hpke._dhkem_secret(hpke.x25519(private_e, public_r), public_e, public_r), shared
        )
        info = raw("4f6465206f6e2061204772656369616e2055726e")
        key, nonce = hpke.key_schedule(1, shared, info)
        self.assertEqual(
            key.hex(), "ad2744de8e17f4ebba575b3f5f5a8fa1f69c2a07f6e7500bc60ca6e3e3ec1c91"
        )
        self.assertEqual(nonce.hex(), "5c4d98150661b848853b547f")
        self.assertEqual(
            hpke.aead_seal(key, nonce, b"Count-0", b"Beauty is truth, truth beauty").hex(),
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b5"
            "1a28",
        )

    def test_ml_kem(self) -> None:
        """FIPS 203 agrees with itself, and rejects implicitly."""
        public, private = mlkem.key_pair(bytes(range(64)))
        self.assertEqual((len(public), len(private)), (1184, 2400))
        self.assertTrue(mlkem.valid_public(public))
        shared, sealed = mlkem.encapsulate(public, bytes(range(32)))
        self.assertEqual(len(sealed), 1088)
        self.assertEqual(mlkem.decapsulate(private, sealed), shared)
        other = bytes((sealed[0] ^ 1,)) + sealed[1:]
        rejected = mlkem.decapsulate(private, other)
        self.assertEqual(rejected, hashlib.shake_256(bytes(range(32, 64)) + other).digest(32))

    def test_ntt(self) -> None:
        """The product by the NTT is the product modulo X^256 + 1."""
        f, g = [i * 7 % mlkem.Q for i in range(256)], [i * i % mlkem.Q for i in range(256)]
        slow = [0] * 256
        for i, a in enumerate(f):
            for j, b in enumerate(g):
                sign = 1 if i + j < 256 else -1
                slow[(i + j) % 256] = (slow[(i + j) % 256] + sign * a * b) % mlkem.Q
        fast = mlkem._ntt_inverse(mlkem._multiply(mlkem._ntt(f), mlkem._ntt(g)))
        self.assertEqual(fast, slow)

    def test_document_4(self) -> None:
        """The keys of the example."""
        seed = bytes(range(0x40, 0x60))
        made = hpke.sealing_keys(seed, 1)
        self.assertEqual(
            made["public"].hex(),
            "c72c8e7e7d714952fa20703fb10f172bd16d321ce47c6be6fe01affe80c6774d",
        )
        self.assertEqual(
            made["token"].hex(),
            "6741804bcd4339558631925b7e24e9a551008f7a8d383a75634a3c801840ace1",
        )
        self.assertEqual(
            hashlib.sha256(hpke.sealing_keys(seed, 2)["public"]).hexdigest(),
            "adf1967ed6f40579455a24da950dcf6c39313f94772a102d0b449e2ddbe1c7fc",
        )

    def test_document_4_suite_2(self) -> None:
        """Every value of the example stands in the document."""
        document = Path(__file__).resolve().parent.parent / "04-sealing-and-mailboxes.md"
        text = "".join(document.read_text(encoding="utf-8").split())
        seed, m, e = (bytes(range(n, n + 32)) for n in (0x40, 0x60, 0x80))
        made = hpke.sealing_keys(seed, 2)
        public, halves = made["public"], hashlib.shake_256(made["private"]).digest(96)
        shared_m, enc_m = mlkem.encapsulate(public[: mlkem.PUBLIC_BYTES], m)
        enc_x, shared_x = hpke.x25519_public(e), hpke.x25519(e, public[-32:])
        secret = hpke._combine(shared_m, shared_x, enc_x, public[-32:])
        key, nonce = hpke.key_schedule(2, secret, hpke.seal_info(2, public))
        for value in (
            made["ikm"], made["private"], halves[:32], halves[32:64], halves[64:],
            public[:16], public[-32:], hashlib.sha256(public).digest(), hpke.seal_info(2, public),
            shared_m, enc_m[:16], hashlib.sha256(enc_m).digest(), shared_x, enc_x, secret, key, nonce,
        ):  # fmt: skip
            self.assertIn(value.hex(), text)

    def test_envelopes(self) -> None:
        """Both suites open what they sealed, and refuse what was changed."""
        seed = bytes(range(0x40, 0x60))
        for suite, randomness in ((1, bytes(32)), (2, bytes(range(64)))):
            public = hpke.sealing_keys(seed, suite)["public"]
            self.assertEqual(len(public), hpke.PUBLIC_BYTES[suite])
            sealed = hpke.seal(suite, public, randomness, b"payload")
            self.assertEqual(hpke.open_envelope(seed, sealed), b"payload")
            size = 2 + hpke.ENC_BYTES[suite] + 1024 + 16
            self.assertEqual(len(sealed), size)
            for code, changed in (
                ("seal_malformed", sealed[:-1]),
                ("seal_unknown_suite", b"\2" + sealed[1:]),
                ("seal_unknown_suite", b"\1\3" + sealed[2:]),
                ("seal_open_failed", sealed[:-1] + bytes((sealed[-1] ^ 1,))),
                ("seal_open_failed", sealed[:9] + bytes((sealed[9] ^ 1,)) + sealed[10:]),
            ):
                with self.assertRaises(ParleyError) as caught:
                    hpke.open_envelope(seed, changed)
                self.assertEqual(caught.exception.code, code)

    def test_padding(self) -> None:
        """[SEAL-6], [SEAL-8]"""
        seed = bytes(32)
        public = hpke.sealing_keys(seed, 1)["public"]
        self.assertEqual(len(hpke.pad(bytes(1020))), 1024)
        self.assertEqual(len(hpke.pad(bytes(1021))), 2048)
        for plaintext in (bytes(1023) + b"\1", (1021).to_bytes(4, "big") + bytes(1020)):
            with self.assertRaises(ParleyError) as caught:
                hpke.open_envelope(seed, hpke.seal_plaintext(1, public, bytes(32), plaintext))
            self.assertEqual(caught.exception.code, "seal_malformed")
        zero = bytes((1, 1)) + bytes(32) + bytes(1040)
        with self.assertRaises(ParleyError) as caught:
            hpke.open_envelope(seed, zero)
        self.assertEqual(caught.exception.code, "seal_open_failed")


class Keys(unittest.TestCase):
    def test_phrase(self) -> None:
        """BIP-39's vector of 256 zero bits (the words are `abandon`, and last `art`)."""
        words = ["abandon"] * 23 + ["art"]
        self.assertEqual(
            keys.phrase_seed(words).hex(),
            "408b285c123836004f4b8842c89324c1f01382450c0d439af345ba7fc49acf705489c6fc77dbd4e3dc1dd8"
            "cc6bc9f043db8ada1e243c4a0eafb290d399480840",
        )
        self.assertEqual(keys.phrase_entropy([0] * 23 + [102]), bytes(32))
        self.assertIsNone(keys.phrase_entropy([0] * 23 + [103]))
        self.assertIsNone(keys.phrase_entropy([0] * 11 + [3]))

    def test_document_3(self) -> None:
        """The derivation of the example."""
        seed = bytes(range(64))
        customer, persona = (keys.branch(seed, kind, 0) for kind in ("customer", "persona"))
        author = ed25519.public_key(keys.intent_secret(customer, bytes(range(32))))
        self.assertEqual(
            did.of_key(author), "did:key:z6Mkhitx9pMKjRAwscvBtqhuTjU9n8BrdeQyY6Ug2qrABeP5"
        )
        vendor = ed25519.public_key(keys.persona_secret(persona, 0))
        self.assertEqual(
            did.of_key(vendor), "did:key:z6MksQcRM4cEVZukoXPLQ2DgVQ97iBvEG9SyFrWFz4twzBxB"
        )

    def test_dids(self) -> None:
        """[KEY-1], [KEY-2]"""
        key = ed25519.public_key(bytes(32))
        good = did.of_key(key)
        self.assertEqual(did.key_of(good), key)
        for text in (good + "#", good[:-1], good.upper(), "did:key:z" + good[9:].replace("6", "0"),
                     did.of_key(b"\1" + bytes(31)), "did:web:example.com"):  # fmt: skip
            with self.assertRaises(ParleyError) as caught:
                did.key_of(text)
            self.assertEqual(caught.exception.code, "bad_key")


if __name__ == "__main__":
    unittest.main()
