"""The dependencies of a build, and theirs in turn: the build level that each has reached.

A summary of a trusted verifier ends the search: whoever wrote it has looked. Without one, provenance of the dependency
counts for what its builder is trusted, up to Build L2, since nothing is expected of it; and then its own dependencies
are asked for.

Spec: SLSA v1.2 verifying-artifacts.md (step 3, dependencies).
"""

from __future__ import annotations

from collections import Counter, deque

from navicert.model.predicate.provenance import Provenance
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.slsa.account import Inquiry
from navicert.slsa.attestation import Read
from navicert.slsa.builders import Trust
from navicert.slsa.levels import BUILD, SOURCE, level_name, slsa_level
from navicert.slsa.source import commits_of
from navicert.slsa.vsa import Summarised, judge_summary
from navicert.verdict import Check, all_of, failed, passed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Final

SPEC: Final = "SLSA v1.2 verifying-artifacts.md, step 3: dependencies"
_UNEXPECTED: Final = 2
"""The level that provenance of something nobody has expectations of can reach."""


class Dependencies:
    """The levels of everything that went into builds. Each dependency is looked at once, however many use it."""

    def __init__(self, inquiry: Inquiry) -> None:
        self._inquiry = inquiry
        pool = inquiry.pool
        self._summaries = _by_digest(pool.summaries)
        self._provenances = _by_digest(pool.provenances)
        self._levels: dict[object, tuple[int, str, Provenance | None]] = {}

    def judge(self, provenance: Provenance, need: int) -> Check:
        """The check `slsa.dependencies`: everything that went into the build, at any depth, has reached Build level
        `need`. Sources are of the source track, and left out."""
        checks: list[Check] = []
        seen: set[object] = set()
        waiting = deque((one, 1) for one in _built(provenance.dependencies))
        limits = self._inquiry.limits
        while waiting:
            one, depth = waiting.popleft()
            if _key(one) in seen:
                continue
            seen.add(_key(one))
            name = _name(one)
            if len(seen) > limits.dependencies:
                checks.append(self._beyond(name, f"more than {limits.dependencies} (limit dependencies)"))
                break
            level, reason, further = self._level(one)
            word = level_name(BUILD, level) if level else "no level"
            if level < need:
                checks.append(failed("slsa.dependency", name, f"{word}: {reason}", spec=SPEC))
                continue
            checks.append(passed("slsa.dependency", name, f"{word}: {reason}", spec=SPEC))
            if further is not None:
                if depth >= limits.dependency_depth:
                    checks.append(self._beyond(name, f"deeper than {limits.dependency_depth} (limit dependency_depth)"))
                else:
                    waiting.extend((child, depth + 1) for child in _built(further.dependencies))
        if not checks:
            checks.append(passed("slsa.dependency", "(none)", "nothing but source went in", spec=SPEC))
        short = sum(not check.outcome.passes for check in checks)
        reason = f"{len(checks)} at {level_name(BUILD, need)} or above" if not short else f"{short} below {need}"
        return all_of("slsa.dependencies", level_name(BUILD, need), tuple(checks), reason, spec=SPEC)

    def counts(self, provenance: Provenance) -> dict[str, int]:
        """`SlsaResult` → how many direct dependencies have it. Spec: verification_summary.md (dependencyLevels)."""
        found = Counter(slsa_level(BUILD, self._level(one)[0]) for one in _built(provenance.dependencies))
        found.update(slsa_level(SOURCE, self._source(one)) for one in provenance.dependencies if _is_source(one))
        return dict(sorted(found.items()))

    @staticmethod
    def _beyond(name: str, problem: str) -> Check:
        return failed("slsa.dependency", name, f"not looked at: {problem}", spec=SPEC)

    def _level(self, one: ResourceDescriptor) -> tuple[int, str, Provenance | None]:
        """The level of a dependency, why, and its provenance where the search goes on."""
        key = _key(one)
        if key not in self._levels:
            self._levels[key] = self._judge(one)
        return self._levels[key]

    def _judge(self, one: ResourceDescriptor) -> tuple[int, str, Provenance | None]:
        inquiry = self._inquiry
        if not one.digests.decides:
            return 0, "no digest that decides", None

        def covers(statement: Statement) -> bool:
            return any(subject.digests.agrees(one.digests) for subject in statement.subjects)

        best: tuple[int, str, Provenance | None] = (0, "no summary and no provenance of it", None)
        for found in self._summarised(one, covers, BUILD):
            if found.level > best[0]:
                best = found.level, found.check.reason, None
        if best[0]:
            return best
        for read in _about(one, self._provenances):
            attestation, provenance = read.attestation, read.provenance
            if provenance is None or not covers(attestation.statement) or not attestation.signed:
                continue
            standing = inquiry.table.judge(attestation, provenance.builder_id, provenance.build_type, inquiry.at)
            level = min(standing.level, _UNEXPECTED)
            if standing.for_everybody or (standing.trust is Trust.UNKNOWN and not attestation.keys):
                level = 0  # anybody could have signed it, and nothing is expected of it
            if level > best[0]:
                best = level, f"provenance {attestation.origin}: {standing.reason}", provenance
        return best

    def _source(self, one: ResourceDescriptor) -> int:
        """The source level that a trusted summary gives a repository among the dependencies."""
        commits = commits_of(one)

        def covers(statement: Statement) -> bool:
            return any(
                name in ("gitCommit", "sha1") and value.lower() in commits
                for subject in statement.subjects
                for name, value in subject.digests
            )

        return max((found.level for found in self._summarised(one, covers, SOURCE)), default=0)

    def _summarised(
        self, one: ResourceDescriptor, covers: Callable[[Statement], bool], track: str
    ) -> Iterator[Summarised]:
        """The summaries of a dependency, judged for one track."""
        for read in _about(one, self._summaries):
            if covers(read.attestation.statement):
                yield judge_summary(
                    read,
                    covers=covers,
                    verifiers=self._inquiry.expectations.verifiers,
                    resources=(one.uri,) if one.uri else (),
                    track=track,
                    at=self._inquiry.at,
                )


def _by_digest(reads: Iterable[Read]) -> dict[tuple[str, str], list[Read]]:
    """Each digest of a subject → what is said about it."""
    found: dict[tuple[str, str], list[Read]] = {}
    for read in reads:
        for pair in {(n, v.lower()) for subject in read.attestation.statement.subjects for n, v in subject.digests}:
            found.setdefault(pair, []).append(read)
    return found


def _about(one: ResourceDescriptor, index: Mapping[tuple[str, str], list[Read]]) -> list[Read]:
    """What is said about something with any digest of `one`, each once; a commit goes by two names."""
    pairs = [(name, value.lower()) for name, value in one.digests]
    pairs += [(name, commit) for commit in commits_of(one) for name in ("gitCommit", "sha1")]
    return list({id(read): read for pair in pairs for read in index.get(pair, ())}.values())


def _is_source(one: ResourceDescriptor) -> bool:
    return bool(commits_of(one))


def _built(dependencies: Iterable[ResourceDescriptor]) -> list[ResourceDescriptor]:
    """What somebody built: all but sources."""
    return [one for one in dependencies if not _is_source(one)]


def _key(one: ResourceDescriptor) -> object:
    """What makes two mentions of a dependency the same."""
    return one.uri, one.name, one.digests


def _name(one: ResourceDescriptor) -> str:
    return one.uri or one.name or str(one.digests)
