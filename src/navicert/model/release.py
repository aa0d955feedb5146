"""Name, version and persons of a classic layout, carried in one signed line.

A classic layout has no field for them, and an unknown field would break other readers; so they stand as the last line
of `readme`, which every implementation signs and none interprets: `navicert: {"name":…,"version":…,"persons":…}`.
"""

from __future__ import annotations

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.model.field import as_integer, as_keyid, as_list, as_object, as_text
from navicert.strictjson import canonical, loads, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_MARK: Final = "navicert: "


@dataclass(frozen=True, slots=True)
class Release:
    """What the line says. `persons` maps a person to the key ids that are hers: she counts once for a threshold."""

    name: str = ""
    version: int | None = None
    persons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @staticmethod
    def of(readme: str) -> Release:
        """What the last line of `readme` says; nothing where it is not such a line.

        Raises `Malformed` for a line that begins as one and cannot be read: it is signed, so it was meant.
        """
        line = readme.rstrip("\n").rpartition("\n")[2]
        if not line.startswith(_MARK):
            return Release()
        where = "/readme"
        document = as_object(loads(line[len(_MARK) :].encode()), where)
        odd = sorted(document.keys() - {"name", "version", "persons"})
        if odd:
            raise Malformed("unknown field in the navicert line", pointer=where, got=repr(odd[0]))
        persons = as_object(document.get("persons", {}), f"{where}/persons")
        version = document.get("version")
        release = Release(
            name=as_text(document.get("name", ""), f"{where}/name"),
            version=None if version is None else as_integer(version, f"{where}/version"),
            persons={person: _keyids(value, pointer(f"{where}/persons", person)) for person, value in persons.items()},
        )
        owners: dict[str, str] = {}
        for person, keyids in release.persons.items():
            for keyid in keyids:
                if owners.setdefault(keyid, person) != person:
                    raise Malformed(f"key {keyid[:8]} belongs to two persons", pointer=f"{where}/persons")
        return release

    def person(self, keyid: str) -> str | None:
        """The person whose key `keyid` is, or None where nobody is named."""
        return next((person for person, keyids in self.persons.items() if keyid in keyids), None)

    def append_to(self, readme: str) -> str:
        """`readme` with this line in place of the one it had, if any; unchanged where there is nothing to say."""
        body = readme.rstrip("\n")
        if body.rpartition("\n")[2].startswith(_MARK):
            body = body.rpartition("\n")[0]
        document: dict[str, object] = {}
        if self.name:
            document["name"] = self.name
        if self.version is not None:
            document["version"] = self.version
        if self.persons:
            document["persons"] = {person: list(keyids) for person, keyids in self.persons.items()}
        if not document:
            return body
        line = _MARK + canonical(document).decode()
        if "\n" in line:
            raise Malformed("a name or person may not hold a line break")
        return f"{body}\n{line}" if body else line


def _keyids(value: object, where: str) -> tuple[str, ...]:
    keyids = tuple(as_keyid(keyid, f"{where}/{i}") for i, keyid in enumerate(as_list(value, where)))
    if not keyids:
        raise Malformed("person without a key", pointer=where)
    return keyids
