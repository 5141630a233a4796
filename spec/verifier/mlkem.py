"""ML-KEM-768 as in FIPS 203: key generation from a seed, encapsulation, decapsulation."""

from __future__ import annotations

import hashlib

Q = 3329
N = 256
K = 3
ETA = 2  # both of them in this parameter set
DU, DV = 10, 4

PUBLIC_BYTES = 384 * K + 32
CIPHERTEXT_BYTES = 32 * (DU * K + DV)

Poly = list[int]


def _bit_reverse(i: int) -> int:
    return int(f"{i:07b}"[::-1], 2)


_ZETAS = [pow(17, _bit_reverse(i), Q) for i in range(128)]
_GAMMAS = [pow(17, 2 * _bit_reverse(i) + 1, Q) for i in range(128)]


def _ntt(f: Poly) -> Poly:
    f, i, length = list(f), 1, 128
    while length >= 2:
        for start in range(0, N, 2 * length):
            zeta = _ZETAS[i]
            i += 1
            for j in range(start, start + length):
                t = zeta * f[j + length] % Q
                f[j + length] = (f[j] - t) % Q
                f[j] = (f[j] + t) % Q
        length //= 2
    return f


def _ntt_inverse(f: Poly) -> Poly:
    f, i, length = list(f), 127, 2
    while length <= 128:
        for start in range(0, N, 2 * length):
            zeta = _ZETAS[i]
            i -= 1
            for j in range(start, start + length):
                t = f[j]
                f[j] = (t + f[j + length]) % Q
                f[j + length] = zeta * (f[j + length] - t) % Q
        length *= 2
    return [x * 3303 % Q for x in f]


def _multiply(f: Poly, g: Poly) -> Poly:
    out = [0] * N
    for i in range(128):
        a0, a1, b0, b1 = f[2 * i], f[2 * i + 1], g[2 * i], g[2 * i + 1]
        out[2 * i] = (a0 * b0 + a1 * b1 * _GAMMAS[i]) % Q
        out[2 * i + 1] = (a0 * b1 + a1 * b0) % Q
    return out


def _plus(f: Poly, g: Poly) -> Poly:
    return [(a + b) % Q for a, b in zip(f, g)]


def _dot(row: list[Poly], column: list[Poly]) -> Poly:
    total = [0] * N
    for f, g in zip(row, column):
        total = _plus(total, _multiply(f, g))
    return total


def _sample_ntt(seed: bytes) -> Poly:
    size = 672
    while True:
        stream, out = hashlib.shake_128(seed).digest(size), []
        for i in range(0, size - 2, 3):
            d1 = stream[i] + 256 * (stream[i + 1] & 15)
            d2 = (stream[i + 1] >> 4) + 16 * stream[i + 2]
            if d1 < Q:
                out.append(d1)
            if d2 < Q:
                out.append(d2)
        if len(out) >= N:
            return out[:N]
        size += 168 * 3


def _sample_cbd(secret: bytes, counter: int) -> Poly:
    raw = hashlib.shake_256(secret + bytes((counter,))).digest(64 * ETA)
    bits = int.from_bytes(raw, "little")
    out = []
    for i in range(N):
        nibble = bits >> (4 * i) & 15
        out.append(((nibble & 1) + (nibble >> 1 & 1) - (nibble >> 2 & 1) - (nibble >> 3)) % Q)
    return out


def _pack(f: Poly, bits: int) -> bytes:
    number = 0
    for i, x in enumerate(f):
        number |= x << (bits * i)
    return number.to_bytes(32 * bits, "little")


def _unpack(raw: bytes, bits: int) -> Poly:
    number, mask = int.from_bytes(raw, "little"), (1 << bits) - 1
    return [number >> (bits * i) & mask for i in range(N)]


def _compress(f: Poly, bits: int) -> Poly:
    return [((x << bits) + Q // 2) // Q & ((1 << bits) - 1) for x in f]


def _decompress(f: Poly, bits: int) -> Poly:
    return [(x * Q + (1 << (bits - 1))) >> bits for x in f]


def _matrix(rho: bytes) -> list[list[Poly]]:
    return [[_sample_ntt(rho + bytes((j, i))) for j in range(K)] for i in range(K)]


def _g(data: bytes) -> tuple[bytes, bytes]:
    digest = hashlib.sha3_512(data).digest()
    return digest[:32], digest[32:]


def key_pair(seed: bytes) -> tuple[bytes, bytes]:
    """KeyGen_internal of FIPS 203 with d ‖ z = seed: (public key, decapsulation key)."""
    d, z = seed[:32], seed[32:]
    rho, sigma = _g(d + bytes((K,)))
    a = _matrix(rho)
    s = [_ntt(_sample_cbd(sigma, i)) for i in range(K)]
    e = [_ntt(_sample_cbd(sigma, K + i)) for i in range(K)]
    t = [_plus(_dot(a[i], s), e[i]) for i in range(K)]
    public = b"".join(_pack(f, 12) for f in t) + rho
    private = b"".join(_pack(f, 12) for f in s)
    return public, private + public + hashlib.sha3_256(public).digest() + z


def valid_public(public: bytes) -> bool:
    """The check of FIPS 203, 7.2, on an encapsulation key."""
    if len(public) != PUBLIC_BYTES:
        return False
    return all(x < Q for i in range(K) for x in _unpack(public[384 * i : 384 * i + 384], 12))


def _encrypt(public: bytes, message: bytes, coins: bytes) -> bytes:
    t = [_unpack(public[384 * i : 384 * i + 384], 12) for i in range(K)]
    a = _matrix(public[384 * K :])
    y = [_ntt(_sample_cbd(coins, i)) for i in range(K)]
    e1 = [_sample_cbd(coins, K + i) for i in range(K)]
    e2 = _sample_cbd(coins, 2 * K)
    columns = [[a[j][i] for j in range(K)] for i in range(K)]
    u = [_plus(_ntt_inverse(_dot(columns[i], y)), e1[i]) for i in range(K)]
    mu = _decompress(_unpack(message, 1), 1)
    v = _plus(_plus(_ntt_inverse(_dot(t, y)), e2), mu)
    return b"".join(_pack(_compress(f, DU), DU) for f in u) + _pack(_compress(v, DV), DV)


def _decrypt(private: bytes, ciphertext: bytes) -> bytes:
    size = 32 * DU
    u = [_decompress(_unpack(ciphertext[size * i : size * i + size], DU), DU) for i in range(K)]
    v = _decompress(_unpack(ciphertext[size * K :], DV), DV)
    s = [_unpack(private[384 * i : 384 * i + 384], 12) for i in range(K)]
    product = _ntt_inverse(_dot(s, [_ntt(f) for f in u]))
    return _pack(_compress([(x - y) % Q for x, y in zip(v, product)], 1), 1)


def encapsulate(public: bytes, message: bytes) -> tuple[bytes, bytes]:
    """Encaps_internal: (shared secret, ciphertext) for 32 random bytes."""
    shared, coins = _g(message + hashlib.sha3_256(public).digest())
    return shared, _encrypt(public, message, coins)


def decapsulate(private: bytes, ciphertext: bytes) -> bytes:
    """Decaps_internal: the shared secret, or another one for a ciphertext made otherwise."""
    public = private[384 * K : 768 * K + 32]
    digest, z = private[768 * K + 32 : 768 * K + 64], private[768 * K + 64 :]
    message = _decrypt(private[: 384 * K], ciphertext)
    shared, coins = _g(message + digest)
    if _encrypt(public, message, coins) != ciphertext:
        return hashlib.shake_256(z + ciphertext).digest(32)
    return shared
