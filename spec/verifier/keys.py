"""From the phrase to keys (document 3, "The phrase" and "Derivation")."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

_WORDS_SHA256 = "2f5eed53a4727b4bf8880d3f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"
_PLACES = ("bip39-english.txt", "registry/bip39-english.txt", "vectors/bip39-english.txt")


def hkdf_extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), secret, "sha256")


def hkdf_expand(key: bytes, info: bytes, length: int) -> bytes:
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(key, block + info + bytes((counter,)), "sha256")
        out += block
        counter += 1
    return out[:length]


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """`HKDF(secret, salt, info)` of document 3: 32 bytes."""
    return hkdf_expand(hkdf_extract(salt, secret), info, 32)


def uint32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def root(seed: bytes) -> bytes:
    return hkdf(seed, b"parley/1", b"root")


def branch(seed: bytes, kind: str, device: int) -> bytes:
    info = b"parley/1/branch\0" + kind.encode() + b"\0" + uint32(device)
    return hkdf(root(seed), b"", info)


def intent_secret(customer_branch: bytes, salt: bytes) -> bytes:
    """The Ed25519 seed of an intent's key ([KEY-12])."""
    return hkdf(customer_branch, salt, b"parley/1/intent-key")


def intent_salt(customer_branch: bytes, random: bytes) -> bytes:
    """The salt of an intent, from its 16 random bytes ([KEY-12])."""
    return random + hkdf(customer_branch, random, b"parley/1/intent-salt")[:16]


def relationship_secret(customer_branch: bytes, vendor: str) -> bytes:
    """The Ed25519 seed of the key for one vendor ([KEY-21])."""
    return hkdf(customer_branch, b"", b"parley/1/relationship-key\0" + vendor.encode())


def assertion_secret(customer_branch: bytes, salt: bytes) -> bytes:
    """The Ed25519 seed of a chain of assertions ([KEY-23])."""
    return hkdf(customer_branch, salt, b"parley/1/assertion-key")


def persona_secret(persona_branch: bytes, n: int) -> bytes:
    """The Ed25519 seed of persona key n ([KEY-13])."""
    return hkdf(persona_branch, b"", b"parley/1/persona-key\0" + uint32(n))


def phrase_seed(words: list[str]) -> bytes:
    """BIP-39's seed of a phrase ([KEY-9])."""
    phrase = " ".join(words).encode()
    return hashlib.pbkdf2_hmac("sha512", phrase, b"mnemonic", 2048, 64)


def phrase_entropy(indices: list[int | None]) -> bytes | None:
    """The 256 bits of a phrase of 24 words, or None if it is not one ([KEY-9])."""
    if len(indices) != 24:
        return None
    bits = 0
    for index in indices:
        if index is None or not 0 <= index < 2048:
            return None
        bits = bits << 11 | index
    entropy = (bits >> 8).to_bytes(32, "big")
    return entropy if hashlib.sha256(entropy).digest()[0] == bits & 255 else None


def word_list(spec: Path) -> list[str] | None:
    """The English list of BIP-39, if the folder of the specification has it."""
    for place in _PLACES:
        path = spec / place
        if path.is_file():
            raw = path.read_bytes()
            if hashlib.sha256(raw).hexdigest() != _WORDS_SHA256:
                raise ValueError(f"{path}: not the English list of BIP-39")
            return raw.decode().split()
    return None
