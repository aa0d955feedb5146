"""The assessment: every account of a build on both scales, the best of each kept, and one tree of checks.

More evidence never lowers a level: each account stands for itself, and the best one counts. What is not as expected
fails nevertheless where nothing else is as expected.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.digest import Digest, sha256
from navicert.model.predicate.vsa import FAILED
from navicert.slsa.account import Account, Inquiry, accounts_of
from navicert.slsa.builders import Trust
from navicert.slsa.declaration import declarations_of
from navicert.slsa.dependency import Dependencies
from navicert.slsa.finding import ROOT, Finding, Findings, Ladder, climb
from navicert.slsa.levels import BUILD, BUILDER, CLAIMED, SOURCE, TABLE, slsa_level
from navicert.slsa.setting import Common, Setting, independent_builders
from navicert.slsa.table import table_findings
from navicert.slsa.track import (
    SourceLevel,
    artifact_source,
    artifact_summaries,
    build_findings,
    source_findings,
    source_level,
    summary_findings,
)
from navicert.slsa.vsa import REPRODUCED, TWO_PARTY, Summarised
from navicert.strictjson import canonical
from navicert.verdict import Check, Outcome, Verdict, all_of, at_least, failed, note, passed, warned
from navicert.verify.case import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Final

TITLES: Final[Mapping[str, str]] = {
    BUILD: "SLSA v1.2 Build",
    SOURCE: "SLSA v1.2 Source",
    TABLE: "SLSA v0.1, as evidenced",
    "declared": "SLSA v0.1, as declared",
}
"""Name of a track, as a level of it is required → what it is called."""

HERMETIC: Final = "NAVICERT_BUILD_HERMETIC"
"""Our own property: SLSA has none for it."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What came out: the verdict on what was asked for, and each track as far as it got.

    `properties` are verified properties, each with the class of the evidence; `dependencies` the levels of direct
    dependencies, None where no provenance names any.
    """

    verdict: Verdict
    build: Ladder
    source: Ladder
    table: Ladder
    declared: Ladder
    properties: Mapping[str, str] = field(default_factory=dict)
    dependencies: Mapping[str, int] | None = None

    @property
    def ladders(self) -> tuple[Ladder, ...]:
        """All tracks, in the order to show them."""
        return self.build, self.source, self.table, self.declared

    @property
    def results(self) -> tuple[str, ...]:
        """What a summary of the artifact states: its build level, and properties of the build; where what was asked for
        is not so, that alone. Nothing where that could not be found out."""
        if not self.verdict.passed:
            return (FAILED,) if self.verdict.outcome is Outcome.FAIL else ()
        return (slsa_level(BUILD, self.build.reached), *([REPRODUCED] if REPRODUCED in self.properties else []))


def assess(inquiry: Inquiry) -> Assessment:
    """Judge the artifact of `inquiry`. Passes where every required level is reached; where none is required, where
    some level of the build track or of the table is; and never where what is expected is not so."""
    root = f"{ROOT}[{inquiry.artifact.name}]"
    accounts, misses = accounts_of(inquiry)
    summaries = artifact_summaries(inquiry)
    expected = tuple(account for account in accounts if not account.problems)
    build, chosen = _build(inquiry, root, accounts, summaries)
    origin = chosen if chosen is not None else next(iter(expected), None)
    source = source_level(inquiry, artifact_source(inquiry) or (None if origin is None else origin.source))
    ladder = climb(
        SOURCE,
        TITLES[SOURCE],
        source_findings(source),
        root=root,
        need=inquiry.require.get(SOURCE, 1),
        reason=source.reason,
    )
    table, setting = _table(inquiry, root, expected)
    declared = _declared(inquiry, root, setting, table.reached)
    ladders = {BUILD: build, SOURCE: ladder, TABLE: table, "declared": declared}
    provenance = None if chosen is None else chosen.provenance
    dependencies = Dependencies(inquiry)
    checks: list[Check] = list(_expectation(inquiry, accounts))
    if inquiry.expected is not None and inquiry.expected.dependencies:
        need = inquiry.expected.dependencies
        if provenance is None:
            checks.append(failed("slsa.dependencies", "", "no provenance names the dependencies"))
        else:
            checks.append(dependencies.judge(provenance, need))
    verdict = _verdict(inquiry, ladders, checks, _notes(inquiry, accounts, misses, summaries, source))
    return Assessment(
        verdict,
        build,
        ladder,
        table,
        declared,
        _properties(expected, source, setting),
        None if provenance is None else dependencies.counts(provenance),
    )


def _build(
    inquiry: Inquiry, root: str, accounts: Sequence[Account], summaries: Sequence[Summarised]
) -> tuple[Ladder, Account | None]:
    """The build track by the best provenance or summary, and the provenance that is best whatever summaries say."""

    def ladder(findings: Findings, reason: str) -> Ladder:
        need = inquiry.require.get(BUILD, 1)
        return climb(BUILD, TITLES[BUILD], findings, root=root, need=need, reason=reason)

    nothing = {"expected": Finding(False, "there is no provenance to compare with", "")}
    best, chosen = ladder(nothing, "no provenance of it counts"), None
    reached = -1
    for account in accounts:
        if account.provenance is None:
            continue
        one = ladder(build_findings(inquiry, account), account.origin)
        if one.reached > reached:
            best, chosen, reached = one, account, one.reached
    for summarised in summaries:
        if summarised.level > max(reached, 0):
            best, reached = ladder(summary_findings(summarised), summarised.check.reason), summarised.level
    return best, None if chosen is None or chosen.problems else chosen


def _table(inquiry: Inquiry, root: str, accounts: Sequence[Account]) -> tuple[Ladder, Setting | None]:
    """The table of v0.1 by the account that gets furthest, and what it was judged on."""

    def ladder(findings: Findings, reason: str) -> Ladder:
        need = inquiry.require.get(TABLE, 1)
        return climb(TABLE, TITLES[TABLE], findings, root=root, need=need, reason=reason)

    best, chosen, reached = ladder({}, "no provenance and no link of its build counts"), None, (-1, -1)
    common = Common(inquiry, accounts)
    for account in accounts:
        setting = Setting(account, common)
        findings = table_findings(setting)
        one = ladder(findings, account.origin)
        # Of two that reach the same level, the one that lacks less.
        order = (one.reached, sum(finding.met for finding in findings.values()))
        if order > reached:
            best, chosen, reached = one, setting, order
    return best, chosen


def _declared(inquiry: Inquiry, root: str, setting: Setting | None, proven: int) -> Ladder:
    findings: Findings = {} if setting is None else table_findings(setting)
    title, need = TITLES["declared"], inquiry.require.get("declared", 1)
    own = inquiry.expectations.declared
    said = {**declarations_of(inquiry), **own}
    sources = [f"{inquiry.expectations.origin}, {inquiry.expectations.trusted}"] if own else []
    sources += ["signed declarations"] if said.keys() - own.keys() else []
    reason = f"by {' and '.join(sources)}" if sources else "nothing is declared"
    return climb(TABLE, title, findings, root=root, need=need, declared=said, proven=proven, reason=reason)


# --- the verdict ---------------------------------------------------------------------------------------------------


def _verdict(
    inquiry: Inquiry, ladders: Mapping[str, Ladder], checks: Sequence[Check], notes: Sequence[Check]
) -> Verdict:
    subject = inquiry.artifact.name
    if inquiry.require:
        asked = [ladders[track].check for track in ladders if track in inquiry.require]
        wanted = all_of("slsa.required", subject, tuple(asked), _shortfall(inquiry, ladders))
    else:
        # Nobody builds a commit.
        tracks = (SOURCE,) if inquiry.artifact.commit else (BUILD, TABLE)
        asked = [ladders[track].check for track in tracks]
        wanted = at_least(1, "slsa.required", subject, tuple(asked), "some level is reached")
    words = [f"Build L{ladders[BUILD].reached}", f"Source L{ladders[SOURCE].reached}"]
    words.append(f"v0.1 level {ladders[TABLE].reached}")
    what = _shortfall(inquiry, ladders) or ("reached" if wanted.outcome.passes else "no level is reached")
    reason = f"{what}: {', '.join(words)}"
    root = all_of(ROOT, subject, (*checks, wanted, *notes), reason)
    return Verdict(root, inquiry.at, policy_digest(inquiry), _inputs(inquiry))


def _shortfall(inquiry: Inquiry, ladders: Mapping[str, Ladder]) -> str:
    """Which required level is not reached; nothing where all are."""
    for track, level in inquiry.require.items():
        if ladders[track].reached < level:
            return f"{TITLES[track]} level {level} is required, and not reached"
    return ""


def _expectation(inquiry: Inquiry, accounts: Sequence[Account]) -> Iterator[Check]:
    """The check `slsa.expected`: some provenance is as expected. Nothing where nothing is, or of a commit, which nobody
    builds."""
    if not inquiry.expectations.images or inquiry.artifact.commit:
        return
    spec = "SLSA v1.2 verifying-artifacts.md, step 2: expectations"
    name = inquiry.expectations.origin
    if inquiry.expected is None:
        reason = f"they name none of {', '.join(inquiry.names) or 'these artifacts'}"
        yield failed("slsa.expected", name, reason, spec=spec)
        return
    candidates = [account for account in accounts if account.provenance is not None] or list(accounts)
    good = [account for account in candidates if not account.problems]
    if good and not inquiry.expected.constrains:
        yield warned("slsa.expected", name, "they name the image, and expect nothing of its builds", spec=spec)
    elif good:
        yield passed("slsa.expected", name, f"{good[0].origin} is as expected", spec=spec)
    elif candidates:
        yield failed("slsa.expected", name, "; ".join(candidates[0].problems[:5]), spec=spec)
    else:
        yield failed("slsa.expected", name, "there is no provenance that could be as expected", spec=spec)
    sources = {account.source.uri for account in good if account.standing.trust is Trust.TRUSTED} - {""}
    if len(sources) > 1:
        reason = f"trusted builders disagree about the source: {', '.join(sorted(sources))}"
        yield warned("slsa.conflict", name, reason)


def _notes(
    inquiry: Inquiry,
    accounts: Sequence[Account],
    misses: Sequence[Refusal],
    summaries: Sequence[Summarised],
    source: SourceLevel,
) -> list[Check]:
    """Near misses: everything that was found and does not count, with the reason."""
    notes = [note("evidence.near-miss", one.origin, one.reason) for one in (*inquiry.pool.refused, *misses)]
    for account in accounts:
        if account.problems:
            notes.append(note("evidence.near-miss", account.origin, f"is not as expected: {account.problems[0]}"))
    for summarised in (*summaries, *source.summaries):
        if not summarised.check.outcome.passes:
            cause = next((one for one in summarised.check.counted if not one.outcome.passes), summarised.check)
            notes.append(
                note("evidence.near-miss", summarised.read.attestation.origin, f"does not count: {cause.reason}")
            )
    most = inquiry.limits.report_items
    if len(notes) > most:
        left = len(notes) - most
        notes = [*notes[:most], note("evidence.near-miss", "", f"and {left} more")]
    return notes


def _properties(accounts: Sequence[Account], source: SourceLevel, setting: Setting | None) -> dict[str, str]:
    """Verified properties → class of the evidence."""
    found: dict[str, str] = {}
    if source.two_party:
        found[TWO_PARTY] = BUILDER
    if len(independent_builders(accounts)) >= 2:
        found[REPRODUCED] = BUILDER
    if setting is not None:
        hermetic = table_findings(setting)["hermetic"]
        if hermetic.met and hermetic.kind != CLAIMED:
            found[HERMETIC] = hermetic.kind
    return found


# --- what it rests on ----------------------------------------------------------------------------------------------


def policy_digest(inquiry: Inquiry) -> Digest:
    """The SHA-256 of all that decides but evidence and time."""
    expectations, chain = inquiry.expectations, inquiry.chain
    return sha256(
        canonical(
            {
                "table": [builder.to_json() for builder in inquiry.table.builders],
                "expectations": None if expectations.digest is None else str(expectations.digest),
                "trusted": expectations.trusted,
                "names": list(inquiry.names),
                "resources": sorted(inquiry.about),
                "require": dict(inquiry.require),
                "identities": [policy.to_json() for policy in inquiry.identities],
                "layout": None if chain is None else str(chain.policy),
            }
        )
    )


def _inputs(inquiry: Inquiry) -> tuple[Digest, ...]:
    """Every document that was judged about the artifact, its source and its dependencies."""
    pool = inquiry.pool
    attested = [read.attestation.digest for read in (*pool.provenances, *pool.summaries)]
    attested += [one.digest for one in pool.others]
    chain = inquiry.chain
    links = [] if chain is None else [chain.policy, *(Digest.parse(one.digest) for one in chain.recorded)]
    return tuple(sorted({*attested, *links}))
