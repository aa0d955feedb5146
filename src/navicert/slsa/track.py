"""The build and source tracks of SLSA v1.2: what each account of the build, and each summary, is worth.

Spec: SLSA v1.2 build-requirements.md, verifying-artifacts.md, source-requirements.md, verifying-source.md.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.model.statement import Statement
from navicert.slsa.account import Account, Inquiry
from navicert.slsa.builders import Trust
from navicert.slsa.finding import Finding, Findings
from navicert.slsa.levels import BUILD, BUILDER, CRYPTOGRAPHIC, REQUIREMENTS, SOURCE
from navicert.slsa.provenance import contradictions, other_parameters, unsaid
from navicert.slsa.source import Source, repository
from navicert.slsa.vsa import TWO_PARTY, Summarised, judge_summary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Final

GITHUB: Final = "https://token.actions.githubusercontent.com"
HOSTED: Final = "github-hosted"


def build_findings(inquiry: Inquiry, account: Account) -> dict[str, Finding]:
    """The requirements of the build track, by one provenance."""
    evidence = (account.digest,)
    return {
        name: Finding(not problem, problem or reason, kind, evidence, caution)
        for name, problem, reason, kind, caution in (
            _provenance(account),
            _expected(inquiry, account),
            _authentic(account),
            _hosted(account),
            _unforgeable(account),
            _isolated(account),
            _parameters(inquiry, account),
        )
    }


_Row = tuple[str, str, str, str, bool]
"""Name, what is wrong, the reason where nothing is, class, and whether that is a caution."""


def _provenance(account: Account) -> _Row:
    provenance = account.provenance
    problem = ""
    if provenance is None:
        problem = "a link is no SLSA provenance"
    elif not provenance.builder_id:
        problem = f"{account.origin} does not name its builder"
    claim = "" if account.attestation is None else account.attestation.claimed
    reason = f"{account.origin} is about the artifact{f'; unsigned, {claim}' if claim else ''}"
    return "provenance", problem, reason, CRYPTOGRAPHIC if account.signed else account.word, bool(claim)


def _expected(inquiry: Inquiry, account: Account) -> _Row:
    expected = inquiry.expected
    if expected is None and inquiry.expectations.images:
        return "expected", "the expectations name no such image", "", account.word, False
    if expected is None or not expected.constrains:
        return "expected", "", "nobody said what is expected: any build by this builder would do", account.word, True
    return "expected", "; ".join(account.problems[:5]), "it is as expected", account.word, False


def _authentic(account: Account) -> _Row:
    problem = "" if account.standing.level >= 2 else account.standing.reason
    if account.standing.trust is Trust.TRUSTED and problem:
        problem = f"{account.standing.reason}, which is trusted up to level {account.standing.level}"
    return "authentic", problem, account.standing.reason, BUILDER, False


def _hosted(account: Account) -> _Row:
    builder = account.standing.builder
    if builder is None or not builder.hosted:
        return "hosted", account.standing.reason, "", BUILDER, False
    identity = account.identity
    runner = HOSTED if identity is None else identity.claims.get("runnerEnvironment", HOSTED)
    problem = "" if runner == HOSTED else f"the certificate says that the runner was {runner}"
    return "hosted", problem, f"{builder.name} is a hosted service", BUILDER, False


def hardened(account: Account) -> str:
    """Why the builder of an account is not trusted at level 3, or nothing."""
    builder = account.standing.builder
    if builder is None:
        return account.standing.reason
    return "" if builder.level >= 3 else f"{builder.name} is trusted up to level {builder.level}"


def certified(account: Account) -> str:
    """Where the certificate of who signed contradicts the provenance, or does not say enough; or nothing."""
    identity, provenance = account.identity, account.provenance
    if identity is None or identity.issuer != GITHUB:
        return ""
    if identity.claims.get("runnerEnvironment") != HOSTED:
        return f"the certificate does not say that the runner was {HOSTED}"
    if provenance is not None:
        return unsaid(identity) or next(contradictions(provenance, identity), "")
    said = identity.claims.get("sourceRepositoryDigest", "").lower()
    return "" if said in account.source.commits else "the certificate is for another commit than the link"


def _unforgeable(account: Account) -> _Row:
    builder = account.standing.builder
    name = "" if builder is None else builder.name
    problem = hardened(account) or certified(account)
    return "unforgeable", problem, f"{name} is trusted to keep its key from builds", BUILDER, False


def _isolated(account: Account) -> _Row:
    builder = account.standing.builder
    name = "" if builder is None else builder.name
    return "isolated", hardened(account), f"{name} is trusted to keep builds apart", BUILDER, False


def _parameters(inquiry: Inquiry, account: Account) -> _Row:
    problem = parameters_problem(inquiry, account)
    return "parameters", problem, "every external parameter is expected", account.word, False


def parameters_problem(inquiry: Inquiry, account: Account) -> str:
    """Why the external parameters of a provenance are not all expected, or nothing."""
    expected, provenance = inquiry.expected, account.provenance
    if provenance is None:
        return "a link has no external parameters"
    if expected is None or expected.parameters is None:
        return "nobody said which external parameters are expected"
    return "; ".join(list(other_parameters(provenance.external_parameters, expected.parameters))[:3])


def summary_findings(summarised: Summarised) -> dict[str, Finding]:
    """The requirements of the build track, by a summary of a trusted verifier: all up to its level."""
    reason = summarised.check.reason
    evidence = (str(summarised.read.attestation.digest),)
    return {
        one.name: Finding(one.level <= summarised.level, reason, BUILDER, evidence)
        for one in REQUIREMENTS
        if one.track == BUILD
    }


def artifact_summaries(inquiry: Inquiry) -> tuple[Summarised, ...]:
    """The summaries about the artifact itself, judged for the build track."""

    def covers(statement: Statement) -> bool:
        return not inquiry.artifact.uncovered(statement)

    return tuple(
        judge_summary(
            read,
            covers=covers,
            verifiers=inquiry.expectations.verifiers,
            resources=inquiry.about,
            track=BUILD,
            at=inquiry.at,
        )
        for read in inquiry.pool.summaries
        if covers(read.attestation.statement)
    )


# --- the source track ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceLevel:
    """How far the source of a build got: of several commits the worst. `summaries` are all that were judged."""

    level: int = 0
    reason: str = "no commit that was built from is known"
    two_party: bool = False
    evidence: tuple[str, ...] = ()
    summaries: tuple[Summarised, ...] = ()


def source_level(inquiry: Inquiry, source: Source | None) -> SourceLevel:
    """The level of `source`: that of a build, or the artifact itself."""
    if source is None or not source.commits:
        return SourceLevel()
    found = [_commit_level(inquiry, source, commit) for commit in sorted(source.commits)]
    worst = min(found, key=lambda one: one.level)
    return SourceLevel(
        worst.level,
        worst.reason,
        all(one.two_party for one in found),
        tuple(digest for one in found for digest in one.evidence),
        tuple(summary for one in found for summary in one.summaries),
    )


def artifact_source(inquiry: Inquiry) -> Source | None:
    """The source that the artifact itself is; None where it is no commit."""
    commit = inquiry.artifact.commit
    if not commit:
        return None
    uris = set(inquiry.about) | (set() if inquiry.expected is None else set(inquiry.expected.sources))
    return Source(repository(min(uris))[0] if len(uris) == 1 else "", "", frozenset({commit}))


def _commit_level(inquiry: Inquiry, source: Source, commit: str) -> SourceLevel:
    uri, expected = source.uri, inquiry.expected
    refs = () if expected is None else expected.refs

    def covers(statement: Statement) -> bool:
        return any(
            name in ("gitCommit", "sha1") and value.lower() == commit
            for subject in statement.subjects
            for name, value in subject.digests
        )

    judged = tuple(
        judge_summary(
            read,
            covers=covers,
            verifiers=inquiry.expectations.verifiers,
            resources=(uri,) if uri else (),
            track=SOURCE,
            at=inquiry.at,
            refs=refs,
        )
        for read in inquiry.pool.summaries
        if covers(read.attestation.statement)
    )
    good = [one for one in judged if one.check.outcome.passes]
    if not good:
        return SourceLevel(0, _why(judged, commit), summaries=judged)
    best = max(good, key=lambda one: one.level)
    two_party = any(one.level >= 4 or TWO_PARTY in one.properties for one in good)
    reason = f"{best.check.reason} of commit {commit[:12]}"
    return SourceLevel(best.level, reason, two_party, (str(best.read.attestation.digest),), judged)


def _why(judged: Iterable[Summarised], commit: str) -> str:
    for one in judged:
        for check in one.check.counted:
            if not check.outcome.passes and check.cause is None:
                return (
                    f"the summary {one.read.attestation.origin} of commit {commit[:12]} does not count: {check.reason}"
                )
    return f"there is no source summary of commit {commit[:12]}"


def source_findings(source: SourceLevel) -> Findings:
    """The requirements of the source track."""
    return dict(_source_rows(source))


def _source_rows(source: SourceLevel) -> Iterator[tuple[str, Finding]]:
    for one in REQUIREMENTS:
        if one.track == SOURCE:
            met = source.level >= one.level
            reason = (
                source.reason if met or not source.level else f"{source.reason} reaches Source L{source.level} only"
            )
            yield one.name, Finding(met, reason, BUILDER, source.evidence)
