"""The pull secrets of a workload: what its nodes would show a registry, shown where a policy allows it.

A secret is read in the namespace of the review and nowhere else, belongs to the hosts that it names, and is read when a
registry asks, on the thread that speaks with it. Programs that a secret names as helpers are never run.
"""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, Final, Protocol

from navicert.admission.images import pod_specs_of
from navicert.dataclass import dataclass, field
from navicert.digest import sha256
from navicert.errors import Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.oci.credential import Credential, CredentialDocument, Keychain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from navicert.admission.cluster import Cluster
    from navicert.admission.review import Kind

_MOST: Final = 16
"""Pull secrets of one workload that are looked at."""
_DEFAULT: Final = "default"


class Secrets(Protocol):
    """Where pull secrets are. `find` raises `Unavailable` where one cannot be read."""

    def find(self, namespace: str, name: str) -> CredentialDocument | None:
        """The pull secret `name`; None where there is none of this name, or it is something else."""

    def of_account(self, namespace: str, account: str) -> tuple[str, ...]:
        """The names of the pull secrets that a service account brings along."""


@dataclass(frozen=True, slots=True)
class SecretFolder:
    """Pull secrets as files: `NAMESPACE/NAME.json` in the folder `path`, in docker's format."""

    path: str

    def find(self, namespace: str, name: str) -> CredentialDocument | None:
        """The secret in the file of this name."""
        if not (_is_name(namespace) and _is_name(name)):
            return None
        path = os.path.join(self.path, namespace, f"{name}.json")
        try:
            with open(path, "rb") as stream:
                raw = stream.read(LOCAL.credential_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"cannot be read: {(error.strerror or 'unknown').lower()}", path=path) from error
        return CredentialDocument.parse(raw, path=path)

    def of_account(self, namespace: str, account: str) -> tuple[str, ...]:
        """None: files say nothing about accounts."""
        return ()


@dataclass(frozen=True, slots=True)
class ClusterSecrets:
    """Pull secrets of a cluster, as far as the webhook may read them."""

    cluster: Cluster

    def find(self, namespace: str, name: str) -> CredentialDocument | None:
        """The secret of this name."""
        if not (_is_name(namespace) and _is_name(name)):
            return None
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        found = self.cluster.get(path)
        data = None if found is None else found.get("data")
        text = data.get(".dockerconfigjson") if isinstance(data, dict) else None
        if not isinstance(text, str):
            return None
        try:
            return CredentialDocument.parse(base64.b64decode(text, validate=True), path=path)
        except binascii.Error as error:
            raise Malformed("not base64", path=path, pointer="/data/.dockerconfigjson") from error

    def of_account(self, namespace: str, account: str) -> tuple[str, ...]:
        """Those of the service account `account`."""
        if not (_is_name(namespace) and _is_name(account)):
            return ()
        found = self.cluster.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}")
        return tuple(_names(None if found is None else found.get("imagePullSecrets")))


@dataclass(frozen=True, slots=True)
class PullKeychain:
    """What the secrets `names` of `namespace`, and those of the service account, know; then what `own` knows. A secret
    that is not there, or is none, is passed over, as nodes do."""

    secrets: Secrets
    namespace: str
    names: tuple[str, ...]
    account: str
    own: Keychain = field(compare=False)

    @property
    def identity(self) -> str:
        """What tells the credentials of one workload from those of another."""
        return str(sha256("\0".join((self.namespace, self.account, *self.names)).encode()))

    def find(self, registry: str, repository: str) -> Credential | None:
        """The first credential for `repository` of `registry`."""
        names = (*self.names, *self.secrets.of_account(self.namespace, self.account))
        for name in dict.fromkeys(names[:_MOST]):
            try:
                document = self.secrets.find(self.namespace, name)
                found = None if document is None else document.find(registry, repository)
            except Malformed:
                continue
            if found is not None:
                return found
        return self.own.find(registry, repository)


def keychain_of(
    secrets: Secrets, kind: Kind, body: Mapping[str, object], namespace: str, own: Keychain
) -> PullKeychain:
    """The keychain of a workload. One that names no service account runs as `default`."""
    names: list[str] = []
    account = _DEFAULT
    for spec in pod_specs_of(kind, body):
        names += _names(spec.get("imagePullSecrets"))
        given = spec.get("serviceAccountName")
        account = given if isinstance(given, str) and given else account
    return PullKeychain(secrets, namespace, tuple(dict.fromkeys(names))[:_MOST], account, own)


def _names(value: object) -> Iterator[str]:
    for entry in value if isinstance(value, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            yield entry["name"]


def _is_name(text: str) -> bool:
    """Whether `text` may be part of a path, of files or of the API server."""
    return 0 < len(text) <= 253 and text[0] not in ".-" and all(one.isalnum() or one in "-." for one in text)
