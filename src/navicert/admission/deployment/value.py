"""What is set: the values of several sources in one, checked against the table of settings, and as files of a chart."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from navicert.admission.deployment.setting import SETTINGS
from navicert.errors import Malformed
from navicert.strictjson import pointer, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

Values = Mapping[str, object]


def defaults() -> dict[str, object]:
    """All values as they are unless set."""
    found: dict[str, object] = {}
    for one in SETTINGS:
        _put(found, one.path, json.loads(json.dumps(one.default)))
    return found


def merged(*layers: Values) -> dict[str, object]:
    """The values of several sources, later ones first: objects are merged, all else is replaced, as Helm does."""
    whole = defaults()
    for layer in layers:
        _merge(whole, layer)
    return whole


def check(values: Values, *, path: str = "") -> None:
    """Raise `Malformed` unless `values` are all known and of the right form."""
    try:
        _check(values, schema(), "")
        _check_once(values.get("pullSecretsIn", []))
    except Malformed as error:
        raise error.at(path) from None


def _check_once(entries: object) -> None:
    """Two Roles of one name in one namespace would be one of them, whichever comes last."""
    seen: set[object] = set()
    for i, entry in enumerate(entries if isinstance(entries, list) else ()):
        namespace = entry["namespace"]
        if namespace in seen:
            where = pointer(pointer("/pullSecretsIn", i), "namespace")
            raise Malformed("comes twice", pointer=where, got=namespace, remedy="name all its Secrets in one entry")
        seen.add(namespace)


def schema() -> dict[str, object]:
    """The JSON Schema of all values, as a chart's `values.schema.json`."""
    root: dict[str, object] = {"$schema": "http://json-schema.org/draft-07/schema#", **_folder()}
    for one in SETTINGS:
        place = root
        *folders, name = one.path.split(".")
        for folder in folders:
            place = _properties(place).setdefault(folder, _folder())  # type: ignore[assignment]
        _properties(place)[name] = {"description": one.help, **one.schema}
    # Helm hands these to every chart.
    _properties(root)["global"] = {"type": "object"}
    return root


def commented() -> str:
    """All values with their defaults and reasons: a chart's `values.yaml`."""
    lines = ["# Settings of Navicert's webhook. Written by the program that checks them: see CONTRIBUTING.md."]
    open_folder = ""
    for one in SETTINGS:
        folder, _, name = one.path.rpartition(".")
        if folder != open_folder or not folder:
            lines += ["", f"{folder}:"] if folder else [""]
            open_folder = folder
        pad = "  " if folder else ""
        lines += [f"{pad}# {line}" for line in _flow(one.help, 116 - len(pad))]
        if one.schema.get("enum"):
            lines.append(f"{pad}# One of: {', '.join(map(str, one.schema['enum']))}.")  # type: ignore[call-overload]
        lines.append(f"{pad}{name}: {json.dumps(one.default, ensure_ascii=False)}")
    return "".join(f"{line}\n" for line in lines)


def assigned(words: Sequence[str]) -> dict[str, object]:
    """The values that `PATH=VALUE` words set. A value that is JSON is that; all else is a string."""
    found: dict[str, object] = {}
    for word in words:
        path, sign, written = word.partition("=")
        if not sign or not path:
            raise Malformed("not a setting", path="--set", expected="PATH=VALUE", got=ascii(word[:80]))
        try:
            value: object = json.loads(written)
        except ValueError:
            value = written
        _put(found, path, value)
    return found


def _put(values: dict[str, object], path: str, value: object) -> None:
    *folders, name = path.split(".")
    for folder in folders:
        inner = values.setdefault(folder, {})
        if not isinstance(inner, dict):
            raise Malformed("is a value and a group of values", path=path)
        values = inner
    values[name] = value


def _merge(values: dict[str, object], layer: Values) -> None:
    for name, value in layer.items():
        known = values.get(name)
        if isinstance(known, dict) and isinstance(value, Mapping):
            _merge(known, value)
        elif value is None:
            raise Malformed("is null", path=name, remedy="leave it out for the default, or give its empty form")
        else:
            values[name] = value


def _folder() -> dict[str, object]:
    return {"type": "object", "additionalProperties": False, "properties": {}}


def _properties(folder: Mapping[str, object]) -> dict[str, object]:
    found = folder["properties"]
    if not isinstance(found, dict):
        raise TypeError("not a folder of values")
    return found


_KINDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "boolean": bool,
}


def _check(value: object, rules: Mapping[str, object], where: str) -> None:
    kind = str(rules["type"])
    if not isinstance(value, _KINDS[kind]) or (kind == "integer" and isinstance(value, bool)):
        raise Malformed("wrong type", pointer=where, expected=kind, got=type_name(value))
    for name, problem in _problems(value, rules):
        raise Malformed(problem, pointer=where, expected=f"{name} {rules[name]}", got=ascii(value)[:80])
    if isinstance(value, list) and "items" in rules:
        for i, entry in enumerate(value):
            _check(entry, rules["items"], pointer(where, i))  # type: ignore[arg-type]
    if isinstance(value, dict) and "properties" in rules:
        known = _properties(rules)
        missing = [name for name in rules.get("required", ()) if name not in value]  # type: ignore[attr-defined]
        if missing:
            raise Malformed("is missing", pointer=pointer(where, missing[0]))
        for name, child in value.items():
            if name not in known:
                raise Malformed("no such setting", pointer=pointer(where, name), remedy="see values.yaml of the chart")
            _check(child, known[name], pointer(where, name))  # type: ignore[arg-type]


def _problems(value: object, rules: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Each rule that `value` breaks, and what it then is."""
    if "enum" in rules and value not in rules["enum"]:  # type: ignore[operator]
        yield "enum", "no such choice"
    if isinstance(value, list) and len(value) < rules.get("minItems", 0):  # type: ignore[operator]
        yield "minItems", "too few entries"
    if isinstance(value, str):
        if "pattern" in rules and not re.search(str(rules["pattern"]).replace("$", r"\Z"), value):
            yield "pattern", "wrong form"
        if len(value) < rules.get("minLength", 0):  # type: ignore[operator]
            yield "minLength", "too short"
        if len(value) > rules.get("maxLength", len(value)):  # type: ignore[operator]
            yield "maxLength", "too long"
    if isinstance(value, int):
        if value < rules.get("minimum", value):  # type: ignore[operator]
            yield "minimum", "too small"
        if value > rules.get("maximum", value):  # type: ignore[operator]
            yield "maximum", "too large"


def _flow(words: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(words, width)
