"""CycloneDX documents as predicates: what a piece of software is made of.

Which version it is says the document: types with and without version are written for all of them.
Spec: in-toto attestation framework, spec/predicates/cyclonedx.md; CycloneDX 1.2 to 1.6 (JSON).
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.model.predicate.reader import Reader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class CycloneDxPredicate:
    """What is told of the document; `document` is all of it. `components` and the others are counts."""

    version: str
    name: str
    document: Mapping[str, object]
    components: int
    services: int = 0
    vulnerabilities: int = 0
    serial_number: str = ""
    created: datetime | None = None

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> CycloneDxPredicate:
        """The document of a predicate. Raises `Malformed` for one that is not CycloneDX, of another version than its
        type says, and for one that lists nothing."""
        reader = Reader(predicate, where)
        # Cosign has put documents into `Data` for a while.
        if "bomFormat" not in predicate and reader.has("Data"):
            reader = reader.child("Data")
        reader.one_of("bomFormat", ("CycloneDX",))
        version = reader.text("specVersion")
        numbers = version.split(".")
        if numbers[0] != "1" or len(numbers) != 2 or not (numbers[1].isascii() and numbers[1].isdigit()):
            raise Malformed("unknown version of CycloneDX", pointer=reader.at("specVersion"), got=repr(version)[:40])
        reader.check_version(predicate_type, version)
        metadata = reader.maybe_child("metadata")
        component = metadata.maybe_child("component")
        found = CycloneDxPredicate(
            version,
            component.maybe_text("name"),
            reader.fields,
            len(reader.children("components")),
            len(reader.children("services")),
            len(reader.children("vulnerabilities")),
            reader.maybe_text("serialNumber"),
            metadata.maybe_moment("timestamp"),
        )
        if not (found.components or found.services or found.vulnerabilities or component.fields):
            raise Malformed("lists nothing", pointer=reader.where, expected="at least one component")
        return found
