"""Fields of policy documents: each in its type and bounds, or refused with file, line and JSON pointer."""

from __future__ import annotations

import re
from typing import Final, TypeVar

from navicert.admission.limits import ADMISSION
from navicert.authoring.node import Fields, Items, Node, Spot, Word
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")

DOCUMENT: Final = ("apiVersion", "kind", "metadata", "spec")
# What Kubernetes itself writes there; none of it decides anything.
_METADATA: Final = (
    "name namespace labels annotations uid resourceVersion generation creationTimestamp managedFields finalizers"
    " ownerReferences selfLink"
).split()
_WHOLE: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_DNS: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_NAMESPACE_PATTERN: Final = re.compile(r"[a-z0-9*]([a-z0-9*-]{0,61}[a-z0-9*])?")


def names_of(names: tuple[str, ...] | list[str]) -> dict[str, str]:
    """`names` as `Spot.known` takes them."""
    return {name: name for name in names}


def opened(root: Node, path: str, *, status: bool = False) -> tuple[Spot, str, str, Spot]:
    """The document, its name and namespace, and its spec."""
    whole = Spot(root, path)
    found = whole.known(names_of((*DOCUMENT, "status") if status else DOCUMENT), "the document")
    name, namespace = metadata_of(found, path, root)
    spec = found.get("spec")
    if spec is None or not isinstance(spec.node, Fields):
        raise whole.wrong('required field "spec" is missing')
    return whole, name, namespace, spec


def metadata_of(found: Mapping[str, Spot], path: str, root: Node) -> tuple[str, str]:
    """Name and namespace (empty for none)."""
    spot = found.get("metadata", Spot(Fields({}, {}), path))
    fields = spot.known(names_of(_METADATA), "metadata")
    if "name" not in fields:
        raise Spot(root, path).wrong("has no name", remedy="metadata.name")
    texts = {one: fields[one].text() if one in fields else "" for one in ("name", "namespace")}
    for one, text in texts.items():
        if text and not _DNS.fullmatch(text):
            raise fields[one].wrong("not a name", expected="lower-case letters, digits, - and .", got=ascii(text[:80]))
    return texts["name"], texts["namespace"]


def known_fields(spot: Spot, names: tuple[str, ...] | list[str], what: str) -> dict[str, Spot]:
    """The fields of `spot`, all of `names`: nothing is ever ignored."""
    return spot.known(names_of(names), what)


def items_of(spot: Spot | None) -> tuple[Spot, ...]:
    """The elements of a list of bounded length; none where there is no list."""
    items = () if spot is None else spot.items()
    if spot is not None and len(items) > ADMISSION.patterns:
        raise spot.wrong("too many elements (limit patterns)", expected=f"at most {ADMISSION.patterns}")
    return items


def some_of(parent: Spot, found: Mapping[str, Spot], name: str) -> tuple[Spot, ...]:
    """The elements of a list that must not be empty: matching nothing is never success."""
    items = items_of(found.get(name))
    if not items:
        raise found.get(name, parent).wrong(f'required field "{name}" is missing or empty')
    return items


def line_of(spot: Spot) -> str:
    """One line of printable text."""
    text = spot.text()
    if not text.strip() or len(text) > 500 or not text.isprintable():
        raise spot.wrong("not usable", expected="one line of up to 500 characters", got=ascii(text[:40]))
    return text


def flag_of(spot: Spot | None) -> bool:
    """A truth value; false where there is none."""
    if spot is None:
        return False
    node = spot.node
    if isinstance(node, Word) and node.kind in ("plain", "other") and node.text in ("true", "false", "True", "False"):
        return node.text.lower() == "true"
    raise spot.wrong("not a truth value", expected="true or false")


def choice_of(spot: Spot | None, names: tuple[str, ...], default: str) -> str:
    """One of `names`; `default` where nothing is written."""
    if spot is None:
        return default
    text = spot.text()
    if text not in names:
        raise spot.wrong("no such value", expected=", ".join(names), got=ascii(text[:60]))
    return text


def parsed(spot: Spot, parse: Callable[[str], T]) -> T:
    """What `parse` makes of a text; its refusal names the place."""
    try:
        return parse(spot.text())
    except Malformed as error:
        raise spot.wrong(error.what, expected=error.expected, got=error.got, remedy=error.remedy) from error


def value_of(node: Node) -> object:
    """The JSON value of what was written. A bare word that is a number, `true`, `false` or `null` in JSON is that;
    every other word is text, and so is one in quotes."""
    if isinstance(node, Items):
        return [value_of(child) for child in node.nodes]
    if isinstance(node, Fields):
        return {name: value_of(child) for name, child in node.nodes.items()}
    if node.kind == "string":
        return node.text
    if node.kind == "plain" and node.text in ("", "~", "null"):
        return None
    if node.text in ("true", "false", "True", "False"):
        return node.text.lower() == "true"
    return int(node.text) if _WHOLE.fullmatch(node.text) else node.text


def namespaces_of(found: Mapping[str, Spot]) -> tuple[str, ...]:
    """The names, or patterns of names, of namespaces."""
    names = []
    for spot in items_of(found.get("namespaces")):
        name = spot.text()
        if not _NAMESPACE_PATTERN.fullmatch(name) or name.count("*") > 3:
            raise spot.wrong("not a namespace", expected="a name, or one with up to three *", got=ascii(name[:80]))
        names.append(name)
    if "namespaces" in found and not names:
        raise found["namespaces"].wrong("an empty list", remedy="leave it out for every namespace")
    return tuple(names)


def read_file(path: str, most: int) -> bytes:
    """The bytes of a file that a document names."""
    try:
        with open(path, "rb") as stream:
            raw = stream.read(most + 1)
    except OSError as error:
        raise Malformed(f"cannot be read: {(error.strerror or 'unknown reason').lower()}", path=path) from error
    if len(raw) > most:
        raise Malformed("file too large", path=path, expected=f"at most {most} bytes")
    return raw
