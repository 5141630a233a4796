"""Archives: the proof of one deal, or a whole store (document 10)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cbor
import cid
import records
from cid import Link
from deal import CUSTOMER, FOLLOW_UPS, VENDOR, DealKey, State, fold, in_force, rounds
from errors import ParleyError
from mailbox import read_varint
from records import MAX_BLOCK, Record, deal_key
from schema import Seen, array, exactly, is_integer, link, mapping, one_of

MAX_HEADER = 256
MAX_SECTION = 36 + MAX_BLOCK
MAX_LISTED = 1024

_EXACTLY_ONE = exactly(1, "unsupported_version")
_DEAL_MANIFEST = mapping(
    {
        "parley": _EXACTLY_ONE,
        "kind": one_of("deal"),
        "deal": deal_key,
        "records": array(1, MAX_LISTED, link),
        "agreement?": link,
    },
    closed=True,
)
_STORE_MANIFEST = mapping(
    {
        "parley": _EXACTLY_ONE,
        "kind": one_of("store"),
        "pages": array(0, MAX_LISTED, link),
    },
    closed=True,
)
_PAGE = array(1, MAX_LISTED, link)

@dataclass(frozen=True)
class Archive:
    """What an archive holds, and the states that follow from it."""

    root: bytes
    kind: str
    records: list[Record]
    deals: dict[DealKey, State]
    about: DealKey | None  # the manifest's deal


class _Sections:
    """The sections of a file, one after the other."""

    def __init__(self, data: bytes, pos: int) -> None:
        self.data = data
        self.pos = pos
        self.listed: set[bytes] = set()

    def list(self, ids: list[bytes]) -> None:
        """Note IDs as listed: none is listed twice ([ARC-4])."""
        for id_ in ids:
            if id_ in self.listed:
                raise ParleyError("duplicate", cid.to_text(id_))
            self.listed.add(id_)

    def next(self, expected: bytes) -> bytes:
        """The next block, which is the expected one ([ARC-4], [ARC-6])."""
        length, begin = _length(self.data, self.pos)
        if length > MAX_SECTION:
            raise ParleyError("too_large", "section")
        end = begin + length
        if length <= 36 or end > len(self.data):
            raise ParleyError("malformed", "section is cut short")
        id_, block = self.data[begin : begin + 36], self.data[begin + 36 : end]
        if cid.of_block(block) != id_:
            raise ParleyError("damaged", "block does not match its CID")
        if id_ != expected:
            raise ParleyError("missing_record", cid.to_text(expected))
        self.pos = end
        return block


def _links(value: list[Link]) -> list[bytes]:
    return [entry.cid for entry in value]


def _length(data: bytes, pos: int) -> tuple[int, int]:
    """A length of at most 4 bytes, and where it ends."""
    number, end = read_varint(data, pos, "not_canonical")
    if end - pos > 4:
        raise ParleyError("malformed", "length")
    return number, end


def _root(data: bytes) -> tuple[bytes, int]:
    """The root of the header, and where the sections begin."""
    length, begin = _length(data, 0)
    if length > MAX_HEADER:
        raise ParleyError("too_large", "header")
    if length == 0 or begin + length > len(data):
        raise ParleyError("malformed", "header is cut short")
    try:
        header = cbor.decode(data[begin : begin + length])
    except ParleyError as error:
        if error.code == "not_canonical":
            raise
        raise ParleyError("unsupported_format", "header") from None
    version = header.get("version") if isinstance(header, dict) else None
    if is_integer(version) and version != 1:
        raise ParleyError("unsupported_version", "CAR")
    shape = mapping({"roots": array(1, 1, link), "version": _EXACTLY_ONE}, closed=True)
    try:
        shape(header, "", Seen())
    except ParleyError:
        raise ParleyError("unsupported_format", "header") from None
    return header["roots"][0].cid, begin + length


def _manifest(block: bytes) -> dict[str, Any]:
    """[ARC-1]"""
    manifest = cbor.decode(block)
    if not isinstance(manifest, dict) or "parley" not in manifest:
        raise ParleyError("unsupported_format", "no manifest")
    _EXACTLY_ONE(manifest["parley"], "parley", Seen())
    kind = manifest.get("kind")
    if kind not in ("deal", "store"):
        raise ParleyError("unsupported_format", "kind")
    (_STORE_MANIFEST if kind == "store" else _DEAL_MANIFEST)(manifest, "", Seen())
    return manifest


def read(data: bytes) -> Archive:
    """Check an archive and compute what it shows ([ARC-1] to [ARC-6])."""
    root, pos = _root(data)
    sections = _Sections(data, pos)
    sections.list([root])
    manifest = _manifest(sections.next(root))
    if manifest["kind"] == "deal":
        ids = _links(manifest["records"])
        sections.list(ids)
    else:
        ids = _pages(sections, _links(manifest["pages"]))
    found = []
    for id_ in ids:
        block = sections.next(id_)
        found.append(records.parse(block))
    if sections.pos != len(data):
        raise ParleyError("malformed", "bytes after the last block")
    key = None
    if manifest["kind"] == "deal":
        key = DealKey.of(manifest["deal"])
        assert key is not None
        stated = manifest.get("agreement")
        deals = _one_deal(key, stated.cid if stated else None, found)
    else:
        deals = _all_deals(found)
    return Archive(root, manifest["kind"], found, deals, key)


def _pages(sections: _Sections, pages: list[bytes]) -> list[bytes]:
    """The IDs that the pages of a store list ([ARC-3])."""
    sections.list(pages)
    ids = []
    for page in pages:
        value = cbor.decode(sections.next(page))
        _PAGE(value, "page", Seen())
        ids += _links(value)
    sections.list(ids)
    return ids


def _one_deal(key: DealKey, stated: bytes | None, found: list[Record]) -> dict[DealKey, State]:
    """The rounds of an archive of a deal, which has nothing else ([ARC-2], [ARC-5])."""
    intent, rest = found[0], found[1:]
    if intent.id != key.intent or intent.type != "intent":
        raise ParleyError("bad_field", "the first record is not the deal's intent")
    if [(r.at, r.id) for r in rest] != sorted((r.at, r.id) for r in rest):
        raise ParleyError("bad_field", "order of the records")
    own = [r for r in rest if r.type in VENDOR | CUSTOMER | FOLLOW_UPS]
    for r in own:
        of = DealKey.of(r.body["deal"])
        if of is None or (of.intent, of.vendor) != (key.intent, key.vendor):
            raise ParleyError("deal_mismatch", r.text_id)
    by_round = rounds(intent, key.vendor, own)
    if not by_round:
        raise ParleyError("missing_record", "no record of the deal")
    cited = {id_ for r in [intent, *own] for id_ in _links_in(r.body)}
    for r in rest:
        if r not in own and r.id not in cited:
            raise ParleyError("deal_mismatch", r.text_id)
    vendors, either = VENDOR | {"receipt"}, {"order-event", "outcome"}
    for r in own:
        authors = {key.vendor} if r.type in vendors else {intent.by}
        if r.by not in ({key.vendor, intent.by} if r.type in either else authors):
            raise ParleyError("wrong_author", r.text_id)
    holding = in_force(by_round)
    subject = (holding or list(by_round.values()))[-1]
    if by_round.get(key.round) is not subject or stated != subject.agreement:
        raise ParleyError("bad_field", "the manifest is about another round or agreement")
    return {DealKey(key.intent, key.vendor, n): state for n, state in by_round.items()}


def _links_in(value: Any) -> Iterator[bytes]:
    """All IDs that stand in a body, wherever."""
    if isinstance(value, Link):
        yield value.cid
    elif isinstance(value, (list, dict)):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _links_in(entry)


def _all_deals(found: list[Record]) -> dict[DealKey, State]:
    """The state of every deal of which a store has the intent."""
    intents = {r.id: r for r in found if r.type == "intent"}
    by_key: dict[DealKey, list[Record]] = {}
    for r in found:
        key = DealKey.of(r.body["deal"]) if r.type in VENDOR | CUSTOMER else None
        if key is not None and key.intent in intents:
            by_key.setdefault(key, []).append(r)
    return {key: fold(intents[key.intent], key, own) for key, own in by_key.items()}
