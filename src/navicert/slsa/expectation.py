"""Expectations: what a verifier expects of the builds of its images, and whom it believes what.

One document holds the expectations of each image, a builder table, the verifiers whose summaries count, who reviews,
and what is declared. Everything in it that grants something (builders, verifiers, people, declarations) counts only
where the document itself is signed or pinned by its digest.

Spec: SLSA v1.2 verifying-artifacts.md (step 2, expectations).
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.digest import Digest, sha256
from navicert.errors import Malformed
from navicert.model.field import as_integer, as_list, as_object, as_text, as_texts, required
from navicert.slsa.builders import BuilderTable, SignerRule, refuse_unknown
from navicert.slsa.levels import DECLARABLE
from navicert.strictjson import canonical, pointer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

TYPE: Final = "navicert-expectations/v1"
PREDICATE_TYPE: Final = "urn:navicert:expectations:v1"
"""What a statement that carries the document in signed form has as its predicate type."""
MOST: Final = 65_536
"""Entries of each list."""

_GRANTS: Final = ("builders", "verifiers", "people", "reviewers", "monitors", "declarers", "declared")
"""What makes a level higher than the evidence alone would: only from a document that is signed or pinned."""
_FIELDS: Final = frozenset({"type", "name", "images", "steps", *_GRANTS})
_IMAGE: Final = frozenset(
    {"image", "resource", "source", "ref", "builder", "build_type", "parameters", "dependencies", "require"}
)
TRACKS: Final = {"build": 3, "source": 4, "table": 4, "declared": 4}
"""What a level may be required of, and the highest."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is expected of the builds of one image. An empty tuple expects nothing; `parameters` is None where nothing
    is said about them, and otherwise names every one that there may be."""

    image: str = ""
    resource: str = ""
    sources: tuple[str, ...] = ()
    refs: tuple[str, ...] = ()
    builders: tuple[str, ...] = ()
    build_types: tuple[str, ...] = ()
    parameters: Mapping[str, object] | None = None
    dependencies: int = 0
    """The build level that every dependency must have reached; 0 where none is asked for."""
    require: Mapping[str, int] = field(default_factory=dict)

    @property
    def constrains(self) -> bool:
        """Whether anything is expected of provenance. An entry may be there only for what it requires."""
        named = self.sources or self.refs or self.builders or self.build_types
        return bool(named) or self.parameters is not None

    @staticmethod
    def from_json(value: object, where: str) -> Expectation:
        """The expectation of a JSON object. Raises `Malformed`."""
        document = as_object(value, where)
        refuse_unknown(document, _IMAGE, where)
        parameters = document.get("parameters")
        dependencies = as_integer(document.get("dependencies", 0), pointer(where, "dependencies"))
        if not 0 <= dependencies <= TRACKS["build"]:
            raise Malformed("no level", pointer=pointer(where, "dependencies"), expected="0 to 3")
        return Expectation(
            as_text(document.get("image", ""), pointer(where, "image")),
            as_text(document.get("resource", ""), pointer(where, "resource")),
            _any_of(document, "source", where),
            _any_of(document, "ref", where),
            _any_of(document, "builder", where),
            _any_of(document, "build_type", where),
            None if parameters is None else as_object(parameters, pointer(where, "parameters")),
            dependencies,
            read_required(document.get("require", {}), pointer(where, "require")),
        )


def read_required(value: object, where: str) -> dict[str, int]:
    """Track → the level that must be reached. Raises `Malformed` for other tracks and levels."""
    wanted: dict[str, int] = {}
    for track, level in as_object(value, where).items():
        place = pointer(where, track)
        if track not in TRACKS:
            raise Malformed("no such track", pointer=place, expected=", ".join(TRACKS), got=repr(track)[:40])
        if not 1 <= as_integer(level, place) <= TRACKS[track]:
            raise Malformed("no such level", pointer=place, expected=f"1 to {TRACKS[track]}", got=str(level))
        wanted[track] = as_integer(level, place)
    return wanted


def _any_of(document: Mapping[str, object], name: str, where: str) -> tuple[str, ...]:
    """One text, or a list of those that are allowed. A list of none allows nothing and is refused."""
    value = document.get(name)
    if value is None:
        return ()
    place = pointer(where, name)
    texts = as_texts([value] if isinstance(value, str) else value, place, most=MOST)
    if not texts or not all(texts):
        raise Malformed("empty", pointer=place, expected="what is allowed, or no such field")
    return texts


@dataclass(frozen=True, slots=True)
class Verifier:
    """One verifier whose summaries count: at most up to `build` and `source` of their tracks, and for the resources
    that begin with `resource` (empty: any)."""

    id: str
    signer: SignerRule
    build: int = 0
    source: int = 0
    properties: tuple[str, ...] = ()
    """Verified properties that it may vouch for."""
    resource: str = ""

    @staticmethod
    def from_json(value: object, where: str, keys: Mapping[str, Key]) -> Verifier:
        """The verifier of a JSON object. Raises `Malformed`."""
        document = as_object(value, where)
        refuse_unknown(document, frozenset({"id", "signer", "build", "source", "properties", "resource"}), where)
        id = as_text(required(document, "id", where), pointer(where, "id"))
        levels = {}
        for track in ("build", "source"):
            place = pointer(where, track)
            levels[track] = as_integer(document.get(track, 0), place)
            if not 0 <= levels[track] <= TRACKS[track]:
                raise Malformed("no such level", pointer=place, expected=f"0 to {TRACKS[track]}")
        if not id:
            raise Malformed("an empty id would be any verifier", pointer=pointer(where, "id"))
        return Verifier(
            id,
            SignerRule.from_json(required(document, "signer", where), pointer(where, "signer"), keys),
            levels["build"],
            levels["source"],
            as_texts(document.get("properties", []), pointer(where, "properties")),
            as_text(document.get("resource", ""), pointer(where, "resource")),
        )


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a layout that the levels ask about. An empty name: `build` is the step that makes the target."""

    build: str = ""
    source: str = "checkout"
    review: str = "review"


@dataclass(frozen=True, slots=True)
class Expectations:
    """One document, or what holds where none was given. `trusted` says how it came to count; empty: it did not."""

    images: tuple[Expectation, ...] = ()
    builders: BuilderTable = BuilderTable()
    verifiers: tuple[Verifier, ...] = ()
    people: Mapping[str, tuple[SignerRule, ...]] = field(default_factory=dict)
    reviewers: tuple[str, ...] = ()
    monitors: tuple[SignerRule, ...] = ()
    declarers: tuple[SignerRule, ...] = ()
    """Whose signed declarations about an artifact count as declared."""
    declared: Mapping[str, str] = field(default_factory=dict)
    steps: Steps = Steps()
    name: str = ""
    origin: str = ""
    digest: Digest | None = None
    trusted: str = ""

    @staticmethod
    def from_json(
        value: object,
        *,
        keys: Mapping[str, Key] | None = None,
        origin: str = "",
        trusted: str = "",
        digest: Digest | None = None,
    ) -> Expectations:
        """The expectations of a JSON object; `trusted` says by what it is signed or pinned, `keys` (id → key) are those
        that it may name, `digest` is that of its file. Raises `Malformed`, also for what only a signed or pinned
        document may hold."""
        document = as_object(value, "")
        refuse_unknown(document, _FIELDS, "")
        if required(document, "type", "") != TYPE:
            raise Malformed("not a document of expectations", pointer="/type", expected=TYPE)
        granting = [name for name in _GRANTS if document.get(name)]
        if granting and not trusted:
            raise Malformed(
                f'"{granting[0]}" in a document that nobody vouches for',
                pointer=pointer("", granting[0]),
                expected="a document that is signed, or pinned by its digest",
                remedy="sign it and name the key with --expect-key, or pin it with --expect-digest",
            )
        known = keys or {}
        people = _people(document, known)
        return Expectations(
            tuple(
                Expectation.from_json(item, f"/images/{i}")
                for i, item in enumerate(as_list(document.get("images", []), "/images", most=MOST))
            ),
            BuilderTable.from_json(document.get("builders", []), "/builders", known, origin or "expectations"),
            tuple(
                Verifier.from_json(item, f"/verifiers/{i}", known)
                for i, item in enumerate(as_list(document.get("verifiers", []), "/verifiers", most=MOST))
            ),
            people,
            _reviewers(document, people),
            _signers(document, "monitors", known),
            _signers(document, "declarers", known),
            _declared(document),
            _steps(document),
            as_text(document.get("name", ""), "/name"),
            origin,
            sha256(canonical(document)) if digest is None else digest,
            trusted,
        )

    def of(self, names: tuple[str, ...]) -> Expectation | None:
        """What is expected of an artifact with these names: the entry that has one of them, else the only entry, if it
        has none. None where nothing is."""
        for one in self.images:
            if one.image and one.image in names:
                return one
        if len(self.images) == 1 and not self.images[0].image:
            return self.images[0]
        return None

    @property
    def keys(self) -> tuple[Key, ...]:
        """Every key that the document names."""
        rules = [*(one.signer for one in self.builders.builders), *(one.signer for one in self.verifiers)]
        rules += [*(rule for own in self.people.values() for rule in own), *self.monitors, *self.declarers]
        return tuple(dict.fromkeys(rule.key for rule in rules if rule is not None and rule.key is not None))


def _people(document: Mapping[str, object], keys: Mapping[str, Key]) -> dict[str, tuple[SignerRule, ...]]:
    people: dict[str, tuple[SignerRule, ...]] = {}
    owner: dict[str, str] = {}
    for person, value in as_object(document.get("people", {}), "/people").items():
        where = pointer("/people", person)
        items = as_list(value, where, most=MOST) if isinstance(value, list) else [value]
        people[person] = tuple(SignerRule.of_field(item, pointer(where, i), keys) for i, item in enumerate(items))
        for rule in people[person]:
            who = str(rule) if rule.key is None else rule.key.fingerprint
            if owner.setdefault(who, person) != person:
                raise Malformed("one signer is two people", pointer=where, got=str(rule)[:80])
    return people


def _signers(document: Mapping[str, object], name: str, keys: Mapping[str, Key]) -> tuple[SignerRule, ...]:
    where = pointer("", name)
    items = as_list(document.get(name, []), where, most=MOST)
    return tuple(SignerRule.of_field(item, pointer(where, i), keys) for i, item in enumerate(items))


def _reviewers(document: Mapping[str, object], people: Mapping[str, object]) -> tuple[str, ...]:
    reviewers = as_texts(document.get("reviewers", []), "/reviewers", most=MOST)
    for i, person in enumerate(reviewers):
        if person not in people:
            raise Malformed("nobody of this name", pointer=f"/reviewers/{i}", expected="one of people", got=person[:60])
    return reviewers


def _declared(document: Mapping[str, object]) -> dict[str, str]:
    declared: dict[str, str] = {}
    for name, value in as_object(document.get("declared", {}), "/declared").items():
        where = pointer("/declared", name)
        if name not in DECLARABLE:
            raise Malformed(
                "nothing that can be declared", pointer=where, expected=", ".join(sorted(DECLARABLE)), got=name[:60]
            )
        declared[name] = as_text(value, where)
        if not declared[name].strip():
            raise Malformed("a declaration says why", pointer=where, expected="how it is so")
    return declared


def _steps(document: Mapping[str, object]) -> Steps:
    steps = as_object(document.get("steps", {}), "/steps")
    refuse_unknown(steps, frozenset({"build", "source", "review"}), "/steps")
    named = {role: as_text(name, pointer("/steps", role)) for role, name in steps.items()}
    return Steps(**named)
