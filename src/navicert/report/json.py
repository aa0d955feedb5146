"""The verdict as JSON for programs: the document that `schema/verdict-v1.json` describes, and reading it back.

The promise: within version 1 no field is removed, renamed or given another type or meaning; fields may be added.
Every field is always there, in the same order. The checks are a flat list, parents first, so that
`.checks[] | select(.outcome == "fail")` finds all that failed; `depth` gives the tree back.
"""

from __future__ import annotations

import json

from navicert.digest import Digest
from navicert.errors import Malformed
from navicert.interface import Iterator, Mapping, Sequence
from navicert.report.tally import counts
from navicert.strictjson import type_name
from navicert.timestamp import format_timestamp, parse_timestamp
from navicert.verdict import Check, Outcome, Verdict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

TYPE: Final = "navicert-verdict/v1"
"""What `type` says in every verdict of this version."""

_DEPTH: Final = 256
"""Levels of checks that are read back: 16 nested sublayouts need about 100."""


def to_json(verdict: Verdict) -> dict[str, object]:
    """`verdict` as a JSON object. Spec: `schema/verdict-v1.json`."""
    causes = [path for path, _ in verdict.causes()]
    return {
        "type": TYPE,
        "outcome": verdict.outcome.value,
        "passed": verdict.passed,
        "at": format_timestamp(verdict.at),
        "policy": str(verdict.policy),
        "inputs": [str(digest) for digest in verdict.inputs],
        "first_cause": _plain(causes[0]) if causes else None,
        "causes": _plain(causes),
        "counts": {outcome.value: n for outcome, n in counts(verdict).items()},
        "checks": list(_checks(verdict.root, "", 0)),
        "summary": _summary(verdict.summary),
    }


def render_json(verdict: Verdict) -> str:
    """`verdict` as JSON text in ASCII, so that no terminal obeys what is in it; ends in a line feed."""
    return render_object(to_json(verdict))


def render_object(value: object) -> str:
    """Any JSON `value` as indented text in ASCII, DEL escaped too; ends in a line feed."""
    return json.dumps(_plain(value), indent=2, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n"


def from_json(value: object) -> Verdict:
    """The verdict that a JSON object describes, for showing it; it proves nothing, since nobody signed it.
    Raises `Malformed`. Its summary is not read back."""
    document = _object(value, "")
    if document.get("type") != TYPE:
        raise Malformed("not a verdict", pointer="/type", expected=TYPE, got=repr(document.get("type"))[:60])
    entries = document.get("checks")
    if not isinstance(entries, list) or not entries:
        raise Malformed("a verdict without checks", pointer="/checks")
    checks = [_object(entry, f"/checks/{i}") for i, entry in enumerate(entries)]
    inputs = document.get("inputs")
    if not isinstance(inputs, list):
        raise Malformed("wrong type", pointer="/inputs", expected="array", got=type_name(inputs))
    return Verdict(
        root=_tree(checks),
        at=parse_timestamp(_text(document, "at", "")),
        policy=Digest.parse(_text(document, "policy", "")),
        inputs=tuple(Digest.parse(str(text)) for text in inputs),
    )


# --- writing -------------------------------------------------------------------------------------------------------


def _checks(check: Check, parent: str, depth: int) -> Iterator[dict[str, object]]:
    path = f"{parent}/{check.name}" if parent else check.name
    yield {
        "path": path,
        "depth": depth,
        "id": check.id,
        "subject": check.subject,
        "outcome": None if check.is_note else check.outcome.value,
        "need": check.need,
        "reason": check.reason,
        "spec": check.spec,
        "cause": check.cause,
        "facts": {name: check.facts[name] for name in sorted(check.facts)},
    }
    for child in check.children:
        yield from _checks(child, path, depth + 1)


def _summary(summary: object) -> object:
    to_json = getattr(summary, "to_json", None)
    return None if to_json is None else to_json()


def _plain(value: object) -> object:
    """`value` in JSON's types, its strings without lone surrogates (file names need not be text)."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(_plain(str(name))): _plain(child) for name, child in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return [_plain(child) for child in (sorted(value) if isinstance(value, set | frozenset) else value)]
    return _plain(str(value))


# --- reading -------------------------------------------------------------------------------------------------------


def _tree(entries: Sequence[Mapping[str, object]]) -> Check:
    """The tree of a list in which parents come first and `depth` says how deep each is."""
    # Built from the end, so that each check's children are complete when it is made.
    waiting: dict[int, list[Check]] = {}
    previous = -1
    for i, entry in enumerate(entries):
        depth = entry.get("depth")
        if type(depth) is not int or not 0 <= depth <= min(previous + 1, _DEPTH) or (depth == 0) != (i == 0):
            raise Malformed("checks do not form a tree", pointer=f"/checks/{i}/depth", got=repr(depth)[:40])
        previous = depth
    for i, entry in reversed(list(enumerate(entries))):
        depth = int(str(entry["depth"]))
        children = tuple(reversed(waiting.pop(depth + 1, [])))
        waiting.setdefault(depth, []).append(_check(entry, children, f"/checks/{i}"))
    return waiting[0][0]


def _check(entry: Mapping[str, object], children: tuple[Check, ...], where: str) -> Check:
    need, outcome, cause = entry.get("need"), entry.get("outcome"), entry.get("cause")
    if need is not None and type(need) is not int:
        raise Malformed("wrong type", pointer=f"{where}/need", expected="integer or null", got=type_name(need))
    if cause is not None and not isinstance(cause, str):
        raise Malformed("wrong type", pointer=f"{where}/cause", expected="string or null", got=type_name(cause))
    leaf = None
    if outcome is not None and need is None:
        try:
            leaf = Outcome(outcome)
        except ValueError as error:
            raise Malformed("no such outcome", pointer=f"{where}/outcome", got=repr(outcome)[:40]) from error
    try:
        return Check(
            _text(entry, "id", where),
            _text(entry, "subject", where),
            _text(entry, "reason", where),
            _text(entry, "spec", where),
            _object(entry.get("facts"), f"{where}/facts"),
            need,
            leaf,
            children,
            cause,
        )
    except ValueError as error:
        raise Malformed(str(error), pointer=where) from error


def _object(value: object, where: str) -> dict[str, object]:
    if type(value) is not dict:
        raise Malformed("wrong type", pointer=where, expected="object", got=type_name(value))
    return value


def _text(document: Mapping[str, object], name: str, where: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise Malformed("wrong type", pointer=f"{where}/{name}", expected="string", got=type_name(value))
    return value
