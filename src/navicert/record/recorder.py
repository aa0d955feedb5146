"""Recording a step: materials, command, products, in this order, as a link that is ready to be signed.

What a link's `environment` gets, all of it under the key `navicert`, so that it stands in nobody's way:

`excludes`
    the list of patterns that left files out of the recording
`run-id`
    where asked for: a text of the caller's that is the same for all steps of one run
`ci`
    where asked for: an object of facts about the CI job, see `navicert.record.ci`

Its `byproducts` have `return-value` (minus the number of a signal that killed the command), `stdout` and `stderr`,
which are empty unless `World.streams` is set; `stdout-dropped-bytes` and `stderr-dropped-bytes` say how much did not
fit.

Spec: in-toto v1.0 §4.4.
"""

from __future__ import annotations

import os

from navicert.dataclass import dataclass, field, replace
from navicert.digest import DigestSet
from navicert.errors import Malformed, NavicertError
from navicert.model.artifact import Artifacts
from navicert.model.field import as_name
from navicert.model.link import Link
from navicert.record.process import Captured, Completed, Wires, execute
from navicert.record.redaction import MARGIN, Redaction
from navicert.resolve import merge, resolve_all, told_afterwards
from navicert.resolve.artifact import ResolveOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from navicert.record.expectation import Expectation


class RecordingWarning(UserWarning):
    """Something about a recording that a person should know, such as a name that matched nothing."""


class CommandFailed(NavicertError):
    """The command of a step failed, so nothing is recorded. `completed` says how it ended."""

    def __init__(self, what: str, completed: Completed, *, path: str = "", remedy: str = "") -> None:
        super().__init__(what, path=path, remedy=remedy)
        self.completed = completed


@dataclass(frozen=True, slots=True)
class World:
    """How a step meets the world: where it runs, how files are found, what is kept. Nothing else has an influence."""

    options: ResolveOptions = field(default_factory=ResolveOptions)
    """How names become artifacts. `options.cwd` is also where the command runs."""
    environ: Mapping[str, str] | None = None
    """The environment of the command; None for that of this process. Facts and secrets are looked for in it."""
    wires: Wires = field(default_factory=Wires)
    """Where the command reads and writes."""
    streams: bool = False
    """Whether the command's output is recorded, beside being shown, up to `options.limits.stream_bytes` each."""
    redact: tuple[str, ...] = ()
    """Regular expressions: what they match is removed from the recorded command and output, as known secrets are."""
    redact_known: bool = True
    """Whether known secrets are removed too. Programs that promise what another one records say no."""
    timeout: float | None = None
    """Seconds after which the command is killed and nothing recorded; None for never."""
    record_failure: bool = False
    """Whether a command that fails is recorded all the same."""
    run_id: str = ""
    """What all steps of one run have in common; empty for none."""
    ci: bool = False
    """Whether facts of the CI job are recorded."""
    note_excludes: bool = True
    """Whether the effective excludes are recorded."""
    reuse_unchanged: bool = False
    """Whether a product that was a material is not hashed again where its stamps say that nothing has written to it."""
    expectation: Expectation | None = None
    """What the materials must be; compared before the command starts."""
    tell: Callable[[str], None] | None = field(default=None, compare=False)
    """Called with each warning as soon as it is known: what is wrong with the materials, before the command runs."""

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that the command sees."""
        return os.environ if self.environ is None else self.environ


@dataclass(frozen=True, slots=True)
class Recording:
    """A link that is not signed yet, with what a person should know about it. `completed` is None without a command."""

    link: Link
    warnings: tuple[str, ...] = ()
    completed: Completed | None = None


def record(
    step: str,
    command: Sequence[str] = (),
    *,
    materials: Iterable[str] = (),
    products: Iterable[str] = (),
    world: World | None = None,
) -> Link:
    """The link of the step called `step`: `materials` as they are, then `command` run, then `products` as they are.

    `record("build", ["make"], materials=["src"], products=["app.tar"])` runs `make`. The artifacts are named as in
    `navicert.resolve`. An empty command runs nothing. Warnings are `RecordingWarning`s. Raises what `make_recording`
    raises.
    """
    recording = make_recording(step, command, materials=materials, products=products, world=world)
    import warnings

    for text in recording.warnings:
        warnings.warn(text, RecordingWarning, stacklevel=2)
    return recording.link


def make_recording(
    step: str,
    command: Sequence[str] = (),
    *,
    materials: Iterable[str] = (),
    products: Iterable[str] = (),
    world: World | None = None,
) -> Recording:
    """As `record`, with everything that is known about the recording.

    Raises `Malformed` for names and commands that cannot be recorded, `MaterialMismatch` where the materials are not
    what was expected (then the command was not started), `CommandFailed` where it failed, `CommandNotFound`,
    `CommandNotExecutable`, `TimedOut`, and `Unavailable` for files that cannot be read.
    """
    world = world or World()
    as_name(step, "")
    redaction = Redaction(world.environment, world.redact, known=world.redact_known)
    written = _written(command, redaction)
    if world.reuse_unchanged:
        from navicert.resolve.stamp import Memo

        world = replace(world, options=replace(world.options, memo=Memo()))
    notes = Notices(world)
    names = _list(materials, "materials")
    late = tuple(name for name in names if told_afterwards(name))
    before = resolve_materials([name for name in names if name not in late], world, notes, late=bool(late))
    completed = _execute(command, world) if command else None
    if late:
        before = _joined(before, resolve_materials(late, world, notes))
    after = resolve_products(products, world, notes)
    link = Link(
        name=step,
        command=written,
        materials=before,
        products=after,
        byproducts=_byproducts(completed, world, redaction) if completed else {},
        environment=environment_of(world),
    )
    if redaction.count:
        notes.add(f"secrets removed from the recorded command and output: {redaction.count}")
    return Recording(link, tuple(notes.texts), completed)


class Notices:
    """The warnings of one recording, each told once and as soon as it is known."""

    def __init__(self, world: World) -> None:
        self.texts: list[str] = []
        self._tell = world.tell

    def add(self, *texts: str) -> None:
        """Tell those of `texts` that have not been told."""
        for text in texts:
            if text not in self.texts:
                self.texts.append(text)
                if self._tell is not None:
                    self._tell(text)


def resolve_materials(
    names: Iterable[str], world: World, notes: Notices, *, late: bool = False
) -> Mapping[str, DigestSet]:
    """The artifacts that `names` name, which are what is expected. Raises `MaterialMismatch` where they are not. With
    `late` others follow, so that there may be none among these."""
    found = resolve_all(_list(names, "materials"), world.options)
    notes.add(*found.warnings)
    if world.expectation is not None and not (late and not found.artifacts):
        notes.add(*world.expectation.compare(found.artifacts))
    return found.artifacts


def _joined(early: Mapping[str, DigestSet], late: Mapping[str, DigestSet]) -> Mapping[str, DigestSet]:
    """All materials, those that only the builder could tell among them."""
    found = dict(early)
    merge(found, late, "materials")
    return Artifacts.of({name: found[name] for name in sorted(found)})


def resolve_products(names: Iterable[str], world: World, notes: Notices) -> Mapping[str, DigestSet]:
    """The artifacts that `names` name."""
    found = resolve_all(_list(names, "products"), world.options)
    notes.add(*found.warnings)
    return found.artifacts


def environment_of(world: World) -> dict[str, object]:
    """The `environment` of a link recorded in `world`."""
    facts: dict[str, object] = {}
    if world.note_excludes:
        facts["excludes"] = list(world.options.excludes)
    if world.run_id:
        facts["run-id"] = _text(world.run_id, "run id")
    if world.ci:
        from navicert.record.ci import ci_facts

        facts["ci"] = ci_facts(world.environment)
    return {"navicert": facts} if facts else {}


def _list(names: Iterable[str], what: str) -> tuple[str, ...]:
    if isinstance(names, str):
        raise Malformed(f"{what} is one name", expected="a list of names", got=repr(names[:80]))
    return tuple(names)


def _written(command: Sequence[str], redaction: Redaction) -> tuple[str, ...]:
    """`command` as it is recorded: without secrets, in text that a document can hold."""
    if isinstance(command, str):
        raise Malformed("the command is one text", expected="a list: program and arguments", got=repr(command[:80]))
    return tuple(redaction(_text(word, "command")) for word in command)


def _text(text: str, what: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Malformed(f"the {what} is not UTF-8, so it cannot be recorded", got=ascii(text[:80])) from error
    return text


def _execute(command: Sequence[str], world: World) -> Completed:
    completed = execute(
        command,
        cwd=world.options.cwd,
        environ=world.environ,
        wires=world.wires,
        capture=world.options.limits.stream_bytes + MARGIN if world.streams else None,
        timeout=world.timeout,
    )
    if completed.exit_code and not world.record_failure:
        raise CommandFailed(
            f"the command {_ending(completed)}; nothing is recorded",
            completed,
            path=command[0],
            remedy="--record-failure records it all the same",
        )
    return completed


def _ending(completed: Completed) -> str:
    if completed.interrupted is not None:
        return f"was interrupted by signal {completed.interrupted}"
    if completed.code < 0:
        return f"was killed by signal {-completed.code}"
    return f"exited with {completed.code}"


def _byproducts(completed: Completed, world: World, redaction: Redaction) -> dict[str, object]:
    # A command that was interrupted may end with 0 and its work half done: that must not look like success.
    result: dict[str, object] = {"return-value": completed.code or completed.exit_code}
    for name, captured in (("stdout", completed.stdout), ("stderr", completed.stderr)):
        result[name], dropped = _shown(captured, world.options.limits.stream_bytes, redaction)
        if dropped:
            result[f"{name}-dropped-bytes"] = dropped
    return result


def _shown(captured: Captured, limit: int, redaction: Redaction) -> tuple[str, int]:
    """The text of an output stream in at most `limit` bytes, and how many bytes are not in it."""
    text = redaction(captured.data.decode("utf-8", "replace"))
    dropped = captured.dropped + max(0, len(captured.data) - limit)
    if not dropped:
        return text, 0
    # What was captured may end in the middle of a secret, which then was not recognised: that end is never kept.
    raw = text.encode()
    kept = min(limit, len(raw) - MARGIN) if captured.dropped else limit
    return raw[: max(0, kept)].decode("utf-8", "ignore"), dropped
