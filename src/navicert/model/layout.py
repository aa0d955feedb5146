"""The layout: which steps there are, who may perform them, and what each may touch.

Spec: in-toto v1.0 §4.3.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_integer, as_keyid, as_list, as_name, as_object, as_text, as_texts, required, unknown
from navicert.model.rule import Rule
from navicert.strictjson import pointer
from navicert.timestamp import format_timestamp, parse_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

    from navicert.model.constraint import CertificateConstraint
    from navicert.model.identity import IdentityPolicy
    from navicert.model.release import Release
    from navicert.model.requirement import Attribute, Requirement
    from navicert.model.terms import Terms

_LAYOUT: Final = frozenset({"_type", "expires", "readme", "keys", "steps", "inspect", "rootcas", "intermediatecas"})
_STEP: Final = frozenset(
    {
        "_type",
        "name",
        "threshold",
        "pubkeys",
        "cert_constraints",
        "expected_command",
        "expected_materials",
        "expected_products",
    }
)
_INSPECTION: Final = frozenset({"_type", "name", "run", "expected_materials", "expected_products"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step: who may perform it (`pubkeys`, ids of `Layout.keys`, and holders of certificates that one of
    `certificates` accepts), how many must agree, and its artifact rules.

    In our own policy document a step may rest on a predicate instead of a link: then `predicate` says which, and
    `pubkeys` who may sign it. Further predicates of a step are steps of their own, named `step/predicate`; no step has
    a slash in its name otherwise. `attributes` are rules about what a link says; whoever is one of `identities` may
    sign besides `pubkeys`. A classic layout has none of these.
    """

    name: str
    threshold: int = 1
    pubkeys: tuple[str, ...] = ()
    expected_command: tuple[str, ...] = ()
    expected_materials: tuple[Rule, ...] = ()
    expected_products: tuple[Rule, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    certificates: tuple[CertificateConstraint, ...] = ()
    predicate: Requirement | None = None
    attributes: tuple[Attribute, ...] = ()
    identities: tuple[IdentityPolicy, ...] = ()

    @staticmethod
    def from_json(value: object, where: str = "", limits: Limits = LOCAL, known: KnownRules | None = None) -> Step:
        """The step of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong. `known` are the rules
        that were read before, to which its own are added."""
        document = as_object(value, where)
        as_text(document.get("_type", "step"), f"{where}/_type")
        threshold = as_integer(document.get("threshold", 1), f"{where}/threshold")
        if threshold < 1:
            raise Malformed("threshold below 1", pointer=f"{where}/threshold", expected="1 or more", got=str(threshold))
        keyids = as_list(document.get("pubkeys", []), f"{where}/pubkeys", most=limits.layout_keys)
        return Step(
            name=as_name(required(document, "name", where), f"{where}/name"),
            threshold=threshold,
            pubkeys=tuple(as_keyid(keyid, f"{where}/pubkeys/{i}") for i, keyid in enumerate(keyids)),
            expected_command=as_texts(document.get("expected_command", []), f"{where}/expected_command"),
            expected_materials=_rules(document, "expected_materials", where, limits, known),
            expected_products=_rules(document, "expected_products", where, limits, known),
            certificates=_constraints(document, where, limits),
            extra=_rest(document, _STEP, "cert_constraints"),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this step, every field present."""
        return {
            "_type": "step",
            "name": self.name,
            "threshold": self.threshold,
            "pubkeys": list(self.pubkeys),
            # Other readers do not know the field.
            **({"cert_constraints": [one.to_json() for one in self.certificates]} if self.certificates else {}),
            "expected_command": list(self.expected_command),
            "expected_materials": [rule.pack() for rule in self.expected_materials],
            "expected_products": [rule.pack() for rule in self.expected_products],
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class Inspection:
    """One check that the verifier runs, and the rules on what it finds and leaves."""

    name: str
    run: tuple[str, ...] = ()
    expected_materials: tuple[Rule, ...] = ()
    expected_products: tuple[Rule, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(value: object, where: str = "", limits: Limits = LOCAL) -> Inspection:
        """The inspection of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong."""
        document = as_object(value, where)
        as_text(document.get("_type", "inspection"), f"{where}/_type")
        return Inspection(
            name=as_name(required(document, "name", where), f"{where}/name"),
            run=as_texts(document.get("run", []), f"{where}/run"),
            expected_materials=_rules(document, "expected_materials", where, limits),
            expected_products=_rules(document, "expected_products", where, limits),
            extra=unknown(document, _INSPECTION),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this inspection, every field present."""
        return {
            "_type": "inspection",
            "name": self.name,
            "run": list(self.run),
            "expected_materials": [rule.pack() for rule in self.expected_materials],
            "expected_products": [rule.pack() for rule in self.expected_products],
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class Layout:
    """A supply chain's policy. `keys` maps a key id to a key object as received (`crypto.key.Key.from_json` reads it);
    so do `rootcas` and `intermediatecas`, whose objects hold certificates of authorities (ITE-7, as in-toto-golang has
    it). `extra` holds the fields that this version does not know. `terms` is None in a classic layout: with it, this is
    our own policy document, which `navicert.model.policy` reads and writes."""

    expires: datetime
    steps: tuple[Step, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    keys: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    readme: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)
    rootcas: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    intermediatecas: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    terms: Terms | None = None

    @property
    def release(self) -> Release:
        """Name, version and persons. Raises `Malformed` for a classic layout whose line for them cannot be read."""
        from navicert.model.release import Release

        return Release.of(self.readme) if self.terms is None else self.terms.release

    @staticmethod
    def from_json(value: object, where: str = "", limits: Limits = LOCAL) -> Layout:
        """The layout of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong; without `expires`
        too, because a default would make it valid for ever."""
        document = as_object(value, where)
        if document.get("_type", "layout") != "layout":
            raise Malformed(
                "not a layout", pointer=f"{where}/_type", expected='"layout"', got=repr(document["_type"])[:60]
            )
        expires = as_text(required(document, "expires", where), f"{where}/expires")
        known: KnownRules = {}
        layout = Layout(
            expires=_moment(expires, f"{where}/expires"),
            readme=as_text(document.get("readme", ""), f"{where}/readme"),
            keys=read_keys(document, "keys", where, limits),
            rootcas=read_keys(document, "rootcas", where, limits),
            intermediatecas=read_keys(document, "intermediatecas", where, limits),
            steps=tuple(
                Step.from_json(step, f"{where}/steps/{i}", limits, known)
                for i, step in enumerate(_items(document, "steps", where, limits))
            ),
            inspections=tuple(
                Inspection.from_json(inspection, f"{where}/inspect/{i}", limits)
                for i, inspection in enumerate(_items(document, "inspect", where, limits))
            ),
            extra=_rest(document, _LAYOUT, "rootcas", "intermediatecas"),
        )
        _refuse_doubled_names(layout, where)
        return layout

    def to_json(self) -> dict[str, object]:
        """The JSON object of this layout, every field present."""
        if self.terms is not None:
            from navicert.model.policy import policy_json

            return policy_json(self)
        return {
            "_type": "layout",
            "expires": format_timestamp(self.expires),
            "readme": self.readme,
            "keys": {keyid: dict(key) for keyid, key in self.keys.items()},
            "steps": [step.to_json() for step in self.steps],
            "inspect": [inspection.to_json() for inspection in self.inspections],
            **{
                name: {keyid: dict(key) for keyid, key in objects.items()}
                for name, objects in (("rootcas", self.rootcas), ("intermediatecas", self.intermediatecas))
                if objects
            },
            **self.extra,
        }


def _rest(document: Mapping[str, object], known: frozenset[str], *optional: str) -> dict[str, object]:
    """The fields of `document` that are not known; and the `optional` ones that are there with nothing in them, which
    says no more than that they are signed."""
    return {**unknown(document, known), **{name: document[name] for name in optional if document.get(name) in ([], {})}}


def read_keys(document: Mapping[str, object], name: str, where: str, limits: Limits) -> dict[str, Mapping[str, object]]:
    """The key objects in the field `name`, by their ids. Raises `Malformed`."""
    where = f"{where}/{name}"
    keys = as_object(document.get(name, {}), where)
    if len(keys) > limits.layout_keys:
        raise LimitExceeded(
            "too many keys (limit layout_keys)",
            pointer=where,
            expected=f"at most {limits.layout_keys}",
            got=str(len(keys)),
        )
    return {as_keyid(keyid, where): as_object(key, pointer(where, keyid)) for keyid, key in keys.items()}


def _constraints(document: Mapping[str, object], where: str, limits: Limits) -> tuple[CertificateConstraint, ...]:
    if "cert_constraints" not in document:
        return ()
    from navicert.model.constraint import CertificateConstraint

    where = f"{where}/cert_constraints"
    values = as_list(document["cert_constraints"], where, most=limits.layout_keys)
    return tuple(CertificateConstraint.from_json(value, f"{where}/{i}") for i, value in enumerate(values))


def _items(document: Mapping[str, object], name: str, where: str, limits: Limits) -> list[object]:
    return as_list(required(document, name, where), f"{where}/{name}", most=limits.layout_keys)


def _moment(text: str, where: str) -> datetime:
    try:
        return parse_timestamp(text)
    except Malformed as error:
        error.pointer = where
        raise


KnownRules = dict[tuple[object, ...], Rule]
"""The rules that their words spell: most steps of a layout share some."""


def _rules(
    document: Mapping[str, object], name: str, where: str, limits: Limits, known: KnownRules | None = None
) -> tuple[Rule, ...]:
    where = f"{where}/{name}"
    values = as_list(document.get(name, []), where, most=limits.rules)
    known = {} if known is None else known
    return tuple([_known(value, known) or _rule(value, f"{where}/{i}", known) for i, value in enumerate(values)])


def _known(value: object, known: KnownRules) -> Rule | None:
    try:
        return known.get(tuple(value)) if type(value) is list else None
    except TypeError:
        return None  # what is no text is refused when it is read


def _rule(value: object, where: str, known: KnownRules) -> Rule:
    rule = Rule.parse(value, where)
    known[rule.spelling] = rule
    return rule


def _refuse_doubled_names(layout: Layout, where: str) -> None:
    # Spec §4.3.1 makes names identifiers: two items that share one could not be told apart by their evidence.
    seen: set[str] = set()
    names = [(f"{where}/steps/{i}/name", step.name) for i, step in enumerate(layout.steps)]
    names += [(f"{where}/inspect/{i}/name", inspection.name) for i, inspection in enumerate(layout.inspections)]
    for place, name in names:
        if name in seen:
            raise Malformed(
                "name used twice", pointer=place, expected="another name for each step and inspection", got=repr(name)
            )
        seen.add(name)


def complete_layout(document: Mapping[str, object]) -> dict[str, object]:
    """`document` with upstream's defaults for the fields that its items lack; no field is changed or dropped.

    `expires` has a default in upstream (now + 1 month) that is not filled in here: it would never be the signed one.
    """
    completed: dict[str, object] = {"_type": "layout", "readme": "", "keys": {}} | dict(document)
    rules: dict[str, object] = {"expected_materials": [], "expected_products": []}
    step: dict[str, object] = {"_type": "step", "threshold": 1, "pubkeys": [], "expected_command": []} | rules
    inspection: dict[str, object] = {"_type": "inspection", "run": []} | rules
    for name, defaults in (("steps", step), ("inspect", inspection)):
        items = completed.get(name)
        if isinstance(items, list):
            completed[name] = [defaults | item if isinstance(item, dict) else item for item in items]
    return completed
