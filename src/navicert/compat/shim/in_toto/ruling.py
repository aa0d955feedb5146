"""The artifact rules one by one, as `in_toto.verifylib` offers them.

Each is Navicert's, applied to sets and dictionaries.
"""

from __future__ import annotations

from navicert.compat.shim.in_toto import rulelib
from navicert.compat.shim.in_toto.exceptions import RuleVerificationError
from navicert.compat.shim.in_toto.trace import Course, listed
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.interface import Iterable, Mapping
from navicert.model.rule import Rule, RuleKind, Side
from navicert.verify.rules import Application, Record, apply_rules

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NONE = DigestSet()


def artifacts_of(hashes: Mapping[str, Mapping[str, str]] | Iterable[str]) -> dict[str, DigestSet]:
    """`hashes` with Navicert's digests; names alone have none."""
    if isinstance(hashes, Mapping):
        return {path: DigestSet.of(digests) for path, digests in hashes.items()}
    return dict.fromkeys(hashes, _NONE)


def record_of(link: Any) -> Record:
    """The two lists of a link."""
    return Record(artifacts_of(link.materials), artifacts_of(link.products))


def apply(rules: list[Rule], side: Side, record: Record, links: Mapping[str, Any]) -> tuple[Application, ...]:
    """What `rules` do, compared as in-toto compares."""

    def lookup(name: str) -> Record | None:
        return record_of(links[name]) if links.get(name) else None

    return apply_rules(rules, side, record, lookup, strong=False)


def _one(rule: Rule, side: Side, record: Record, links: Mapping[str, Any] | None = None) -> Application:
    (application,) = apply([rule], side, record, links or {})
    return application


def verify_match_rule(
    rule_data: dict[str, Any], artifacts_queue: Iterable[str], source_artifacts: Mapping[str, Any], links: Any
) -> set[str]:
    """What a MATCH rule consumes of the queue."""
    rule = Rule.parse(rulelib.pack_rule_data(rule_data))
    queue = artifacts_of({path: source_artifacts[path] for path in artifacts_queue})
    return set(_one(rule, Side.MATERIALS, Record(queue, {}), links).consumed)


def verify_create_rule(rule_pattern: str, artifacts_queue: Any, materials: Any, products: Any) -> set[str]:
    """What a CREATE rule consumes of the queue."""
    record = Record(artifacts_of(set(materials)), artifacts_of(set(products)))
    return set(_one(Rule(RuleKind.CREATE, rule_pattern), Side.PRODUCTS, record).consumed) & set(artifacts_queue)


def verify_delete_rule(rule_pattern: str, artifacts_queue: Any, materials: Any, products: Any) -> set[str]:
    """What a DELETE rule consumes of the queue."""
    record = Record(artifacts_of(set(materials)), artifacts_of(set(products)))
    return set(_one(Rule(RuleKind.DELETE, rule_pattern), Side.MATERIALS, record).consumed) & set(artifacts_queue)


def verify_modify_rule(rule_pattern: str, artifacts_queue: Any, materials: Any, products: Any) -> set[str]:
    """What a MODIFY rule consumes of the queue."""
    record = Record(artifacts_of(materials), artifacts_of(products))
    return set(_one(Rule(RuleKind.MODIFY, rule_pattern), Side.MATERIALS, record).consumed) & set(artifacts_queue)


def verify_allow_rule(rule_pattern: str, artifacts_queue: Any) -> set[str]:
    """What an ALLOW rule consumes of the queue."""
    record = Record(artifacts_of(set(artifacts_queue)), {})
    return set(_one(Rule(RuleKind.ALLOW, rule_pattern), Side.MATERIALS, record).consumed)


def verify_disallow_rule(rule_pattern: str, artifacts_queue: Any) -> None:
    """Raises `RuleVerificationError` where the queue holds what the rule disallows."""
    _must_hold(Rule(RuleKind.DISALLOW, rule_pattern), artifacts_queue)


def verify_require_rule(filename: str, artifacts_queue: Any) -> None:
    """Raises `RuleVerificationError` where the queue does not hold what the rule requires."""
    _must_hold(Rule(RuleKind.REQUIRE, filename), artifacts_queue)


def _must_hold(rule: Rule, queue: Any) -> None:
    application = _one(rule, Side.MATERIALS, Record(artifacts_of(set(queue)), {}))
    if application.offending:
        course = Course("", Side.MATERIALS, tuple(listed(set(queue))), (), ((str(rule), ()),), 0)
        raise RuleVerificationError(str(course))


def verify_item_rules(source_name: str, source_type: str, rules: list[list[str]], links: Mapping[str, Any]) -> None:
    """Raises `RuleVerificationError` unless the rules hold on one side of an item's link; with upstream's trace."""
    if source_type not in ("materials", "products"):
        raise FormatError(
            "Argument 'source_type' of function 'verify_item_rules' has to be one of 'materials' or 'products'."
            f" Got: '{source_type}'"
        )
    try:
        parsed = [Rule.parse(rule) for rule in rules]
    except Malformed as error:
        raise FormatError(str(error)) from error
    link = links[source_name]
    side = Side(source_type)
    applications = apply(parsed, side, record_of(link), links)
    failed = next((number for number, one in enumerate(applications) if one.offending), None)
    if failed is not None:
        told = tuple((" ".join(rule), one.consumed) for rule, one in zip(rules, applications, strict=True))
        course = Course(source_name, side, tuple(link.materials), tuple(link.products), told, failed)
        raise RuleVerificationError(str(course))
