"""The link predicate: what one step consumed and ran. What it produced are the statement's subjects.

Spec: in-toto attestation framework, spec/predicates/link.md (v0.3). The types before v0.3 keep the classic map of path
to digests for materials, and some of them one string for the command.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.model.field import as_list, as_object, as_text, as_texts, required
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class LinkPredicate:
    """What one step consumed and ran. `byproducts` and `environment` are JSON objects as received."""

    name: str
    command: tuple[str, ...] = ()
    materials: Mapping[str, DigestSet] = field(default_factory=dict)
    byproducts: Mapping[str, object] = field(default_factory=dict)
    environment: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str = "") -> LinkPredicate:
        """The link of a predicate. Raises `Malformed`, also for two materials of one name and for one without."""
        command = predicate.get("command")
        return LinkPredicate(
            as_text(required(predicate, "name", where), f"{where}/name"),
            (command,)
            if isinstance(command, str)
            else as_texts([] if command is None else command, f"{where}/command"),
            _materials(predicate.get("materials"), where),
            _object(predicate, "byproducts", where),
            _object(predicate, "environment", where),
        )


def _object(predicate: Mapping[str, object], name: str, where: str) -> dict[str, object]:
    value = predicate.get(name)
    return {} if value is None else as_object(value, f"{where}/{name}")


def _materials(value: object, where: str) -> dict[str, DigestSet]:
    if isinstance(value, dict):
        return {path: DigestSet.from_json(digests, f"{where}/materials") for path, digests in value.items()}
    items = as_list([] if value is None else value, f"{where}/materials")
    descriptors = [ResourceDescriptor.from_json(item, f"{where}/materials/{i}") for i, item in enumerate(items)]
    for i, descriptor in enumerate(descriptors):
        if not descriptor.digests:
            raise Malformed("material without digest", pointer=f"{where}/materials/{i}")
    return artifacts_of(descriptors, where)


def artifacts_of(descriptors: Sequence[ResourceDescriptor], where: str) -> dict[str, DigestSet]:
    """The artifacts of a link by name, or by URI where that is all there is. Raises `Malformed` for one without either
    and for two of one name."""
    artifacts: dict[str, DigestSet] = {}
    for descriptor in descriptors:
        name = descriptor.name or descriptor.uri
        if not name:
            raise Malformed("artifact of a link without a name", pointer=where)
        if name in artifacts:
            raise Malformed("artifact of a link named twice", pointer=where, got=repr(name)[:80])
        artifacts[name] = descriptor.digests
    return artifacts
