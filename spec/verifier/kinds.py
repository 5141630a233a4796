"""One checker for each kind of vector (spec/vectors/README.md).

A checker takes a case's `in` and gives its `out`, or raises `ParleyError`. The members
of `OPTIONAL` may be missing from a vector's `out`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import archive
import carriers
import cbor
import cid
import deal
import decimals
import did
import ed25519
import exports
import hpke
import keys
import mailbox
import ranges
import records
from errors import ParleyError
from schema import has_form

Case = dict[str, Any]
Checker = Callable[[Case, Path], Case]

OPTIONAL: dict[str, set[str]] = {
    "record": {"crit"},
    "sealing-key": {"private"},
    "deal": {"evidence"},
}

SPEC = Path(__file__).resolve().parent.parent


def _raw(case: Case, name: str) -> bytes:
    value = case[name]
    if value != value.lower():
        raise ValueError(f"{name}: not lower-case hex")
    return bytes.fromhex(value)


def _text(id_: bytes | None) -> str | None:
    return None if id_ is None else cid.to_text(id_)


def _key(value: Case) -> deal.DealKey:
    return deal.DealKey(cid.from_text(value["intent"]), value["vendor"], value["round"])


def record(case: Case, _: Path) -> Case:
    r = records.parse(_raw(case, "block"))
    if "now" in case:
        records.check_time(r, case["now"])
    unknown = list(r.unknown) if r.known else []
    return {
        "id": r.text_id,
        "type": r.type,
        "by": r.by,
        "known": r.known,
        "unknown": unknown,
        "crit": r.crit,
    }


def cid_(case: Case, _: Path) -> Case:
    id_ = cid.of_block(_raw(case, "block"))
    return {"bytes": id_.hex(), "text": cid.to_text(id_)}


def did_(case: Case, _: Path) -> Case:
    return {"key": did.key_of(case["did"]).hex()}


def signature(case: Case, _: Path) -> Case:
    return {"valid": ed25519.verify(*(_raw(case, n) for n in ("key", "message", "signature")))}


def phrase(case: Case, _: Path) -> Case:
    words = case["words"].lower().split()
    known = keys.word_list(SPEC)
    indices = case.get("indices")
    if known is not None:
        places = {word: i for i, word in enumerate(known)}
        own = [places.get(word) for word in words]
        if indices is not None and indices != own:
            raise ValueError("indices are not those of the words")
        indices = own
    if indices is None or len(indices) != len(words):
        raise ValueError("no list of words and no indices")
    entropy = keys.phrase_entropy(indices)
    if entropy is None:
        return {"valid": False}
    seed, device = keys.phrase_seed(words), case["device"]
    return {
        "valid": True,
        "entropy": entropy.hex(),
        "seed": seed.hex(),
        "root": keys.root(seed).hex(),
        "customerBranch": keys.branch(seed, "customer", device).hex(),
        "personaBranch": keys.branch(seed, "persona", device).hex(),
    }


def _signing(branch: bytes, secret: bytes) -> Case:
    key = ed25519.public_key(secret)
    return {
        "branch": branch.hex(),
        "secret": secret.hex(),
        "key": key.hex(),
        "did": did.of_key(key),
    }


def intent_key(case: Case, _: Path) -> Case:
    branch = keys.branch(_raw(case, "seed"), "customer", case["device"])
    return _signing(branch, keys.intent_secret(branch, _raw(case, "salt")))


def intent_salt(case: Case, _: Path) -> Case:
    branch = keys.branch(_raw(case, "seed"), "customer", case["device"])
    return {"branch": branch.hex(), "salt": keys.intent_salt(branch, _raw(case, "random")).hex()}


def relationship_key(case: Case, _: Path) -> Case:
    branch = keys.branch(_raw(case, "seed"), "customer", case["device"])
    return _signing(branch, keys.relationship_secret(branch, case["vendor"]))


def assertion_key(case: Case, _: Path) -> Case:
    branch = keys.branch(_raw(case, "seed"), "customer", case["device"])
    return _signing(branch, keys.assertion_secret(branch, _raw(case, "salt")))


def persona_key(case: Case, _: Path) -> Case:
    branch = keys.branch(_raw(case, "seed"), "persona", case["device"])
    after = ed25519.public_key(keys.persona_secret(branch, case["n"] + 1))
    out = _signing(branch, keys.persona_secret(branch, case["n"]))
    return {**out, "nextKey": hashlib.sha256(after).hexdigest()}


def rotation(case: Case, _: Path) -> Case:
    """[KEY-15]"""
    before = [records.parse(bytes.fromhex(block)) for block in case["profiles"]]
    after = records.parse(_raw(case, "next"))
    newest = max(before, key=lambda r: (r.at, r.id))
    same = (
        all(r.type == "profile" and r.by == newest.by for r in before)
        and after.type == "profile"
        and after.link("previous") in {r.id for r in before}
        and hashlib.sha256(did.key_of(after.by)).digest() == newest.body["nextKey"]
    )
    return {"same": same}


def sealing_key(case: Case, _: Path) -> Case:
    made = hpke.sealing_keys(_raw(case, "seed"), case["suite"])
    return {name: value.hex() for name, value in made.items()}


def envelope(case: Case, _: Path) -> Case:
    raw = _raw(case, "envelope")
    payload = hpke.open_envelope(_raw(case, "seed"), raw)
    return {"id": hashlib.sha256(raw).hexdigest(), "payload": payload.hex()}


def seal(case: Case, _: Path) -> Case:
    if case["suite"] != 1:
        raise ValueError("suite")
    names = ("public", "ephemeralIkm", "payload")
    return {"envelope": hpke.seal(1, *(_raw(case, n) for n in names)).hex()}


def bundle(case: Case, _: Path) -> Case:
    found = [r.text_id for r in carriers.parse_bundle(_raw(case, "payload"))]
    return {"records": found, "about": found[-1]}


def frame(case: Case, _: Path) -> Case:
    judged = "market" in case
    try:
        parsed = carriers.parse_frame(_raw(case, "frame"))
        if judged:
            carriers.judge_frame(parsed, case["market"], case["now"])
    except ParleyError as error:
        verdict = carriers.verdict_of(error.code)
        if case.get("verdict", verdict) != verdict:
            raise ValueError(f"verdict of {error.code} is {verdict}") from None
        raise
    out: Case = {
        "messageId": parsed.message_id.hex(),
        "record": cid.to_text(cid.of_block(parsed.block)),
        "stampBits": parsed.stamp_bits,
    }
    return {**out, "verdict": "accept"} if judged else out


def decimal(case: Case, _: Path) -> Case:
    if "sum" in case:
        return {"text": decimals.total(case["sum"])}
    return {"tenThousandths": str(decimals.parse(case["text"]))}


def name(case: Case, _: Path) -> Case:
    out: Case = {"valid": has_form(case["form"], case["text"])}
    if out["valid"] and case["form"] == "market":
        out["topic"] = "/parley/1/" + case["text"]  # [INT-21]
    return out


def deal_key(case: Case, _: Path) -> Case:
    key = _key(case["deal"])
    return {"bytes": key.encode().hex(), "id": cid.to_text(key.id)}


def show_state(state: deal.State) -> Case:
    """A state as vectors have it."""
    return {
        "phase": state.phase,
        "acceptance": _text(state.acceptance),
        "confirmation": _text(state.confirmation),
        "void": _text(state.void),
        "customerVoid": _text(state.customer_void),
        "held": _text(state.held),
        "agreement": _text(state.agreement),
        "committed": state.committed,
        "takesAward": state.takes_award,
        "misfit": {cid.to_text(k): v for k, v in state.misfit.items()},
        "waiting": {cid.to_text(k): cid.to_text(v) for k, v in state.waiting.items()},
        "evidence": sorted(cid.to_text(id_) for id_ in state.evidence),
        "changes": _text(state.changes),
        "counters": [cid.to_text(id_) for id_ in state.counters],
        "termsCounter": _text(state.terms_counter),
        "nextRounds": [cid.to_text(id_) for id_ in state.next_rounds],
    }


def deal_(case: Case, _: Path) -> Case:
    intent = records.parse(_raw(case, "intent"))
    if intent.type != "intent" or intent.text_id != case["deal"]["intent"]:
        raise ValueError("the intent is not the deal's")
    found = [records.parse(bytes.fromhex(block)) for block in case["records"]]
    return show_state(deal.fold(intent, _key(case["deal"]), found))


def _blocks(case: Case) -> list[records.Record]:
    return [records.parse(bytes.fromhex(block)) for block in case["records"]]


def deal_rounds(case: Case, _: Path) -> Case:
    intent = records.parse(_raw(case, "intent"))
    states = deal.rounds(intent, case["vendor"], _blocks(case))
    return {
        "rounds": [
            {
                "round": n,
                "phase": state.phase,
                "agreement": _text(state.agreement),
                "changes": _text(state.changes),
                "takesAward": state.takes_award,
                "open": deal.is_open(states, n),
                "about": _text(deal.about(states, n)),
            }
            for n, state in states.items()
        ],
        "inForce": [_text(state.agreement) for state in deal.in_force(states)],
    }


def follow_up(case: Case, _: Path) -> Case:
    statuses = carriers.registry("order-statuses.csv", "code", "said_by")
    agreement = cid.from_text(case["agreement"])
    said, misfit = deal.follow(
        case["customer"], _key(case["deal"]), agreement, _blocks(case), statuses
    )

    def of(kind: str) -> list[deal.Word]:
        return [word for word in said if word.record.type == kind]

    def last(words: list[deal.Word], side: str) -> deal.Word | None:
        return next((word for word in reversed(words) if word.side == side), None)

    out: Case = {
        "events": [
            {"id": word.record.text_id, "by": word.side, "status": word.status}
            for word in of("order-event")
        ],
        "receipts": [word.record.text_id for word in of("receipt")],
        "misfit": {cid.to_text(k): v for k, v in misfit.items()},
    }
    for side in ("customer", "vendor"):
        event, outcome = last(of("order-event"), side), last(of("outcome"), side)
        out[side] = {
            "status": event.status if event else None,
            "outcome": outcome.record.text_id if outcome else None,
        }
    return out


def terms_hash(case: Case, _: Path) -> Case:
    """[TERMS-9]"""
    r = records.parse(_raw(case, "block"))
    if r.type != "terms":
        raise ValueError("no terms record")
    approved = [r.body["text"], r.body.get("policy"), r.body.get("basedOn")]
    return {"hash": hashlib.sha256(cbor.encode(approved)).hexdigest()}


def mailbox_proof(case: Case, _: Path) -> Case:
    key, proof = _raw(case, "key"), _raw(case, "proof")
    ids = [bytes.fromhex(id_) for id_ in case["ids"]]
    message = mailbox.proof_message(_raw(case, "peer"), case["at"], case["op"], ids)
    if "secret" in case:
        secret = _raw(case, "secret")
        if ed25519.public_key(secret) != key or ed25519.sign(secret, message) != proof:
            raise ValueError("signing gives another key or proof")
    mailbox.check_proof(key, message, proof)
    return {"message": message.hex(), "token": hpke.token(key).hex()}


def custody_receipt(case: Case, _: Path) -> Case:
    message = mailbox.custody_message(_raw(case, "token"), _raw(case, "id"), case["until"])
    mailbox.check_receipt(_raw(case, "peer"), message, _raw(case, "receipt"))
    return {"message": message.hex()}


def deposit_stamp(case: Case, _: Path) -> Case:
    parts = [_raw(case, key) for key in ("peer", "token", "id", "stamp")]
    return {"bits": mailbox.stamp_bits(*parts)}


def _message(protocol: str) -> Checker:
    def check(case: Case, _: Path) -> Case:
        try:
            parsed = mailbox.parse_message(
                protocol, case["direction"], case.get("op"), _raw(case, "stream")
            )
        except mailbox.StreamReset:
            raise ParleyError("reset") from None
        return {"shape": parsed.shape, "unknown": list(parsed.unknown)}

    return check


def ranges_(case: Case, _: Path) -> Case:
    """What a message says of each range ([NET-31])."""
    out: list[Case] = []
    for r in ranges.parse(_raw(case, "message")):
        said: Case = {"until": r.time, "prefix": r.prefix.hex()}
        if r.fingerprint is not None:
            said["fingerprint"] = r.fingerprint.hex()
        if r.ids is not None:
            said["ids"] = [id_.hex() for id_ in r.ids]
        out.append(said)
    return {"ranges": out}


def fingerprint(case: Case, _: Path) -> Case:
    ids = [bytes.fromhex(id_) for id_ in case["ids"]]
    return {"fingerprint": ranges.fingerprint(ids).hex()}


def show_deals(found: archive.Archive) -> list[Case]:
    """The deals of an archive as vectors have them."""
    pairs: dict[tuple[bytes, str], deal.Rounds] = {}
    for key, state in sorted(found.deals.items(), key=lambda entry: entry[0].round):
        pairs.setdefault((key.intent, key.vendor), {})[key.round] = state
    holding = {s.agreement for by_round in pairs.values() for s in deal.in_force(by_round)}
    out = [
        {
            "deal": {"intent": cid.to_text(k.intent), "vendor": k.vendor, "round": k.round},
            "id": cid.to_text(k.id),
            "phase": state.phase,
            "agreement": _text(state.agreement),
            "inForce": state.agreement in holding,
        }
        for k, state in found.deals.items()
    ]
    return sorted(out, key=lambda entry: entry["id"])


def archive_(case: Case, folder: Path) -> Case:
    data = (folder / case["file"]).read_bytes() if "file" in case else _raw(case, "car")
    found = archive.read(data)
    return {
        "root": cid.to_text(found.root),
        "kind": found.kind,
        "records": [r.text_id for r in found.records],
        "deals": show_deals(found),
    }


def export(case: Case, _: Path) -> Case:
    return {"text": exports.export(archive.read(_raw(case, "car")), case["format"])}


def invite(case: Case, _: Path) -> Case:
    found = carriers.parse_invite(case["link"])
    return {
        "addrs": found["addrs"],
        "markets": found.get("markets", []),
        "name": found.get("name"),
    }


KINDS: dict[str, Checker] = {
    "record": record,
    "cid": cid_,
    "did": did_,
    "signature": signature,
    "phrase": phrase,
    "intent-key": intent_key,
    "intent-salt": intent_salt,
    "persona-key": persona_key,
    "relationship-key": relationship_key,
    "assertion-key": assertion_key,
    "rotation": rotation,
    "sealing-key": sealing_key,
    "envelope": envelope,
    "seal": seal,
    "bundle": bundle,
    "frame": frame,
    "decimal": decimal,
    "name": name,
    "deal-key": deal_key,
    "deal": deal_,
    "deal-rounds": deal_rounds,
    "follow-up": follow_up,
    "terms-hash": terms_hash,
    "mailbox-proof": mailbox_proof,
    "custody-receipt": custody_receipt,
    "deposit-stamp": deposit_stamp,
    "mailbox-message": _message("mailbox"),
    "catchup-message": _message("catchup"),
    "peers-message": _message("peers"),
    "stem-message": _message("stem"),
    "reconcile-message": _message("reconcile"),
    "ranges": ranges_,
    "fingerprint": fingerprint,
    "archive": archive_,
    "export": export,
    "invite": invite,
}
