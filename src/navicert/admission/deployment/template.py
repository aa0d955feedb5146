"""Trees of `node.py` as Helm templates: YAML, in which a place to fill in is an expression of Helm's language.

Values are written by `toJson`, which is YAML as well, so none can break out of its place whatever is in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from navicert.admission.deployment.node import Document, Documents, Each, Every, Joined, Json, Own, Ref, Text, When

_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*")
_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def template(objects: Iterable[object]) -> str:
    """The template of a file with `objects`; an object may be a `When`."""
    definitions: list[str] = []
    lines: list[str] = []
    for one in objects:
        lines += _object(one, definitions)
    return "".join(f"{line}\n" for line in [*definitions, *lines])


def _object(one: object, definitions: list[str]) -> Iterator[str]:
    """The lines of an object, within the conditions around it."""
    if isinstance(one, Every):
        # A name of its own: what is `.` changes within it.
        yield f"{{{{- range $entry := {_path(one.ref)} }}}}"
        yield "---"
        yield from _write(one.tree, 0, definitions)
        yield "{{- end }}"
        return
    if not isinstance(one, When):
        yield "---"
        yield from _write(one, 0, definitions)
        return
    if one.other is not None:
        raise TypeError("a condition around an object has no other side")
    yield f"{{{{- if {_condition(one)} }}}}"
    yield from _object(one.then, definitions)
    yield "{{- end }}"


def plain(objects: Iterable[object]) -> str:
    """The same YAML for objects in which everything has been filled in."""
    return "".join(f"{line}\n" for one in objects for line in ("---", *_write(one, 0, None)))


def _write(node: object, depth: int, definitions: list[str] | None) -> Iterator[str]:
    """The lines of a mapping or a list that is not empty."""
    pad = "  " * depth
    if isinstance(node, Mapping):
        for name, child in node.items():
            yield from _guarded(child, f"{pad}{_name(name, definitions)}:", depth + 1, definitions)
    elif isinstance(node, list | tuple):
        for child in node:
            yield from _guarded(child, f"{pad}-", depth + 1, definitions)
    else:
        raise TypeError(f"no mapping and no list: {node!r}")


def _guarded(child: object, head: str, depth: int, definitions: list[str] | None) -> Iterator[str]:
    if isinstance(child, Each):
        yield f"{{{{- range {_path(child.ref)} }}}}"
        yield f"{head} {{{{ . | toJson }}}}"
        yield "{{- end }}"
        return
    if not isinstance(child, When):
        if child is not None:
            yield from _entry(child, head, depth, definitions)
        return
    yield f"{{{{- if {_condition(child)} }}}}"
    yield from _guarded(child.then, head, depth, definitions)
    if child.other is not None:
        yield "{{- else }}"
        yield from _guarded(child.other, head, depth, definitions)
    yield "{{- end }}"


def _entry(child: object, head: str, depth: int, definitions: list[str] | None) -> Iterator[str]:
    if isinstance(child, Mapping | list | tuple) and child:
        lines = list(_write(child, depth, definitions))
        first = lines[0]
        if head.endswith("-") and not first.startswith("{{"):
            yield f"{head} {first.lstrip()}"
            yield from lines[1:]
        else:
            yield head
            yield from lines
    else:
        yield f"{head} {_inline(child, definitions)}"


def _inline(child: object, definitions: list[str] | None) -> str:
    if definitions is None:
        return _scalar(child)
    if isinstance(child, Document):
        definitions.append(f'{{{{- define "{child.name}" }}}}')
        definitions.extend(_write(child.tree, 0, definitions))
        definitions.append("{{- end }}")
        return f'{{{{ include "{child.name}" . | fromYaml | toPrettyJson | toJson }}}}'
    if isinstance(child, Documents):
        definitions.append(
            f'{{{{- define "{child.name}" }}}}{{{{- range {_path(child.ref)} }}}}'
            '{{ toJson . }}{{ "\\n---\\n" }}{{- end }}{{- end }}'
        )
        return f'{{{{ include "{child.name}" . | toJson }}}}'
    expression = _expression(child)
    return _literal(child) if expression is None else f"{{{{ {expression} | toJson }}}}"


def _name(name: object, definitions: list[str] | None) -> str:
    return _scalar(name) if definitions is None else _literal(name)


def _literal(value: object) -> str:
    written = _scalar(value)
    if "{{" in written:
        raise TypeError(f"would be taken for an expression: {written}")
    return written


def _expression(child: object) -> str | None:
    if isinstance(child, Ref):
        return _path(child)
    if isinstance(child, Own):
        return f"$entry.{child.name}"
    if isinstance(child, Text):
        form = "".join(part.replace("%", "%%") if isinstance(part, str) else "%s" for part in child.parts)
        words = [_word(part) for part in child.parts if not isinstance(part, str)]
        return " ".join(["printf", json.dumps(form), *words])
    if isinstance(child, Joined):
        first = " ".join(_path(part) if isinstance(part, Ref) else json.dumps(part) for part in child.first)
        return f"concat (list {first}) {_path(child.rest)}"
    if isinstance(child, Json):
        return f"{_path(child.ref)} | toJson"
    return None


def _word(part: Ref | Json) -> str:
    return f"(toJson {_path(part.ref)})" if isinstance(part, Json) else f"(toString {_path(part)})"


def _path(ref: Ref) -> str:
    # `$` is the root wherever the template stands.
    return f"${ref.path}" if ref.path.startswith(".") else f"$.Values.{ref.path}"


def _condition(node: When) -> str:
    words = " ".join(json.dumps(word) for word in node.among)
    return f"has {_path(node.ref)} (list {words})" if words else _path(node.ref)


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
