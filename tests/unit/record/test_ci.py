"""Facts of a CI job."""

from __future__ import annotations

from navicert.record.ci import ci_facts


def test_outside_of_ci_there_are_none():
    assert ci_facts({"PATH": "/bin", "GITHUB_SHA": "a"}) == {}


def test_github_actions():
    facts = ci_facts(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_SHA": "abc",
            "GITHUB_RUN_ID": "7",
            "GITHUB_TOKEN": "ghs_secret",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret",
        }
    )
    assert facts == {"service": "github-actions", "repository": "o/r", "commit": "abc", "run": "7"}


def test_gitlab():
    facts = ci_facts({"GITLAB_CI": "true", "CI_PROJECT_PATH": "g/p", "CI_PIPELINE_ID": "1", "CI_JOB_TOKEN": "secret"})
    assert facts == {"service": "gitlab", "repository": "g/p", "run": "1"}


def test_jenkins_without_the_password_in_an_address():
    facts = ci_facts({"JENKINS_URL": "https://ci/", "GIT_URL": "https://me:pw@host/a@b.git", "BUILD_NUMBER": "3"})
    assert facts == {"service": "jenkins", "repository": "https://host/a@b.git", "run": "3", "server": "https://ci/"}


def test_tekton():
    facts = ci_facts({"TEKTON_PIPELINE_RUN": "run-1", "TEKTON_TASK": "build"})
    assert facts == {"service": "tekton", "job": "build", "run": "run-1"}


def test_values_are_text_of_bounded_length():
    facts = ci_facts({"GITLAB_CI": "1", "CI_JOB_NAME": "\udcff" + "x" * 2000})
    assert facts["job"] == "?" + "x" * 1023
