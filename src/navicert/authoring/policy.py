"""A layout on its way to being signed: from a draft and the keys that it names, or from a finished document.

What lint must be able to see although no layout may have it (no expiry, one key of two persons) is kept apart here
and refused by `Policy.finished`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from navicert.authoring.draft import Draft, read_draft
from navicert.authoring.node import located, of_json
from navicert.authoring.yaml import read_yaml
from navicert.dataclass import dataclass, field, replace
from navicert.errors import Malformed, NavicertError
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_object
from navicert.model.layout import Layout
from navicert.model.policy import POLICY_TYPE, policy_json, read_policy_document
from navicert.model.release import Release
from navicert.model.terms import Terms
from navicert.strictjson import loads

if TYPE_CHECKING:
    from navicert.crypto.key import Key
    from navicert.envelope.document import Sealed

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Stands in a `Layout` where no expiry was written."""

ReadKey = Callable[[str], "Key"]
"""Gives the public key of a file named in a draft, under the id that the layout is to use. Raises `NavicertError`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """A layout as its author has it before him.

    `layout` is without the line that `release` will become, unless `sealed` or `given`: then it is what was read.
    `expires` is None where nothing was written. `persons` lists every functionary of a draft with her key ids, a key
    of two of them under both. `lines` maps JSON pointers into the layout to lines of the file.
    """

    layout: Layout
    release: Release
    expires: datetime | None
    path: str = ""
    persons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    given: bool = False
    """Read from a document of in-toto's own form, not from a draft."""
    sealed: Sealed | None = None
    """The signed document that it was read from."""

    def finished(self) -> Layout:
        """The layout to sign. Raises `Malformed` where it has no expiry or gives one key to two persons."""
        if self.expires is None:
            raise Malformed(
                "the layout says nothing about when it expires",
                path=self.path,
                pointer="/expires",
                remedy='add it, such as "expires: 6 months"',
            )
        if self.sealed is not None:
            return self.layout
        if self.given:
            portable = {id: _portable(id, key) for id, key in self.layout.keys.items()}
            return replace(self.layout, keys=portable)
        if self.layout.terms is not None:
            return self._finished_policy()
        readme = self.release.append_to(self.layout.readme)
        try:
            Release.of(readme)
        except Malformed as error:
            error.pointer = "/functionaries"
            raise error.at(self.path) from None
        return replace(self.layout, readme=readme)

    def _finished_policy(self) -> Layout:
        """Our own document, by the reader of it: nothing is signed that verification would refuse to read."""
        for word, has in (("name", self.release.name), ("version", self.release.version)):
            if not has:
                raise Malformed(f"a policy without a {word}", path=self.path, remedy=f'write "{word}: …"')
        try:
            return read_policy_document(policy_json(self.layout))
        except Malformed as error:
            raise error.at(self.path) from None


def read_policy(raw: bytes, read_key: ReadKey, at: datetime, *, path: str = "", limits: Limits = LOCAL) -> Policy:
    """The policy that `raw` holds: YAML or JSON of the authoring format, an unsigned layout, or a signed one.

    What begins with a brace is JSON, unless `path` says that it is YAML. `at` is the moment from which relative
    expiries count. Raises `Malformed` and whatever `read_key` raises.
    """
    if raw.lstrip()[:1] != b"{" or path.lower().endswith((".yaml", ".yml")):
        return compose(read_draft(read_yaml(raw, limits, path=path), path=path, limits=limits), read_key, at)
    value = loads(raw, limits, path=path)
    if isinstance(value, dict) and ("signed" in value or "payload" in value):
        return _signed(raw, path, limits)
    if isinstance(value, dict) and "_type" in value:
        try:
            return _of_document(value, path, limits)
        except Malformed as error:
            raise error.at(path) from None
    return compose(read_draft(of_json(value), path=path, limits=limits), read_key, at)


def compose(draft: Draft, read_key: ReadKey, at: datetime) -> Policy:
    """The policy that `draft` and its key files make when it is signed at `at`. Raises what `read_key` raises, and
    `Malformed` for an expiry beyond all calendars."""
    keys = {file: _key(file, draft, read_key) for file in draft.key_files}
    keyed = [person for person in draft.functionaries if person.files]
    persons = {person.name: tuple(dict.fromkeys(keys[file].id for file in person.files)) for person in keyed}
    identities = {person.name: person.identities for person in draft.functionaries}
    try:
        expires = None if draft.expires is None else draft.expires.at(at)
    except Malformed as error:
        error.pointer = "/expires"
        raise error.at(located(draft.path, draft.lines.get("/expires", 0))) from None
    layout = Layout(
        expires=expires or _NEVER,
        steps=tuple(
            replace(
                item.step,
                pubkeys=tuple(dict.fromkeys(keyid for person in item.by for keyid in persons.get(person, ()))),
                identities=tuple(one for person in item.by for one in identities.get(person, ())),
            )
            for item in draft.steps
        ),
        inspections=draft.inspections,
        keys={key.id: key.to_json() for key in keys.values()},
        readme=draft.readme,
        rootcas=_authorities(draft, draft.authorities),
        intermediatecas=_authorities(draft, draft.intermediates),
    )
    release = Release(draft.name, draft.version, persons)
    if draft.own:
        validity = {
            keyid: person.validity
            for person in draft.functionaries
            if person.validity is not None
            for keyid in persons[person.name]
        }
        declared = {person.name: person.identities for person in draft.functionaries if person.is_declared}
        layout = replace(layout, terms=Terms(release, draft.target, draft.run, validity, declared))
    return Policy(layout, release, expires, draft.path, persons, draft.lines)


def _authorities(draft: Draft, named: Mapping[str, str]) -> dict[str, Mapping[str, object]]:
    from navicert.authoring.holder import authority_json, id_of

    try:
        return {id_of(pem): authority_json(pem) for pem in named.values()}
    except Malformed as error:
        raise error.at(draft.path) from None


def _portable(id: str, value: Mapping[str, object]) -> Mapping[str, object]:
    """The key object in the shape that every implementation verifies; as it is where it is no key that we know."""
    from navicert.crypto.key import Key

    try:
        return Key.from_json(value, id=id).to_json()
    except NavicertError:
        return value


def _key(file: str, draft: Draft, read_key: ReadKey) -> Key:
    try:
        return read_key(file)
    except NavicertError as error:
        owner = next(one for one in draft.functionaries if file in one.files)
        error.what += f', the key of "{owner.name}" in {located(draft.path, owner.line)}'
        raise


def _signed(raw: bytes, path: str, limits: Limits) -> Policy:
    from navicert.envelope.document import open_document, peek

    sealed = open_document(raw, limits, path=path)
    _, source = next(sealed.candidates())
    value = loads(source, limits, path=path) if isinstance(source, bytes) else source
    if not (isinstance(value, dict) and value.get("_type") == "layout" and "expires" not in value):
        body = peek(sealed).body
        if not isinstance(body, Layout):
            raise Malformed("not a layout", path=path, expected="a layout", got=f"a {type(body).__name__.lower()}")
    try:
        return replace(_of_document(value, path, limits), sealed=sealed)
    except Malformed as error:
        raise error.at(path) from None


def _of_document(value: object, path: str, limits: Limits) -> Policy:
    """The policy of a JSON object of in-toto's own form."""
    document = as_object(value, "")
    dated = "expires" in document
    read = read_policy_document if document.get("_type") == POLICY_TYPE else Layout.from_json
    layout = read(document if dated else {**document, "expires": "1970-01-01T00:00:00Z"}, limits=limits)
    release = layout.release
    return Policy(layout, release, layout.expires if dated else None, path, release.persons, given=True)
