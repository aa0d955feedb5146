"""Where a build started from, and by which definition: type by type, as the platforms write it.

GitHub names the workflow; BuildKit the context, which it need not have had from a repository; Tekton what it fetched,
apart from where its pipelines come from. Of types that nobody knows only a dependency that is a git repository counts,
and only where there is one.

Spec: the build types that their platforms publish; SLSA v1.2 build-provenance.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from navicert.dataclass import dataclass
from navicert.digest import is_hex
from navicert.errors import Malformed
from navicert.model.predicate.provenance import Provenance
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

RECORDED: Final = "urn:navicert:build:recorded-step:v1"
"""A step that `navicert run` recorded: its parameters are the name of the step, and the command."""
GITHUB: Final = "https://actions.github.io/buildtypes/workflow/v1"
_WORKFLOWS: Final = frozenset(
    {
        GITHUB,
        "https://slsa-framework.github.io/github-actions-buildtypes/workflow/v1",
        "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
        "https://github.com/slsa-framework/slsa-github-generator/delegator-lowperms-generic@v0",
    }
)
"""Types whose parameter `workflow` names the repository: GitHub's own, npm's, and those of slsa-github-generator."""
_GCB: Final = "https://cloud.google.com/build/gcb-buildtypes/"
_BUILDKIT: Final = ("https://mobyproject.org/buildkit@", "https://github.com/moby/buildkit/")
_TEKTON: Final = re.compile(
    r"https://tekton\.dev/(?:chains/v2/slsa(?:-tekton)?|attestations/chains(?:/pipelinerun)?@v[12])"
    r"|tekton\.dev/v1(?:beta1)?/(?:TaskRun|PipelineRun)"
)
_TEKTON_INPUT: Final = "inputs/result"
"""What Tekton Chains calls what a task fetched; its other dependencies are pipelines, tasks and their images."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a build started from: a repository, a ref, and the commits that it resolved to."""

    uri: str = ""
    ref: str = ""
    commits: frozenset[str] = frozenset()
    """Git object names in lower-case hex."""

    def __str__(self) -> str:
        at = f" at {sorted(self.commits)[0][:12]}" if self.commits else ""
        return f"{self.uri or '(no source)'}{f' {self.ref}' if self.ref else ''}{at}"


def repository(uri: str) -> tuple[str, str]:
    """A URI of a source without what decorates it, and the ref that it names: `git+https://host/a/b@refs/heads/main`
    and `https://host/a/b.git` are one repository. Host and scheme are compared in lower case, the path as written."""
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return uri, ""
    rest, _, fragment = rest.partition("#")
    host, slash, path = rest.partition("/")
    host = host.rpartition("@")[2]
    path, _, ref = path.partition("@")
    path = path.rstrip("/").removesuffix(".git")
    scheme = scheme.lower().removeprefix("git+")
    # BuildKit writes `#REF:FOLDER`; a ref has no colon.
    fragment = fragment.partition(":")[0]
    return f"{scheme}://{host.lower()}{slash}{path}", ref or (fragment if fragment.startswith("refs/") else "")


def commits_of(descriptor: ResourceDescriptor) -> frozenset[str]:
    """The git commits that a dependency names: `gitCommit`, or `sha1` where its URI is that of a repository, as v0.2
    writes it."""
    git = is_repository(descriptor.uri or "")
    return frozenset(
        value.lower()
        for name, value in descriptor.digests
        if (name == "gitCommit" or (name == "sha1" and git)) and len(value) in (40, 64) and is_hex(value)
    )


def is_repository(uri: str) -> bool:
    """Whether `uri` says that it is one of a git repository."""
    head = uri.partition("#")[0].partition("@refs/")[0]
    return uri.startswith(("git+", "git://", "https://github.com/")) or head.endswith(".git")


def is_buildkit(provenance: Provenance) -> bool:
    """Whether BuildKit wrote it, by its own word."""
    return provenance.build_type.startswith(_BUILDKIT)


def source_of(provenance: Provenance) -> Source:
    """Where the build that `provenance` tells of started from; an empty one where it does not say."""
    if _TEKTON.fullmatch(provenance.build_type):
        return _only(_fetched(provenance))
    said = _said(provenance)
    if said is None:
        # What BuildKit was given from a local folder is of no repository, whatever it fetched besides.
        return Source() if is_buildkit(provenance) else _only(provenance.dependencies)
    uri, ref, descriptor = said
    repo, named = repository(uri)
    # Only what is said to be this repository: another commit among the dependencies proves nothing about it.
    found = [one for one in provenance.dependencies if repository(one.uri or "")[0] == repo and commits_of(one)]
    found += [descriptor] if descriptor is not None and commits_of(descriptor) else []
    return _joined(repo, ref or named, found)


def _only(dependencies: Iterable[ResourceDescriptor]) -> Source:
    """The one repository among `dependencies`; an empty source where there is none, or several."""
    found = [one for one in dependencies if commits_of(one)]
    repositories = {repository(one.uri or "")[0] for one in found}
    return _joined(repositories.pop(), "", found) if len(repositories) == 1 else Source()


def _joined(repo: str, ref: str, found: Iterable[ResourceDescriptor]) -> Source:
    found = list(found)
    refs = {repository(one.uri or "")[1] for one in found} - {""}
    commits = frozenset(commit for one in found for commit in commits_of(one))
    return Source(repo, ref or (refs.pop() if len(refs) == 1 else ""), commits)


def _fetched(provenance: Provenance) -> list[ResourceDescriptor]:
    """What a Tekton build fetched to build from: in v1 by name; before, all that its pipeline does not come from, or
    the repository of the pipeline where there is no other. Spec: Tekton Chains, predicate/slsa/v2.md, intoto.md."""
    if provenance.version == "v1":
        return [one for one in provenance.dependencies if one.name == _TEKTON_INPUT]
    found = [one for one in provenance.dependencies if commits_of(one)]
    config = "" if provenance.config_source is None else repository(provenance.config_source.uri or "")[0]
    others = [one for one in found if repository(one.uri or "")[0] != config]
    return others or found


def _said(provenance: Provenance) -> tuple[str, str, ResourceDescriptor | None] | None:
    """URI, ref and descriptor of the source as the parameters of the build type say; None where they do not."""
    if provenance.version != "v1":
        config = provenance.config_source
        return None if config is None or not config.uri else (config.uri, "", None)
    parameters = provenance.external_parameters
    kind = provenance.build_type
    if kind in _WORKFLOWS:
        return _named(parameters.get("workflow"), "repository")
    if kind.startswith(_GCB):
        return _named(parameters.get("sourceToBuild") or parameters.get("buildConfigSource"), "repository")
    for name in ("source", "configSource"):
        value = parameters.get(name)
        if isinstance(value, str) and value:
            return value, "", None
        if isinstance(value, Mapping):
            return _named(value, "uri")
    return None


def _named(value: object, name: str) -> tuple[str, str, ResourceDescriptor | None] | None:
    """The source that an object names in its field `name`, with its ref and its digest."""
    fields = value if isinstance(value, Mapping) else {}
    uri, ref, digest = (fields.get(one) for one in (name, "ref", "digest"))
    if not isinstance(uri, str) or not uri:
        return None
    try:
        described = ResourceDescriptor.from_json({"uri": uri, "digest": digest}, "") if digest else None
    except Malformed:
        described = None  # a commit that cannot be read is none
    return uri, ref if isinstance(ref, str) else "", described


def entry_point_of(provenance: Provenance) -> str:
    """The build definition that was run: a path in the source, or a recorded command. Empty where it is not said."""
    if provenance.version != "v1":
        return provenance.entry_point
    parameters = provenance.external_parameters
    for name, part in (("workflow", "path"), ("buildConfigSource", "path"), ("configSource", "path")):
        value = parameters.get(name)
        if isinstance(value, Mapping) and isinstance(value.get(part), str) and value[part]:
            return str(value[part])
    path = parameters.get("configPath")
    if isinstance(path, str) and path:
        return path
    command = parameters.get("command")
    if provenance.build_type == RECORDED and isinstance(command, list) and command:
        return " ".join(str(word) for word in command)[:80]
    for name in ("entryPoint", "workflow", "buildFile"):
        value = parameters.get(name)
        if isinstance(value, str) and value:
            return value
    return ""
