"""What passed before, kept across restarts: signed by the webhook's own key, and believed only by that signature.

A webhook that starts while a registry is down knows nothing, and would stop what ran a minute ago. So what passed is
written down, for policies that go on with it (`onRegistryError: allowVerifiedBefore`), and for nothing else: an entry
counts for exactly the image, policy and version that it names, and for a week at most, so that nobody gains anything by
bringing back an old copy.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from navicert.admission.cache import VerdictCache, VerdictKey
from navicert.admission.judgement import Judgement, Standing
from navicert.admission.limits import WEBHOOK
from navicert.crypto.signer import Signer
from navicert.digest import Digest
from navicert.envelope.document import open_document, seal
from navicert.errors import Malformed, Unavailable
from navicert.model.field import as_list, as_object, as_text, required
from navicert.model.statement import Statement
from navicert.strictjson import pointer
from navicert.timestamp import format_timestamp, parse_timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping

    from navicert.admission.cluster import Cluster

PREDICATE_TYPE: Final = "urn:navicert:passed:v1"
AGE: Final = timedelta(days=7)
"""How long an entry counts after it was written."""
MOST: Final = 1_000
"""Entries that are kept: an object of a cluster holds one MiB."""
_TEXTS: Final = ("repository", "version", "namespace", "credentials", "layout")
_FIELD: Final = "passed.json"


class Place(Protocol):
    """Where it is kept. Both raise `Unavailable`."""

    def read(self) -> bytes | None:
        """What was written last; None where nothing was."""

    def write(self, raw: bytes) -> None:
        """Keep `raw` in place of what was there."""


class FilePlace:
    """A file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """The file."""
        try:
            with open(self.path, "rb") as stream:
                return stream.read(WEBHOOK.document_bytes + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Unavailable(f"cannot be read: {(error.strerror or 'unknown').lower()}", path=self.path) from error

    def write(self, raw: bytes) -> None:
        """The file, whole or as it was."""
        temporary = f"{self.path}.{os.getpid()}.new"
        try:
            with open(temporary, "wb") as stream:
                stream.write(raw)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, self.path)
        except OSError as error:
            raise Unavailable(f"cannot be written: {(error.strerror or 'unknown').lower()}", path=self.path) from error


class ConfigMapPlace:
    """A ConfigMap that is there already, for all replicas."""

    def __init__(self, cluster: Cluster, namespace: str, name: str) -> None:
        self._cluster = cluster
        self._path = f"/api/v1/namespaces/{namespace}/configmaps/{name}"

    def read(self) -> bytes | None:
        """Its field `passed.json`."""
        found = self._cluster.get(self._path)
        if found is None:
            raise Unavailable("there is no such ConfigMap", path=self._path, remedy="make an empty one")
        data = found.get("data")
        text = data.get(_FIELD) if isinstance(data, dict) else None
        return text.encode() if isinstance(text, str) and text else None

    def write(self, raw: bytes) -> None:
        """The same field."""
        self._cluster.patch(self._path, {"data": {_FIELD: raw.decode()}})


class Memory:
    """What `cache` knows to have passed, in `place`, signed by `signer`."""

    def __init__(self, cache: VerdictCache, place: Place, signer: Signer) -> None:
        self._cache = cache
        self._place = place
        self._signer = signer
        self._written: frozenset[VerdictKey] = frozenset()

    def load(self, at: datetime) -> int:
        """Take over what was kept, and say how many entries still count at the moment `at`. Raises `Malformed` for what
        this key did not sign: then nothing is taken over; and `Unavailable`."""
        raw = self._place.read()
        if raw is None:
            return 0
        entries = self._entries(raw, at)
        for key, judgement in entries.items():
            self._cache.recall(key, judgement)
        return len(entries)

    def save(self, at: datetime) -> bool:
        """Keep what passed, beside what other replicas have kept, and say whether anything was written. Raises as
        `load`."""
        passes, refused = self._cache.passes(), self._cache.refusals()
        if frozenset(passes) <= self._written and self._written.isdisjoint(refused):
            return False
        raw = self._place.read()
        try:
            known = {} if raw is None else self._entries(raw, at)
        except Malformed:
            known = {}  # somebody else's, or damaged: what we know ourselves stands in its place
        kept = {key: judgement for key, judgement in known.items() if key not in refused}
        merged = dict(list({**kept, **passes}.items())[-MOST:])
        self._place.write(seal(_statement(merged, at), self._signer))
        self._written = frozenset(merged)
        return True

    def _entries(self, raw: bytes, at: datetime) -> dict[VerdictKey, Judgement]:
        path = "remembered passes"
        verified = open_document(raw, WEBHOOK, path=path).verified_by((self._signer.key,))
        if verified is None:
            raise Malformed("not signed by the key of this webhook", path=path)
        body = verified.body
        if not isinstance(body, Statement) or body.predicate_type != PREDICATE_TYPE:
            raise Malformed("something else than what passed before", path=path, expected=PREDICATE_TYPE)
        entries = as_list(required(body.predicate, "entries", ""), "/entries", most=MOST)
        found = (_entry(entry, pointer("/entries", i)) for i, entry in enumerate(entries))
        return {key: judgement for key, judgement in found if judgement.until is not None and at < judgement.until}


def _statement(passes: Mapping[VerdictKey, Judgement], at: datetime) -> Statement:
    entries = []
    for key, judgement in passes.items():
        if judgement.until is None:
            continue
        entries.append(
            {
                "repository": key.repository,
                "digest": str(key.digest),
                "policy": str(key.policy),
                "version": key.version,
                "namespace": key.namespace,
                "credentials": key.credentials,
                "layout": judgement.layout,
                "until": format_timestamp(min(judgement.until, at + AGE)),
            }
        )
    subjects = {str(entry["digest"]): str(entry["repository"]) for entry in entries}
    return Statement.from_json(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"name": name, "digest": dict([digest.split(":")])} for digest, name in sorted(subjects.items())
            ]
            or [{"name": "nothing", "digest": {"sha256": "0" * 64}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {"entries": entries},
        }
    )


def _entry(value: object, where: str) -> tuple[VerdictKey, Judgement]:
    entry = as_object(value, where)
    texts = {name: as_text(required(entry, name, where), pointer(where, name)) for name in _TEXTS}
    digests = {
        name: Digest.parse(as_text(required(entry, name, where), pointer(where, name))) for name in ("digest", "policy")
    }
    until = parse_timestamp(as_text(required(entry, "until", where), pointer(where, "until")))
    key = VerdictKey(
        texts["repository"],
        digests["digest"],
        digests["policy"],
        texts["version"],
        texts["namespace"],
        texts["credentials"],
    )
    return key, Judgement(Standing.PASSED, layout=texts["layout"], until=until)
