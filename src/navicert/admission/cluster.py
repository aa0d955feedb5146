"""A Kubernetes API server, by the few requests that Navicert makes of it.

Objects are what JSON says, untouched: a field that this version does not know survives a change of another.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import Any, Final

from navicert.admission.limits import WEBHOOK
from navicert.dataclass import dataclass
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.limits import LOCAL
from navicert.model.field import as_object, as_text, required
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from httpx2 import Client, Response

Object = dict[str, object]
_SECONDS: Final = 10
"""How long the API server may take to answer, or to go on."""


class Conflict(Unavailable):
    """Somebody else changed the object in between."""


class Forbidden(Unavailable):
    """Whoever asks has no right to it."""


class VersionGone(Unavailable):
    """What happened since some version is not known any more: the list must be read again."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object of a list: its `kind` (ADDED, MODIFIED, DELETED; BOOKMARK for nothing but a
    newer version) and the `object` after it."""

    kind: str
    object: Object


class Cluster:
    """An API server, asked as one user. Close it in the end."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self.namespace = namespace
        """The namespace that the configuration names."""

    def get(self, path: str) -> Object | None:
        """The object at `path`; None where there is none. Raises `Unavailable`."""
        return self._request("GET", path)

    def patch(self, path: str, change: Mapping[str, object]) -> Object:
        """The object at `path` after the JSON merge patch `change` (RFC 7386). Raises `Conflict` where the change names
        a `resourceVersion` and the object has another by now; `Unavailable` otherwise."""
        import json

        body = json.dumps(change).encode()
        found = self._request("PATCH", path, body, {"Content-Type": "application/merge-patch+json"})
        if found is None:
            raise Unavailable("there is no such object", path=path)
        return found

    def create(self, path: str, one: Mapping[str, object]) -> Object | None:
        """The object `one` as it was made in the list at `path`; None where there is no such list, or no such
        namespace. Raises `Conflict` where there is one of that name; `Unavailable` otherwise."""
        import json

        return self._request("POST", path, json.dumps(one).encode(), {"Content-Type": "application/json"})

    def delete(self, path: str) -> None:
        """Take away the object at `path`, if it is there. Raises `Unavailable`."""
        self._request("DELETE", path)

    @contextmanager
    def watch(self, path: str, version: str, seconds: int, selector: str = "") -> Iterator[Iterator[Event]]:
        """What happens to the list at `path` after `version`, for `seconds`; entered once the API server has agreed.
        `selector` is more of the address. Raises `VersionGone`; `Unavailable`, also in the middle; and `Malformed`."""
        from urllib.parse import quote

        from httpx2 import HTTPError, InvalidURL, Timeout

        query = f"watch=1&allowWatchBookmarks=true&timeoutSeconds={seconds}&resourceVersion={quote(version, safe='')}"
        query = f"{selector}&{query}" if selector else query
        timeout = Timeout(_SECONDS, read=seconds + _SECONDS)
        try:
            with self._client.stream("GET", f"{path}?{query}", timeout=timeout) as answer:
                if answer.status_code != 200:
                    head = answer.read()[: LOCAL.string]
                    raise self._problem(answer.status_code, head, path)
                yield _events(answer, path)
        except (HTTPError, InvalidURL, OSError) as error:
            raise Unavailable(f"the watch broke off: {_said(error)}", path=path) from error

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def _request(self, verb: str, path: str, body: bytes | None = None, headers: Any = None) -> Object | None:
        from httpx2 import HTTPError, InvalidURL

        try:
            answer = self._client.request(verb, path, content=body, headers=headers)
        except (HTTPError, InvalidURL, OSError) as error:
            raise Unavailable(
                f"the API server cannot be reached: {_said(error)}", path=str(self._client.base_url)
            ) from error
        if answer.status_code == 404:
            return None
        if answer.status_code not in (200, 201):
            raise self._problem(answer.status_code, answer.content, path)
        return as_object(loads(answer.content, LOCAL, path=path), "")

    def _problem(self, status: int, content: bytes, path: str) -> Unavailable:
        try:
            message = as_object(loads(content[: LOCAL.string], LOCAL), "").get("message")
        except Malformed:
            message = None
        said = message if isinstance(message, str) else f"status {status}"
        if status == 410:
            return VersionGone(f"the version is gone: {said[:200]}", path=path)
        if status == 409:
            return Conflict(f"the object was changed by somebody else: {said}", path=path)
        remedy = "ask for the rights, see the RBAC of the chart" if status in (401, 403) else ""
        kind = Forbidden if status == 403 else Unavailable
        return kind(f"the API server says no: {said[:500]}", path=path, remedy=remedy)


def connect(kubeconfig: str | None = None, context: str | None = None) -> Cluster:
    """The cluster of a kubeconfig; without one, as for kubectl: that of KUBECONFIG, of ~/.kube/config, or the cluster
    that this process runs in. Raises `Unavailable` where none is found or it cannot be used."""
    try:
        from lightkube.config.client_adapter import Client, ConnectionParams
        from lightkube.config.kubeconfig import KubeConfig
        from lightkube.core.exceptions import ConfigError, LoadResourceError
    except ImportError as error:
        raise Unavailable(f"needs {error.name}", remedy="pip install navicert[admission]") from None
    try:
        if kubeconfig is None:
            chosen = KubeConfig.from_env().get(context)
        else:
            chosen = KubeConfig.from_file(kubeconfig).get(context)
        if chosen is None:
            raise Unavailable("no cluster", path=kubeconfig or "", remedy="name one: --kubeconfig FILE")
        return Cluster(Client(chosen, ConnectionParams()), chosen.namespace)
    except (ConfigError, LoadResourceError, OSError, KeyError, TypeError, ValueError, AssertionError) as error:
        raise Unavailable(
            f"no cluster to speak to: {_said(error)}",
            path=kubeconfig or "",
            remedy="name one: --kubeconfig FILE --context NAME",
        ) from error


def _events(answer: Response, path: str) -> Iterator[Event]:
    """The events of a watch, one in a line. Raises as `Cluster.watch`."""
    left = b""
    for chunk in answer.iter_bytes():
        *lines, left = (left + chunk).split(b"\n")
        if len(left) > WEBHOOK.document_bytes:
            raise LimitExceeded(
                "an event is too large (limit document_bytes)", path=path, expected=f"at most {WEBHOOK.document_bytes}"
            )
        for line in lines:
            if line.strip():
                yield _event(line, path)
    if left.strip():
        raise Unavailable("the watch broke off in the middle of an event", path=path)


def _event(line: bytes, path: str) -> Event:
    whole = as_object(loads(line, LOCAL, path=path), "")
    kind = as_text(required(whole, "type", ""), "/type")
    found = as_object(required(whole, "object", ""), "/object")
    if kind == "ERROR":
        message = found.get("message")
        said = message[:200] if isinstance(message, str) else "no reason"
        if found.get("code") == 410:
            raise VersionGone(f"the version is gone: {said}", path=path)
        raise Unavailable(f"the API server ended the watch: {said}", path=path)
    return Event(kind, found)


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
