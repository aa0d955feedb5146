"""Builds as predicates: SLSA provenance v1 out of the link that a recorder signed, and the facts of a CI job.

Provenance says no more than the link does. The level that it is worth depends on who signs it, not on this form.
Spec: SLSA v1.2 build-provenance.md.
"""

from __future__ import annotations

from navicert.authoring.predicate.draft import Draft, known_kind
from navicert.dataclass import dataclass, field
from navicert.digest import DigestSet
from navicert.errors import Malformed
from navicert.model.statement import ResourceDescriptor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

BUILD_TYPE: Final = "urn:navicert:build:recorded-step:v1"
"""One step that a recorder ran: the external parameters are its name and its command, and the source that CI names."""

_GITHUB: Final = "github-actions"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of a build: the step, what it ran and consumed, its surroundings as recorded, and what CI job it
    was (see `navicert.record.ci`)."""

    step: str
    command: tuple[str, ...]
    materials: Mapping[str, DigestSet]
    environment: Mapping[str, object] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def facts_of(environment: Mapping[str, object]) -> dict[str, str]:
    """The facts of the CI job that a recorder wrote into a link; none where it wrote none."""
    ours = environment.get("navicert")
    facts = ours.get("ci") if isinstance(ours, dict) else None
    return {str(k): v for k, v in facts.items() if isinstance(v, str)} if isinstance(facts, dict) else {}


def build_draft(recorded: Recorded, builder: str = "", build_type: str = "") -> Draft:
    """The provenance of a recorded build. `builder` is the id of the builder, which a GitHub workflow has by itself.

    Raises `Malformed` where no builder is named: provenance says who has built.
    """
    builder = builder or _workflow(recorded.facts)
    if not builder:
        raise Malformed(
            "nothing says who the builder is", expected="the id of a builder, a URI", remedy="name it with --builder-id"
        )
    source = _source(recorded.facts)
    external: dict[str, object] = {"step": recorded.step, "command": list(recorded.command)}
    if source is not None:
        external["source"] = source.uri
    dependencies = [] if source is None or not source.digests else [source]
    dependencies += [
        ResourceDescriptor(path, digests=digests) for path, digests in recorded.materials.items() if digests
    ]
    definition: dict[str, object] = {
        "buildType": build_type or BUILD_TYPE,
        "externalParameters": external,
        "resolvedDependencies": [one.to_json() for one in dependencies],
    }
    if recorded.environment:
        definition["internalParameters"] = {"environment": dict(recorded.environment)}
    details: dict[str, object] = {"builder": {"id": builder}}
    invocation = _invocation(recorded)
    if invocation:
        details["metadata"] = {"invocationId": invocation}
    warnings = []
    if not recorded.command:
        warnings.append("the link records no command, so the provenance does not say how it was built")
    bare = [path for path, digests in recorded.materials.items() if not digests.decides]
    if bare:
        warnings.append(f"without a strong digest: {len(bare)} of the materials, such as {bare[0]}")
    predicate = {"buildDefinition": definition, "runDetails": details}
    return Draft(known_kind("provenance").type, predicate, tuple(warnings)).checked()


def _workflow(facts: Mapping[str, str]) -> str:
    """The builder that a GitHub workflow is; empty elsewhere."""
    server, workflow = facts.get("server", ""), facts.get("workflow", "")
    return f"{server}/{workflow}" if facts.get("service") == _GITHUB and server and workflow else ""


def _source(facts: Mapping[str, str]) -> ResourceDescriptor | None:
    """The repository that CI checked out, with its commit."""
    repository, server = facts.get("repository", ""), facts.get("server", "")
    if not repository:
        return None
    where = repository if "://" in repository else f"{server}/{repository}" if "://" in server else ""
    if not where:
        return None
    ref = facts.get("ref", "")
    commit = facts.get("commit", "")
    digests = DigestSet.of({"gitCommit": commit}) if len(commit) in (40, 64) else DigestSet()
    return ResourceDescriptor(uri=f"git+{where}{f'@{ref}' if ref else ''}", digests=digests)


def _invocation(recorded: Recorded) -> str:
    """What tells this run from all others: the address of the CI job, else the run id."""
    facts = recorded.facts
    if facts.get("service") == _GITHUB and facts.get("run"):
        attempt = f"/attempts/{facts['attempt']}" if facts.get("attempt") else ""
        return f"{facts.get('server', '')}/{facts.get('repository', '')}/actions/runs/{facts['run']}{attempt}"
    ours = recorded.environment.get("navicert")
    run_id = ours.get("run-id") if isinstance(ours, dict) else None
    return run_id if isinstance(run_id, str) else facts.get("run", "")
