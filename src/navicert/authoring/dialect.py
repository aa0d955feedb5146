"""The YAML of in-toto's attestation-verifier, read into our own policy document.

That tool is a prototype of ITE-10 and ITE-11, and its layouts are neither signed nor wholly judged. Here whatever it
judges is demanded as it is meant, what it only parses is refused, and what means something else here is told.

Parameters were spliced into rules as text. Here `'{name}'` inside a rule becomes the variable `parameters.name`, so
that no value can change the rule.
"""

from __future__ import annotations

import re
from typing import Final

from navicert.authoring.node import Node, Spot, Word, located
from navicert.authoring.sentence import parse_command
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.policy import POLICY_TYPE, read_policy_document
from navicert.model.predicate import kind_of
from navicert.model.predicate.provenance import is_provenance
from navicert.model.rule import Rule
from navicert.timestamp import format_timestamp, parse_rfc3339

_LAYOUT: Final = {name: name for name in ("expires", "functionaries", "steps", "subjects", "inspections")}
_KEY: Final = {name: name for name in ("keyType", "scheme", "keyIDHashAlgorithms", "keyVal", "keyID")}
_KEY_VALUE: Final = {name: name for name in ("public", "identity", "issuer")}
_ARTIFACTS: Final = {"expectedMaterials": "materials", "expectedProducts": "products"}
_PREDICATE: Final = {
    "predicateType": "type",
    "expectedAttributes": "attributes",
    "functionaries": "by",
    "threshold": "threshold",
}
_STEP: Final = (
    {"name": "name", "command": "command", "expectedPredicates": "predicates"}
    | _ARTIFACTS
    # An older form of the dialect has its one predicate at the step.
    | {
        "expectedPredicateType": "type",
        "expectedAttributes": "attributes",
        "functionaries": "by",
        "threshold": "threshold",
    }
)
_INSPECTION: Final = {
    "name": "name",
    "command": "command",
    "predicates": "predicates",
    "expectedAttributes": "attributes",
} | _ARTIFACTS
_ATTRIBUTE: Final = {name: name for name in ("rule", "allowIfNoClaim", "warn", "debug")}

_LITERAL: Final = re.compile(r"""[rR]?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')""")
_PARAMETER: Final = re.compile(r"\{([A-Za-z0-9_-]+)\}")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Imported:
    """The policy document as a JSON object, which its own reader has accepted, and what its author should know."""

    document: dict[str, object]
    notes: tuple[str, ...] = ()


def import_layout(root: Node, *, name: str, version: int = 1, path: str = "", limits: Limits = LOCAL) -> Imported:
    """The policy called `name` that a layout of attestation-verifier becomes. Raises `Malformed` with file, line and
    pointer for what it cannot be told in, and for what that tool reads and never judges."""
    return _Reader(path, limits).read(Spot(root, path), name, version)


@dataclass(slots=True)
class _Demand:
    """One expected predicate."""

    type: str
    by: list[str]
    threshold: int
    attributes: list[dict[str, object]]
    spot: Spot

    @property
    def is_link(self) -> bool:
        kind = kind_of(self.type)
        return kind is not None and kind.name == "link"


@dataclass(slots=True)
class _Reader:
    path: str
    limits: Limits
    notes: list[str] = field(default_factory=list)

    def read(self, root: Spot, name: str, version: int) -> Imported:
        found = root.known(_LAYOUT, "a layout of attestation-verifier")
        self._refuse(found.get("subjects"), "subjects", "write each as a predicate of the step that made the subject")
        keys = self._keys(found.get("functionaries"))
        document: dict[str, object] = {
            "_type": POLICY_TYPE,
            "name": name,
            "version": version,
            "expires": self._expires(root, found.get("expires")),
            "readme": "",
            "keys": keys,
            "persons": {},
            "target": "",
            "run": "same",
            "steps": [self._step(spot) for spot in self._list(found.get("steps"), "a list of steps")],
            "inspect": [self._inspection(spot) for spot in self._list(found.get("inspections"), "inspections")],
        }
        try:
            read_policy_document(document, limits=self.limits)
        except Malformed as error:
            raise error.at(self.path) from None
        return Imported(document, tuple(dict.fromkeys(self.notes)))

    def _refuse(self, spot: Spot | None, what: str, remedy: str) -> None:
        if spot is not None and not spot.missing and spot.items("a list"):
            raise spot.wrong(f"{what}: attestation-verifier reads them and never judges them", remedy=remedy)

    def _list(self, spot: Spot | None, expected: str) -> tuple[Spot, ...]:
        return () if spot is None else spot.items(expected)

    def _expires(self, root: Spot, spot: Spot | None) -> str:
        if spot is None or spot.missing:
            raise root.wrong("it says nothing about when it expires", remedy='write "expires: 2031-05-01T00:00:00Z"')
        try:
            return format_timestamp(parse_rfc3339(spot.text("a timestamp")))
        except Malformed as error:
            error.pointer = error.pointer or spot.where
            raise error.at(located(self.path, spot.line)) from None

    # --- keys --------------------------------------------------------------------------------------------------

    def _keys(self, spot: Spot | None) -> dict[str, object]:
        if spot is None or spot.missing:
            return {}
        keys: dict[str, object] = {}
        for keyid, given in spot.fields("functionaries by key id").items():
            found = given.known(_KEY, "a functionary")
            if "keyID" in found and found["keyID"].text() != keyid:
                raise found["keyID"].wrong("a key under the id of another", expected=keyid[:16])
            value = found.get("keyVal")
            parts = {} if value is None else value.known(_KEY_VALUE, "the value of a key")
            if any(name in parts and parts[name].text() for name in ("identity", "issuer")):
                raise given.wrong(
                    "an identity without a key", remedy="name a key; identities are not imported from this form"
                )
            if "public" not in parts or "keyType" not in found or "scheme" not in found:
                raise given.wrong("not a key", expected="keyType, scheme and keyVal with public")
            keys[keyid] = {
                "keytype": found["keyType"].text(),
                "scheme": found["scheme"].text(),
                "keyid_hash_algorithms": ["sha256", "sha512"],
                "keyval": {"public": parts["public"].text()},
            }
        return keys

    # --- steps -------------------------------------------------------------------------------------------------

    def _step(self, spot: Spot) -> dict[str, object]:
        found = spot.known(_STEP, "a step")
        if "name" not in found:
            raise spot.wrong("it has no name")
        name = found["name"].text("a name")
        demands = [self._demand(one) for one in self._list(found.get("predicates"), "a list of predicates")]
        if "type" in found:
            demands.append(self._demanded(spot, found))
        elif any(key in found for key in ("attributes", "by", "threshold")):
            raise spot.wrong("signers or rules without a predicate type", remedy="write them under expectedPredicates")
        if not demands:
            raise spot.wrong(f'step "{name}" demands no evidence', remedy="write expectedPredicates, or leave it out")
        materials, products = self._rules(found.get("materials")), self._rules(found.get("products"))
        links = [demand for demand in demands if demand.is_link]
        if len(links) > 1:
            raise links[1].spot.wrong("two links for one step", remedy="one link, with a threshold if several sign it")
        others = [demand for demand in demands if not demand.is_link]
        record = None if links else next((one for one in others if is_provenance(one.type)), others[0])
        step: dict[str, object] = {"name": name, "expected_materials": materials, "expected_products": products}
        if links:
            step |= {
                "pubkeys": links[0].by,
                "threshold": links[0].threshold,
                "attributes": links[0].attributes,
                "expected_command": self._command(found.get("command")),
            }
        else:
            self._note_command(found.get("command"), name)
        if record is not None and not is_provenance(record.type):
            if products:
                raise spot.wrong(
                    f'rules about the products of step "{name}", which no predicate of it has',
                    remedy="leave expectedProducts out: attestation-verifier applies them to nothing",
                )
            del step["expected_products"]
        names = _names(others)
        predicates = []
        for demand, label in zip(others, names, strict=True):
            rules = () if demand is record else (materials, products)
            predicates.append(self._predicate(demand, label, *rules))
            if demand is record:
                step["record"] = label
        return step | {"predicates": predicates}

    def _predicate(
        self, demand: _Demand, label: str, materials: list[list[str]] | None = None, products: object = None
    ) -> dict[str, object]:
        """One predicate; a further one is judged by the rules of its step, as far as it has such artifacts."""
        transforms = is_provenance(demand.type)
        document: dict[str, object] = {
            "name": label,
            "types": [demand.type],
            "role": "transform" if transforms else "inform",
            "threshold": demand.threshold,
            "pubkeys": demand.by,
            "attributes": demand.attributes,
        }
        if materials is not None:
            document["expected_materials"] = materials
            if transforms:
                document["expected_products"] = products
            self.notes.append(
                f'"{label}" has to be about something that its step made or used, by digest, which attestation-verifier'
                " does not ask"
            )
        return document

    def _demand(self, spot: Spot) -> _Demand:
        found = spot.known(_PREDICATE, "an expected predicate")
        if "type" not in found:
            raise spot.wrong("a predicate without predicateType")
        return self._demanded(spot, found)

    def _demanded(self, spot: Spot, found: dict[str, Spot]) -> _Demand:
        by = [one.text("a key id") for one in self._list(found.get("by"), "a list of key ids")]
        if not by:
            raise spot.wrong("nobody may sign this predicate", remedy="name functionaries")
        threshold = found.get("threshold")
        return _Demand(
            found["type"].text("a predicate type"),
            by,
            1 if threshold is None else threshold.integer(1),
            [self._attribute(one) for one in self._list(found.get("attributes"), "a list of rules")],
            spot,
        )

    def _attribute(self, spot: Spot) -> dict[str, object]:
        found = spot.known(_ATTRIBUTE, "an attribute rule")
        if "rule" not in found:
            raise spot.wrong("an attribute rule without its rule")
        rule = self._spliced(found["rule"])
        for name in ("warn", "debug"):
            if name in found and self._yes(found[name]):
                self.notes.append(f"{rule!r} is demanded: here no rule only warns")
        document: dict[str, object] = {"rule": rule}
        if "allowIfNoClaim" in found and self._yes(found["allowIfNoClaim"]):
            document["if_absent"] = "pass"
        return document

    def _yes(self, spot: Spot) -> bool:
        node = spot.node
        text = node.text if isinstance(node, Word) else ""
        if text not in ("true", "false"):
            raise spot.wrong("not a truth value", expected="true or false", got=repr(text[:40]))
        return text == "true"

    def _spliced(self, spot: Spot) -> str:
        """The rule with its placeholders as variables. Raises `Malformed` for one outside of a string: there a value
        could be anything."""
        text = spot.text("an expression")
        parts: list[str] = []
        end = 0
        for match in _LITERAL.finditer(text):
            parts += [self._without_placeholder(spot, text[end : match.start()]), _literal(match[0])]
            end = match.end()
        rule = "".join((*parts, self._without_placeholder(spot, text[end:])))
        if rule != text:
            self.notes.append(f"{text!r} became {rule!r}: a parameter is a value, never part of a rule")
        return rule

    def _without_placeholder(self, spot: Spot, text: str) -> str:
        if _PARAMETER.search(text):
            raise spot.wrong(
                "a placeholder outside of a string, where its value would be part of the rule",
                got=repr(text[:60]),
                remedy="write parameters.NAME",
            )
        return text

    # --- rules and commands ------------------------------------------------------------------------------------

    def _rules(self, spot: Spot | None) -> list[list[str]]:
        return [self._rule(one) for one in self._list(spot, "a list of rules")]

    def _rule(self, spot: Spot) -> list[str]:
        try:
            return Rule.parse(spot.text("a rule").split(" "), spot.where).pack()
        except Malformed as error:
            raise error.at(located(self.path, spot.line)) from None

    def _command(self, spot: Spot | None) -> list[str]:
        if spot is None or spot.missing:
            return []
        return list(parse_command(spot.text("a command"), spot.where))

    def _note_command(self, spot: Spot | None, name: str) -> None:
        if spot is not None and not spot.missing:
            self.notes.append(f'the command of step "{name}" is left out: only links say what was run')

    def _inspection(self, spot: Spot) -> dict[str, object]:
        found = spot.known(_INSPECTION, "an inspection")
        for key in ("predicates", "attributes"):
            self._refuse(found.get(key), f"{key} of an inspection", "write an attribute rule at a step")
        if "name" not in found:
            raise spot.wrong("it has no name")
        self.notes.append("inspections are run, which attestation-verifier never does")
        return {
            "name": found["name"].text("a name"),
            "run": self._command(found.get("command")),
            "expected_materials": self._rules(found.get("materials")),
            "expected_products": self._rules(found.get("products")),
        }


def _names(demands: list[_Demand]) -> list[str]:
    """A name for each predicate of a step: that of its kind, else the end of its type."""
    names: list[str] = []
    for demand in demands:
        kind = kind_of(demand.type)
        word = kind.name if kind is not None else _PLAIN.sub("-", demand.type.rstrip("/").rpartition("//")[2])[-60:]
        base = word.strip("-.") or "predicate"
        number = 1
        label = base
        while label in names:
            number += 1
            label = f"{base}-{number}"
        names.append(label)
    return names


def _literal(text: str) -> str:
    """A string literal with its placeholders as variables."""
    raw = text[:1] in "rR"
    quote = text[1] if raw else text[0]
    prefix = text[:1] if raw else ""
    inner = text[len(prefix) + 1 : -1]
    pieces = _PARAMETER.split(inner)  # text, name, text, name, …
    if len(pieces) == 1:
        return text
    terms = []
    for index, piece in enumerate(pieces):
        if index % 2:
            terms.append(f"parameters.{piece}" if _IDENTIFIER.fullmatch(piece) else f"parameters['{piece}']")
        elif piece:
            terms.append(f"{prefix}{quote}{piece}{quote}")
    return terms[0] if len(terms) == 1 else f"({' + '.join(terms)})"
