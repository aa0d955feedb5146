"""The layout: which steps there are, who may perform them, and what each may touch.

Spec: in-toto v1.0 §4.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_integer, as_keyid, as_list, as_name, as_object, as_text, as_texts, required, unknown
from navicert.model.rule import Rule
from navicert.strictjson import pointer
from navicert.timestamp import format_timestamp, parse_timestamp

_LAYOUT: Final = frozenset({"_type", "expires", "readme", "keys", "steps", "inspect"})
_STEP: Final = frozenset(
    {"_type", "name", "threshold", "pubkeys", "expected_command", "expected_materials", "expected_products"}
)
_INSPECTION: Final = frozenset({"_type", "name", "run", "expected_materials", "expected_products"})


@dataclass(frozen=True, slots=True)
class Step:
    """One step: who may perform it (`pubkeys`, ids of `Layout.keys`), how many must agree, and its artifact rules."""

    name: str
    threshold: int = 1
    pubkeys: tuple[str, ...] = ()
    expected_command: tuple[str, ...] = ()
    expected_materials: tuple[Rule, ...] = ()
    expected_products: tuple[Rule, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(value: object, where: str = "", limits: Limits = LOCAL) -> Step:
        """The step of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong."""
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
            expected_materials=_rules(document, "expected_materials", where, limits),
            expected_products=_rules(document, "expected_products", where, limits),
            extra=unknown(document, _STEP),
        )

    def to_json(self) -> dict[str, object]:
        """The JSON object of this step, every field present."""
        return {
            "_type": "step",
            "name": self.name,
            "threshold": self.threshold,
            "pubkeys": list(self.pubkeys),
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
    `extra` holds the fields that this version does not know."""

    expires: datetime
    steps: tuple[Step, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    keys: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    readme: str = ""
    extra: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(value: object, where: str = "", limits: Limits = LOCAL) -> Layout:
        """The layout of a JSON object. Raises `Malformed` with the JSON pointer of what is wrong; without `expires`
        too, because a default would make it valid for ever."""
        document = as_object(value, where)
        if document.get("_type", "layout") != "layout":
            raise Malformed(
                "not a layout", pointer=f"{where}/_type", expected='"layout"', got=repr(document["_type"])[:60]
            )
        keys = as_object(document.get("keys", {}), f"{where}/keys")
        if len(keys) > limits.layout_keys:
            raise LimitExceeded(
                "too many keys (limit layout_keys)",
                pointer=f"{where}/keys",
                expected=f"at most {limits.layout_keys}",
                got=str(len(keys)),
            )
        expires = as_text(required(document, "expires", where), f"{where}/expires")
        layout = Layout(
            expires=_moment(expires, f"{where}/expires"),
            readme=as_text(document.get("readme", ""), f"{where}/readme"),
            keys={
                as_keyid(keyid, f"{where}/keys"): as_object(key, pointer(f"{where}/keys", keyid))
                for keyid, key in keys.items()
            },
            steps=tuple(
                Step.from_json(step, f"{where}/steps/{i}", limits)
                for i, step in enumerate(_items(document, "steps", where, limits))
            ),
            inspections=tuple(
                Inspection.from_json(inspection, f"{where}/inspect/{i}", limits)
                for i, inspection in enumerate(_items(document, "inspect", where, limits))
            ),
            extra=unknown(document, _LAYOUT),
        )
        _refuse_doubled_names(layout, where)
        return layout

    def to_json(self) -> dict[str, object]:
        """The JSON object of this layout, every field present."""
        return {
            "_type": "layout",
            "expires": format_timestamp(self.expires),
            "readme": self.readme,
            "keys": {keyid: dict(key) for keyid, key in self.keys.items()},
            "steps": [step.to_json() for step in self.steps],
            "inspect": [inspection.to_json() for inspection in self.inspections],
            **self.extra,
        }


def _items(document: Mapping[str, object], name: str, where: str, limits: Limits) -> list[object]:
    return as_list(required(document, name, where), f"{where}/{name}", most=limits.layout_keys)


def _moment(text: str, where: str) -> datetime:
    try:
        return parse_timestamp(text)
    except Malformed as error:
        error.pointer = where
        raise


def _rules(document: Mapping[str, object], name: str, where: str, limits: Limits) -> tuple[Rule, ...]:
    where = f"{where}/{name}"
    values = as_list(document.get(name, []), where, most=limits.rules)
    return tuple(Rule.parse(value, f"{where}/{i}") for i, value in enumerate(values))


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
