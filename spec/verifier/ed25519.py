"""Ed25519 in pure Python: RFC 8032 signing, and the strict verification of document 3.

For checking test vectors and archives. Signing is not constant in time: never use it
with a key that is worth something.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
_D2 = 2 * D % P
_SQRT_M1 = pow(2, (P - 1) // 4, P)

# A point is (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z.
Point = tuple[int, int, int, int]
IDENTITY: Point = (0, 1, 1, 0)


def _add(p: Point, q: Point) -> Point:
    x1, y1, z1, t1 = p
    x2, y2, z2, t2 = q
    a = (y1 - x1) * (y2 - x2) % P
    b = (y1 + x1) * (y2 + x2) % P
    c = t1 * _D2 * t2 % P
    d = 2 * z1 * z2 % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _double(p: Point) -> Point:
    x, y, z, _ = p
    a = x * x % P
    b = y * y % P
    h = a + b
    e = h - (x + y) * (x + y) % P
    g = a - b
    f = 2 * z * z % P + g
    return e * f % P, g * h % P, f * g % P, e * h % P


def _negate(p: Point) -> Point:
    x, y, z, t = p
    return P - x, y, z, P - t


def _same(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % P == 0 and (p[1] * q[2] - q[1] * p[2]) % P == 0


def decompress(raw: bytes) -> Point | None:
    """The point of a canonical encoding, or None ([KEY-4])."""
    if len(raw) != 32:
        return None
    number = int.from_bytes(raw, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    if y >= P:
        return None
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * _SQRT_M1 % P
        if v * x * x % P != u:
            return None
    if x == 0 and sign:
        return None
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


def compress(p: Point) -> bytes:
    inverse = pow(p[2], -1, P)
    x, y = p[0] * inverse % P, p[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def small_order(p: Point) -> bool:
    """Whether 8 times the point is the identity ([KEY-5])."""
    return _same(_double(_double(_double(p))), IDENTITY)


_BASE = decompress((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
assert _BASE is not None


def _odd_multiples(p: Point, width: int) -> list[Point]:
    twice = _double(p)
    out = [p]
    for _ in range((1 << (width - 2)) - 1):
        out.append(_add(out[-1], twice))
    return out


_BASE_WIDTH, _WIDTH = 8, 5
_BASE_TABLE = _odd_multiples(_BASE, _BASE_WIDTH)


def _wnaf(scalar: int, width: int) -> list[int]:
    out = []
    full, half = 1 << width, 1 << (width - 1)
    while scalar:
        digit = 0
        if scalar & 1:
            digit = scalar & (full - 1)
            if digit >= half:
                digit -= full
            scalar -= digit
        out.append(digit)
        scalar >>= 1
    return out


def _base_plus(s: int, k: int, point: Point | None) -> Point:
    """[s]B + [k]point."""
    table = _odd_multiples(point, _WIDTH) if point is not None else []
    first, second = _wnaf(s, _BASE_WIDTH), _wnaf(k, _WIDTH) if point is not None else []
    length = max(len(first), len(second))
    first += [0] * (length - len(first))
    second += [0] * (length - len(second))
    total = IDENTITY
    for i in range(length - 1, -1, -1):
        total = _double(total)
        for digit, multiples in ((first[i], _BASE_TABLE), (second[i], table)):
            if digit > 0:
                total = _add(total, multiples[digit >> 1])
            elif digit < 0:
                total = _add(total, _negate(multiples[-digit >> 1]))
    return total


@lru_cache(maxsize=4096)
def usable_key(raw: bytes) -> Point | None:
    """The point of a public key, or None if it is not one ([KEY-2])."""
    point = decompress(raw)
    return None if point is None or small_order(point) else point


@lru_cache(maxsize=8192)
def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether a signature is valid by the profile of document 3 ([KEY-3] to [KEY-7])."""
    if len(key) != 32 or len(signature) != 64:
        return False
    a, r = usable_key(key), decompress(signature[:32])
    if a is None or r is None or small_order(r):
        return False
    s = int.from_bytes(signature[32:], "little")
    if s >= L:
        return False
    k = _hash(signature[:32], key, message)
    return _same(_base_plus(s, k, _negate(a)), r)


def _hash(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


def _expand(seed: bytes) -> tuple[int, bytes]:
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    scalar &= (1 << 254) - 8
    scalar |= 1 << 254
    return scalar, digest[32:]


@lru_cache(maxsize=4096)
def public_key(seed: bytes) -> bytes:
    """The public key of a 32-byte seed (RFC 8032)."""
    return compress(_base_plus(_expand(seed)[0], 0, None))


def sign(seed: bytes, message: bytes) -> bytes:
    """The signature of RFC 8032."""
    scalar, prefix = _expand(seed)
    key = public_key(seed)
    r = _hash(prefix, message)
    commitment = compress(_base_plus(r, 0, None))
    s = (r + _hash(commitment, key, message) * scalar) % L
    return commitment + s.to_bytes(32, "little")
