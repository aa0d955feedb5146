"""SLSA provenance: how an artifact was built, in versions v1, v0.2 and v0.1 as one value.

Older versions are read into the form of v1. What v1 has no place for (completeness, reproducibility) is kept beside it,
because the levels of SLSA v0.1 ask for it. Nothing here is believed: it is what a builder, or whoever signs, claims.

Spec: SLSA v1.2 build-provenance.md; SLSA provenance v0.2 and v0.1.
"""

from __future__ import annotations

from collections.abc import Mapping

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.model.field import as_integer
from navicert.model.predicate.reader import Reader
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Final

V1: Final = "https://slsa.dev/provenance/v1"
V02: Final = "https://slsa.dev/provenance/v0.2"
V01: Final = "https://slsa.dev/provenance/v0.1"
PROVENANCE_TYPES: Final = (V1, V02, V01, "https://in-toto.io/Provenance/v0.1")
"""The type URIs that are read; the first is the one written."""

_BUILDKIT: Final = "https://mobyproject.org/buildkit@v1#"
"""What BuildKit's own fields of v0.2, and of its first v1, begin with."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What the builder says it has recorded in full; None where it says nothing."""

    parameters: bool | None = None
    environment: bool | None = None
    materials: bool | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """One provenance predicate in the terms of v1. `version` is that of the document: `v1`, `v0.2` or `v0.1`.

    `builder_id` is empty where the document names none, as BuildKit's may. `config_source` and `entry_point` are those
    of v0.2 and v0.1, in which they have fields of their own; their parameters are in `parameters`, which is None in
    v1. `original` is the predicate as received.
    """

    version: str
    builder_id: str
    build_type: str
    external_parameters: Mapping[str, object]
    internal_parameters: Mapping[str, object] = field(default_factory=dict)
    dependencies: tuple[ResourceDescriptor, ...] = ()
    builder_version: Mapping[str, object] = field(default_factory=dict)
    builder_dependencies: tuple[ResourceDescriptor, ...] = ()
    invocation_id: str = ""
    started: datetime | None = None
    finished: datetime | None = None
    byproducts: tuple[ResourceDescriptor, ...] = ()
    config_source: ResourceDescriptor | None = None
    entry_point: str = ""
    parameters: Mapping[str, object] | None = None
    completeness: Completeness = Completeness()
    hermetic: bool | None = None
    """Whether the builder says that the build had no network."""
    reproducible: bool | None = None
    original: Mapping[str, object] = field(default_factory=dict)

    @staticmethod
    def from_json(predicate: Mapping[str, object], where: str, predicate_type: str) -> Provenance:
        """The provenance of a predicate of this type URI. Raises `Malformed` for missing or wrong fields."""
        reader = Reader(predicate, where)
        if predicate_type == V1:
            return _v1(reader)
        if predicate_type == V02:
            return _v02(reader)
        if predicate_type in PROVENANCE_TYPES:
            return _v01(reader)
        raise Malformed("not provenance", pointer="/predicateType", expected=V1, got=repr(predicate_type)[:80])


def _v1(reader: Reader) -> Provenance:
    definition, details = reader.child("buildDefinition"), reader.child("runDetails")
    builder, metadata = details.child("builder"), details.maybe_child("metadata")
    return Provenance(
        version="v1",
        builder_id=builder.maybe_text("id"),
        build_type=definition.text("buildType"),
        external_parameters=definition.child("externalParameters").fields,
        internal_parameters=definition.mapping("internalParameters"),
        dependencies=definition.descriptors("resolvedDependencies"),
        builder_version=builder.mapping("version"),
        builder_dependencies=builder.descriptors("builderDependencies"),
        invocation_id=_either(metadata, "invocationId", "invocationID"),
        started=metadata.maybe_moment("startedOn"),
        finished=metadata.maybe_moment("finishedOn"),
        byproducts=(*details.descriptors("byproducts"), *details.descriptors("byProducts")),
        completeness=_buildkit_completeness(metadata),
        hermetic=_buildkit(metadata, "hermetic"),
        reproducible=_buildkit(metadata, "reproducible"),
        original=reader.fields,
    )


def _v02(reader: Reader) -> Provenance:
    invocation, metadata = reader.maybe_child("invocation"), reader.maybe_child("metadata")
    config = invocation.maybe_child("configSource")
    completeness = metadata.maybe_child("completeness")
    source = _config_source(config)
    entry_point = config.maybe_text("entryPoint")
    parameters = invocation.mapping("parameters")
    materials = reader.descriptors("materials")
    return Provenance(
        version="v0.2",
        builder_id=reader.child("builder").maybe_text("id"),
        build_type=reader.text("buildType"),
        external_parameters=_external(parameters, entry_point, source),
        internal_parameters=invocation.mapping("environment"),
        dependencies=_with_source(materials, source),
        invocation_id=_either(metadata, "buildInvocationId", "buildInvocationID"),
        started=metadata.maybe_moment("buildStartedOn"),
        finished=metadata.maybe_moment("buildFinishedOn"),
        config_source=source,
        entry_point=entry_point,
        parameters=parameters,
        completeness=Completeness(*(_said(completeness, name) for name in ("parameters", "environment", "materials"))),
        hermetic=_said(metadata, f"{_BUILDKIT}hermetic"),
        reproducible=_said(metadata, "reproducible"),
        original=reader.fields,
    )


def _v01(reader: Reader) -> Provenance:
    recipe, metadata = reader.child("recipe"), reader.maybe_child("metadata")
    completeness = metadata.maybe_child("completeness")
    materials = reader.descriptors("materials")
    source = _defined_in(recipe, materials)
    entry_point = recipe.maybe_text("entryPoint")
    parameters = _mapping(recipe, "arguments")
    return Provenance(
        version="v0.1",
        builder_id=reader.child("builder").maybe_text("id"),
        build_type=recipe.text("type"),
        external_parameters=_external(parameters, entry_point, source),
        internal_parameters=_mapping(recipe, "environment"),
        dependencies=materials,
        invocation_id=_either(metadata, "buildInvocationId", "buildInvocationID"),
        started=metadata.maybe_moment("buildStartedOn"),
        finished=metadata.maybe_moment("buildFinishedOn"),
        config_source=source,
        entry_point=entry_point,
        parameters=parameters,
        completeness=Completeness(*(_said(completeness, name) for name in ("arguments", "environment", "materials"))),
        reproducible=_said(metadata, "reproducible"),
        original=reader.fields,
    )


def _either(reader: Reader, name: str, other: str) -> str:
    """A text under the name of the specification, or the one that the Go library writes (BuildKit, Tekton Chains,
    slsa-github-generator)."""
    return reader.maybe_text(name) or reader.maybe_text(other)


def _buildkit(metadata: Reader, name: str) -> bool | None:
    """What BuildKit adds to v1 about itself, under the name of today or that of its first releases; where both are
    there, true only if both are."""
    said = [_said(metadata, f"buildkit_{name}"), _said(metadata, f"{_BUILDKIT}{name}")]
    known = [one for one in said if one is not None]
    return all(known) if known else None


def _buildkit_completeness(metadata: Reader) -> Completeness:
    now = metadata.maybe_child("buildkit_completeness")
    if now.fields:
        return Completeness(_said(now, "request"), None, _said(now, "resolvedDependencies"))
    first = metadata.maybe_child(f"{_BUILDKIT}completeness")
    return Completeness(*(_said(first, name) for name in ("parameters", "environment", "materials")))


def _said(reader: Reader, name: str) -> bool | None:
    """A field that is true or false; None where it is unset. Raises `Malformed` for anything else: `"true"` is not
    true."""
    value = reader.fields.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise Malformed("wrong type", pointer=reader.at(name), expected="true or false", got=repr(value)[:40])


def _mapping(reader: Reader, name: str) -> Mapping[str, object]:
    """An object, or any other value of v0.1 under its own name: nothing that was given to a build may get lost."""
    value = reader.fields.get(name)
    if value is None or isinstance(value, Mapping):
        return {} if value is None else value
    return {name: value}


def _config_source(config: Reader) -> ResourceDescriptor | None:
    described = {name: config.fields[name] for name in ("uri", "digest") if config.fields.get(name)}
    return ResourceDescriptor.from_json(described, config.where) if described else None


def _defined_in(recipe: Reader, materials: tuple[ResourceDescriptor, ...]) -> ResourceDescriptor | None:
    """The material in which the recipe is. Spec: provenance v0.1, `recipe.definedInMaterial`."""
    value = recipe.fields.get("definedInMaterial")
    if value is None:
        return None
    where = recipe.at("definedInMaterial")
    # Protocol buffers write 64-bit numbers as text.
    index = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else as_integer(value, where)
    if not 0 <= index < len(materials):
        raise Malformed("no such material", pointer=where, expected=f"0 to {len(materials) - 1}", got=str(index))
    return materials[index]


def _external(
    parameters: Mapping[str, object], entry_point: str, source: ResourceDescriptor | None
) -> dict[str, object]:
    """The external parameters of v1. Spec: SLSA v1.0 build-provenance.md, migrating from v0.2.

    A parameter that has the name of another field moves aside and stays, so that whoever expects no such parameter
    sees one.
    """
    own: dict[str, object] = {}
    if entry_point:
        own["entryPoint"] = entry_point
    if source is not None and source.uri:
        own["source"] = source.uri
    return {f"parameters/{name}" if name in own else name: value for name, value in parameters.items()} | own


def _with_source(
    materials: tuple[ResourceDescriptor, ...], source: ResourceDescriptor | None
) -> tuple[ResourceDescriptor, ...]:
    if source is None or any(one.uri == source.uri and one.digests == source.digests for one in materials):
        return materials
    return (*materials, source)


def is_provenance(predicate_type: str) -> bool:
    """Whether predicates of this type are SLSA provenance."""
    return predicate_type in PROVENANCE_TYPES
