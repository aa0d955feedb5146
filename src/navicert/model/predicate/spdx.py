"""SPDX documents as predicates: what a piece of software is made of.

Which version it is says the document: types with and without version are written for all of them.
Spec: in-toto attestation framework, spec/predicates/spdx2.md, spdx3.md; SPDX 2.3 §6, SPDX 3.0 (JSON-LD).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

_VERSIONS: Final = ("SPDX-2.", "SPDX-3.")


@dataclass(frozen=True, slots=True)
class SpdxPredicate:
    """What is told of the document; `document` is all of it. `packages`, `files` and `relationships` are counts."""

    version: str
    name: str
    document: Mapping[str, object]
    packages: int
    files: int = 0
    relationships: int = 0
    created: datetime | None = None
    creators: tuple[str, ...] = ()

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> SpdxPredicate:
        """The document of a predicate. Raises `Malformed` for one of no known version, of another than its type says,
        and for one that lists nothing: an empty bill says nothing about what is in there."""
        reader = Reader(predicate, where)
        found = _graph(reader) if "@graph" in predicate else _tree(reader)
        reader.check_version(predicate_type, found.version.removeprefix("SPDX-"))
        if not found.packages and not found.files:
            raise Malformed("lists nothing", pointer=where, expected="at least one package or file")
        return found


def _tree(reader: Reader) -> SpdxPredicate:
    version = reader.text("spdxVersion")
    if not version.startswith(_VERSIONS):
        raise Malformed("unknown version of SPDX", pointer=reader.at("spdxVersion"), got=repr(version)[:40])
    info = reader.maybe_child("creationInfo")
    return SpdxPredicate(
        version,
        reader.maybe_text("name"),
        reader.fields,
        len(reader.children("packages")),
        len(reader.children("files")),
        len(reader.children("relationships")),
        info.maybe_moment("created"),
        info.texts("creators"),
    )


def _graph(reader: Reader) -> SpdxPredicate:
    """SPDX 3: elements of a graph, each with its type."""
    if not reader.has("@context"):
        raise Malformed('required field "@context" is missing', pointer=reader.where)
    elements = reader.children("@graph")
    kinds = [str(one.fields.get("type", one.fields.get("@type", ""))) for one in elements]

    def count(name: str) -> int:
        return sum(kind == name or kind.endswith(f"/{name}") for kind in kinds)

    info = next((one for one, kind in zip(elements, kinds, strict=True) if kind.endswith("CreationInfo")), None)
    document = next((one for one, kind in zip(elements, kinds, strict=True) if kind.endswith("SpdxDocument")), None)
    version = "" if info is None else info.maybe_text("specVersion")
    if not version.startswith("3."):
        raise Malformed("unknown version of SPDX", pointer=reader.at("@graph"), expected="3.…", got=repr(version)[:40])
    return SpdxPredicate(
        f"SPDX-{version}",
        "" if document is None else document.maybe_text("name"),
        reader.fields,
        count("software_Package"),
        count("software_File"),
        count("Relationship") + count("LifecycleScopedRelationship"),
        None if info is None else info.maybe_moment("created"),
    )
