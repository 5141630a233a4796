"""The one exception of this verifier: an error code of spec/registry/codes.csv."""

from __future__ import annotations


class ParleyError(Exception):
    """A refusal, with its code and, where there is one, the field at fault."""

    def __init__(self, code: str, where: str = "") -> None:
        super().__init__(f"{code}: {where}" if where else code)
        self.code = code
        self.where = where
