"""From names to artifacts: files, folders, patterns, git work trees and images become names with digests.

==========================  =====================================================================
`PATH`, `file:PATH`         a file, or every file of a folder
`src/*`, `src/**/*.py`      what the pattern matches when the recording is made
`dir:PATH`                  a folder as one artifact
`git:PATH`                  a git repository: the commit that is checked out and its tree
`ostree:REF`                the commit of an OSTree reference
`NAME=oci:DIR[:TAG]`        an image in an OCI layout; also `oci-archive:FILE`, `docker-archive:FILE`
`NAME=registry:REF`         an image in a registry
`NAME=image:NAME`           an image that docker or podman has
`NAME=from:DOCKERFILE`      the images that a Dockerfile builds on
==========================  =====================================================================
"""

from __future__ import annotations

from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.model.artifact import Artifacts
from navicert.resolve.artifact import DEFAULT_EXCLUDES, NameConflict, Notes, Resolved, ResolveOptions, twins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Final

    from navicert.resolve.file import FileResolver

IMAGE_SCHEMES: Final = ("oci", "oci-archive", "docker-archive")
_PLACES: Final = (*IMAGE_SCHEMES, "registry", "image")
_SCHEMES: Final = ("dir", "git", "ostree")
_ORIGINS: Final = "=from:"
_SCHEME_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.")


def resolve(spec: str, options: ResolveOptions | None = None) -> Resolved:
    """The artifacts that `spec` names. Raises what `resolve_all` raises."""
    return resolve_all((spec,), options)


def resolve_all(specs: Iterable[str], options: ResolveOptions | None = None) -> Resolved:
    """The artifacts that `specs` name, together, in the order of their names.

    Raises `Malformed` for a name that cannot be understood or recorded, `NameConflict` where two files would get one
    name, `Unavailable` for what cannot be read or changes while it is read, `LimitExceeded` beyond the limits.
    """
    options, specs = options or ResolveOptions(), tuple(specs)
    if not specs and not options.root and options.excludes == DEFAULT_EXCLUDES:
        # Nothing can be wrong with these, and what finds and hashes files takes longer to load than a small command.
        if options.progress is not None:
            options.progress(0, 0)
        return Resolved(Artifacts({}, plain=True))
    from navicert.resolve.file import FileResolver

    notes = Notes(options.limits.report_items)
    files = FileResolver(options, notes)
    found: dict[str, DigestSet] = {}
    for spec in specs:
        merge(found, _resolve(spec, files, options, notes), spec)
    artifacts = files.hashed(ordered=True)
    if found:
        merge(found, artifacts, "")
        artifacts = Artifacts.of({name: found[name] for name in sorted(found)})
    for name in twins(artifacts.entries):
        notes.add("names that differ only in letter case or composition, one file on some systems", name)
    if options.progress is not None:
        options.progress(0, 0)
    return Resolved(artifacts, notes.lines())


def told_afterwards(spec: str) -> bool:
    """Whether what `spec` names is known only when the command has ended: what a builder says that it built from.
    Raises `Malformed`."""
    if _ORIGINS not in spec:
        return False
    from navicert.resolve.ancestry import told_afterwards

    return told_afterwards(spec)


def merge(found: dict[str, DigestSet], more: Mapping[str, DigestSet], spec: str) -> None:
    """Add `more` artifacts, named by `spec`. Raises `NameConflict` where one name would get two contents."""
    for name, digests in more.items():
        if found.setdefault(name, digests) != digests:
            raise NameConflict(f"two artifacts would be recorded as {name!r}", path=spec)


def _resolve(spec: str, files: FileResolver, options: ResolveOptions, notes: Notes) -> Mapping[str, DigestSet]:
    """The artifacts that `spec` names; none where they are files, which `files` then knows of."""
    scheme = _scheme(spec)
    if scheme == "dir":
        from navicert.resolve.dir import resolve_dir

        return resolve_dir(spec, options, notes)
    if scheme == "git":
        from navicert.resolve.git import resolve_git

        return resolve_git(spec, options, notes)
    if scheme == "ostree":
        from navicert.resolve.ostree import resolve_ostree

        return resolve_ostree(spec, options)
    name, equals, location = spec.partition("=")
    if equals and _scheme(location) == "from":
        from navicert.resolve.ancestry import resolve_ancestry

        return resolve_ancestry(name, location, options, notes)
    if equals and _scheme(location) in _PLACES:
        from navicert.resolve.image import resolve_image

        return resolve_image(name, location, options, notes)
    if scheme in ("", "file") or files.exists(spec):
        files.add(spec)
        return {}
    raise Malformed(
        f"unknown kind of artifact: {scheme!r}",
        path=spec,
        expected="one of file, " + ", ".join(_SCHEMES) + ", or NAME=oci:DIR for an image",
        remedy="write file: before the name of a file",
    )


def _scheme(spec: str) -> str:
    """What stands before the first colon of `spec`, if it looks like the scheme of a URI; else nothing."""
    scheme, colon, _ = spec.partition(":")
    return scheme if colon and scheme[:1].isalpha() and _SCHEME_CHARACTERS.issuperset(scheme) else ""
