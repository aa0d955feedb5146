"""How much evidence a step has: the reports that links make, and how many principals stand behind each.

A threshold counts principals, never signatures, key ids or files; and every digest of a report is vouched for by each
of them. Spec: in-toto v1.0 §5.2 (4, 6).
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field, replace
from navicert.digest import DigestSet, sha256
from navicert.errors import LimitExceeded
from navicert.model.artifact import Artifacts
from navicert.model.principal import Principal
from navicert.verify.authority import Authority
from navicert.verify.evidence import Evidence, same_artifacts
from navicert.verify.rules import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Group:
    """Evidence that stands behind one report of materials and products, `record`."""

    members: tuple[Evidence, ...]
    record: Record
    run: str | None = None
    """The run that all members belong to, where the policy ties links to one."""

    principals: Mapping[Principal, Key | None] = field(init=False, repr=False, compare=False)
    """Whoever signed a member, each once: no principal for two keys, and no key for two holders of certificates."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "principals", self._counted())

    def _counted(self) -> Mapping[Principal, Key | None]:
        if len(self.members) == 1 and len(self.members[0].signers) == 1:
            return self.members[0].signers
        signers = [pair for member in self.members for pair in member.signers.items()]
        keyed = [(principal, key) for principal, key in signers if key is not None]
        identities: dict[Principal, Key | None] = {principal: None for principal, key in signers if key is None}
        return identities | (dict(keyed) if not any(key.certified for _, key in keyed) else _matched(keyed))

    @property
    def who(self) -> str:
        """The principals, for people."""
        return ", ".join(sorted(str(principal) for principal in self.principals)) or "nobody who signed"


def _matched(signers: Sequence[tuple[Principal, Key]]) -> dict[Principal, Key]:
    """As many of the principals as can each be given a key that is nobody else's. A certificate may give one key two
    names; and with fewer signatures there are never more principals, whichever are left out."""
    keys: dict[Principal, dict[str, Key]] = {}
    for principal, key in signers:
        keys.setdefault(principal, {})[key.fingerprint] = key
    taken: dict[str, Principal] = {}

    def place(principal: Principal, tried: set[str]) -> bool:
        for fingerprint in keys[principal]:
            if fingerprint not in tried:
                tried.add(fingerprint)
                if fingerprint not in taken or place(taken[fingerprint], tried):
                    taken[fingerprint] = principal
                    return True
        return False

    for principal in sorted(keys, key=lambda one: (one.kind, one.identity)):
        place(principal, set())
    return {principal: keys[principal][fingerprint] for fingerprint, principal in taken.items()}


def group(evidence: Sequence[Evidence], threshold: int, *, most: int) -> tuple[Group, ...]:
    """A group for each report that `evidence` supports, most principals first, then by digest, so that the order in
    which evidence arrived decides nothing.

    A report is what one link says; or, where more than one principal is needed, what several agree on: artifacts with
    the digests that all of them recorded. Two links that agree with a third have not agreed with one another, so
    nobody is counted for a digest that is not in the own link. Raises `LimitExceeded` for more than `most` reports.
    """
    if len(evidence) == 1:
        return (Group((evidence[0],), evidence[0].record),)
    ordered = sorted(evidence, key=lambda item: (str(item.digest), item.alternative, item.origin))
    reports: list[Record] = []
    for item in ordered:
        if item.record not in reports:
            reports.append(item.record)
    own = tuple(reports)
    for report in reports if threshold > 1 else ():
        for other in own:
            shared = _shared(report, other)
            # The list grows while it is walked, so that what three agree on is found as well.
            if shared is not None and shared not in reports:
                reports.append(shared)
            if len(reports) > most:
                raise LimitExceeded("too many different reports (limit links_per_step)", expected=f"at most {most}")
    groups = [made for report in reports for made in _behind(report, ordered)]
    return tuple(sorted(groups, key=lambda g: -len(g.principals)))


def of_runs(evidence: Sequence[Evidence], threshold: int, most: int) -> tuple[Group, ...]:
    """The groups of `evidence`, those of different runs apart."""
    runs = list(dict.fromkeys(item.run for item in evidence))
    if len(runs) < 2:
        groups = group(evidence, threshold, most=most)
        return groups if runs in ([], [None]) else tuple(replace(one, run=runs[0]) for one in groups)
    groups = tuple(
        replace(one, run=run)
        for run in runs
        for one in group([item for item in evidence if item.run == run], threshold, most=most)
    )
    if len(groups) > most:
        raise LimitExceeded("too many different reports (limit links_per_step)", expected=f"at most {most}")
    return tuple(sorted(groups, key=lambda one: -len(one.principals)))


def _behind(report: Record, evidence: Sequence[Evidence]) -> list[Group]:
    """Those of `evidence` that say `report`, as one group; each for itself where they need not mean the same: empty
    sets of digests, weak ones and shortened ones name no content that two could agree on."""
    members = tuple(item for item in evidence if _vouches(item.record, report))
    if len(members) == 1 or (_decides(report.materials) and _decides(report.products)):
        return [Group(members, report)]
    return [Group((item,), report) for item in members if item.record == report]


def _decides(artifacts: Artifacts) -> bool:
    return artifacts.plain or all(digests.decides for digests in artifacts.values())


def _shared(left: Record, right: Record) -> Record | None:
    """What both say: the same artifacts, each with the digests that are in both; None where they do not agree."""
    if not same_artifacts(left, right, strong=True):
        return None
    return Record(_common(left.materials, right.materials), _common(left.products, right.products))


def _common(left: Artifacts, right: Artifacts) -> Artifacts:
    if left == right:
        return left
    return Artifacts.of(
        {
            path: DigestSet((name, value.lower()) for name, value in digests if name in dict(right[path]))
            for path, digests in left.items()
        }
    )


def _vouches(record: Record, report: Record) -> bool:
    """Whether `record` says all that `report` says."""
    return _covers(record.materials, report.materials) and _covers(record.products, report.products)


def _covers(recorded: Artifacts, reported: Artifacts) -> bool:
    if recorded == reported:
        return True
    if (recorded.plain and reported.plain) or recorded.keys() != reported.keys():
        return False
    return all(_lower(digests) <= _lower(recorded[path]) for path, digests in reported.items())


def _lower(digests: DigestSet) -> frozenset[tuple[str, str]]:
    return frozenset((name, value.lower()) for name, value in digests)


def in_pubkeys_order(evidence: Iterable[Evidence], pubkeys: Sequence[str], authority: Authority) -> list[Evidence]:
    """`evidence` in the order in which the step names its keys, a subkey with its master: upstream judges by the
    first.

    Upstream: in_toto_verify, reduction of chain links.
    """
    rank = {keyid: index for index, keyid in enumerate(pubkeys)}

    def place(item: Evidence) -> tuple[int, str]:
        keys = [one for key in item.signers.values() if key is not None for one in authority.with_master(key)]
        ranks = [rank.get(alias, len(rank)) for key in keys for alias in (key.id, *key.ids)]
        return (min(ranks, default=len(rank)), str(sha256(item.origin.encode(errors="surrogateescape"))))

    return sorted(evidence, key=place)
