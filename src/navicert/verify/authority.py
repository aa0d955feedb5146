"""Who may sign for what: the keys of a layout, and the principals behind them.

An id only hints: whoever signed is known by key material. Spec: in-toto v1.0 §4.3.1 (`keys`), §5.2 (4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from navicert.crypto.key import Key
from navicert.errors import Malformed
from navicert.model.layout import Layout, Step
from navicert.model.principal import Principal
from navicert.model.release import Release
from navicert.strictjson import pointer


@dataclass(frozen=True, slots=True)
class Authority:
    """The keys of one layout by the id that it gives them, and whose they are."""

    keys: Mapping[str, Key]
    release: Release
    persons: Mapping[str, str]
    """Key fingerprint → person, as the layout or the caller declares."""
    labels: Mapping[str, str]
    """Key fingerprint → the first eight digits of the id that the layout uses: what people see."""

    @staticmethod
    def of(layout: Layout, principals: Mapping[str, str] | None = None) -> Authority:
        """The authority of `layout`. `principals` (fingerprint → person) is the caller's word and goes before the
        layout's. Raises `Malformed` for a bad key, and for two different keys that answer to one id."""
        release = Release.of(layout.readme)
        keys = {
            keyid: Key.from_json(value, id=keyid, pointer=pointer("/keys", keyid))
            for keyid, value in layout.keys.items()
        }
        named: dict[str, str] = {}
        for keyid, key in keys.items():
            for alias in sorted({*key.ids, str(layout.keys[keyid].get("keyid", keyid))}):
                if named.setdefault(alias, key.fingerprint) != key.fingerprint:
                    raise Malformed(
                        "two different keys answer to one id",
                        pointer=pointer("/keys", keyid),
                        got=f"another key answers to {alias[:8]} too",
                    )
        persons: dict[str, str] = {}
        for person, keyids in release.persons.items():
            for keyid in keyids:
                if keyid not in keys:
                    raise Malformed(f'person "{person}" has a key that is not in the layout', got=keyid)
                fingerprint = keys[keyid].fingerprint
                if persons.setdefault(fingerprint, person) != person:
                    raise Malformed("one key belongs to two persons", pointer=pointer("/keys", keyid))
        labels = {key.fingerprint: keyid[:8] for keyid, key in keys.items()}
        return Authority(keys, release, _united(persons, principals or {}), labels)

    def authorised(self, step: Step) -> frozenset[Key]:
        """The keys that may sign for `step`. Ids that the layout has no key for give none."""
        return frozenset(key for key in map(self.keys.get, step.pubkeys) if key is not None)

    def principal(self, key: Key) -> Principal:
        """Whom a signature by `key` counts for: the declared person, else the key material itself."""
        person = self.persons.get(key.fingerprint)
        if person is not None:
            return Principal("person", person, person)
        return Principal("key", key.fingerprint, self.labels.get(key.fingerprint, key.id[:8]))


def _united(persons: Mapping[str, str], principals: Mapping[str, str]) -> dict[str, str]:
    """What both declare. Where the caller renames one key of a person, her other keys are still hers: naming people
    must not make two signers of one."""
    renamed = {person: principals[key] for key, person in sorted(persons.items(), reverse=True) if key in principals}
    return {key: renamed.get(person, person) for key, person in persons.items()} | dict(principals)
