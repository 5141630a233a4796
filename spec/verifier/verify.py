#!/usr/bin/env python3
"""Check the test vectors, or an exported archive, by the documents alone.

    python3 spec/verifier/verify.py [VECTOR_DIR]
    python3 spec/verifier/verify.py --archive FILE.car
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import archive
import carriers
import cid
from errors import ParleyError
from kinds import KINDS, OPTIONAL, SPEC, Case, show_deals

_MUST = re.compile(r"\[([A-Z]+-[0-9]+)\]")
_CASE_MEMBERS = {"name", "musts", "in", "out", "error", "note", "permutations"}
_FILE_MEMBERS = {"description", "kind", "cases"}


class Failure(Exception):
    """A case that does not hold, with what was expected and what came."""


def requirements() -> set[str]:
    """The identifiers of all requirements of the documents."""
    found: set[str] = set()
    for path in SPEC.glob("*.md"):
        found |= set(_MUST.findall(path.read_text(encoding="utf-8")))
    return found


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, sort_keys=True)
    return text if len(text) <= 300 else text[:300] + "…"


def _result(kind: str, given: Case, folder: Path) -> Case | str:
    """What a checker gives: an `out`, or the code of an error."""
    try:
        return KINDS[kind](given, folder)
    except ParleyError as error:
        return error.code


def compare(kind: str, case: Case, got: Case | str) -> None:
    """Fail unless the result is the one that the case states."""
    if "error" in case:
        stated = case["error"]
        wanted = stated if isinstance(stated, list) else [stated]
        if not isinstance(got, str) or got not in wanted:
            raise Failure(f"expected error {'/'.join(wanted)}, got {_short(got)}")
        return
    if isinstance(got, str):
        raise Failure(f"expected a result, got error {got}")
    wanted_out = case["out"]
    for member in sorted(wanted_out.keys() | got.keys()):
        if member not in got:
            raise Failure(f"out.{member} is not a member of this kind here")
        if member not in wanted_out:
            if member not in OPTIONAL.get(kind, set()):
                raise Failure(f"out.{member} is missing; got {_short(got[member])}")
        elif wanted_out[member] != got[member] or type(wanted_out[member]) is not type(got[member]):
            raise Failure(
                f"out.{member}: expected {_short(wanted_out[member])}, got {_short(got[member])}"
            )


def permutations(blocks: list[str]) -> Iterator[list[str]]:
    """Other orders of the records, and each with repeats."""
    if len(blocks) <= 5:
        orders = [list(order) for order in itertools.permutations(blocks)]
    else:
        orders = [blocks[::-1]]
        source = random.Random(1)
        for _ in range(24):
            orders.append(source.sample(blocks, len(blocks)))
    for order in orders:
        yield order
        yield order + order[::2] + order[:1]


def check_case(kind: str, case: Case, folder: Path, known: set[str]) -> None:
    """Check one case."""
    if extra := case.keys() - _CASE_MEMBERS:
        raise Failure(f"unknown members: {', '.join(sorted(extra))}")
    if ("out" in case) == ("error" in case):
        raise Failure("a case has either out or error")
    if unknown := set(case["musts"]) - known:
        raise Failure(f"no such requirement: {', '.join(sorted(unknown))}")
    if "error" in case:
        stated = case["error"] if isinstance(case["error"], list) else [case["error"]]
        if odd := set(stated) - carriers.codes() - {"reset"}:
            raise Failure(f"no such code: {', '.join(sorted(odd))}")
    compare(kind, case, _result(kind, case["in"], folder))
    if case.get("permutations"):
        for blocks in permutations(case["in"]["records"]):
            compare(kind, case, _result(kind, {**case["in"], "records": blocks}, folder))


def check_file(path: Path, known: set[str]) -> tuple[int, list[str]]:
    """The number of cases that hold, and a line for each that does not."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if set(content) != _FILE_MEMBERS or content["kind"] not in KINDS:
            return 0, ["the file has not the members or the kind of README.md"]
    except (ValueError, TypeError) as error:
        return 0, [f"not a vector file: {error}"]
    passed, failures, names = 0, [], set()
    for number, case in enumerate(content["cases"]):
        name = case.get("name", f"#{number}") if isinstance(case, dict) else f"#{number}"
        try:
            if name in names:
                raise Failure("the name is there twice")
            names.add(name)
            check_case(content["kind"], case, path.parent, known)
            passed += 1
        except Failure as failure:
            failures.append(f"{name}: {failure}")
        except Exception as error:  # a vector may be of any shape; go on with the next
            failures.append(f"{name}: cannot be checked: {type(error).__name__}: {error}")
    if not content["cases"]:
        failures.append("no cases")
    return passed, failures


def check_vectors(folder: Path) -> int:
    """Check all vectors below a folder; the exit code."""
    known, passed, failed = requirements(), 0, 0
    for path in sorted(folder.rglob("*.json")):
        good, failures = check_file(path, known)
        passed, failed = passed + good, failed + len(failures)
        print(f"{path.relative_to(folder)}: {good} passed, {len(failures)} failed")
        for line in failures:
            print(f"  {line}")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


def show_archive(path: Path) -> int:
    """Check an archive and print what it shows; the exit code."""
    try:
        found = archive.read(path.read_bytes())
    except ParleyError as error:
        print(f"refused: {error}")
        return 1
    print(f"archive    {cid.to_text(found.root)} ({found.kind})")
    for entry in show_deals(found):
        key = entry["deal"]
        print(f"deal       {entry['id']}")
        print(f"  intent   {key['intent']}")
        print(f"  vendor   {key['vendor']}, round {key['round']}")
        print(f"  phase    {entry['phase']}")
        if entry["agreement"]:
            print(f"  agreement {entry['agreement']}")
    for state in found.deals.values():
        for id_, code in state.misfit.items():
            print(f"misfit     {cid.to_text(id_)}: {code}")
        for id_, missing in state.waiting.items():
            print(f"waiting    {cid.to_text(id_)} for {cid.to_text(missing)}")
        for id_ in state.evidence:
            print(f"evidence   {cid.to_text(id_)}")
    for r in found.records:
        print(f"signed     {r.text_id} {r.type} by {r.by} at {r.at}")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=SPEC / "vectors")
    parser.add_argument("--archive", type=Path, metavar="FILE.car")
    options = parser.parse_args()
    if options.archive is not None:
        return show_archive(options.archive)
    return check_vectors(options.folder)


if __name__ == "__main__":
    sys.exit(main())
