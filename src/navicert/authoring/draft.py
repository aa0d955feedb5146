"""A layout as its author wrote it: persons by name, key files by path, an expiry that may be relative.

The format is described in docs/reference/layout-yaml.md. Reading it opens no file: the key files that it names are
read by the caller, and `navicert.authoring.policy` makes the layout out of both.
"""

from __future__ import annotations

from typing import Final, TypeVar

from navicert.authoring.demand import FIELDS, PredicateReader, is_signed, record_named
from navicert.authoring.expiry import Expiry
from navicert.authoring.functionary import SAY_POLICY, Functionary, nearest_functionary, read_identities, read_times
from navicert.authoring.holder import read_authorities, read_constraints
from navicert.authoring.node import Node, Spot, Word, located
from navicert.authoring.sentence import parse_command, parse_rule
from navicert.dataclass import dataclass, field, replace
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.field import as_name
from navicert.model.layout import Inspection, Step
from navicert.model.release import Release
from navicert.model.rule import Rule
from navicert.model.terms import RunRule

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from navicert.model.constraint import CertificateConstraint

T = TypeVar("T")

_RULE_LISTS: Final = {
    "materials": "materials",
    "expected_materials": "materials",
    "products": "products",
    "expected_products": "products",
}
_WHOLE: Final = ("type", "name", "version", "expires", "readme", "functionaries", "steps", "target", "run")
_LAYOUT: Final = {name: name for name in _WHOLE} | {
    "inspections": "inspections",
    "inspect": "inspections",
    "authorities": "authorities",
    "intermediates": "intermediates",
}
_OWN: Final = ("target", "run")
"""What only our own policy document can say."""
_STEP: Final = _RULE_LISTS | {
    "name": "name",
    "by": "by",
    "functionaries": "by",
    "certificates": "certificates",
    "threshold": "threshold",
    "command": "command",
    "expected_command": "command",
    "attributes": "attributes",
    "record": "record",
    "predicates": "predicates",
}
_INSPECTION: Final = _RULE_LISTS | {"name": "name", "run": "run"}


@dataclass(frozen=True, slots=True)
class DraftStep:
    """One step, still without key ids: `by` names functionaries."""

    step: Step
    by: tuple[str, ...]
    line: int = 0


@dataclass(frozen=True, slots=True)
class Draft:
    """What the file says. `lines` maps JSON pointers into the layout that it will become to lines of the file.

    Further predicates of a step are steps of their own, as in the layout. `own` says that it is to become our own
    policy document; `target` and `run` belong to that. `authorities` and the `intermediates` below them are
    certificates in PEM by name.
    """

    path: str
    name: str = ""
    version: int | None = None
    expires: Expiry | None = None
    readme: str = ""
    functionaries: tuple[Functionary, ...] = ()
    steps: tuple[DraftStep, ...] = ()
    inspections: tuple[Inspection, ...] = ()
    lines: Mapping[str, int] = field(default_factory=dict)
    own: bool = False
    target: str = ""
    run: RunRule = RunRule.SAME
    authorities: Mapping[str, str] = field(default_factory=dict)
    intermediates: Mapping[str, str] = field(default_factory=dict)

    @property
    def key_files(self) -> tuple[str, ...]:
        """Every key file that is named, as it is written, once."""
        return tuple(dict.fromkeys(file for functionary in self.functionaries for file in functionary.files))


def read_draft(root: Node, *, path: str = "", limits: Limits = LOCAL) -> Draft:
    """The draft that a tree of words holds. Raises `Malformed` with file, line and pointer."""
    return _Reader(path, limits).draft(Spot(root, path))


class _Reader:
    def __init__(self, path: str, limits: Limits) -> None:
        self._path = path
        self._limits = limits
        self._lines: dict[str, int] = {}
        self._own = False
        self._authorities: Mapping[str, str] = {}

    def draft(self, root: Spot) -> Draft:
        found = root.known(_LAYOUT, "a layout")
        self._own = self._is_own(found)
        version = found.get("version")
        functionaries = self._functionaries(found.get("functionaries"))
        self._authorities = read_authorities(found.get("authorities"))
        steps = self._steps(found.get("steps"), functionaries)
        inspections = self._each(found.get("inspections"), "inspect", self._inspection)
        self._refuse_doubled(
            [(f"/steps/{i}", item.step.name) for i, item in enumerate(steps)]
            + [(f"/inspect/{i}", item.name) for i, item in enumerate(inspections)]
        )
        return Draft(
            path=self._path,
            name=self._words(found.get("name"), "the name"),
            version=None if version is None or version.missing else version.integer(1),
            expires=self._expires(found.get("expires")),
            readme=self._readme(found.get("readme")),
            functionaries=functionaries,
            steps=steps,
            inspections=inspections,
            lines=self._lines,
            own=self._own,
            target=self._words(found.get("target"), "the name of a step"),
            run=self._run(found.get("run")),
            authorities=self._authorities,
            intermediates=read_authorities(found.get("intermediates")),
        )

    def _is_own(self, found: Mapping[str, Spot]) -> bool:
        """Whether the file is to become our own policy document: only if it says so, because no other implementation
        reads one."""
        type = found.get("type")
        if type is not None and not type.missing:
            word = type.text("layout or policy")
            if word not in ("layout", "policy"):
                raise type.wrong("no such type", expected="layout or policy", got=repr(word[:40]))
            if word == "policy":
                return True
        for name in _OWN:
            if name in found:
                raise found[name].wrong(f'"{name}" is not for a layout', remedy=SAY_POLICY)
        return False

    def _run(self, spot: Spot | None) -> RunRule:
        if spot is None or spot.missing:
            return RunRule.SAME
        text = spot.text("same, required or any")
        if text not in {one.value for one in RunRule}:
            raise spot.wrong("not a rule about runs", expected="same, required or any", got=repr(text[:40]))
        return RunRule(text)

    def _refuse_doubled(self, names: list[tuple[str, str]]) -> None:
        seen: set[str] = set()
        for to, name in names:
            if name in seen:
                raise Malformed(
                    f'the name "{name}" is used twice',
                    path=located(self._path, self._lines[to]),
                    pointer=f"{to}/name",
                    remedy="steps and inspections are told apart by their names",
                )
            seen.add(name)

    # --- fields of the layout ----------------------------------------------------------------------------------

    def _words(self, spot: Spot | None, what: str) -> str:
        if spot is None or spot.missing:
            return ""
        text = spot.text()
        if not text.strip() or len(text) > 200 or not text.isprintable():
            raise spot.wrong(f"{what} is not usable", expected="one line of up to 200 characters", got=repr(text[:40]))
        return text

    def _expires(self, spot: Spot | None) -> Expiry | None:
        if spot is None or spot.missing:
            return None
        self._lines["/expires"] = spot.line
        return self._placed(spot, lambda: Expiry.parse(spot.text("a time of expiry")))

    def _readme(self, spot: Spot | None) -> str:
        if spot is None or spot.missing:
            return ""
        self._lines["/readme"] = spot.line
        text = spot.text()
        if Release().append_to(text) != text.rstrip("\n"):
            raise spot.wrong(
                'the last line of the readme begins with "navicert:"',
                remedy="leave it out: it is written from name, version and functionaries",
            )
        return text.rstrip("\n")

    def _functionaries(self, spot: Spot | None) -> tuple[Functionary, ...]:
        if spot is None:
            return ()
        found = []
        for name, files in spot.fields("names with key files").items():
            self._words(Spot(Word(name, "string", files.line), self._path, files.where), "the name of a functionary")
            identities, keys = read_identities(files, own=self._own)
            validity, named = read_times(keys, own=self._own) if keys is files else (None, keys)
            texts = () if named is None else self._texts(named, "the file of a public key, or a list of them")
            if not texts and (named is not None or not identities):
                raise files.wrong(f'functionary "{name}" has no key', expected="the file of a public key")
            found.append(Functionary(name, texts, files.line, validity, identities))
        if len(found) > self._limits.layout_keys:
            raise spot.wrong("too many functionaries (limit layout_keys)", got=str(len(found)))
        return tuple(found)

    # --- steps and inspections ---------------------------------------------------------------------------------

    def _steps(self, spot: Spot | None, functionaries: tuple[Functionary, ...]) -> tuple[DraftStep, ...]:
        steps: list[DraftStep] = []
        for item in () if spot is None else spot.items("a list of steps"):
            # Each predicate is a step of the layout, so that its number is the one there.
            for step in self._step(item, len(steps), functionaries):
                self._lines[f"/steps/{len(steps)}"] = step.line
                steps.append(step)
        if spot is not None and len(steps) > self._limits.layout_keys:
            raise spot.wrong("too many of them (limit layout_keys)", got=str(len(steps)))
        return tuple(steps)

    def _each(self, spot: Spot | None, section: str, read: Callable[[Spot, str], T]) -> tuple[T, ...]:
        if spot is None:
            return ()
        items = spot.items(f"a list of {section if section == 'steps' else 'inspections'}")
        if len(items) > self._limits.layout_keys:
            raise spot.wrong("too many of them (limit layout_keys)", got=str(len(items)))
        for i, item in enumerate(items):
            self._lines[f"/{section}/{i}"] = item.line
        return tuple(read(item, f"/{section}/{i}") for i, item in enumerate(items))

    def _step(self, spot: Spot, number: int, functionaries: tuple[Functionary, ...]) -> Iterator[DraftStep]:
        """The step at `spot`, which will be the one with this number, and then its further predicates."""
        found = spot.known(_STEP, "a step")
        name = self._name(spot, found)
        predicates = self._predicates(found, name, functionaries)
        for field_name in ("record", "attributes"):
            if field_name in found and not self._own:
                raise found[field_name].wrong(f'"{field_name}" is not for a layout', remedy=SAY_POLICY)
        wanted = record_named(spot, found, name, [one.step.name for one in predicates])
        record = next((one for one in predicates if one.step.name == wanted), None)
        to = f"/steps/{number}"
        if record is None:
            threshold = found.get("threshold")
            step = Step(
                name=name,
                threshold=1 if threshold is None else threshold.integer(1),
                expected_command=self._command(found.get("command"), f"{to}/expected_command"),
                expected_materials=self._rules(found.get("materials"), f"{to}/expected_materials"),
                expected_products=self._rules(found.get("products"), f"{to}/expected_products"),
                attributes=PredicateReader(self._placed, self._limits).attributes(found.get("attributes")),
                certificates=self._certificates(found.get("certificates")),
            )
            if threshold is not None:
                self._lines[f"{to}/threshold"] = threshold.line
            yield DraftStep(step, self._by(found["by"], functionaries) if "by" in found else (), spot.line)
        else:
            for field_name in ("command", "threshold", "attributes", "certificates"):
                if field_name in found:
                    raise found[field_name].wrong(
                        f"{field_name} of a step that nobody performs by himself", remedy="write it at the predicate"
                    )
            if record.step.expected_materials or record.step.expected_products:
                raise spot.wrong("rules at the record of a step", remedy="write them at the step itself")
            step = replace(
                record.step,
                name=name,
                expected_materials=self._rules(found.get("materials"), f"{to}/expected_materials"),
                expected_products=self._rules(found.get("products"), f"{to}/expected_products"),
            )
            yield DraftStep(step, record.by, record.line)
        for one in predicates:
            if one is not record:
                yield replace(one, step=replace(one.step, name=f"{name}/{one.step.name}"))

    def _certificates(self, spot: Spot | None) -> tuple[CertificateConstraint, ...]:
        return () if spot is None else self._placed(spot, lambda: read_constraints(spot, self._authorities))

    def _by(self, spot: Spot, functionaries: tuple[Functionary, ...]) -> tuple[str, ...]:
        by = self._texts(spot, "a functionary, or a list of them")
        known = [functionary.name for functionary in functionaries]
        for one in by:
            if one not in known:
                raise spot.wrong(f'no functionary "{one[:60]}"', remedy=nearest_functionary(one, known))
        return tuple(dict.fromkeys(by))

    # --- predicates --------------------------------------------------------------------------------------------

    def _predicates(
        self, found: Mapping[str, Spot], name: str, functionaries: tuple[Functionary, ...]
    ) -> tuple[DraftStep, ...]:
        spot = found.get("predicates")
        if spot is None or spot.missing:
            return ()
        if not self._own:
            raise spot.wrong("predicates are not for a layout", remedy=SAY_POLICY)
        items = spot.items("a list of predicates")
        if len(items) > self._limits.layout_keys:
            raise spot.wrong("too many of them (limit layout_keys)", got=str(len(items)))
        return tuple(self._predicate(item, functionaries) for item in items)

    def _predicate(self, spot: Spot, functionaries: tuple[Functionary, ...]) -> DraftStep:
        found = spot.known(FIELDS, "a predicate")
        requirement = PredicateReader(self._placed, self._limits).requirement(spot, found)
        by = self._by(found["by"], functionaries) if is_signed(spot, found, requirement) else ()
        threshold = found.get("threshold")
        step = Step(
            name=requirement.name,
            threshold=1 if threshold is None else threshold.integer(1),
            expected_materials=self._rules(found.get("materials"), ""),
            expected_products=self._rules(found.get("products"), ""),
            predicate=requirement,
            certificates=self._certificates(found.get("certificates")),
        )
        return DraftStep(step, by, spot.line)

    def _inspection(self, spot: Spot, to: str) -> Inspection:
        found = spot.known(_INSPECTION, "an inspection")
        return Inspection(
            name=self._name(spot, found),
            run=self._command(found.get("run"), f"{to}/run"),
            expected_materials=self._rules(found.get("materials"), f"{to}/expected_materials"),
            expected_products=self._rules(found.get("products"), f"{to}/expected_products"),
        )

    def _name(self, spot: Spot, found: Mapping[str, Spot]) -> str:
        if "name" not in found:
            raise spot.wrong("it has no name", remedy='write "name: …" first')
        name = found["name"]
        return self._placed(name, lambda: as_name(name.text("a name"), name.where))

    def _command(self, spot: Spot | None, to: str) -> tuple[str, ...]:
        if spot is None or spot.missing:
            return ()
        self._lines[to] = spot.line
        if isinstance(spot.node, Word):
            return self._placed(spot, lambda: parse_command(spot.text("a command"), spot.where))
        return tuple(item.text("a word of the command") for item in spot.items("a command, or the list of its words"))

    def _rules(self, spot: Spot | None, to: str) -> tuple[Rule, ...]:
        if spot is None:
            return ()
        items = spot.items("a list of rules")
        if len(items) > self._limits.rules:
            raise spot.wrong("too many rules (limit rules)", got=str(len(items)))
        if to:
            self._lines[to] = spot.line
            self._lines |= {f"{to}/{i}": item.line for i, item in enumerate(items)}
        return tuple(self._rule(item) for item in items)

    def _rule(self, spot: Spot) -> Rule:
        if isinstance(spot.node, Word):
            return self._placed(spot, lambda: parse_rule(spot.text("a rule"), spot.where))
        words = [item.text("a word of the rule") for item in spot.items('a rule, such as "ALLOW docs/*"')]
        return self._placed(spot, lambda: Rule.parse(words, spot.where))

    # --- words -------------------------------------------------------------------------------------------------

    def _texts(self, spot: Spot, expected: str) -> tuple[str, ...]:
        """One word or a list of words, none of them empty."""
        single = isinstance(spot.node, Word) and not spot.missing
        texts = tuple(item.text(expected) for item in ((spot,) if single else spot.items(expected)))
        if not all(texts):
            raise spot.wrong("an empty word", expected=expected)
        return texts

    def _placed(self, spot: Spot, read: Callable[[], T]) -> T:
        """What `read` gives; a refusal by it names the file, the line and the pointer of `spot`."""
        try:
            return read()
        except Malformed as error:
            error.pointer = error.pointer or spot.where
            error.at(located(self._path, spot.line))
            raise
