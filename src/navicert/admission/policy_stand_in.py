"""What stands in for a policy that cannot be understood: it refuses what that would match, and says why.

Of a policy of the cluster its scope is read, each field by itself; one that cannot be read matches everything. So is
its mode: one that was written to refuse nothing refuses nothing. Whoever may write a policy of a namespace may keep
everything out there, and nothing of it is read at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from navicert.admission.images import ROLES
from navicert.admission.pattern import ImagePattern
from navicert.admission.policy import Mode, PolicyDocument
from navicert.admission.policy_clause import groups_of, revocations_of
from navicert.admission.policy_field import choice_of, items_of, namespaces_of, parsed, some_of
from navicert.authoring.node import Node, Spot
from navicert.errors import Malformed
from navicert.verify.case import Revocations

T = TypeVar("T")
_EVERYTHING: Final = (ImagePattern.parse("**"),)


def cluster_stand_in(root: Node, name: str, source: str, reason: str) -> PolicyDocument:
    """In place of the policy `name` of the cluster, written in `root`, which is not understood for `reason`."""
    found = _fields_of_spec(root)
    spot = Spot(root, source)
    return PolicyDocument(
        name,
        "",
        _read(lambda: Mode(choice_of(found.get("mode"), tuple(mode.value for mode in Mode), "enforce")), Mode.ENFORCE),
        _read(lambda: tuple(parsed(one, ImagePattern.parse) for one in some_of(spot, found, "images")), _EVERYTHING),
        source,
        _read(lambda: namespaces_of(found), ()),
        _read(lambda: frozenset(choice_of(one, ROLES, "") for one in items_of(found.get("roles"))), frozenset()),
        revoked=_read(lambda: revocations_of(found.get("revocations")), Revocations()),
        break_glass=_read(lambda: groups_of(found.get("breakGlass")), frozenset()),
        problem=reason,
    )


def namespace_stand_in(namespace: str, name: str, source: str, reason: str) -> PolicyDocument:
    """In place of the policy `name` of a namespace: every image there is refused."""
    return PolicyDocument(name, namespace, Mode.ENFORCE, _EVERYTHING, source, problem=reason)


def _fields_of_spec(root: Node) -> Mapping[str, Spot]:
    def fields() -> Mapping[str, Spot]:
        spec = Spot(root, "").fields("a policy").get("spec")
        return {} if spec is None else spec.fields("spec")

    return _read(fields, {})


def _read(read: Callable[[], T], widest: T) -> T:
    """What `read` gives; `widest` where it is not understood."""
    try:
        return read()
    except Malformed:
        return widest
