"""What a step's materials must be: products that somebody known has signed.

Between two steps files lie around, and whoever can write there can change what the next step consumes; the layout's
rules find it, but only after the step has run with it. Compared before the command starts, it never runs.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.digest import DigestSet
from navicert.envelope.document import open_document
from navicert.errors import Malformed, Refused
from navicert.limits import LOCAL, Limits
from navicert.model.link import Link

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from navicert.store import Piece


@dataclass(frozen=True, slots=True)
class Difference:
    """One material that is not as expected. `expected` is None where no signed link has it as a product."""

    name: str
    expected: DigestSet | None
    actual: DigestSet

    def __str__(self) -> str:
        if self.expected is None:
            return f"{self.name}: not a product of any link signed by the given keys, got {self.actual}"
        return f"{self.name}: expected {self.expected}, got {self.actual}"


class MaterialMismatch(Refused):
    """Materials are not what was signed as products, so the command was not started."""

    def __init__(self, differences: tuple[Difference, ...]) -> None:
        self.differences = differences
        shown = [str(difference) for difference in differences[: LOCAL.report_items]]
        if len(differences) > len(shown):
            shown.append(f"and {len(differences) - len(shown)} more")
        super().__init__(
            f"{len(differences)} {'material is' if len(differences) == 1 else 'materials are'} not what was signed, "
            f"so the command was not started: {'; '.join(shown)}",
            remedy="find out who changed them, or run the earlier step again",
        )


@dataclass(frozen=True, slots=True)
class Expectation:
    """Products by name, out of links whose signatures were checked, and the names that such links disagree about."""

    products: Mapping[str, DigestSet] = field(repr=False)
    disputed: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def compare(self, materials: Mapping[str, DigestSet]) -> tuple[str, ...]:
        """Raise `MaterialMismatch` unless every one of `materials` agrees with a product of its name, and `Refused`
        where there is nothing to compare or links disagree about it. Products that are no materials are allowed, as
        by a MATCH rule; the result is a warning that counts them."""
        if not materials:
            raise Refused("no materials, so nothing can be compared with what is expected", remedy="name them with -m")
        for name in materials:
            if name in self.disputed:
                one, other = self.disputed[name]
                raise Refused(
                    "two signed links have it with different digests",
                    path=name,
                    got=f"{one} and {other}",
                    remedy="name the link file that is meant",
                )
        differences = tuple(
            Difference(name, expected, actual)
            for name, actual in materials.items()
            if (expected := self.products.get(name)) is None or not actual.agrees(expected)
        )
        if differences:
            raise MaterialMismatch(differences)
        missing = len(self.products) - len(materials)
        return (f"expected products that are not among the materials: {missing}",) if missing else ()


def expect(
    pieces: Iterable[Piece], keys: Collection[Key], *, named: Collection[str] = (), limits: Limits = LOCAL
) -> Expectation:
    """The expectation that those of `pieces` set which are links signed by at least one of `keys`.

    Raises `Refused` where there are none with products, and for a piece whose origin is in `named` (the caller means
    just that file) where it is none.
    """
    products: dict[str, DigestSet] = {}
    origins: dict[str, str] = {}
    disputed: dict[str, tuple[str, str]] = {}
    others: list[str] = []
    for piece in pieces:
        link, problem = _open(piece, keys, limits)
        if link is None and piece.origin in named:
            raise Refused(problem, path=piece.origin, expected="a link signed by the given keys")
        if link is None:
            others.append(f"{piece.origin}: {problem}")
            continue
        for name, digests in link.products.items():
            known = products.setdefault(name, digests)
            if known is not digests and not known.agrees(digests):
                disputed.setdefault(name, (origins[name], piece.origin))
            origins.setdefault(name, piece.origin)
    if not products:
        raise Refused(
            "nothing to compare with: no link with products is signed by the given keys",
            got="; ".join(others[: limits.report_items]),
            remedy="check --expect-from and --expect-key",
        )
    return Expectation(products, disputed)


def _open(piece: Piece, keys: Collection[Key], limits: Limits) -> tuple[Link | None, str]:
    if piece.raw is None:
        return None, piece.problem or "cannot be read"
    if piece.scope:
        return None, "belongs to a sublayout"
    try:
        verified = open_document(piece.raw, limits).verified_by(keys)
    except Malformed as error:
        return None, str(error)
    if verified is None:
        return None, "not signed by any of the given keys"
    if not isinstance(verified.body, Link):
        return None, "not a link"
    return verified.body, ""
