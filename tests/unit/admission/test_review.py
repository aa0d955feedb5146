"""AdmissionReview v1 in and out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from navicert.admission.limits import ADMISSION
from navicert.admission.review import Answer, BadReview, Operation, read_review
from navicert.dataclass import replace


def review(**fields: Any) -> dict[str, Any]:
    request: dict[str, Any] = {
        "uid": "u-1",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "namespace": "prod",
        "operation": "CREATE",
        "userInfo": {"username": "jane", "groups": ["dev", "system:authenticated"]},
        "object": {"kind": "Pod", "apiVersion": "v1", "spec": {}},
        "oldObject": None,
        "dryRun": True,
    }
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request | fields}


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


def test_a_review_is_read():
    read = read_review(encoded(review(subResource="ephemeralcontainers", name="web")))
    assert (read.uid, str(read.kind), read.subresource, read.name) == ("u-1", "Pod", "ephemeralcontainers", "web")
    assert (read.namespace, read.operation, read.dry_run) == ("prod", "CREATE", True)
    assert read.user.groups == {"dev", "system:authenticated"}
    assert read.body is not None
    assert read.old is None


def test_a_denial_is_what_the_api_server_takes():
    answer = Answer("u-1", False, "no", ("careful",), {"decision": "denied"}).to_json()
    assert answer["apiVersion"] == "admission.k8s.io/v1"
    assert answer["kind"] == "AdmissionReview"
    response: Any = answer["response"]
    assert response["uid"] == "u-1"
    assert response["allowed"] is False
    assert (response["status"]["code"], response["status"]["reason"]) == (403, "Forbidden")
    assert "patch" not in response
    assert "patchType" not in response


def test_a_patch_and_its_type_come_together_or_not_at_all():
    patched: Any = Answer("u", True, patch=(Operation("replace", "/spec", 1),)).to_json()["response"]
    assert json.loads(base64.b64decode(patched["patch"])) == [{"op": "replace", "path": "/spec", "value": 1}]
    assert patched["patchType"] == "JSONPatch"
    for patch in ((), None):
        unpatched: Any = Answer("u", True, patch=patch).to_json()["response"]
        assert unpatched == {"uid": "u", "allowed": True}


def test_a_denial_carries_no_patch():
    denied: Any = Answer("u", False, "no", patch=(Operation("replace", "/spec", 1),)).to_json()["response"]
    assert "patch" not in denied
    assert "patchType" not in denied


@pytest.mark.parametrize(
    ("document", "uid", "where"),
    [
        (b"", "", ""),
        (b"null", "", "/"),
        (b"[]", "", "/"),
        (b'{"a":1,"a":2}', "", "/"),
        (b"\xff\xfe", "", ""),
        ({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"}, "", "/"),
        ({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": None}, "", "/request"),
        (review() | {"apiVersion": "admission.k8s.io/v1beta1"}, "u-1", "/apiVersion"),
        (review() | {"kind": "Pod"}, "u-1", "/kind"),
        (review(uid=""), "", "/request/uid"),
        (review(uid=7), "", "/request/uid"),
        (review(uid="x" * 300), "", "/request/uid"),
        (review(kind=None), "u-1", "/request/kind"),
        (review(kind={}), "u-1", "/request/kind"),
        (review(kind={"kind": ""}), "u-1", "/request/kind/kind"),
        (review(kind={"kind": 1}), "u-1", "/request/kind/kind"),
        (review(operation="PATCH"), "u-1", "/request/operation"),
        (review(object=[]), "u-1", "/request/object"),
        (review(oldObject="x"), "u-1", "/request/oldObject"),
        (review(userInfo=[]), "u-1", "/request/userInfo"),
        (review(userInfo={"groups": "dev"}), "u-1", "/request/userInfo/groups"),
        (review(userInfo={"groups": [1]}), "u-1", "/request/userInfo/groups/0"),
        (review(dryRun="yes"), "u-1", "/request/dryRun"),
        (review(namespace=1), "u-1", "/request/namespace"),
    ],
)
def test_what_is_no_review_is_refused_with_the_uid_that_could_be_read(document: object, uid: str, where: str):
    raw = document if isinstance(document, bytes) else encoded(document)
    with pytest.raises(BadReview) as caught:
        read_review(raw)
    assert caught.value.uid == uid
    assert caught.value.pointer == where


def test_seven_mebibytes_are_read_and_nine_are_not():
    padding = {"apiVersion": "v1", "kind": "Pod", "metadata": {"annotations": {"x": "y" * 1024 * 1024}}}
    large = review(object=padding, oldObject=padding)
    large["padding"] = ["z" * 1_000_000] * 5
    assert 7 * 1024 * 1024 > len(encoded(large)) > 6.5 * 1024 * 1024
    assert read_review(encoded(large)).uid == "u-1"
    large["padding"] *= 2
    with pytest.raises(BadReview, match="review_bytes"):
        read_review(encoded(large))


def test_the_bound_is_an_argument():
    with pytest.raises(BadReview, match="review_bytes"):
        read_review(encoded(review()), replace(ADMISSION, review_bytes=100))


def test_an_object_nested_beyond_all_objects_is_refused():
    raw = encoded(review()).replace(b'"spec": {}', b'"spec": ' + b"[" * 5000 + b"]" * 5000)
    with pytest.raises(BadReview, match="json_depth"):
        read_review(raw)
