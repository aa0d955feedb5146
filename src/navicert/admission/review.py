"""AdmissionReview v1: what the API server asks, and the answer in the only form that it takes.

Pure: bytes in, bytes out. Whatever is wrong with a review is `Malformed`, and becomes a denial that carries the uid as
far as it could be read, because an answer of any other shape counts as a failed call.
Spec: admission.k8s.io/v1; `VerifyAdmissionResponse` of k8s.io/apiserver.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Final

from navicert.admission.limits import ADMISSION, AdmissionLimits
from navicert.dataclass import dataclass, field, replace
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.model.field import as_list, as_object, as_text, required
from navicert.strictjson import loads, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

API_VERSION: Final = "admission.k8s.io/v1"
KIND: Final = "AdmissionReview"
OPERATIONS: Final = frozenset({"CREATE", "UPDATE", "DELETE", "CONNECT"})

_DEPTH: Final = 128  # managedFields repeat the whole structure of an object
_UID_LENGTH: Final = 256
_BEGINNING: Final = 1024
_HASTY: Final = re.compile(
    rb'\s*\{\s*(?:"(?:kind|apiVersion)"\s*:\s*"[A-Za-z0-9./]*"\s*,\s*){0,2}"request"\s*:\s*\{\s*"uid"\s*:\s*"([A-Za-z0-9-]{1,256})"'
)


@dataclass(frozen=True, slots=True)
class Kind:
    """What an object is: API group (empty for the core), version and kind."""

    group: str
    version: str
    name: str

    def __str__(self) -> str:
        return f"{self.name}.{self.group}" if self.group else self.name


@dataclass(frozen=True, slots=True)
class User:
    """Who asked the API server."""

    name: str = ""
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Review:
    """One question of the API server. `body` is the object: None on DELETE, and it may be on CONNECT. `old` is there on
    UPDATE and DELETE. `namespace` is empty for objects that are in none."""

    uid: str
    kind: Kind
    subresource: str
    name: str
    namespace: str
    operation: str
    user: User
    body: Mapping[str, object] | None
    old: Mapping[str, object] | None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a JSON patch (RFC 6902): `path` is a JSON pointer."""

    op: str
    path: str
    value: object

    def to_json(self) -> dict[str, object]:
        """The operation as a JSON object."""
        return {"op": self.op, "path": self.path, "value": self.value}


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API server is told. `message` says why something is denied; `patch` is None where nothing is changed."""

    uid: str
    allowed: bool
    message: str = ""
    warnings: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)
    patch: tuple[Operation, ...] | None = None

    def to_json(self) -> dict[str, object]:
        """The AdmissionReview that carries this answer. A patch goes with no denial and with its type only: either one
        alone is an error to the API server."""
        response: dict[str, object] = {"uid": self.uid, "allowed": self.allowed}
        if not self.allowed:
            response["status"] = {
                "metadata": {},
                "status": "Failure",
                "message": self.message or "denied",
                "reason": "Forbidden",
                "code": 403,
            }
        elif self.patch:
            operations = json.dumps([one.to_json() for one in self.patch], separators=(",", ":")).encode()
            response["patchType"] = "JSONPatch"
            response["patch"] = base64.b64encode(operations).decode("ascii")
        if self.warnings:
            response["warnings"] = list(self.warnings)
        if self.annotations:
            response["auditAnnotations"] = dict(self.annotations)
        return {"apiVersion": API_VERSION, "kind": KIND, "response": response}

    def encode(self) -> bytes:
        """This answer as it is sent."""
        return json.dumps(self.to_json(), separators=(",", ":")).encode()


def hasty_uid(raw: bytes) -> str:
    """The uid at the beginning of a review that is not read as a whole, as the API server writes it; empty where it is
    not there. Good enough to deny, and for nothing else."""
    match = _HASTY.match(raw[:_BEGINNING])
    return "" if match is None else match[1].decode("ascii")


class BadReview(Malformed):
    """A review that cannot be answered by its contents. `uid` is its uid, empty where that could not be read either."""

    uid = ""


def read_review(raw: bytes, limits: AdmissionLimits = ADMISSION, *, path: str = "") -> Review:
    """The review in `raw`. Raises `BadReview` for whatever is none, its uid in it as far as that could be read."""
    uid = ""
    try:
        if len(raw) > limits.review_bytes:
            uid = hasty_uid(raw)
            raise LimitExceeded(
                "review too large (limit review_bytes)",
                path=path,
                expected=f"at most {limits.review_bytes} bytes",
                got=f"{len(raw)} bytes",
            )
        document = as_object(loads(raw, replace(LOCAL, json_depth=_DEPTH), path=path), "")
        uid = _uid(document)
        return _review(document)
    except Malformed as error:
        bad = BadReview(
            error.what,
            path=error.path or path,
            pointer=error.pointer,
            expected=error.expected,
            got=error.got,
            remedy=error.remedy,
        )
        bad.uid = uid
        raise bad from error


def _uid(document: Mapping[str, object]) -> str:
    request = document.get("request")
    uid = request.get("uid") if isinstance(request, dict) else None
    return uid if isinstance(uid, str) and len(uid) <= _UID_LENGTH else ""


def _review(document: Mapping[str, object]) -> Review:
    for name, expected in (("apiVersion", API_VERSION), ("kind", KIND)):
        got = as_text(required(document, name, ""), f"/{name}")
        if got != expected:
            raise Malformed("not an admission review", pointer=f"/{name}", expected=expected, got=ascii(got[:80]))
    where = "/request"
    request = as_object(required(document, "request", ""), where)
    uid = as_text(required(request, "uid", where), f"{where}/uid")
    if not 1 <= len(uid) <= _UID_LENGTH:
        raise Malformed("not a uid", pointer=f"{where}/uid", expected=f"1 to {_UID_LENGTH} characters")
    operation = as_text(required(request, "operation", where), f"{where}/operation")
    if operation not in OPERATIONS:
        raise Malformed(
            "no such operation",
            pointer=f"{where}/operation",
            expected=", ".join(sorted(OPERATIONS)),
            got=ascii(operation[:40]),
        )
    return Review(
        uid,
        _kind(required(request, "kind", where), f"{where}/kind"),
        _text(request, "subResource", where),
        _text(request, "name", where),
        _text(request, "namespace", where),
        operation,
        _user(request.get("userInfo"), f"{where}/userInfo"),
        _optional(request, "object", where),
        _optional(request, "oldObject", where),
        _flag(request.get("dryRun"), f"{where}/dryRun"),
    )


def _kind(value: object, where: str) -> Kind:
    kind = as_object(value, where)
    name = as_text(required(kind, "kind", where), f"{where}/kind")
    if not name:
        raise Malformed("names no kind", pointer=f"{where}/kind")
    return Kind(_text(kind, "group", where), _text(kind, "version", where), name)


def _user(value: object, where: str) -> User:
    if value is None:
        return User()
    user = as_object(value, where)
    groups = user.get("groups")
    named = () if groups is None else as_list(groups, f"{where}/groups")
    return User(
        _text(user, "username", where),
        frozenset(as_text(group, pointer(f"{where}/groups", i)) for i, group in enumerate(named)),
    )


def _optional(request: Mapping[str, object], name: str, where: str) -> dict[str, object] | None:
    value = request.get(name)
    return None if value is None else as_object(value, f"{where}/{name}")


def _text(document: Mapping[str, object], name: str, where: str) -> str:
    value = document.get(name)
    return "" if value is None else as_text(value, f"{where}/{name}")


def _flag(value: object, where: str) -> bool:
    if value is None or isinstance(value, bool):
        return bool(value)
    raise Malformed("wrong type", pointer=where, expected="boolean")
