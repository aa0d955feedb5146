"""What lint says: one thing about a layout, where it is, and what to do about it.

Ids are stable. Each is explained in docs/reference/lint.md.
"""

from __future__ import annotations

from typing import Final

from navicert.dataclass import dataclass
from navicert.enumeration import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(Enum):
    """How much a finding matters."""

    ERROR = "error"
    """Verification cannot pass, or something that the layout seems to demand is not demanded."""
    WARNING = "warning"
    """Weaker or other than it looks; there may be a reason for it."""
    INFO = "info"
    """Good to know. Never a reason to fail, with `--strict` neither."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `place` is for people, `pointer` is the JSON pointer into the layout, `line` a line of the YAML
    file or 0."""

    id: str
    message: str
    remedy: str = ""
    place: str = ""
    pointer: str = ""
    line: int = 0
    severity: Severity = Severity.WARNING

    def to_json(self) -> dict[str, object]:
        """The finding as a JSON object."""
        return {
            "id": self.id,
            "severity": self.severity.value,
            "message": self.message,
            "remedy": self.remedy,
            "place": self.place,
            "pointer": self.pointer,
            "line": self.line or None,
        }


def found(
    id: str, message: str, remedy: str = "", *, place: str = "", pointer: str = "", severity: Severity | None = None
) -> Finding:
    """The finding `id`, of its usual severity unless another is given."""
    return Finding(id, message, remedy, place, pointer, 0, severity or CATALOGUE[id][0])


_ERROR, _WARNING, _INFO = Severity.ERROR, Severity.WARNING, Severity.INFO

CATALOGUE: Final[Mapping[str, tuple[Severity, str]]] = {
    "layout.empty": (_ERROR, "the layout has no steps"),
    "release.missing": (_WARNING, "the layout has no name or no version"),
    "expiry.missing": (_ERROR, "the layout never expires"),
    "expiry.past": (_ERROR, "the layout has expired"),
    "expiry.far": (_WARNING, "the layout expires in more than a year"),
    "parameter.used": (_INFO, "the layout has placeholders for parameters"),
    "parameter.braces": (_ERROR, "braces that are no placeholder stop verification with parameters"),
    "lint.incomplete": (_INFO, "not all rules were compared"),
    "name.awkward": (_WARNING, "a name that needs quoting in shells or differs between file systems"),
    "name.twins": (_WARNING, "two names that differ only in case or Unicode form"),
    "key.unknown": (_ERROR, "a step names a key that the layout does not have"),
    "key.unusable": (_ERROR, "a key that cannot be read"),
    "key.private": (_ERROR, "a private key in the layout"),
    "key.id": (_WARNING, "a key under an id that it does not answer to"),
    "key.gpg": (_INFO, "a GPG key, whose revocation no verifier sees"),
    "key.expires": (_WARNING, "a GPG key that expires before the layout"),
    "key.validity": (_INFO, "a key that counts for a time only"),
    "key.twice": (_WARNING, "one key under two ids"),
    "key.unused": (_WARNING, "a key or functionary that performs no step"),
    "certificate.unusable": (_ERROR, "a certificate authority that cannot be read"),
    "certificate.no-authority": (_ERROR, "a certificate authority that may not issue certificates"),
    "certificate.expires": (_WARNING, "a certificate authority whose certificate expires before the layout"),
    "certificate.no-root": (_ERROR, "certificates may perform a step, and no root vouches for any"),
    "certificate.unused": (_WARNING, "certificate authorities that no step needs"),
    "constraint.nobody": (_ERROR, "a constraint that no certificate meets"),
    "constraint.anybody": (_WARNING, "a constraint that every certificate meets"),
    "functionary.shared-key": (_ERROR, "two persons with one key"),
    "functionary.single": (_INFO, "one person performs every step"),
    "threshold.unreachable": (_ERROR, "a threshold above the number of persons"),
    "step.no-rules": (_WARNING, "a step without any rule"),
    "rules.open": (_WARNING, "artifacts that no rule names are let through"),
    "rule.wrong-list": (_ERROR, "a rule that never applies in the list that it stands in"),
    "rule.unreachable": (_WARNING, "a rule that never applies because of the rules before it"),
    "rule.duplicate": (_WARNING, "a rule that is written twice"),
    "require.consumed": (_ERROR, "a REQUIRE for an artifact that an earlier rule has taken"),
    "require.pattern": (_WARNING, "a REQUIRE with a wildcard, which it takes literally"),
    "match.unknown-step": (_ERROR, "a MATCH from a step that does not exist or is not visible"),
    "match.later-step": (_WARNING, "a MATCH from a later step"),
    "match.self": (_WARNING, "a MATCH of a list with itself"),
    "match.not-produced": (_ERROR, "a MATCH for what the other step's rules forbid"),
    "match.not-required": (_INFO, "a MATCH for one path that need not be there"),
    "match.prefix-twice": (_WARNING, "a MATCH whose pattern repeats its prefix"),
    "match.let-through": (_WARNING, "a MATCH that a later ALLOW makes void"),
    "pattern.not-normal": (_ERROR, "a pattern or prefix for paths that are never recorded"),
    "pattern.empty": (_ERROR, "a pattern that matches nothing"),
    "pattern.caret": (_ERROR, "[^…], which implementations read differently"),
    "pattern.double-star": (_WARNING, "**, which is no more than *"),
    "pattern.backslash": (_WARNING, "a backslash, which escapes in some implementations and not in others"),
    "pattern.open-bracket": (_WARNING, "a bracket that is never closed"),
    "pattern.braces": (_WARNING, "{a,b}, which is not expanded"),
    "pattern.prefix": (_WARNING, "a prefix with a wildcard, which it takes literally"),
    "policy.unsound": (_ERROR, "a policy document that demands what it cannot get"),
    "predicate.expression": (_ERROR, "an attribute rule or time that is no expression of CEL"),
    "predicate.attribute-twice": (_WARNING, "an attribute rule that is written twice"),
    "predicate.says-anything": (_WARNING, "a predicate that counts whatever it says"),
    "command.shell-words": (_WARNING, "a word of shell syntax in a command that no shell reads"),
    "inspection.no-run": (_ERROR, "an inspection without a command"),
    "inspection.built-in": (_ERROR, "a built-in inspection that does not exist or is called wrongly"),
    "inspection.shell": (_WARNING, "an inspection that runs a shell"),
    "inspection.inline-code": (_WARNING, "an inspection that runs a program written in its command line"),
    "inspection.passes-on-empty": (_WARNING, "an inspection that seems to pass on an empty report"),
    "inspection.unbound": (_WARNING, "an inspection of files that no rule ties to a step"),
}
"""Every finding: its usual severity and what it is."""
