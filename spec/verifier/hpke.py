"""Sealing: HPKE (RFC 9180) in base mode, single shot, with the suites of document 4."""

from __future__ import annotations

import hashlib
import hmac
import struct

import ed25519
import mlkem
from errors import ParleyError
from keys import hkdf, hkdf_expand, hkdf_extract

_P = 2**255 - 19
_CLASSES = [1024 << i for i in range(8)]  # [SEAL-6]
PUBLIC_BYTES = {1: 32, 2: 1216}
ENC_BYTES = {1: 32, 2: 1120}
_KEM_ID = {1: 0x0020, 2: 0x647A}
TAG_BYTES = 16


# ---- X25519 (RFC 7748) ------------------------------------------------------


def x25519(scalar: bytes, point: bytes) -> bytes:
    k = int.from_bytes(scalar, "little")
    k = k & ((1 << 254) - 8) | 1 << 254
    x1 = (int.from_bytes(point, "little") & (1 << 255) - 1) % _P
    x2, z2, x3, z3, swap = 1, 0, x1, 1, 0
    for t in range(254, -1, -1):
        bit = k >> t & 1
        if swap != bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb = d * a % _P, c * b % _P
        aa, bb = a * a % _P, b * b % _P
        e = aa - bb
        x3, z3 = (da + cb) ** 2 % _P, x1 * (da - cb) ** 2 % _P
        x2, z2 = aa * bb % _P, e * (aa + 121665 * e) % _P
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, _P - 2, _P) % _P).to_bytes(32, "little")


def x25519_public(scalar: bytes) -> bytes:
    return x25519(scalar, (9).to_bytes(32, "little"))


# ---- ChaCha20-Poly1305 (RFC 8439) -------------------------------------------

_M = 0xFFFFFFFF


def _chacha_block(state: list[int]) -> bytes:
    x = list(state)
    for _ in range(10):
        for a, b, c, d in (
            (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
            (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
        ):  # fmt: skip
            xa, xb, xc, xd = x[a], x[b], x[c], x[d]
            xa = xa + xb & _M
            xd ^= xa
            xd = (xd << 16 | xd >> 16) & _M
            xc = xc + xd & _M
            xb ^= xc
            xb = (xb << 12 | xb >> 20) & _M
            xa = xa + xb & _M
            xd ^= xa
            xd = (xd << 8 | xd >> 24) & _M
            xc = xc + xd & _M
            xb ^= xc
            x[a], x[b], x[c], x[d] = xa, (xb << 7 | xb >> 25) & _M, xc, xd
    return struct.pack("<16I", *((p + q) & _M for p, q in zip(x, state)))


def chacha20(key: bytes, nonce: bytes, counter: int, data: bytes) -> bytes:
    state = [0x61707865, 0x3320646E, 0x79622D32, 0x6B206574, *struct.unpack("<8I", key)]
    state += [counter, *struct.unpack("<3I", nonce)]
    stream = bytearray()
    while len(stream) < len(data):
        stream += _chacha_block(state)
        state[12] = state[12] + 1 & _M
    size = len(data)
    mixed = int.from_bytes(data, "little") ^ int.from_bytes(stream[:size], "little")
    return mixed.to_bytes(size, "little")


def poly1305(key: bytes, data: bytes) -> bytes:
    r = int.from_bytes(key[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    total, prime = 0, (1 << 130) - 5
    for i in range(0, len(data), 16):
        total = (total + int.from_bytes(data[i : i + 16] + b"\1", "little")) * r % prime
    total += int.from_bytes(key[16:], "little")
    return (total & (1 << 128) - 1).to_bytes(16, "little")


def _tag(key: bytes, nonce: bytes, aad: bytes, ciphertext: bytes) -> bytes:
    def padded(data: bytes) -> bytes:
        return data + bytes(-len(data) % 16)

    lengths = struct.pack("<QQ", len(aad), len(ciphertext))
    one_time = chacha20(key, nonce, 0, bytes(32))
    return poly1305(one_time, padded(aad) + padded(ciphertext) + lengths)


def aead_seal(key: bytes, nonce: bytes, aad: bytes, plaintext: bytes) -> bytes:
    ciphertext = chacha20(key, nonce, 1, plaintext)
    return ciphertext + _tag(key, nonce, aad, ciphertext)


def aead_open(key: bytes, nonce: bytes, aad: bytes, sealed: bytes) -> bytes | None:
    ciphertext, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(key, nonce, aad, ciphertext)):
        return None
    return chacha20(key, nonce, 1, ciphertext)


# ---- HPKE -------------------------------------------------------------------


def _kem_suite(suite: int) -> bytes:
    return b"KEM" + _KEM_ID[suite].to_bytes(2, "big")


def _labeled_extract(suite_id: bytes, salt: bytes, label: bytes, ikm: bytes) -> bytes:
    return hkdf_extract(salt, b"HPKE-v1" + suite_id + label + ikm)


def _labeled_expand(suite_id: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    return hkdf_expand(prk, size.to_bytes(2, "big") + b"HPKE-v1" + suite_id + label + info, size)


def derive_key_pair(suite: int, ikm: bytes) -> tuple[bytes, bytes]:
    """DeriveKeyPair of the suite's KEM: (private key, public key).

    Suite 2's private key is its 32-byte seed (draft-ietf-hpke-pq, with the one-stage
    derivation of draft-ietf-hpke-hpke over SHAKE256)."""
    suite_id = _kem_suite(suite)
    if suite == 1:
        prk = _labeled_extract(suite_id, b"", b"dkp_prk", ikm)
        private = _labeled_expand(suite_id, prk, b"sk", b"", 32)
        return private, x25519_public(private)
    label = b"DeriveKeyPair"
    labeled = ikm + b"HPKE-v1" + suite_id + len(label).to_bytes(2, "big") + label
    private = hashlib.shake_256(labeled + (32).to_bytes(2, "big")).digest(32)
    return private, _hybrid(private)[2]


def _hybrid(seed: bytes) -> tuple[bytes, bytes, bytes]:
    """From suite 2's seed: ML-KEM's decapsulation key, X25519's private key, public key."""
    expanded = hashlib.shake_256(seed).digest(96)
    public, private = mlkem.key_pair(expanded[:64])
    return private, expanded[64:], public + x25519_public(expanded[64:])


def _decapsulate(suite: int, private: bytes, public: bytes, enc: bytes) -> bytes | None:
    """The shared secret, or None where the KEM refuses."""
    if suite == 1:
        dh = x25519(private, enc)
        return _dhkem_secret(dh, enc, public) if any(dh) else None
    mlkem_key, x_key, _ = _hybrid(private)
    first = mlkem.decapsulate(mlkem_key, enc[: mlkem.CIPHERTEXT_BYTES])
    enc_x = enc[mlkem.CIPHERTEXT_BYTES :]
    second = x25519(x_key, enc_x)
    return _combine(first, second, enc_x, public[-32:]) if any(second) else None  # [SEAL-15]


def _dhkem_secret(dh: bytes, enc: bytes, public: bytes) -> bytes:
    prk = _labeled_extract(_kem_suite(1), b"", b"eae_prk", dh)
    return _labeled_expand(_kem_suite(1), prk, b"shared_secret", enc + public, 32)


def _combine(first: bytes, second: bytes, enc_x: bytes, public_x: bytes) -> bytes:
    return hashlib.sha3_256(first + second + enc_x + public_x + b"\\.//^\\").digest()


def key_schedule(suite: int, shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """The key and the base nonce, in base mode."""
    suite_id = b"HPKE" + _KEM_ID[suite].to_bytes(2, "big") + b"\0\1\0\3"
    psk_id = _labeled_extract(suite_id, b"", b"psk_id_hash", b"")
    context = b"\0" + psk_id + _labeled_extract(suite_id, b"", b"info_hash", info)
    secret = _labeled_extract(suite_id, shared, b"secret", b"")
    key = _labeled_expand(suite_id, secret, b"key", context, 32)
    return key, _labeled_expand(suite_id, secret, b"base_nonce", context, 12)


# ---- Envelopes --------------------------------------------------------------


def sealing_ikm(seed: bytes, suite: int) -> bytes:
    return hkdf(seed, b"", b"parley/1/sealing-key\0" + bytes((suite,)))


def pickup_seed(seed: bytes) -> bytes:
    return hkdf(seed, b"", b"parley/1/pickup-key")


def token(pickup_key: bytes) -> bytes:
    """[SEAL-5]"""
    return hashlib.sha256(pickup_key).digest()


def seal_info(suite: int, public: bytes) -> bytes:
    return b"parley/1/seal\0" + bytes((suite,)) + hashlib.sha256(public).digest()


def pad(payload: bytes) -> bytes:
    """The plaintext of the smallest size class ([SEAL-6])."""
    for size in _CLASSES:
        if 4 + len(payload) <= size:
            return len(payload).to_bytes(4, "big") + payload + bytes(size - 4 - len(payload))
    raise ParleyError("too_large", "payload")


def unpad(plaintext: bytes) -> bytes:
    """The payload ([SEAL-8])."""
    size = int.from_bytes(plaintext[:4], "big")
    if size > len(plaintext) - 4 or any(plaintext[4 + size :]):
        raise ParleyError("seal_malformed", "padding")
    return plaintext[4 : 4 + size]


def seal_plaintext(suite: int, public: bytes, randomness: bytes, plaintext: bytes) -> bytes:
    """An envelope. `randomness` is the IKM of the ephemeral key for suite 1, and the
    32 bytes of ML-KEM with an X25519 private key of 32 for suite 2 (self tests only)."""
    if suite == 1:
        private, enc = derive_key_pair(1, randomness)
        shared = _dhkem_secret(x25519(private, public), enc, public)
    else:
        first, enc_pq = mlkem.encapsulate(public[: mlkem.PUBLIC_BYTES], randomness[:32])
        enc_x, public_x = x25519_public(randomness[32:]), public[-32:]
        shared = _combine(first, x25519(randomness[32:], public_x), enc_x, public_x)
        enc = enc_pq + enc_x
    key, nonce = key_schedule(suite, shared, seal_info(suite, public))
    return bytes((1, suite)) + enc + aead_seal(key, nonce, b"", plaintext)


def seal(suite: int, public: bytes, randomness: bytes, payload: bytes) -> bytes:
    return seal_plaintext(suite, public, randomness, pad(payload))


def open_envelope(seed: bytes, envelope: bytes) -> bytes:
    """The payload of an envelope ([SEAL-7], [SEAL-8])."""
    if len(envelope) < 2:
        raise ParleyError("seal_malformed", "length")
    suite = envelope[1]
    if envelope[0] != 1 or suite not in ENC_BYTES:
        raise ParleyError("seal_unknown_suite")
    begin = 2 + ENC_BYTES[suite]
    if len(envelope) - begin - TAG_BYTES not in _CLASSES:
        raise ParleyError("seal_malformed", "length")
    private, public = derive_key_pair(suite, sealing_ikm(seed, suite))
    shared = _decapsulate(suite, private, public, envelope[2:begin])
    plaintext = None
    if shared is not None:
        key, nonce = key_schedule(suite, shared, seal_info(suite, public))
        plaintext = aead_open(key, nonce, b"", envelope[begin:])
    if plaintext is None:
        raise ParleyError("seal_open_failed")
    return unpad(plaintext)


def sealing_keys(seed: bytes, suite: int) -> dict[str, bytes]:
    """What document 4 derives from a sealing seed."""
    ikm = sealing_ikm(seed, suite)
    private, public = derive_key_pair(suite, ikm)
    pickup = pickup_seed(seed)
    pickup_key = ed25519.public_key(pickup)
    return {
        "ikm": ikm,
        "private": private,
        "public": public,
        "pickupSeed": pickup,
        "pickupKey": pickup_key,
        "token": token(pickup_key),
    }
