"""OpenVEX documents as predicates: which vulnerabilities matter for a product, and why others do not.

Spec: openvex/spec, OPENVEX-SPEC.md (v0.2.0; v0.0.1 has plain strings where objects stand now).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

STATUSES: Final = ("not_affected", "affected", "fixed", "under_investigation")
"""What a statement may say of a vulnerability in a product."""


@dataclass(frozen=True, slots=True)
class VexStatement:
    """What is said about one vulnerability. `products` may be empty: then it is about the subject."""

    vulnerability: str
    status: str
    products: tuple[str, ...] = ()
    justification: str = ""
    impact: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class OpenVexPredicate:
    """One document: its id, its author, when it was written, and its statements, at least one."""

    id: str
    author: str
    timestamp: datetime
    version: str
    statements: tuple[VexStatement, ...]

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> OpenVexPredicate:
        """The document of a predicate. Raises `Malformed`, also for one without statements."""
        reader = Reader(predicate, where)
        context = reader.text("@context")
        if context != _NAMESPACE and not context.startswith(f"{_NAMESPACE}/"):
            raise Malformed("not OpenVEX", pointer=reader.at("@context"), expected=_NAMESPACE, got=repr(context)[:80])
        statements = tuple(_statement(one) for one in reader.children("statements"))
        if not statements:
            raise Malformed("says nothing", pointer=reader.at("statements"), expected="at least one statement")
        version = predicate.get("version")
        return OpenVexPredicate(
            reader.text("@id"),
            reader.text("author"),
            reader.moment("timestamp"),
            str(version)
            if isinstance(version, int) and not isinstance(version, bool)
            else reader.maybe_text("version"),
            statements,
        )


_NAMESPACE: Final = "https://openvex.dev/ns"


def _statement(entry: Reader) -> VexStatement:
    found = VexStatement(
        _name(entry, "vulnerability", "name"),
        entry.one_of("status", STATUSES),
        tuple(_product(one, f"{entry.at('products')}/{i}") for i, one in enumerate(entry.maybe_array("products"))),
        entry.maybe_text("justification"),
        entry.maybe_text("impact_statement"),
        entry.maybe_text("action_statement"),
    )
    if found.status == "not_affected" and not (found.justification or found.impact):
        raise Malformed(
            '"not_affected" without a reason', pointer=entry.where, expected="justification or impact_statement"
        )
    return found


def _name(entry: Reader, field: str, inner: str) -> str:
    if isinstance(entry.fields.get(field), str):
        return entry.text(field)
    return entry.child(field).text(inner)


def _product(value: object, where: str) -> str:
    if isinstance(value, str):
        return value
    product = Reader.of(value, where)
    return product.maybe_text("@id") or next(
        (str(one) for one in product.maybe_child("identifiers").fields.values()), ""
    )
