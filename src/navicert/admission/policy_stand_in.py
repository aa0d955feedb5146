"""What stands in for a policy that cannot be understood: it refuses what that would match, and says why.

Of a policy of the cluster its scope is read, each field by itself; one that cannot be read matches everything. What
makes it milder (a mode that refuses nothing, who may break its glass, exceptions) counts only where all of that, its
revocations and the names of all its fields are understood: with a scope that was read too wide it would let in what
no policy speaks about. Whoever may write a policy of a namespace may keep everything out there, and nothing of it is
read at all.
"""

from __future__ import annotations

from typing import Final, TypeVar

from navicert.admission.images import ROLES
from navicert.admission.pattern import ImagePattern
from navicert.admission.policy import Mode, PolicyDocument
from navicert.admission.policy_clause import groups_of, revocations_of
from navicert.admission.policy_field import choice_of, items_of, namespaces_of, parsed, some_of
from navicert.admission.policy_reader import CLUSTER_SPEC
from navicert.authoring.node import Node, Spot
from navicert.errors import Malformed
from navicert.verify.case import Revocations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
_EVERYTHING: Final = (ImagePattern.parse("**"),)
_MODES: Final = tuple(mode.value for mode in Mode)


def cluster_stand_in(root: Node, name: str, source: str, reason: str) -> PolicyDocument:
    """In place of the policy `name` of the cluster, written in `root`, which is not understood for `reason`."""
    reader = _Reader(root, source)
    images, namespaces, roles = reader.images(), reader.namespaces(), reader.roles()
    mode, groups, revoked = reader.mode(), reader.groups(), reader.revoked()
    closed = not reader.understood
    return PolicyDocument(
        name,
        "",
        Mode.ENFORCE if closed else mode,
        images,
        source,
        namespaces,
        roles,
        revoked=revoked,
        break_glass=frozenset() if closed else groups,
        problem=reason,
        closed=closed,
    )


def namespace_stand_in(namespace: str, name: str, source: str, reason: str) -> PolicyDocument:
    """In place of the policy `name` of a namespace: every image there is refused."""
    return PolicyDocument(name, namespace, Mode.ENFORCE, _EVERYTHING, source, problem=reason)


class _Reader:
    """Reads fields one by one, and notes in `understood` whether each of them could be."""

    def __init__(self, root: Node, source: str) -> None:
        self._root = Spot(root, source)
        self.understood = True
        self._found: Mapping[str, Spot] = self._read(self._spec, {})
        self.understood = self.understood and self._found.keys() <= set(CLUSTER_SPEC)

    def images(self) -> tuple[ImagePattern, ...]:
        def read() -> tuple[ImagePattern, ...]:
            return tuple(parsed(one, ImagePattern.parse) for one in some_of(self._root, self._found, "images"))

        return self._read(read, _EVERYTHING)

    def namespaces(self) -> tuple[str, ...]:
        return self._read(lambda: namespaces_of(self._found), ())

    def roles(self) -> frozenset[str]:
        found = self._found.get("roles")
        return self._read(lambda: frozenset(choice_of(one, ROLES, "") for one in items_of(found)), frozenset())

    def mode(self) -> Mode:
        return self._read(lambda: Mode(choice_of(self._found.get("mode"), _MODES, "enforce")), Mode.ENFORCE)

    def groups(self) -> frozenset[str]:
        return self._read(lambda: groups_of(self._found.get("breakGlass")), frozenset())

    def revoked(self) -> Revocations:
        return self._read(lambda: revocations_of(self._found.get("revocations")), Revocations())

    def _spec(self) -> Mapping[str, Spot]:
        fields = self._root.fields("a policy")
        if "spec" not in fields:
            raise self._root.wrong('required field "spec" is missing')
        return fields["spec"].fields("spec")

    def _read(self, read: Callable[[], T], widest: T) -> T:
        """What `read` gives; `widest` where it is not understood."""
        try:
            return read()
        except Malformed:
            self.understood = False
            return widest
