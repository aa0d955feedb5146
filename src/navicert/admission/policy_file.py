"""Policies from files: one YAML or JSON file, or a folder of them, each with one or more documents."""

from __future__ import annotations

import os
import re
from typing import Final

from navicert.admission.limits import ADMISSION
from navicert.admission.policy import ExceptionDocument, PolicyDocument, PolicySet
from navicert.admission.policy_reader import ConfigMaps, Reading, kind_of, read_config_map, read_document
from navicert.authoring.node import Node
from navicert.authoring.yaml import read_yaml
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ADMIN_NAMESPACE: Final = "navicert"
"""Where exceptions may be made, unless said otherwise."""

_ENDINGS: Final = (".yaml", ".yml", ".json")
_MARK: Final = re.compile(rb"^---(?=[ \t\r\n]|$)[^\n]*", re.MULTILINE)


def load_policies(paths: Sequence[str], *, admin_namespace: str = ADMIN_NAMESPACE) -> PolicySet:
    """All policies, exceptions and ConfigMaps in the files and folders `paths`.

    Raises `Malformed`, naming file and line, where anything is not understood entirely, two documents have one name, or
    there is no policy at all; `Unavailable` for what cannot be read.
    """
    roots = [(path, node) for file in _files(paths) for node in _documents(file) for path in (file,)]
    if len(roots) > ADMISSION.policies:
        raise LimitExceeded(
            "too many documents (limit policies)", path=paths[0], expected=f"at most {ADMISSION.policies}"
        )
    kinds = [kind_of(node, path) for path, node in roots]
    maps: dict[tuple[str, str], dict[str, str]] = {}
    for kind, (path, node) in zip(kinds, roots, strict=True):
        if kind == "ConfigMap":
            name, data = read_config_map(node, path)
            if name in maps:
                raise Malformed("a second ConfigMap of this name", path=path, got="/".join(name))
            maps[name] = data
    rest = [root for kind, root in zip(kinds, roots, strict=True) if kind != "ConfigMap"]
    documents = list(_read(rest, maps, admin_namespace))
    if not any(isinstance(document, PolicyDocument) for document in documents):
        raise Malformed("no policy", path=", ".join(paths), remedy="see docs/reference/admission.md")
    return PolicySet.of(documents)


def _read(
    roots: Sequence[tuple[str, Node]], maps: ConfigMaps, admin_namespace: str
) -> Iterator[PolicyDocument | ExceptionDocument]:
    seen: set[tuple[type, str, str]] = set()
    for path, node in roots:
        folder = os.path.dirname(path) or "."
        document = read_document(node, Reading(folder, admin_namespace, maps), path=path)
        key = (type(document), document.namespace, document.name)
        if key in seen:
            raise Malformed("a second document of this kind and name", path=path, got=document.name)
        seen.add(key)
        yield document


def _files(paths: Sequence[str]) -> Iterator[str]:
    for path in paths:
        if not os.path.isdir(path):
            yield path
            continue
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            raise Unavailable(f"cannot be read: {(error.strerror or 'unknown').lower()}", path=path) from error
        # A mounted ConfigMap holds its own bookkeeping under names with a dot; keys and layouts lie beside policies.
        found = [name for name in names if name.endswith(_ENDINGS) and not name.startswith(".")]
        if not found:
            raise Malformed("no policy in this folder", path=path, expected=f"files named {' '.join(_ENDINGS)}")
        yield from (os.path.join(path, name) for name in found)


def _documents(path: str) -> Iterator[Node]:
    """The documents of the file at `path`."""
    try:
        with open(path, "rb") as stream:
            raw = stream.read(LOCAL.yaml_bytes + 1)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Malformed("no such file or folder", path=path) from error
    except OSError as error:
        raise Unavailable(f"cannot be read: {(error.strerror or 'unknown').lower()}", path=path) from error
    return documents_of(raw, path)


def documents_of(raw: bytes, path: str) -> Iterator[Node]:
    """The documents of a YAML file, each parsed with the line numbers of the file. Raises `Malformed`, also where there
    is none."""
    if len(raw) > LOCAL.yaml_bytes:
        raise LimitExceeded("file too large (limit yaml_bytes)", path=path, expected=f"at most {LOCAL.yaml_bytes}")
    start, count = 0, 0
    for mark in [*_MARK.finditer(raw), None]:
        end = len(raw) if mark is None else mark.start()
        piece = raw[start:end]
        if any(line.strip() and not line.lstrip().startswith(b"#") for line in piece.split(b"\n")):
            count += 1
            yield read_yaml(b"\n" * raw.count(b"\n", 0, start) + piece, path=path)
        start = end if mark is None else mark.end()
    if not count:
        raise Malformed("the file is empty", path=path)
