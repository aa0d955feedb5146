"""Artifact rules as lists of words and as dictionaries (`in_toto.rulelib`)."""

from __future__ import annotations

from navicert.compat.shim.in_toto.formats import _check_str, _check_str_list
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.errors import Malformed
from navicert.model.rule import Rule, RuleKind, Side

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

COMPLEX_RULES: Final = {"match"}
GENERIC_RULES: Final = {kind.value.lower() for kind in RuleKind} - COMPLEX_RULES
ALL_RULES: Final = GENERIC_RULES | COMPLEX_RULES


def unpack_rule(rule: list[str]) -> dict[str, str]:
    """The dictionary of a rule. Raises `FormatError`."""
    _check_str_list(rule)
    try:
        parsed = Rule.parse(rule)
    except Malformed as error:
        raise FormatError(f"Wrong rule format: {error}\nGot: \n\t{rule}") from error
    unpacked = {"rule_type": parsed.kind.value.lower(), "pattern": parsed.pattern}
    if parsed.kind is RuleKind.MATCH and parsed.dest_type is not None and parsed.step is not None:
        unpacked |= {
            "source_prefix": parsed.source_prefix or "",
            "dest_prefix": parsed.dest_prefix or "",
            "dest_type": parsed.dest_type.value,
            "dest_name": parsed.step,
        }
    return unpacked


def pack_rule(
    rule_type: str,
    pattern: str,
    source_prefix: str | None = None,
    dest_type: str | None = None,
    dest_prefix: str | None = None,
    dest_name: str | None = None,
) -> list[str]:
    """The words of a rule. Raises `FormatError`."""
    _check_str(rule_type)
    _check_str(pattern)
    if rule_type.lower() not in ALL_RULES:
        raise FormatError(
            f"'{rule_type}' is not a valid 'type'.  Rule type must be one of:  {', '.join(sorted(ALL_RULES))}"
            " (case insensitive)."
        )
    if rule_type.lower() not in COMPLEX_RULES:
        return Rule(RuleKind(rule_type.upper()), pattern).pack()
    if not isinstance(dest_type, str) or dest_type.lower() not in {side.value for side in Side}:
        raise FormatError(
            f"'{dest_type}' is not a valid 'dest_type'. Rules of type 'MATCH' require a destination type of either"
            " 'MATERIALS' or 'PRODUCTS' (case insensitive)."
        )
    if not isinstance(dest_name, str) or not dest_name:
        raise FormatError(
            f"'{dest_name}' is not a valid 'dest_name'. Rules of type 'MATCH' require a step name as a destination"
            " name."
        )
    for prefix in (source_prefix, dest_prefix):
        if prefix:
            _check_str(prefix)
    side = Side(dest_type.lower())
    return Rule(RuleKind.MATCH, pattern, source_prefix or None, dest_prefix or None, side, dest_name).pack()


def pack_rule_data(rule_data: dict[str, Any]) -> list[str]:
    """The words of the rule in a dictionary as `unpack_rule` gives it."""
    return pack_rule(**rule_data)


def pack_create_rule(pattern: str) -> list[str]:
    """The words of a CREATE rule."""
    return pack_rule("CREATE", pattern)


def pack_delete_rule(pattern: str) -> list[str]:
    """The words of a DELETE rule."""
    return pack_rule("DELETE", pattern)


def pack_modify_rule(pattern: str) -> list[str]:
    """The words of a MODIFY rule."""
    return pack_rule("MODIFY", pattern)


def pack_allow_rule(pattern: str) -> list[str]:
    """The words of an ALLOW rule."""
    return pack_rule("ALLOW", pattern)


def pack_disallow_rule(pattern: str) -> list[str]:
    """The words of a DISALLOW rule."""
    return pack_rule("DISALLOW", pattern)


def pack_require_rule(filename: str) -> list[str]:
    """The words of a REQUIRE rule."""
    return pack_rule("REQUIRE", filename)
