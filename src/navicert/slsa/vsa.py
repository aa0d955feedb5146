"""Verification summaries: judged by the seven steps, and made from a verdict.

Every step must pass, in this order: signature, subject, type, verifier, resource, result, level. A level includes the
lower ones of its track. `FAILED`, `…_UNEVALUATED`, verified properties and a verifier's own values are legal, and are
no level.

Spec: SLSA v1.2 verification_summary.md (how to verify); verifying-source.md.
"""

from __future__ import annotations

import re

from navicert.dataclass import dataclass
from navicert.digest import Digest, DigestSet
from navicert.errors import Malformed
from navicert.model.predicate.vsa import FAILED, PASSED, VSA, VSA_TYPES, VerificationSummary
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.slsa.attestation import Read
from navicert.slsa.expectation import Verifier
from navicert.slsa.levels import SOURCE, slsa_level
from navicert.slsa.source import repository
from navicert.verdict import Check, all_of, failed, passed, skipped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from datetime import datetime
    from typing import Final

SPEC: Final = "SLSA v1.2 verification_summary.md: how to verify"
SLSA_VERSION: Final = "1.2"
TWO_PARTY: Final = "SLSA_SOURCE_TWO_PARTY_REVIEWED"
REPRODUCED: Final = "SLSA_BUILD_REPRODUCED"
UNEVALUATED: Final = "SLSA_BUILD_LEVEL_UNEVALUATED"
LAYOUT_VERIFIED: Final = "NAVICERT_LAYOUT_VERIFIED"
"""Our own property: the chain of the artifact was judged by a signed layout, and passed."""

_LEVEL: Final = re.compile(r"SLSA_(?:([A-Z]+(?:_[A-Z]+)*)_)?LEVEL_([0-9]{1,2})")


def level_of(value: str, track: str) -> int | None:
    """The level of `track` that a `SlsaResult` states; None for everything else. Version 0.1 of the summary had levels
    without a track, of another scale: they are none."""
    found = _LEVEL.fullmatch(value)
    if found is None or (found[1] or "").lower() != track:
        return None
    return int(found[2])


def highest(levels: Collection[str], track: str) -> int:
    """The highest level of `track` among `levels`; 0 where there is none."""
    return max((level for value in levels if (level := level_of(value, track)) is not None), default=0)


@dataclass(frozen=True, slots=True)
class Summarised:
    """What one summary is worth: the check of its seven steps, and the level and properties that count if it passed."""

    check: Check
    read: Read
    level: int = 0
    properties: frozenset[str] = frozenset()


def judge_summary(
    read: Read,
    *,
    covers: Callable[[Statement], bool],
    verifiers: Iterable[Verifier],
    resources: Collection[str],
    track: str,
    at: datetime,
    refs: Collection[str] = (),
    wanted: str = "",
) -> Summarised:
    """Judge a summary by the seven steps. `covers` says whether a statement's subjects are the artifact, `resources`
    are the URIs that it may be about, and `wanted` is the level or property asked for (empty: any level of `track`).

    Where `refs` are given, a source summary must name one of them. A verifier that is in no list, or whose key did not
    sign, gives nothing.
    """
    one, summary = read.attestation, read.summary
    if summary is None:
        raise ValueError("not a summary")
    matching = [verifier for verifier in verifiers if verifier.id == summary.verifier_id]
    trusted = [verifier for verifier in matching if verifier.signer.signed(one, at) is not None]
    best = max(trusted, key=lambda verifier: verifier.source if track == SOURCE else verifier.build, default=None)
    most = 0 if best is None else (best.source if track == SOURCE else best.build)
    level = min(highest(summary.levels, track), most)
    properties = frozenset(summary.levels) & frozenset(() if best is None else best.properties)
    steps: list[tuple[str, str]] = [
        ("signature", "" if one.signed else "it is not signed"),
        ("subject", "" if covers(one.statement) else "its subject is something else"),
        ("type", "" if one.statement.predicate_type in VSA_TYPES else "it is no summary"),
        ("verifier", _verifier_problem(summary, matching, best, one.signers)),
        ("resource", _resource_problem(summary, best, resources, track, _ref_problem(one.statement, refs, track))),
        ("result", "" if summary.result == PASSED else f"its result is {summary.result}"),
        ("level", _level_problem(summary, track, wanted, level, most, properties)),
    ]
    check = _in_order(one.origin, steps, summary)
    if not check.outcome.passes:
        return Summarised(check, read)
    return Summarised(check, read, level, properties)


def _verifier_problem(
    summary: VerificationSummary, matching: Collection[Verifier], best: Verifier | None, signers: str
) -> str:
    if not matching:
        return f"verifier {summary.verifier_id} is not one that is trusted"
    return "" if best is not None else f"claims to be of {summary.verifier_id}, and is signed by {signers}"


def _resource_problem(
    summary: VerificationSummary, best: Verifier | None, resources: Collection[str], track: str, ref_problem: str
) -> str:
    if not resources:
        return "nobody said which resource it must be about"
    if not any(same_resource(summary.resource_uri, uri, track) for uri in resources):
        return f"it is about {summary.resource_uri}, not about {' or '.join(sorted(resources))}"
    if best is not None and best.resource and not under(summary.resource_uri, best.resource):
        return f"{best.id} is trusted for {best.resource} only"
    return ref_problem


def _ref_problem(statement: Statement, refs: Collection[str], track: str) -> str:
    """Why the refs of a source summary do not do. Spec: SLSA v1.2, `sourceRefs` annotation of the subject."""
    if track != SOURCE or not refs:
        return ""
    named: set[str] = set()
    for subject in statement.subjects:
        value = subject.annotations.get("sourceRefs", subject.annotations.get("source_refs"))
        named |= {text for text in value if isinstance(text, str)} if isinstance(value, list) else set()
    if named.isdisjoint(refs):
        return f"it is for {', '.join(sorted(named)) or 'no ref'}, not for {' or '.join(sorted(refs))}"
    return ""


def _level_problem(
    summary: VerificationSummary, track: str, wanted: str, level: int, most: int, properties: Collection[str]
) -> str:
    stated = ", ".join(summary.levels) or "no level"
    odd = [value for value in summary.levels if value == FAILED]
    if odd:
        return f"it states {stated}"
    if wanted and level_of(wanted, track) is None:
        return "" if wanted in properties else f"it states {stated}, not {wanted}, or its verifier may not"
    least = 1 if not wanted else (level_of(wanted, track) or 1)
    if highest(summary.levels, track) < least and not (not wanted and properties):
        return f"it states {stated}, not {slsa_level(track, least)}"
    if level < least and not (not wanted and properties):
        return f"its verifier is trusted up to {slsa_level(track, most)} only"
    return ""


def _in_order(origin: str, steps: Iterable[tuple[str, str]], summary: VerificationSummary) -> Check:
    """The steps as checks: after the first that fails, the others are not judged."""
    root = f"slsa.summary[{origin}]"
    checks: list[Check] = []
    cause = ""
    for name, problem in steps:
        id = f"slsa.summary-{name}"
        if cause:
            checks.append(skipped(id, "", "not judged", cause=cause, spec=SPEC))
        elif problem:
            cause = f"{root}/{id}"
            checks.append(failed(id, "", problem, spec=SPEC))
        else:
            checks.append(passed(id, "", spec=SPEC))
    reason = f"summary by {summary.verifier_id}: {', '.join(summary.levels) or 'no level'}"
    return all_of("slsa.summary", origin, tuple(checks), reason, spec=SPEC)


def same_resource(left: str, right: str, track: str) -> bool:
    """Whether two URIs name one resource: they are equal as written; or of sources one repository, which
    `git+https://h/a` and `https://h/a.git` are."""
    return left == right or (track == SOURCE and "://" in left and repository(left)[0] == repository(right)[0])


def under(uri: str, prefix: str) -> bool:
    """Whether `uri` is `prefix` or lies below it, by whole segments."""
    return uri == prefix or uri.startswith(prefix.rstrip("/") + "/")


def make_summary(
    *,
    subjects: tuple[ResourceDescriptor, ...],
    verifier_id: str,
    version: str,
    resource: str,
    policy: ResourceDescriptor,
    at: datetime,
    levels: tuple[str, ...],
    inputs: Iterable[Digest],
    dependencies: Mapping[str, int] | None = None,
) -> Statement:
    """The statement of a summary that passed; of one that failed where `levels` say nothing but `FAILED`. Raises
    `Malformed` for a level of our own that looks like one of SLSA's, and for subjects without a digest.

    `inputs` are all documents that the verdict rests on, or there must be none of them. Spec: inputAttestations.
    """
    if not subjects or not all(one.digests for one in subjects):
        raise Malformed("a summary is about something with a digest")
    if not levels:
        raise Malformed("a summary states at least one level")
    for value in levels:
        if value.startswith("SLSA_") and not is_slsa_result(value):
            raise Malformed("values that begin with SLSA_ are SLSA's own", got=value)
    if FAILED in levels and levels != (FAILED,):
        raise Malformed("a level beside a failure", got=", ".join(levels))
    summary = VerificationSummary(
        verifier_id=verifier_id,
        resource_uri=resource,
        result=FAILED if levels == (FAILED,) else PASSED,
        levels=levels,
        policy=policy,
        time_verified=at,
        input_attestations=tuple(
            ResourceDescriptor(digests=DigestSet.of({digest.algorithm: digest.hex})) for digest in sorted(set(inputs))
        ),
        dependency_levels=dependencies,
        slsa_version=SLSA_VERSION,
        verifier_version={"navicert": version},
    )
    return Statement(subjects, VSA, summary.to_json())


def is_slsa_result(value: str) -> bool:
    """Whether `value` is one that SLSA defines: a level of a track, one that was not evaluated, a verified property."""
    return (
        value in (TWO_PARTY, REPRODUCED, FAILED)
        or re.fullmatch(r"SLSA_(BUILD_LEVEL_([0-3]|UNEVALUATED)|SOURCE_LEVEL_([0-4]|UNEVALUATED))", value) is not None
    )
