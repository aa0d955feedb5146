"""Objects of a cluster as people have them in files, made into the reviews that the API server would send for them."""

from __future__ import annotations

import json

from navicert.admission.policy_field import value_of
from navicert.admission.policy_file import documents_of
from navicert.admission.review import API_VERSION, KIND
from navicert.errors import Malformed
from navicert.model.field import as_object, as_text
from navicert.strictjson import loads, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def reviews_of(raw: bytes, path: str, namespace: str) -> list[bytes]:
    """The reviews in `raw`: an AdmissionReview as JSON, or objects as JSON or YAML, each as if it were created (in
    `namespace`, where it names none itself). Raises `Malformed`."""
    if raw.lstrip()[:1] == b"{" and as_object(loads(raw, path=path), "").get("kind") == KIND:
        return [raw]
    return [review_of(body, path, namespace) for body in objects_of(raw, path)]


def objects_of(raw: bytes, path: str) -> list[Mapping[str, object]]:
    """The objects in `raw`, JSON or YAML; of lists (as kubectl prints them) their items. Raises `Malformed`."""
    if raw.lstrip()[:1] == b"{":
        roots = [as_object(loads(raw, path=path), "")]
    else:
        roots = [as_object(value_of(node), "") for node in documents_of(raw, path)]
    found: list[Mapping[str, object]] = []
    for root in roots:
        items = root.get("items")
        if str(root.get("kind") or "").endswith("List") and isinstance(items, list):
            found += [as_object(item, pointer("/items", i)) for i, item in enumerate(items)]
        else:
            found.append(root)
    return found


def review_of(body: Mapping[str, object], path: str, namespace: str) -> bytes:
    """The review of `body` as if it were created. Raises `Malformed` for what does not say what it is."""
    for name in ("apiVersion", "kind"):
        if not isinstance(body.get(name), str) or not body[name]:
            raise Malformed(
                f"no {name}", path=path, expected="an AdmissionReview as JSON, or objects of a cluster as YAML or JSON"
            )
    group, slash, version = as_text(body["apiVersion"], "/apiVersion").rpartition("/")
    metadata = body.get("metadata")
    own = metadata if isinstance(metadata, dict) else {}
    review = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "request": {
            "uid": "offline",
            "kind": {"group": group if slash else "", "version": version, "kind": body["kind"]},
            "name": own.get("name") or own.get("generateName") or "",
            "namespace": own.get("namespace") or namespace,
            "operation": "CREATE",
            "userInfo": {},
            "object": body,
            "dryRun": True,
        },
    }
    return json.dumps(review).encode()
