"""How much evidence a step has: groups of links that agree, and how many principals stand behind each.

A threshold counts principals, never signatures, key ids or files. Spec: in-toto v1.0 §5.2 (4, 6).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from navicert.crypto.key import Key
from navicert.digest import sha256
from navicert.model.principal import Principal
from navicert.verify.evidence import Evidence, same_artifacts
from navicert.verify.rules import Record


@dataclass(frozen=True, slots=True)
class Group:
    """Evidence that agrees on materials and products. `record` is that of its first member."""

    members: tuple[Evidence, ...]

    @property
    def record(self) -> Record:
        """What the group reports."""
        return self.members[0].record

    @property
    def principals(self) -> dict[Principal, Key]:
        """Whoever signed a member, each once."""
        return {principal: key for member in self.members for principal, key in member.signers.items()}

    @property
    def who(self) -> str:
        """The principals, for people."""
        return ", ".join(sorted(str(principal) for principal in self.principals))


def group(evidence: Sequence[Evidence], *, strong: bool) -> tuple[Group, ...]:
    """The groups of `evidence`, one for each distinct report: those who agree with it. Most principals first, then by
    digest, so that the order in which evidence arrived decides nothing."""
    ordered = sorted(evidence, key=lambda item: (str(item.digest), item.alternative, item.origin))
    groups: list[Group] = []
    distinct: list[Record] = []
    for item in ordered:
        if any(item.record == seen for seen in distinct):
            continue
        distinct.append(item.record)
        others = [o for o in ordered if o is not item and same_artifacts(item.record, o.record, strong=strong)]
        groups.append(Group((item, *others)))
    return tuple(sorted(groups, key=lambda g: -len(g.principals)))


def in_pubkeys_order(evidence: Iterable[Evidence], pubkeys: Sequence[str]) -> list[Evidence]:
    """`evidence` in the order in which the step names its keys: upstream judges by the first.

    Upstream: in_toto_verify, reduction of chain links.
    """
    rank = {keyid: index for index, keyid in enumerate(pubkeys)}

    def place(item: Evidence) -> tuple[int, str]:
        ranks = [rank.get(alias, len(rank)) for key in item.signers.values() for alias in (key.id, *key.ids)]
        return (min(ranks, default=len(rank)), str(sha256(item.origin.encode())))

    return sorted(evidence, key=place)
