"""Every case of `vectors/`, judged in both profiles: the verdict, the layer at which it failed, and the first cause.

A case that fails must fail where it says and nowhere before: whatever is not listed as refused must be readable and
well signed, so that no mistake in reading hides behind a bad signature, and no bad signature behind a missing step.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from vectors.unpack import unpack

from navicert.crypto.formats import load_public_key
from navicert.envelope.document import open_document, peek
from navicert.errors import LimitExceeded, Malformed
from navicert.model.layout import Layout
from navicert.record.inspector import ProcessInspector
from navicert.resolve.target import open_target
from navicert.store.directory import DirectoryStore
from navicert.store.gather import Gathered, gather
from navicert.strictjson import loads
from navicert.timestamp import parse_timestamp
from navicert.verdict import Check, Outcome, Verdict
from navicert.verify.authority import Authority
from navicert.verify.case import Case, Policy, Revocations
from navicert.verify.evaluate import verify
from navicert.verify.profile import Profile

CASES = Path(__file__).resolve().parents[2] / "vectors" / "cases"
PATHS = sorted(CASES.glob("*.json"))

# The layer that a check belongs to, by the beginning of its id. A step without enough evidence may be the fault of a
# document that could not be read: `Judged.layer`.
LAYERS = {
    "layout.owner": "signature",
    "layout.signature": "signature",
    "layout.": "policy",
    "step.": "evidence",
    "sublayout.": "evidence",
    "rule.": "rules",
    "artifact.": "rules",
    "inspection.": "inspection",
    "target.": "target",
}


@dataclass(frozen=True)
class Judged:
    """What came out: "pass" or a layer, the first cause and all that it says, the warnings, and the evidence that was
    refused, each with its layer."""

    layer: str
    id: str = ""
    says: str = ""
    warns: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()


def unreadable(raw: bytes) -> str | None:
    """The layer that refuses to read `raw`, None where it is a document."""
    try:
        loads(raw)
    except Malformed:
        return "json"
    try:
        sealed = open_document(raw)
        signed = [source for _, source in sealed.candidates()]
    except Malformed:
        return "envelope"
    try:
        for source in signed:
            if isinstance(source, bytes):
                loads(source)
    except Malformed:
        return "json"
    try:
        body = peek(sealed).body
        if isinstance(body, Layout):
            Authority.of(body)
    except Malformed:
        return "model"
    return None


def judge(case: dict[str, Any], profile: Profile, folder: Path) -> Judged:
    """The case unpacked into `folder` and judged as a verifier would."""
    unpack(case, folder)
    raw = (folder / "root.layout").read_bytes()
    owners = [load_public_key(pem.encode()) for pem in case["owners"]]
    try:
        policy = Policy.open(raw, owners, need=case.get("owner_threshold"))
        gathered = gather(policy, [DirectoryStore(str(folder / "evidence"))])
    except Malformed as error:
        return Judged(unreadable(raw) or "model", kind_of(error), str(error))
    assert unreadable(raw) is None
    refused = tuple(refusals(gathered, folder / "evidence"))
    revoked = case.get("revoked", ())
    made = Case(
        policy,
        parse_timestamp(case["at"]),
        gathered.exhibits,
        gathered.refused,
        profile,
        parameters=case.get("parameters"),
        patterns=frozenset(case.get("patterns", ())),
        revoked=Revocations(*(frozenset(filter(kind, revoked)) for kind in (is_digest, is_keyid, is_person))),
        run_id=case.get("run_id"),
        min_version=case.get("min_version"),
        target_step=case.get("target_step"),
    )
    if "target" in case:
        made = replace(made, target=open_target(str(folder / case["target"]["name"])))
    try:
        with ProcessInspector(str(folder / "inspect")) as inspector:
            verdict = verify(made, inspector if "files" in case else None)
    except Malformed as error:
        return Judged("policy", kind_of(error), str(error), refused=refused)
    return outcome(verdict, refused)


def kind_of(error: Malformed) -> str:
    return "LimitExceeded" if isinstance(error, LimitExceeded) else "Malformed"


def refusals(gathered: Gathered, store: Path) -> Iterator[tuple[str, str]]:
    """The files that do not count, each with the layer that says so. A folder is refused for its depth."""
    for path in (Path(refusal.origin) for refusal in gathered.refused):
        if path.is_file():
            yield str(path.relative_to(store)), unreadable(path.read_bytes()) or "signature"


def outcome(verdict: Verdict, refused: tuple[tuple[str, str], ...]) -> Judged:
    """The verdict in the words of a case."""
    warns = tuple(sorted({check.id for _, check in verdict.root.walk() if check.leaf is Outcome.WARN}))
    if verdict.passed:
        return Judged("pass", warns=warns, refused=refused)
    cause = verdict.first_cause
    assert cause is not None, "a verdict that does not pass names what is in the way"
    layer = next(layer for start, layer in LAYERS.items() if cause.id.startswith(start))
    if cause.id == "step.threshold" and refused:
        # The documents that this step needed were not let through by an earlier layer.
        (layer,) = {layer for _, layer in refused}
    return Judged(layer, cause.id, "\n".join(reasons(cause)), warns, refused)


def reasons(check: Check) -> Iterator[str]:
    for _, node in check.walk():
        yield node.reason


def is_digest(text: str) -> bool:
    return ":" in text


def is_keyid(text: str) -> bool:
    return len(text) == 64


def is_person(text: str) -> bool:
    return not is_digest(text) and not is_keyid(text)


def case_at(path: Path) -> dict[str, Any]:
    case: dict[str, Any] = json.loads(path.read_bytes())
    return case


@pytest.mark.parametrize("profile", list(Profile), ids=lambda profile: profile.value)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_case_comes_out_as_it_says(path: Path, profile: Profile, tmp_path: Path) -> None:
    case = case_at(path)
    expected = case["profiles"][profile.value]
    judged = judge(case, profile, tmp_path)
    assert judged.layer == expected["expect"], judged
    if judged.layer == "pass":
        assert judged.warns == tuple(expected.get("warns", ()))
    else:
        assert judged.id == expected["id"], judged
        assert expected["says"] in judged.says
    assert dict(judged.refused) == case.get("refused", {})


ALL = {path.stem: case_at(path) for path in PATHS}


class TestTheCollection:
    """What is true of all cases together."""

    def test_there_are_cases_for_every_layer(self) -> None:
        layers = {case["expect"] for case in ALL.values()}
        assert layers == {*LAYERS.values(), "json", "envelope", "model", "pass"}

    def test_every_failing_case_names_a_passing_one_that_it_differs_from(self) -> None:
        for name, case in ALL.items():
            if case["expect"] != "pass":
                assert ALL[case["control"]]["expect"] == "pass", name

    def test_a_failing_case_differs_from_its_control(self) -> None:
        given = ("layout", "evidence", "owners", "at", "target", "target_step", "files", "parameters", "patterns")
        for case in ALL.values():
            if "control" in case:
                control = ALL[case["control"]]
                more = (*given, "revoked", "run_id", "min_version", "owner_threshold")
                assert any(case.get(name) != control.get(name) for name in more), case["name"]

    def test_what_only_one_profile_accepts_is_said_by_the_upstream_profile(self) -> None:
        """STRICT never accepts what UPSTREAM refuses, but for what DESIGN lists: digests and links that disagree."""
        for name, case in ALL.items():
            strict, upstream = (case["profiles"][profile]["expect"] for profile in ("strict", "upstream"))
            if strict == "pass" and upstream != "pass":
                assert case["group"] in ("match", "evidence"), name
