"""Facts of a CI job, taken from its environment only where asked for, and only these: none of them is secret.

They are claims of the machine that recorded the step, signed with its key; they prove nothing about the CI service.
"""

from __future__ import annotations

from typing import Final

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Fact → the variables that may hold it, for each service. The first variable tells the service.
_SERVICES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "github-actions": (
        "GITHUB_ACTIONS",
        {
            "repository": "GITHUB_REPOSITORY",
            "commit": "GITHUB_SHA",
            "ref": "GITHUB_REF",
            "workflow": "GITHUB_WORKFLOW_REF",
            "event": "GITHUB_EVENT_NAME",
            "job": "GITHUB_JOB",
            "run": "GITHUB_RUN_ID",
            "attempt": "GITHUB_RUN_ATTEMPT",
            "server": "GITHUB_SERVER_URL",
            "runner": "RUNNER_ENVIRONMENT",
        },
    ),
    "gitlab": (
        "GITLAB_CI",
        {
            "repository": "CI_PROJECT_PATH",
            "commit": "CI_COMMIT_SHA",
            "ref": "CI_COMMIT_REF_NAME",
            "workflow": "CI_CONFIG_PATH",
            "event": "CI_PIPELINE_SOURCE",
            "job": "CI_JOB_NAME",
            "run": "CI_PIPELINE_ID",
            "attempt": "CI_JOB_ID",
            "server": "CI_SERVER_URL",
            "runner": "CI_RUNNER_ID",
        },
    ),
    "jenkins": (
        "JENKINS_URL",
        {
            "repository": "GIT_URL",
            "commit": "GIT_COMMIT",
            "ref": "GIT_BRANCH",
            "job": "JOB_NAME",
            "run": "BUILD_NUMBER",
            "attempt": "BUILD_TAG",
            "server": "JENKINS_URL",
            "runner": "NODE_NAME",
        },
    ),
    # Tekton sets nothing by itself: a task passes these from its context variables.
    "tekton": (
        "TEKTON_PIPELINE_RUN",
        {
            "repository": "TEKTON_REPOSITORY",
            "commit": "TEKTON_COMMIT",
            "workflow": "TEKTON_PIPELINE",
            "job": "TEKTON_TASK",
            "run": "TEKTON_PIPELINE_RUN",
            "attempt": "TEKTON_TASK_RUN",
            "server": "TEKTON_NAMESPACE",
        },
    ),
}

_LONGEST: Final = 1024


def ci_facts(environ: Mapping[str, str]) -> dict[str, str]:
    """The facts that `environ` has of the CI job that it belongs to, `service` first; empty outside of CI.

    Facts: service, repository, commit, ref, workflow, event, job, run, attempt, server, runner; those that the
    service does not tell are missing. Jenkins and GitLab may put a password into an address: it is removed.
    """
    for service, (telltale, names) in _SERVICES.items():
        if environ.get(telltale):
            found = {fact: _clean(environ[name]) for fact, name in names.items() if environ.get(name)}
            return {"service": service} | found
    return {}


def _clean(value: str) -> str:
    """`value` as text that a document can hold, without the user and password of an address."""
    text = value.encode("utf-8", "replace").decode("utf-8")[:_LONGEST]
    scheme, separator, rest = text.partition("://")
    if not separator:
        return text
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
