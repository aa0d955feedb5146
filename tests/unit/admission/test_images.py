"""Every place in which an object names an image."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.admission.images import CustomKind, find_images, is_pod
from navicert.admission.jsonpath import Path
from navicert.admission.limits import ADMISSION
from navicert.admission.review import Kind
from navicert.dataclass import replace
from navicert.errors import LimitExceeded, Malformed

DIGEST = "sha256:" + "a" * 64

# Kind → how a Pod's spec is wrapped in it.
WRAPPED: dict[tuple[str, str, str], Any] = {
    ("", "v1", "Pod"): lambda spec: {"spec": spec},
    ("", "v1", "ReplicationController"): lambda spec: {"spec": {"replicas": 1, "template": {"spec": spec}}},
    ("", "v1", "PodTemplate"): lambda spec: {"template": {"spec": spec}},
    ("batch", "v1", "Job"): lambda spec: {"spec": {"template": {"spec": spec}}},
    ("batch", "v1", "CronJob"): lambda spec: {"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}},
    ("batch", "v1beta1", "CronJob"): lambda spec: {"spec": {"jobTemplate": {"spec": {"template": {"spec": spec}}}}},
} | {
    ("apps", "v1", kind): lambda spec: {"spec": {"template": {"spec": spec}}}
    for kind in ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
}

SPEC = {
    "containers": [{"name": "app", "image": "nginx"}],
    "initContainers": [
        {"name": "setup", "image": "r.example/setup:1"},
        {"name": "proxy", "image": "r.example/proxy", "restartPolicy": "Always"},
    ],
    "ephemeralContainers": [{"name": "debug", "image": f"r.example/debug@{DIGEST}", "targetContainerName": "app"}],
    "volumes": [
        {"name": "model", "image": {"reference": "r.example/model:2", "pullPolicy": "Always"}},
        {"name": "scratch", "emptyDir": {}},
        {"name": "ceph", "rbd": {"image": "block-device", "monitors": ["m"]}},
    ],
}


def kind_of(key: tuple[str, str, str]) -> Kind:
    return Kind(*key)


@pytest.mark.parametrize("key", WRAPPED, ids=lambda key: f"{key[2]}.{key[0]}.{key[1]}")
def test_every_kind_is_looked_into_alike(key: tuple[str, str, str]):
    found = find_images(kind_of(key), WRAPPED[key](SPEC))
    assert [(use.role, use.name, str(use.reference)) for use in found] == [
        ("container", "app", "docker.io/library/nginx:latest"),
        ("init", "setup", "r.example/setup:1"),
        ("init", "proxy", "r.example/proxy:latest"),
        ("ephemeral", "debug", f"r.example/debug@{DIGEST}"),
        ("volume", "model", "r.example/model:2"),
    ]


def test_the_old_shape_of_the_subresource_is_looked_into():
    body = {
        "apiVersion": "v1",
        "kind": "EphemeralContainers",
        "metadata": {"name": "web"},
        "ephemeralContainers": [{"name": "debug", "image": "busybox"}],
    }
    (use,) = find_images(Kind("", "v1", "EphemeralContainers"), body)
    assert (use.role, use.pointer) == ("ephemeral", "/ephemeralContainers/0/image")
    assert find_images(Kind("", "v1", "EphemeralContainers"), {**body, "ephemeralContainers": []}) == ()


def test_pods_are_what_runs():
    assert is_pod(Kind("", "v1", "Pod"))
    assert is_pod(Kind("", "v1", "EphemeralContainers"))
    assert not is_pod(Kind("apps", "v1", "Deployment"))


@pytest.mark.parametrize(
    "spec",
    [
        {"sidecarContainers": [{"name": "x", "image": "evil"}]},
        {"containers": [{"name": "a", "image": "nginx", "fallbackImage": "evil"}]},
        {"volumes": [{"name": "m", "artifact": {"image": "evil"}}]},
        {"volumes": [{"name": "m", "csi": {"driver": "d", "volumeAttributes": {"image": "evil"}}}]},
        {"volumes": [{"name": "m", "oci": {"images": ["evil"]}}]},
        {"initContainers": [{"name": "a", "image": "nginx", "volumes": [{"image": "evil"}]}]},
    ],
)
def test_a_field_that_looks_like_an_image_and_is_not_known_refuses_the_object(spec: dict[str, Any]):
    whole = {"containers": [{"name": "app", "image": "nginx"}]} | spec
    with pytest.raises(Malformed, match="may name an image is not known"):
        find_images(Kind("", "v1", "Pod"), {"spec": whole})


def test_a_kind_without_images_has_none():
    assert find_images(Kind("", "v1", "Service"), {"spec": {"ports": []}, "metadata": {"labels": {"image": "x"}}}) == ()


def test_a_kind_that_nobody_described_is_refused_where_it_seems_to_have_images():
    body = {"spec": {"steps": [{"image": "evil"}]}}
    with pytest.raises(Malformed) as caught:
        find_images(Kind("tekton.dev", "v1", "Task"), body)
    assert caught.value.pointer == "/spec/steps/0/image"
    task = CustomKind("tekton.dev", "Task", images=(Path.parse("$.spec.steps[*].image"),))
    (use,) = find_images(Kind("tekton.dev", "v1", "Task"), body, [task])
    assert use.text == "evil"


def test_a_custom_kind_may_hold_whole_pod_specs():
    rollout = CustomKind("argoproj.io", "Rollout", pod_specs=(Path.parse("$.spec.template.spec"),))
    found = find_images(Kind("argoproj.io", "v1alpha1", "Rollout"), {"spec": {"template": {"spec": SPEC}}}, [rollout])
    assert len(found) == 5


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "/spec"),
        ({"spec": None}, "/spec"),
        ({"spec": []}, "/spec"),
        ({"spec": {}}, "/spec/containers"),
        ({"spec": {"containers": []}}, "/spec/containers"),
        ({"spec": {"containers": {"a": 1}}}, "/spec/containers"),
        ({"spec": {"containers": ["nginx"]}}, "/spec/containers/0"),
        ({"spec": {"containers": [{"image": ["nginx"]}]}}, "/spec/containers/0/image"),
        ({"spec": {"containers": [{"image": "nginx", "name": 3}]}}, "/spec/containers/0/name"),
        ({"spec": {"containers": [{"image": "nginx"}], "volumes": {}}}, "/spec/volumes"),
        ({"spec": {"containers": [{"image": "nginx"}], "volumes": [{"image": "x"}]}}, "/spec/volumes/0/image"),
        ({"kind": "Deployment", "spec": {}}, "/kind"),
        ({"apiVersion": "apps/v1", "spec": {}}, "/apiVersion"),
    ],
)
def test_an_object_of_another_shape_is_refused(body: dict[str, Any], where: str):
    with pytest.raises(Malformed) as caught:
        find_images(Kind("", "v1", "Pod"), body)
    assert caught.value.pointer == where


@pytest.mark.parametrize("image", ["", None, "UPPER/app", "nginx:", "a@sha256:12", "x" * 2000, "http://a/b"])
def test_what_is_no_reference_is_kept_with_the_reason(image: str | None):
    (use,) = find_images(Kind("", "v1", "Pod"), {"spec": {"containers": [{"name": "a", "image": image}]}})
    assert use.reference is None
    assert use.problem


def test_thousands_of_containers_are_counted_and_bounded():
    body = {"spec": {"containers": [{"name": f"c{i}", "image": "nginx"} for i in range(5000)]}}
    assert len(find_images(Kind("", "v1", "Pod"), body)) == 5000
    with pytest.raises(LimitExceeded, match="limit uses"):
        find_images(Kind("", "v1", "Pod"), body, limits=replace(ADMISSION, uses=4999))


def test_a_tag_beside_a_digest_decides_nothing():
    spec = {"containers": [{"image": f"a.example/x:1@{DIGEST}"}, {"image": f"a.example/x:2@{DIGEST}"}]}
    first, second = find_images(Kind("", "v1", "Pod"), {"spec": spec})
    assert first.identity == second.identity is not None


PLACES = ["containers", "initContainers", "ephemeralContainers", "volumes"]


@given(
    st.sampled_from(sorted(WRAPPED)),
    st.lists(st.tuples(st.sampled_from(PLACES), st.integers(0, 10**6)), max_size=12),
)
def test_every_image_is_found_wherever_it_is_put(key: tuple[str, str, str], placed: list[tuple[str, int]]):
    spec: dict[str, Any] = {"containers": [{"name": "first", "image": "r.example/first"}]}
    wanted = ["r.example/first:latest"]
    for place, number in placed:
        image = f"r.example/i{number}"
        entry = {"image": {"reference": image}} if place == "volumes" else {"image": image}
        spec.setdefault(place, []).append({"name": "x", **entry})
        wanted.append(f"{image}:latest")
    found = find_images(kind_of(key), WRAPPED[key](spec))
    assert sorted(str(use.reference) for use in found) == sorted(wanted)
