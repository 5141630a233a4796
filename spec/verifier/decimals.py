"""Decimals as integers of ten-thousandths: exact, never binary floating point ([REC-23])."""

from __future__ import annotations

from errors import ParleyError
from schema import has_form

_LIMIT = 10**15 * 10**4


def parse(text: str) -> int:
    """Ten thousand times the number that a text in the form of [REC-23] names."""
    if not has_form("decimal", text):
        raise ParleyError("bad_field", "decimal")
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    return sign * (int(whole) * 10**4 + int(fraction.ljust(4, "0")))


def total(texts: list[str]) -> str:
    """The exact sum, as a decimal; `total_mismatch` if no decimal can hold it ([DEAL-4])."""
    number = sum(parse(text) for text in texts)
    if abs(number) >= _LIMIT:
        raise ParleyError("total_mismatch", "sum")
    whole, fraction = divmod(abs(number), 10**4)
    tail = f".{fraction:04}".rstrip("0").rstrip(".")
    return ("-" if number < 0 else "") + str(whole) + tail
