"""Credentials for registries, as `docker login`, `podman login`, `skopeo login` and the helpers of clouds keep them.

Files are looked at in this order, and the first that knows the registry decides: `$REGISTRY_AUTH_FILE` (then no other
is read), `$DOCKER_CONFIG/config.json`, `$XDG_RUNTIME_DIR/containers/auth.json`, `~/.config/containers/auth.json`,
`~/.docker/config.json`. A credential belongs to one host with its port, or to a part of its repositories, and to
nothing that only begins with the same letters. Nothing is ever written.
Spec: docker-credential-helpers protocol; containers-auth.json(5).
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from pathlib import Path
from typing import Final, Protocol

from navicert.dataclass import dataclass, field
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_object, as_text
from navicert.oci.archive import open_regular
from navicert.oci.manifest import naming, optional_text
from navicert.oci.reference import DOCKER_HUB, normal_registry
from navicert.strictjson import loads, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_HUB_KEY: Final = "https://index.docker.io/v1/"
_HELPER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TOKEN_USER: Final = "<token>"
_NOT_FOUND: Final = re.compile(rb"credentials not found|no credentials", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Credential:
    """A user and password, or an identity token (OAuth 2 refresh token) in place of them. Never shown."""

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)

    @property
    def basic(self) -> str:
        """The value of the header `Authorization` for RFC 7617."""
        pair = f"{self.username}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode('ascii')}"


class Keychain(Protocol):
    """Whatever knows credentials."""

    def find(self, registry: str, repository: str) -> Credential | None:
        """The credential for `repository` of `registry` (in canonical form); None where there is none."""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """Knows no credentials."""

    def find(self, registry: str, repository: str) -> Credential | None:
        """None."""
        return None


@dataclass(frozen=True, slots=True)
class Single:
    """One credential, for one registry and nothing else."""

    registry: str
    credential: Credential

    def find(self, registry: str, repository: str) -> Credential | None:
        """The credential, if it is for `registry`."""
        return self.credential if registry == self.registry else None


@dataclass(frozen=True, slots=True)
class CredentialFiles:
    """The credential files of docker, podman and skopeo, in order. Files that are not there are passed over, unless
    `required`. Helpers are looked for in the absolute folders of `search_path`."""

    files: tuple[Path, ...]
    required: bool = False
    search_path: str = ""
    limits: Limits = LOCAL

    @staticmethod
    def from_environment(environment: Mapping[str, str] = os.environ, limits: Limits = LOCAL) -> CredentialFiles:
        """The files that the environment of this process names; see the description of this module."""
        search_path = environment.get("PATH", "")
        named = environment.get("REGISTRY_AUTH_FILE")
        if named:
            return CredentialFiles((Path(named),), required=True, search_path=search_path, limits=limits)
        found = []
        if docker := environment.get("DOCKER_CONFIG"):
            found.append(Path(docker) / "config.json")
        if runtime := environment.get("XDG_RUNTIME_DIR"):
            found.append(Path(runtime) / "containers" / "auth.json")
        if home := environment.get("HOME"):
            config = environment.get("XDG_CONFIG_HOME") or str(Path(home) / ".config")
            found += [Path(config) / "containers" / "auth.json", Path(home) / ".docker" / "config.json"]
        # A relative path would mean another file in every folder.
        return CredentialFiles(tuple(path for path in found if path.is_absolute()), False, search_path, limits)

    def find(self, registry: str, repository: str) -> Credential | None:
        """The credential for `repository` of `registry`. Raises `Malformed` for a file that cannot be understood and
        `Unavailable` for a helper that fails: to go on without would hide why access is denied."""
        for path in self.files:
            body = self._read(path)
            if body is None:
                continue
            with naming(str(path)):
                found = self._from(body, registry, repository, str(path))
            if found is not None:
                return found
        return None

    def _read(self, path: Path) -> dict[str, object] | None:
        if not self.required and not _exists(path):
            return None
        with open_regular(str(path)) as file:
            raw = file.read(self.limits.credential_bytes + 1)
        if len(raw) > self.limits.credential_bytes:
            raise LimitExceeded("credential file too large (limit credential_bytes)", path=str(path))
        value = loads(raw, self.limits, path=str(path)) if raw.strip() else {}
        with naming(str(path)):
            return as_object(value, "")

    def _from(self, body: dict[str, object], registry: str, repository: str, path: str) -> Credential | None:
        helper = _helper_for(body, registry)
        if helper:
            from navicert.oci.credential_program import ask_helper

            found = ask_helper(helper, _server(registry), self.search_path, self.limits, path=path)
            if found is not None:
                return found
        return _stored(body, registry, repository)


@dataclass(frozen=True, slots=True)
class CredentialDocument:
    """The credentials that stand in one document of docker's format (`auths`). Helpers that it names are not asked:
    whoever wrote it may be anybody. `body` is never shown."""

    body: dict[str, object] = field(repr=False)
    path: str = ""

    @staticmethod
    def parse(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> CredentialDocument:
        """The document in `raw`. Raises `Malformed` and `LimitExceeded`; nothing of it is quoted."""
        if len(raw) > limits.credential_bytes:
            raise LimitExceeded("credentials too large (limit credential_bytes)", path=path)
        value = loads(raw, limits, path=path)
        with naming(path):
            return CredentialDocument(as_object(value, ""), path)

    def find(self, registry: str, repository: str) -> Credential | None:
        """The credential for `repository` of `registry`. Raises `Malformed` for an entry that cannot be understood."""
        with naming(self.path):
            return _stored(self.body, registry, repository)


def _exists(path: Path) -> bool:
    """Whether there is something at `path`. Raises `Unavailable` where that may not be seen."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        reason = (error.strerror or "unknown reason").lower()
        raise Unavailable(f"cannot be read: {reason}", path=str(path)) from error
    return True


def _helper_for(body: dict[str, object], registry: str) -> str:
    helpers = _section(body, "credHelpers")
    for key, value in helpers.items():
        if _normal_key(key) == registry:
            return _helper_name(value, pointer("/credHelpers", key))
    store = body.get("credsStore")
    return "" if store is None or store == "" else _helper_name(store, "/credsStore")


def _stored(body: Mapping[str, object], registry: str, repository: str) -> Credential | None:
    """What `auths` holds: the most particular entry."""
    wanted = list(_names(registry, repository))
    best: tuple[int, Credential] | None = None
    for key, value in _section(body, "auths").items():
        name = _normal_key(key)
        if name in wanted:
            credential = _entry(value, pointer("/auths", key))
            if credential is not None and (best is None or wanted.index(name) < best[0]):
                best = (wanted.index(name), credential)
    return best[1] if best else None


def _section(body: Mapping[str, object], name: str) -> dict[str, object]:
    value = body.get(name)
    return {} if value is None else as_object(value, f"/{name}")


def _helper_name(value: object, where: str) -> str:
    name = as_text(value, where)
    if not _HELPER.fullmatch(name):
        raise Malformed("not the name of a credential helper", pointer=where, got=ascii(name[:60]))
    return name


def _server(registry: str) -> str:
    """What a helper calls `registry`."""
    return _HUB_KEY if registry == DOCKER_HUB else registry


def _names(registry: str, repository: str) -> Iterator[str]:
    """The names that a credential for `repository` may be filed under, the most particular first."""
    parts = repository.split("/")
    for count in range(len(parts), 0, -1):
        yield f"{registry}/{'/'.join(parts[:count])}"
    yield registry


def _normal_key(key: str) -> str:
    """`registry` or `registry/part/of/name` in canonical form; empty where `key` names no registry.

    Docker also files under addresses such as `https://index.docker.io/v1/`, in which only the host counts.
    """
    scheme, mark, rest = key.partition("://")
    if mark and scheme.lower() not in ("http", "https"):
        return ""
    host, _, path = (rest if mark else key).partition("/")
    if mark or path.strip("/") in ("v1", "v2"):
        path = ""
    try:
        registry = normal_registry(host)
    except Malformed:
        return ""
    return f"{registry}/{path.strip('/')}" if path.strip("/") else registry


def _entry(value: object, where: str) -> Credential | None:
    """The credential of one entry; None for an empty one, which says that a helper knows."""
    entry = as_object(value, where)
    texts = {name: optional_text(entry, name, where) for name in ("auth", "username", "password")}
    token = optional_text(entry, "identitytoken", where)
    username, password = texts["username"], texts["password"]
    if texts["auth"]:
        try:
            pair = base64.b64decode(texts["auth"], validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise Malformed("not base64 of USER:PASSWORD", pointer=f"{where}/auth") from error
        username, colon, password = pair.partition(":")
        if not colon:
            raise Malformed("not base64 of USER:PASSWORD", pointer=f"{where}/auth")
        password = password.rstrip("\0")
    if token:
        return Credential(identity_token=token)
    return credential_of(username, password) if username or password else None


def credential_of(username: str, secret: str) -> Credential:
    """The credential that a helper or file means by `username` and `secret`."""
    return Credential(identity_token=secret) if username == _TOKEN_USER else Credential(username, secret)


def parse_helper_answer(raw: bytes, failed: bool, limits: Limits, *, path: str) -> Credential | None:
    """What a helper answered; None where it says that it has no credential. Raises `Unavailable` where it failed and
    `Malformed` for what is no answer. Nothing of it is quoted but what it says when it fails."""
    if failed:
        if _NOT_FOUND.search(raw[:500]):
            return None
        reason = ascii(raw[:200].decode("utf-8", "replace").strip())
        raise Unavailable("credential helper failed", path=path, got=reason, remedy="log in again")
    value = loads(raw, limits, path=path)
    with naming(path):
        body = as_object(value, "")
        username, secret = optional_text(body, "Username", ""), optional_text(body, "Secret", "")
    return credential_of(username, secret) if secret else None
