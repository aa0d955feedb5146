"""Webhook configurations of a cluster: filled in when somebody answers, kept as they should be, and let go of.

Armed, a configuration asks our webhook and refuses what nobody answers for; disarmed, by decision of a person, it lets
that through. It stays disarmed until it is armed again: nothing that runs by a schedule takes the decision back.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence

from navicert.admission.cluster import Cluster, Object
from navicert.admission.vocabulary import DISARMED
from navicert.dataclass import dataclass
from navicert.errors import Malformed, Unavailable
from navicert.model.field import as_list, as_object, as_text, required
from navicert.strictjson import loads, pointer
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Final

API: Final = "/apis/admissionregistration.k8s.io/v1"
PLURALS: Final[Mapping[str, str]] = {
    "ValidatingWebhookConfiguration": "validatingwebhookconfigurations",
    "MutatingWebhookConfiguration": "mutatingwebhookconfigurations",
}
_INJECTED: Final = tuple(f"cert-manager.io/inject-{source}" for source in ("ca-from", "ca-from-secret", "apiserver-ca"))
"""By which of its annotations a configuration is left to cert-manager's injector."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One configuration as it should be when armed: its kind, name and webhooks. `webhooks` is None for one of somebody
    else's, of which only the caBundle is ours."""

    kind: str
    name: str
    webhooks: tuple[Object, ...] | None

    @property
    def path(self) -> str:
        """Where the API server has it."""
        return configuration_path(self.kind, self.name)


def configuration_path(kind: str, name: str) -> str:
    """Where the API server has the configuration `name`."""
    return f"{API}/{PLURALS[kind]}/{name}"


def read_wanted(raw: bytes, *, path: str = "") -> tuple[Wanted, ...]:
    """The configurations that a document of the chart describes. Raises `Malformed`."""
    try:
        document = as_object(loads(raw, path=path), "")
        found = []
        for kind, value in document.items():
            if kind == "also":
                for i, name in enumerate(as_list(value, "/also")):
                    found += [Wanted(one, as_text(name, pointer("/also", i)), None) for one in PLURALS]
                continue
            if kind not in PLURALS:
                raise Malformed("no such kind", pointer=pointer("", kind), expected=", ".join([*PLURALS, "also"]))
            for name, hooks in as_object(value, pointer("", kind)).items():
                where = pointer(pointer("", kind), name)
                entries = as_list(hooks, where)
                found.append(
                    Wanted(kind, name, tuple(as_object(one, pointer(where, i)) for i, one in enumerate(entries)))
                )
    except Malformed as error:
        raise error.at(path) from None
    if not found:
        raise Malformed("names no configuration", path=path)
    return tuple(found)


def webhooks(configuration: Mapping[str, object]) -> tuple[Object, ...]:
    """The webhooks of a configuration; none where it has none."""
    entries = configuration.get("webhooks")
    where = "/webhooks"
    listed = [] if entries is None else as_list(entries, where)
    return tuple(as_object(one, pointer(where, i)) for i, one in enumerate(listed))


def bundles(configuration: Mapping[str, object]) -> Iterator[bytes]:
    """The caBundle of each webhook; empty where it has none."""
    for one in webhooks(configuration):
        client = one.get("clientConfig")
        value = client.get("caBundle") if isinstance(client, dict) else None
        try:
            yield base64.b64decode(value) if isinstance(value, str) else b""
        except ValueError:
            yield b""


def filled(hooks: Sequence[Mapping[str, object]], bundle: bytes) -> list[Object]:
    """The webhooks with `bundle` for their caBundle. Raises `Malformed` for one that has no clientConfig, or for an
    empty bundle: an API server would then trust whatever the system does."""
    if not bundle:
        raise Malformed("an empty caBundle")
    found = []
    for i, hook in enumerate(hooks):
        where = pointer("/webhooks", i)
        client = as_object(required(hook, "clientConfig", where), f"{where}/clientConfig")
        encoded = base64.b64encode(bundle).decode("ascii")
        found.append({**hook, "clientConfig": {**client, "caBundle": encoded}})
    return found


def injected(configuration: Mapping[str, object]) -> bool:
    """Whether cert-manager's injector keeps the caBundle of a configuration. Two that write it in turn would make the
    API server trust now one authority and now the other."""
    metadata = configuration.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    return isinstance(annotations, dict) and any(annotations.get(name) for name in _INJECTED)


def disarmed_at(configuration: Mapping[str, object]) -> Mapping[str, object] | None:
    """What is remembered of a configuration that a person disarmed: `at`, and `was`, the policy of each webhook."""
    metadata = configuration.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    note = annotations.get(DISARMED) if isinstance(annotations, dict) else None
    if not isinstance(note, str):
        return None
    try:
        return as_object(loads(note.encode()), "")
    except Malformed:
        return {}  # still a person's decision


def _bundled(hooks: Sequence[Object], found: Mapping[str, object], bundle: bytes) -> list[Object]:
    """The webhooks with `bundle`; or, of a configuration whose caBundle somebody else keeps, with those that are there
    (`bundle` where there is none yet: without one the API server would trust whatever the system does)."""
    target = filled(hooks, bundle) if hooks else []
    if not injected(found):
        return target
    there = {one.get("name"): own for one, own in zip(webhooks(found), bundles(found), strict=True) if own}
    return [filled([one], there.get(one.get("name"), bundle))[0] for one in target]


def disarm(cluster: Cluster, kind: str, name: str, at: datetime, *, empty: bool = False) -> str:
    """Let through what nobody answers for; with `empty`, ask nobody. Says what was done. Raises `Unavailable`."""
    path = configuration_path(kind, name)
    found = _existing(cluster, path)
    hooks = webhooks(found)
    known = disarmed_at(found)
    was = {str(one.get("name")): one.get("failurePolicy", "Fail") for one in hooks}
    note = known if known is not None else {"at": format_timestamp(at), "was": was}
    relaxed: list[Object] = [] if empty else [{**one, "failurePolicy": "Ignore"} for one in hooks]
    change = {
        "metadata": {
            "resourceVersion": _version(found),
            "annotations": {DISARMED: json.dumps(note, sort_keys=True)},
        },
        "webhooks": relaxed,
    }
    cluster.patch(path, change)
    if not hooks:
        return "was empty, and stays so until it is armed again"
    return "asks nobody any more" if empty else f"lets through what nobody answers for ({len(hooks)} webhooks)"


def arm(cluster: Cluster, wanted: Wanted, bundle: bytes) -> str:
    """Put a configuration in force, whatever it was before. Says what was done. Raises `Unavailable`.

    The caller has seen to it that somebody answers.
    """
    found = _existing(cluster, wanted.path)
    if wanted.webhooks is not None:
        hooks: Sequence[Object] = wanted.webhooks
    else:
        hooks = _restored(webhooks(found), disarmed_at(found))
    if wanted.webhooks is None and not hooks:
        return "has no webhooks"
    change = {
        "metadata": {"resourceVersion": _version(found), "annotations": {DISARMED: None}},
        "webhooks": _bundled(hooks, found, bundle),
    }
    cluster.patch(wanted.path, change)
    return f"is in force ({len(hooks)} webhooks)" if hooks else "asks nobody, as its values say"


def keep(cluster: Cluster, wanted: Wanted, found: Object, bundle: bytes, *, ready: bool) -> str | None:
    """Bring a configuration to what it should be; what was done, or None where there was nothing to do.

    One that is empty is filled in only when `ready`. One that a person disarmed stays so, with a fresh caBundle; and
    that of one which cert-manager's injector keeps is left to it.
    """
    live = webhooks(found)
    disarmed = disarmed_at(found) is not None
    if wanted.webhooks is None or disarmed:
        target = _bundled(live, found, bundle)
    elif not live and wanted.webhooks and not ready:
        return "is not in force yet: no replica is ready"
    else:
        target = _bundled(wanted.webhooks, found, bundle)
    if _agrees(target, list(live)):
        return None
    cluster.patch(wanted.path, {"metadata": {"resourceVersion": _version(found)}, "webhooks": target})
    if not live:
        return f"is in force ({len(target)} webhooks)"
    return "has a new caBundle" if disarmed or wanted.webhooks is None else "was brought back to what it should be"


def fill(configuration: Mapping[str, object], bundle: bytes) -> Object:
    """A configuration of anybody's, as a document, with `bundle` in each webhook. Raises `Malformed`."""
    if configuration.get("kind") not in PLURALS:
        raise Malformed(
            "not a webhook configuration",
            pointer="/kind",
            expected=" or ".join(PLURALS),
            got=ascii(str(configuration.get("kind")))[:80],
        )
    hooks = webhooks(configuration)
    if not hooks:
        raise Malformed("has no webhooks", pointer="/webhooks")
    return {**configuration, "webhooks": filled(hooks, bundle)}


def _restored(hooks: Sequence[Object], note: Mapping[str, object] | None) -> list[Object]:
    """The webhooks with the policies that they had before they were disarmed."""
    was = note.get("was") if note is not None else None
    known = was if isinstance(was, dict) else {}
    if note is None:
        return list(hooks)
    return [{**one, "failurePolicy": known.get(str(one.get("name")), "Fail")} for one in hooks]


def _existing(cluster: Cluster, path: str) -> Object:
    found = cluster.get(path)
    if found is None:
        raise Unavailable("there is no such configuration", path=path.rpartition("/")[2])
    return found


def _version(found: Mapping[str, object]) -> str:
    metadata = as_object(required(found, "metadata", ""), "/metadata")
    return as_text(required(metadata, "resourceVersion", "/metadata"), "/metadata/resourceVersion")


def _agrees(target: object, live: object) -> bool:
    """Whether `live` is `target`, and what the API server adds to it on its own."""
    if isinstance(target, Mapping) and isinstance(live, Mapping):
        return all(name in live and _agrees(value, live[name]) for name, value in target.items())
    if isinstance(target, list | tuple) and isinstance(live, list | tuple):
        return len(target) == len(live) and all(map(_agrees, target, live))
    return target == live
