"""Constraints on certificates: whose certificate may perform a step that nobody's key is named for.

A constraint speaks of what a certificate says of its holder, and of the root that vouches for it. Every field holds, or
the constraint does not: `*` alone accepts anything, an empty list or text accepts a certificate that has none, and what
is missing is empty. Else the values are exactly those of the certificate, all of them and no others.

Spec: ITE-7, as in-toto-golang ships it (`in_toto/certconstraint.go`).
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.model.field import as_object, as_text, as_texts, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

ANYTHING: Final = "*"
"""Alone in a field it accepts any values, and none."""

_TEXT: Final = "common_name"
_LISTS: Final = ("dns_names", "emails", "organizations", "uris", "roots")
_KNOWN: Final = frozenset({_TEXT, *_LISTS})
_MOST: Final = 256
"""Values of one field."""


@dataclass(frozen=True, slots=True)
class HolderNames:
    """What a certificate says of its holder, in the order in which it says it."""

    common_names: tuple[str, ...] = ()
    dns_names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()

    def to_json(self) -> list[list[str]]:
        """All names, sorted: equal for all certificates of one holder."""
        lists = (self.common_names, self.dns_names, self.emails, self.organizations, self.uris)
        return [sorted(names) for names in lists]

    @property
    def all(self) -> tuple[str, ...]:
        """Every name, those first that tell most."""
        return (*self.uris, *self.emails, *self.dns_names, *self.common_names, *self.organizations)

    def __str__(self) -> str:
        return next(iter(self.all), "")


@dataclass(frozen=True, slots=True)
class CertificateConstraint:
    """One constraint of a step. `extra` are fields that nothing here understands: such a constraint accepts nobody,
    since what it asks for cannot be checked."""

    common_name: str = ""
    dns_names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    organizations: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(value: object, where: str) -> CertificateConstraint:
        """The constraint of a JSON object. Raises `Malformed`."""
        document = as_object(value, where)
        lists = {
            # in-toto-golang writes `null` for a list that has nothing in it.
            name: as_texts([] if document.get(name) is None else document[name], f"{where}/{name}", most=_MOST)
            for name in _LISTS
        }
        return CertificateConstraint(
            common_name=as_text(document.get(_TEXT, ""), f"{where}/{_TEXT}"),
            extra=unknown(document, _KNOWN),
            **lists,
        )

    def objection(self, names: HolderNames, root: str) -> str:
        """Why it does not accept a certificate with these `names`, vouched for by the root that the layout calls
        `root`; empty where it accepts it."""
        if self.extra:
            return f'the constraint asks for "{min(self.extra)[:40]}", which cannot be checked here'
        fields = (
            ("common name", (self.common_name,), names.common_names),
            ("DNS names", self.dns_names, names.dns_names),
            ("e-mail addresses", self.emails, names.emails),
            ("organisations", self.organizations, names.organizations),
            ("URIs", self.uris, names.uris),
        )
        for what, wanted, found in fields:
            if not _is_exactly(wanted, found):
                return f"its {what}: {_listed(found)}, not {_listed(_plain(wanted))}"
        if self.roots != (ANYTHING,) and root not in self.roots:
            return f'it comes from the root "{root[:40]}", not from {_listed(self.roots)}'
        return ""

    def to_json(self) -> dict[str, object]:
        """The JSON object of this constraint, every field present."""
        lists = {name: list(getattr(self, name)) for name in _LISTS}
        return {_TEXT: self.common_name, **lists, **self.extra}

    def may_meet(self, other: CertificateConstraint) -> bool:
        """Whether one certificate could be accepted by both: neither asks for what rules the other out."""

        def both(mine: tuple[str, ...], theirs: tuple[str, ...]) -> bool:
            return (ANYTHING,) in (mine, theirs) or set(_plain(mine)) == set(_plain(theirs))

        fields = ("dns_names", "emails", "organizations", "uris")
        named = all(both(getattr(self, name), getattr(other, name)) for name in fields)
        roots = (ANYTHING,) in (self.roots, other.roots) or not set(self.roots).isdisjoint(other.roots)
        return named and roots and both((self.common_name,), (other.common_name,))

    @property
    def accepts_anybody(self) -> bool:
        """Whether every holder of a certificate is accepted, whatever it says."""
        lists = (self.dns_names, self.emails, self.organizations, self.uris)
        return self.common_name == ANYTHING and all(one == (ANYTHING,) for one in lists) and not self.extra

    def __str__(self) -> str:
        """What it asks for, for people."""
        asked = {
            "CN": (self.common_name,),
            "DNS": self.dns_names,
            "e-mail": self.emails,
            "O": self.organizations,
            "URI": self.uris,
        }
        said = [
            f"{what}={', '.join(values)}" for what, values in asked.items() if _plain(values) and values != (ANYTHING,)
        ]
        return f"certificate with {'; '.join(said)}" if said else "certificate"


def _plain(wanted: tuple[str, ...]) -> tuple[str, ...]:
    return () if wanted == ("",) else wanted


def _is_exactly(wanted: tuple[str, ...], found: tuple[str, ...]) -> bool:
    """Whether `found` are the `wanted` values, each once."""
    return wanted == (ANYTHING,) or sorted(found) == sorted(set(_plain(wanted)))


def _listed(values: tuple[str, ...]) -> str:
    shown = ", ".join(f'"{value[:60]}"' for value in values[:3])
    return (shown + (f" and {len(values) - 3} more" if len(values) > 3 else "")) or "none"
