"""One provenance beside what is expected of it: source, ref, builder, build type, and every external parameter.

Spec: SLSA v1.2 verifying-artifacts.md (step 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from navicert.model.identity import Identity
from navicert.model.predicate.provenance import Provenance
from navicert.model.statement import ResourceDescriptor
from navicert.slsa.expectation import Expectation
from navicert.slsa.source import Source, commits_of, repository, source_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_ANY: Final = "$any"
"""In expected parameters: an object with this key alone lists the values that are allowed."""


def has_digest(descriptor: ResourceDescriptor) -> bool:
    """Whether a dependency is known by a digest that decides: a strong one, or a git object name."""
    return descriptor.digests.decides or bool(commits_of(descriptor))


def unexpected(provenance: Provenance, expected: Expectation) -> Iterator[str]:
    """Everything in which `provenance` differs from what is expected, for people; nothing where it does not."""
    if expected.builders and provenance.builder_id not in expected.builders:
        yield f"builder is {provenance.builder_id or '(none)'}, expected {' or '.join(expected.builders)}"
    if expected.build_types and provenance.build_type not in expected.build_types:
        yield f"build type is {provenance.build_type}, expected {' or '.join(expected.build_types)}"
    yield from _other_source(source_of(provenance), expected)
    if expected.parameters is not None:
        yield from other_parameters(provenance.external_parameters, expected.parameters)


def _other_source(source: Source, expected: Expectation) -> Iterator[str]:
    if expected.sources and source.uri not in {repository(uri)[0] for uri in expected.sources}:
        yield f"source is {source.uri or '(not said)'}, expected {' or '.join(expected.sources)}"
    elif expected.sources and not source.commits:
        yield f"source is {source.uri}, and no commit of it is among the dependencies"
    refs = expected.refs or tuple({repository(uri)[1] for uri in expected.sources} - {""})
    if refs and source.ref not in refs:
        yield f"ref is {source.ref or '(not said)'}, expected {' or '.join(refs)}"


def other_parameters(actual: Mapping[str, object], expected: Mapping[str, object], where: str = "") -> Iterator[str]:
    """Where parameters differ from those that are expected. A key that is not known differs, whatever it holds, at
    every depth. Spec: verifying-artifacts.md (externalParameters)."""
    for name in sorted(actual.keys() - expected.keys()):
        yield f"external parameter {where}{name} is not expected"
    for name in sorted(expected.keys()):
        wanted = expected[name]
        allowed = wanted[_ANY] if isinstance(wanted, Mapping) and list(wanted) == [_ANY] else None
        if name not in actual:
            # Unset, null and empty are the same.
            missing_is_fine = wanted in (None, {}, [], "") or (isinstance(allowed, list) and None in allowed)
            if not missing_is_fine:
                yield f"external parameter {where}{name} is missing"
        elif isinstance(allowed, list):
            if not any(_same(actual[name], one) for one in allowed):
                yield f"external parameter {where}{name} has a value that is not allowed"
        elif isinstance(wanted, Mapping) and isinstance(actual[name], Mapping):
            yield from other_parameters(actual[name], wanted, f"{where}{name}/")  # type: ignore[arg-type]
        elif not _same(actual[name], wanted):
            yield f"external parameter {where}{name} is another than expected"


def _same(left: object, right: object) -> bool:
    """Whether two JSON values are the same; `1` is not `true`."""
    if isinstance(left, Mapping) and isinstance(right, Mapping):
        return left.keys() == right.keys() and all(_same(value, right[name]) for name, value in left.items())
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return type(left) is type(right) and left == right


_CLAIMS: Final = (
    ("sourceRepositoryDigest", "commit"),
    ("sourceRepositoryURI", "repository"),
    ("sourceRepositoryRef", "ref"),
)


def contradictions(provenance: Provenance, identity: Identity) -> Iterator[str]:
    """Where the certificate of who signed says something else than the provenance. Spec: Fulcio OIDs .12 to .14.

    What the certificate says has been checked by whoever issued it; what the provenance says, only by who signed.
    """
    source = source_of(provenance)
    for name, _ in _CLAIMS:
        said = identity.claims.get(name, "")
        if not said:
            continue
        if name == "sourceRepositoryDigest" and said.lower() not in source.commits:
            yield f"the certificate is for commit {said}, the provenance is of another"
        elif name == "sourceRepositoryURI" and repository(said)[0] != source.uri:
            yield f"the certificate is for {said}, the provenance is of {source.uri or '(no source)'}"
        elif name == "sourceRepositoryRef" and said != source.ref:
            yield f"the certificate is for {said}, the provenance is of {source.ref or '(no ref)'}"


def unsaid(identity: Identity) -> str:
    """What the certificate of who signed does not say of the source, or nothing."""
    missing = [what for name, what in _CLAIMS if not identity.claims.get(name)]
    return f"the certificate does not say which {missing[0]} it was issued for" if missing else ""


def is_pinned(provenance: Provenance) -> tuple[str, ...]:
    """The dependencies that no digest pins, by name; nothing where all are pinned."""
    return tuple(one.uri or one.name or "(no name)" for one in provenance.dependencies if not has_digest(one))
