"""Every place in which an object names an image, by one table.

Containers of all sorts and image volumes, in Pods and in whatever holds a template for them. What a table does not know
it does not pass over: a field that looks as if it named an image, in a place that nobody has looked at, refuses the
object. Kubernetes has grown such fields four times, and each time verifiers admitted what they had not seen.
Spec: Kubernetes API, core/v1 PodSpec; KEP-277 (ephemeral containers), KEP-753 (sidecars), KEP-4639 (image volumes).
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from navicert.admission.jsonpath import Path
from navicert.admission.limits import ADMISSION, AdmissionLimits
from navicert.admission.review import Kind
from navicert.dataclass import dataclass
from navicert.digest import Digest
from navicert.errors import LimitExceeded, Malformed
from navicert.model.field import as_list, as_object
from navicert.oci.reference import Reference
from navicert.strictjson import pointer, type_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ROLES: Final = ("container", "init", "ephemeral", "volume")
"""What an image is for. Sidecars are init containers that go on running."""

_CONTAINERS: Final = MappingProxyType(
    {"containers": "container", "initContainers": "init", "ephemeralContainers": "ephemeral"}
)
"""Lists of containers in a Pod's spec → the role of their images."""

_SPEC: Final = ("spec",)
_TEMPLATE: Final = ("spec", "template", "spec")
_POD_SPECS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("", "Pod"): _SPEC,
        ("", "ReplicationController"): _TEMPLATE,
        ("", "PodTemplate"): ("template", "spec"),
        ("batch", "Job"): _TEMPLATE,
        ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
    }
    | {
        (group, kind): _TEMPLATE
        for group in ("apps", "extensions")
        for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
    }
)
"""API group and kind → where its Pod spec is. All versions of a group keep it in the same place."""

_EPHEMERAL: Final = ("", "EphemeralContainers")
"""The shape of the subresource before Kubernetes 1.22: a list beside the metadata, and no spec."""

_FREE: Final = frozenset(
    {"metadata", "status", "labels", "annotations", "matchLabels", "nodeSelector", "limits", "requests", "overhead"}
)
"""Maps whose names are anybody's choice, and what the API server writes itself."""
_MARKS: Final = ("image", "images", "containers")
"""How the names of fields end that hold images."""


@dataclass(frozen=True, slots=True)
class ImageUse:
    """One place that names an image: what for, the container's or volume's name, where it stands, and what it says.
    `reference` is None where that is no reference; then `problem` says why."""

    role: str
    name: str
    pointer: str
    text: str
    reference: Reference | None
    problem: str = ""

    @property
    def identity(self) -> tuple[str, str, Digest] | None:
        """What of it decides what would run, and as what; None where only a registry could say. A tag beside a digest
        decides nothing."""
        if self.reference is None or self.reference.digest is None:
            return None
        return (self.role, self.reference.name, self.reference.digest)

    def __str__(self) -> str:
        return f'{self.role} "{self.name}"' if self.name else f"{self.role} at {self.pointer}"


@dataclass(frozen=True, slots=True)
class CustomKind:
    """Where objects of a kind that Kubernetes does not define name images: whole Pod specs, and single fields."""

    group: str
    name: str
    pod_specs: tuple[Path, ...] = ()
    images: tuple[Path, ...] = ()


def is_pod(kind: Kind) -> bool:
    """Whether an object of this kind is what runs, and not a template for it."""
    return (kind.group, kind.name) in (("", "Pod"), _EPHEMERAL)


def is_native(kind: Kind) -> bool:
    """Whether Kubernetes itself defines this kind of object with images; all of them live in namespaces."""
    return (kind.group, kind.name) in {*_POD_SPECS, _EPHEMERAL}


def pod_specs_of(kind: Kind, body: Mapping[str, object]) -> tuple[Mapping[str, object], ...]:
    """The Pod spec in an object of a kind of Kubernetes itself; none in any other."""
    names = _POD_SPECS.get((kind.group, kind.name))
    try:
        return () if names is None else (_down(body, names),)
    except Malformed:
        return ()


def pod_metadata_of(kind: Kind, body: Mapping[str, object]) -> Mapping[str, object]:
    """The metadata of the Pods that an object of a kind of Kubernetes itself makes, or of a Pod itself; empty where
    there is none."""
    if is_pod(kind):
        return _object(body.get("metadata"))
    names = _POD_SPECS.get((kind.group, kind.name))
    try:
        return {} if names is None else _object(_down(body, names[:-1]).get("metadata"))
    except Malformed:
        return {}


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def find_images(
    kind: Kind,
    body: Mapping[str, object],
    custom: Iterable[CustomKind] = (),
    limits: AdmissionLimits = ADMISSION,
) -> tuple[ImageUse, ...]:
    """Every image that an object of `kind` names. Empty for a kind that names none.

    Raises `Malformed` for an object that is not of the shape of its kind, and for one with fields that look like images
    and are none of those that are known; `LimitExceeded` for more than `limits.uses`.
    """
    _check_kind(kind, body)
    finder = _Finder(limits)
    key = (kind.group, kind.name)
    if key in _POD_SPECS:
        finder.pod_spec(_down(body, _POD_SPECS[key]), pointer_of(_POD_SPECS[key]), whole=True)
    elif key == _EPHEMERAL:
        finder.pod_spec(body, "", whole=False)
    for extra in custom:
        if (extra.group, extra.name) == key:
            for path in extra.pod_specs:
                for where, node in path.select(body):
                    finder.pod_spec(as_object(node, where), where, whole=False)
            for path in extra.images:
                for where, node in path.select(body):
                    finder.use("container", "", node, where)
    unseen = next(finder.unseen(body), None)
    if unseen is not None:
        raise Malformed(
            f"a field of {kind} that may name an image is not known",
            pointer=unseen,
            remedy="remove the field; for a custom kind list its paths under customKinds of a cluster policy",
        )
    return tuple(finder.uses)


def pointer_of(names: Iterable[str]) -> str:
    """The JSON pointer that `names` lead along."""
    where = ""
    for name in names:
        where = pointer(where, name)
    return where


def _check_kind(kind: Kind, body: Mapping[str, object]) -> None:
    """The object says of itself what it is: another kind than the review's would be read by the wrong table."""
    group = f"{kind.group}/{kind.version}" if kind.group else kind.version
    for name, expected in (("kind", kind.name), ("apiVersion", group)):
        got = body.get(name)
        if got is not None and got != expected:
            raise Malformed(
                "object is not of the kind that the review says",
                pointer=f"/{name}",
                expected=expected,
                got=ascii(str(got)[:80]),
            )


def _down(body: Mapping[str, object], names: tuple[str, ...]) -> Mapping[str, object]:
    node, where = body, ""
    for name in names:
        where = pointer(where, name)
        value = node.get(name)
        if value is None:
            raise Malformed("required field is missing", pointer=where, expected="object", got="nothing")
        node = as_object(value, where)
    return node


class _Finder:
    def __init__(self, limits: AdmissionLimits) -> None:
        self.uses: list[ImageUse] = []
        self._limits = limits
        self._known: set[str] = set()
        """Pointers of all fields with a telling name that have been looked at."""

    def pod_spec(self, spec: Mapping[str, object], where: str, *, whole: bool) -> None:
        """All images of a Pod spec. `whole`: it must have containers, as every Pod has."""
        for field, role in _CONTAINERS.items():
            at = pointer(where, field)
            self._known.add(at)
            value = spec.get(field)
            entries = [] if value is None else as_list(value, at)
            if field == "containers" and whole and not entries:
                raise Malformed("no container: nothing is judged because there is nothing", pointer=at)
            for i, entry in enumerate(entries):
                self._container(entry, role, pointer(at, i))
        at = pointer(where, "volumes")
        volumes = spec.get("volumes")
        for i, entry in enumerate([] if volumes is None else as_list(volumes, at)):
            self._volume(entry, pointer(at, i))

    def use(self, role: str, name: str, value: object, where: str) -> None:
        """Take in the field at `where`, which names an image."""
        self._known.add(where)
        if len(self.uses) >= self._limits.uses:
            raise LimitExceeded("too many images (limit uses)", pointer=where, expected=f"at most {self._limits.uses}")
        if not isinstance(value, str):
            raise Malformed("not an image", pointer=where, expected="string", got=type_name(value))
        try:
            self.uses.append(ImageUse(role, name, where, value, Reference.parse(value)))
        except Malformed as error:
            problem = str(error) if value else "names no image"
            self.uses.append(ImageUse(role, name, where, value, None, problem))

    def _container(self, entry: object, role: str, where: str) -> None:
        container = as_object(entry, where)
        self.use(role, _name(container, where), container.get("image") or "", pointer(where, "image"))

    def _volume(self, entry: object, where: str) -> None:
        volume = as_object(entry, where)
        source = volume.get("image")
        # A name inside a Ceph cluster, not of a container image.
        self._known.add(pointer(pointer(where, "rbd"), "image"))
        if source is not None:
            at = pointer(where, "image")
            self._known.add(at)
            reference = as_object(source, at).get("reference") or ""
            self.use("volume", _name(volume, where), reference, pointer(at, "reference"))

    def unseen(self, body: Mapping[str, object]) -> Iterator[str]:
        """Where fields stand that are called like images and have not been looked at."""
        waiting: list[tuple[str, object]] = [("", body)]
        while waiting:
            where, node = waiting.pop()
            if isinstance(node, list):
                waiting += [(pointer(where, i), child) for i, child in enumerate(node)]
            elif isinstance(node, dict):
                for name, child in node.items():
                    at = pointer(where, name)
                    if child not in (None, "") and name.lower().endswith(_MARKS) and at not in self._known:
                        yield at
                    elif name not in _FREE:
                        waiting.append((at, child))


def _name(document: Mapping[str, object], where: str) -> str:
    value = document.get("name")
    if value is not None and not isinstance(value, str):
        raise Malformed("not a name", pointer=pointer(where, "name"), expected="string", got=type_name(value))
    return (value or "")[:253]
