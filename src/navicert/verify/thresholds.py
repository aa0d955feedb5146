"""How much evidence a step has: the reports that links make, and how many principals stand behind each.

A threshold counts principals, never signatures, key ids or files; and every digest of a report is vouched for by each
of them. Spec: in-toto v1.0 §5.2 (4, 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from navicert.crypto.key import Key
from navicert.digest import DigestSet, sha256
from navicert.errors import LimitExceeded
from navicert.model.link import Artifacts
from navicert.model.principal import Principal
from navicert.verify.authority import Authority
from navicert.verify.evidence import Evidence, same_artifacts
from navicert.verify.rules import Record


@dataclass(frozen=True, slots=True)
class Group:
    """Evidence that stands behind one report of materials and products, `record`."""

    members: tuple[Evidence, ...]
    record: Record

    @property
    def principals(self) -> dict[Principal, Key]:
        """Whoever signed a member, each once."""
        return {principal: key for member in self.members for principal, key in member.signers.items()}

    @property
    def who(self) -> str:
        """The principals, for people."""
        return ", ".join(sorted(str(principal) for principal in self.principals))


def group(evidence: Sequence[Evidence], threshold: int, *, most: int) -> tuple[Group, ...]:
    """A group for each report that `evidence` supports, most principals first, then by digest, so that the order in
    which evidence arrived decides nothing.

    A report is what one link says; or, where more than one principal is needed, what several agree on: artifacts with
    the digests that all of them recorded. Two links that agree with a third have not agreed with one another, so
    nobody is counted for a digest that is not in the own link. Raises `LimitExceeded` for more than `most` reports.
    """
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


def _behind(report: Record, evidence: Sequence[Evidence]) -> list[Group]:
    """Those of `evidence` that say `report`, as one group; each for itself where they need not mean the same: empty
    sets of digests, weak ones and shortened ones name no content that two could agree on."""
    members = tuple(item for item in evidence if _vouches(item.record, report))
    if len(members) == 1 or (_decides(report.materials) and _decides(report.products)):
        return [Group(members, report)]
    return [Group((item,), report) for item in members if item.record == report]


def _decides(artifacts: Artifacts) -> bool:
    return all(digests.decides for digests in artifacts.values())


def _shared(left: Record, right: Record) -> Record | None:
    """What both say: the same artifacts, each with the digests that are in both; None where they do not agree."""
    if not same_artifacts(left, right, strong=True):
        return None
    return Record(_common(left.materials, right.materials), _common(left.products, right.products))


def _common(left: Artifacts, right: Artifacts) -> Artifacts:
    if left == right:
        return left
    return {
        path: DigestSet((name, value.lower()) for name, value in digests if name in dict(right[path]))
        for path, digests in left.items()
    }


def _vouches(record: Record, report: Record) -> bool:
    """Whether `record` says all that `report` says."""
    return _covers(record.materials, report.materials) and _covers(record.products, report.products)


def _covers(recorded: Artifacts, reported: Artifacts) -> bool:
    if recorded == reported:
        return True
    if recorded.keys() != reported.keys():
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
        keys = [one for key in item.signers.values() for one in authority.with_master(key)]
        ranks = [rank.get(alias, len(rank)) for key in keys for alias in (key.id, *key.ids)]
        return (min(ranks, default=len(rank)), str(sha256(item.origin.encode(errors="surrogateescape"))))

    return sorted(evidence, key=place)
