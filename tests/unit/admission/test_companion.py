"""The companion policies, their rules evaluated: what they refuse, and whom they let do what."""

from __future__ import annotations

from typing import Any

import celpy
import pytest
from celpy.adapter import json_to_cel

from navicert.admission.deployment.companion import companions
from navicert.admission.deployment.node import Release, When, resolve
from navicert.admission.deployment.value import merged

IMAGE = "registry.example/navicert@sha256:" + "a" * 64
PINNED = "registry.example/app:1@sha256:" + "b" * 64
TAGGED = "registry.example/app:1"
VALUES = merged({"image": IMAGE, "companion": {"labelGroups": ["ops"]}})


def policy(name: str) -> Any:
    for one in companions():
        found: Any = resolve(one, VALUES, Release("navicert-system"))
        if found["kind"] == "ValidatingAdmissionPolicy" and found["metadata"]["name"] == f"{name}.navicert.dev":
            return found
    raise AssertionError(name)


def allows(name: str, object: Any, *, old: Any = None, groups: tuple[str, ...] = ()) -> bool:
    """Whether every rule of a policy holds."""
    variables = {"object": object, "oldObject": old, "request": {"userInfo": {"groups": list(groups)}}}
    environment = celpy.Environment()
    for rule in policy(name)["spec"]["validations"]:
        program = environment.program(environment.compile(rule["expression"]))
        if not program.evaluate({key: json_to_cel(value) for key, value in variables.items()}):
            return False
    return True


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "app"}, "spec": {"containers": [{"name": "app", "image": PINNED}]} | spec}


class TestDigests:
    def test_a_pod_by_digest_is_let_in(self) -> None:
        assert allows("digests", pod())
        assert allows(
            "digests", pod(volumes=[{"name": "a", "emptyDir": {}}, {"name": "b", "image": {"reference": PINNED}}])
        )

    @pytest.mark.parametrize(
        "spec",
        [
            {"containers": [{"name": "app", "image": TAGGED}]},
            {"containers": [{"name": "app", "image": PINNED}, {"name": "b", "image": TAGGED}]},
            {"containers": [{"name": "app"}]},
            {"containers": [{"name": "app", "image": PINNED + "0"}]},
            {"containers": [{"name": "app", "image": PINNED.replace("b", "B")}]},
            {"initContainers": [{"name": "a", "image": TAGGED}]},
            {"ephemeralContainers": [{"name": "a", "image": TAGGED}]},
            {"volumes": [{"name": "a", "image": {"reference": TAGGED}}]},
            {"volumes": [{"name": "a", "image": {}}]},
        ],
    )
    def test_an_image_without_one_is_not(self, spec: dict[str, Any]) -> None:
        assert not allows("digests", pod(**spec))

    def test_it_is_asked_about_what_kubectl_debug_writes_too(self) -> None:
        (rule,) = policy("digests")["spec"]["matchConstraints"]["resourceRules"]
        assert set(rule["resources"]) == {"pods", "pods/ephemeralcontainers"}


def namespace(value: str | None = None, **labels: str) -> dict[str, Any]:
    found = labels | ({} if value is None else {"navicert.dev/admission": value})
    return {"metadata": {"name": "shop", "labels": found} if found else {"name": "shop"}}


class TestLabels:
    def test_only_named_groups_change_whether_a_namespace_is_judged(self) -> None:
        for new, old in (
            (namespace("disabled"), namespace("enabled")),
            (namespace(), namespace("enabled")),
            (namespace("disabled"), namespace()),
            (namespace("disabled"), None),
            (namespace(team="a"), namespace("enabled", team="a")),
        ):
            assert not allows("labels", new, old=old, groups=("dev", "system:authenticated"))
            assert allows("labels", new, old=old, groups=("dev", "ops"))

    def test_everything_else_is_anybodys(self) -> None:
        for new, old in (
            (namespace(), None),
            (namespace(team="a"), namespace()),
            (namespace("enabled", team="a"), namespace("enabled")),
        ):
            assert allows("labels", new, old=old, groups=("dev",))


def test_exceptions_only_where_administrators_are() -> None:
    assert allows("exceptions", {"metadata": {"namespace": "navicert-system"}})
    assert not allows("exceptions", {"metadata": {"namespace": "shop"}})


def test_whoever_switches_them_off_has_none() -> None:
    off = merged({"image": IMAGE, "companion": {"digests": "off", "guard": False}})
    assert all(isinstance(one, When) for one in companions())
    assert [resolve(one, off, Release("navicert-system")) for one in companions()] == [None] * len(companions())
