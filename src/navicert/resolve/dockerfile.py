"""The images that a Dockerfile builds on: what its FROM lines name, followed through its stages.

Read as builders read it: comments, parser directives, lines that go on, here-documents, and variables in FROM lines,
which only `ARG`s before the first FROM can set. What cannot be told without the builder is refused, never guessed.
Spec: Dockerfile reference, "Parser directives", "Here-documents", "FROM", "ARG", "COPY --from", "RUN --mount".
"""

from __future__ import annotations

import re
from typing import Final

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SCRATCH: Final = "scratch"
"""What FROM says where there is no image."""

_DIRECTIVE: Final = re.compile(r"#\s*([A-Za-z][A-Za-z0-9]*)\s*=\s*(.*\S)\s*")
_HEREDOC: Final = re.compile(r"[0-9]*<<(-?)(\"?)('?)([^\s<\"']+)\3\2")
_HEREDOCS: Final = frozenset({"RUN", "COPY", "ADD"})
_VARIABLE: Final = re.compile(
    r"\\(.)|\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-+])([^{}$]*))?\}|(.?))"
)
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STAGE: Final = re.compile(r"[a-z][a-z0-9._-]*")


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it. `base` and `sources` (of COPY --from and RUN --mount) are images, or stages by
    their number."""

    name: str
    base: str | int
    sources: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True)
class Origins:
    """The images that one stage of a Dockerfile is made from: the one below it (None: from scratch), and all others
    that it and the stages it needs take anything from."""

    base: str | None
    others: tuple[str, ...]
    through_stage: bool = False
    """Whether another stage lies between the image below and this one."""


@dataclass(slots=True)
class _Draft:
    name: str
    base: str | int
    sources: list[str | int] = field(default_factory=list)


def read_dockerfile(raw: bytes, arguments: Mapping[str, str], path: str, limits: Limits = LOCAL) -> tuple[Stage, ...]:
    """The stages of the Dockerfile `raw`, `arguments` being what the builder is given as `--build-arg`. Raises
    `Malformed`, naming `path` and the line."""
    if len(raw) > limits.manifest_bytes:
        raise Malformed("Dockerfile too large (limit manifest_bytes)", path=path)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed("Dockerfile is not UTF-8", path=path) from error
    reader = _Reader(dict(arguments), path)
    for line, instruction in _instructions(text, path):
        reader.take(line, instruction)
    if not reader.stages:
        raise Malformed("Dockerfile without FROM", path=path)
    unused = sorted(arguments.keys() - reader.declared)
    if unused:
        raise Malformed("no ARG before the first FROM has this name", path=path, got=unused[0])
    return tuple(Stage(one.name, one.base, tuple(dict.fromkeys(one.sources))) for one in reader.stages)


def origins(stages: tuple[Stage, ...], wanted: str, path: str) -> Origins:
    """The images that the stage called `wanted` (or numbered so; empty for the last) is made from. Raises
    `Malformed`."""
    last = len(stages) - 1 if not wanted else _numbered(stages, wanted, path)
    base: str | int = last
    while isinstance(base, int):
        base = stages[base].base
    others: dict[str, None] = {}
    seen: set[int] = set()
    queue = [last]
    while queue:
        number = queue.pop()
        if number in seen:
            continue
        seen.add(number)
        stage = stages[number]
        for source in (stage.base, *stage.sources):
            if isinstance(source, int):
                queue.append(source)
            elif source not in (base, SCRATCH):
                others[source] = None
    through_stage = isinstance(stages[last].base, int)
    return Origins(None if base == SCRATCH else base, tuple(sorted(others)), through_stage)


def _numbered(stages: tuple[Stage, ...], wanted: str, path: str) -> int:
    for number, stage in enumerate(stages):
        if wanted.lower() == stage.name or wanted == str(number):
            return number
    names = ", ".join(stage.name or str(number) for number, stage in enumerate(stages))
    raise Malformed("no such stage in the Dockerfile", path=path, expected=names[:200], got=ascii(wanted[:60]))


def _instructions(text: str, path: str) -> Iterator[tuple[int, str]]:
    """Every instruction with the number of its first line: comments and here-documents left out, lines joined."""
    lines = text.splitlines()
    escape = _escape(lines, path)
    number = 0
    while number < len(lines):
        start, words, goes_on = number + 1, "", True
        while goes_on and number < len(lines):
            line = lines[number].rstrip(" \t")
            number += 1
            if not line.strip(" \t") or line.lstrip(" \t").startswith("#"):
                # Between the lines of one instruction both are passed over.
                goes_on = bool(words)
                continue
            goes_on = line.endswith(escape)
            words += line.removesuffix(escape)
        if words.split():  # a line that goes on and says nothing is no instruction
            for dash, name in _heredocs(words):
                number = _end_of_heredoc(lines, number, dash, name, path) + 1
            yield start, words.strip(" \t")


def _escape(lines: list[str], path: str) -> str:
    """What a line that goes on ends in. Spec: "Parser directives": comments before anything else, each once."""
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip(" \t"))
        if found is None:
            break
        if found[1].lower() == "escape":
            if found[2] not in ("\\", "`"):
                raise Malformed("not an escape character", path=path, expected="\\ or `", got=ascii(found[2][:20]))
            return found[2]
    return "\\"


def _heredocs(instruction: str) -> list[tuple[bool, str]]:
    """The here-documents that follow an instruction: whether tabs before its end are left out, and its last line."""
    keyword, *words = instruction.split()
    if keyword.upper() not in _HEREDOCS:
        return []
    return [(bool(found[1]), found[4]) for word in words if (found := _HEREDOC.fullmatch(word))]


def _end_of_heredoc(lines: list[str], start: int, dash: bool, name: str, path: str) -> int:
    for number in range(start, len(lines)):
        if (lines[number].lstrip("\t") if dash else lines[number]) == name:
            return number
    raise Malformed(f"here-document without an end, in line {start}", path=path, expected=ascii(name[:60]))


class _Reader:
    """What the instructions up to now said."""

    def __init__(self, given: dict[str, str], path: str) -> None:
        self.stages: list[_Draft] = []
        self.declared: set[str] = set()
        self._given = given
        self._values: dict[str, str] = {}
        self._path = path

    def take(self, line: int, instruction: str) -> None:
        """Take in one instruction."""
        keyword, *others = instruction.split(None, 1)
        keyword, rest = keyword.upper(), "".join(others)
        try:
            if keyword == "FROM":
                self._from(rest)
            elif keyword == "ARG" and not self.stages:
                self._arg(rest)
            elif self.stages and keyword in ("COPY", "RUN"):
                self._sources(keyword, rest)
        except Malformed as error:
            error.path = f"{self._path}:{line}"
            raise

    def _from(self, rest: str) -> None:
        words = [word for word in rest.split() if not word.startswith("--")]
        if not (len(words) == 1 or (len(words) == 3 and words[1].upper() == "AS")):
            raise Malformed("not a FROM line", expected="FROM [--platform=P] IMAGE [AS NAME]", got=ascii(rest[:100]))
        name = words[2].lower() if len(words) == 3 else ""
        if name and not _STAGE.fullmatch(name):
            raise Malformed("not the name of a stage", got=ascii(name[:60]))
        image = self._filled(words[0])
        if not image:
            raise Malformed("FROM names no image", got=ascii(words[0][:100]))
        self.stages.append(_Draft(name, self._stage(image, numbers=False)))

    def _stage(self, image: str, *, numbers: bool) -> str | int:
        """The earlier stage that is called `image`, or that has this number; else `image` itself."""
        for number in range(len(self.stages) - 1, -1, -1):
            if image.lower() == self.stages[number].name or (numbers and image == str(number)):
                return number
        return image

    def _arg(self, rest: str) -> None:
        for word in _shell_words(rest):
            name, equals, default = word.partition("=")
            if not _NAME.fullmatch(name):
                raise Malformed("not the name of an ARG", got=ascii(name[:60]))
            self.declared.add(name)
            if name in self._given:
                self._values[name] = self._given[name]
            elif equals:
                self._values[name] = self._filled(default)

    def _sources(self, keyword: str, rest: str) -> None:
        for word in rest.split():
            if not word.startswith("--"):
                return
            option, _, value = word.removeprefix("--").partition("=")
            names = [value] if (keyword, option) == ("COPY", "from") else []
            if (keyword, option) == ("RUN", "mount"):
                names = [part.removeprefix("from=") for part in value.split(",") if part.startswith("from=")]
            for name in (name.strip("\"'") for name in names):
                if "$" in name:
                    raise Malformed("a variable where builders expand none", got=ascii(name[:60]))
                source = self._stage(name, numbers=True)
                if source != SCRATCH:
                    self.stages[-1].sources.append(source)

    def _filled(self, text: str) -> str:
        def one(found: re.Match[str]) -> str:
            escaped, plain, braced, mark, word, odd = found.groups()
            if escaped is not None:
                return str(escaped)
            name = plain or braced
            if name is None:
                raise Malformed("not a variable that can be told", expected="$NAME, ${NAME:-X}", got=f"${odd or ''}…")
            value = self._values.get(name)
            if mark and mark.endswith("-"):
                return str(word) if value is None or (mark == ":-" and not value) else value
            if mark:
                return "" if value is None or (mark == ":+" and not value) else str(word)
            if value is None:
                raise Malformed(
                    f"variable {name} has no value here",
                    expected="an ARG with a default before the first FROM",
                    remedy=f"say what the builder is given: ,arg={name}=VALUE",
                )
            return value

        bare = text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
        return _VARIABLE.sub(one, bare)


def _shell_words(text: str) -> list[str]:
    """The words of an ARG line; a value may stand in quotes."""
    return [found[0] for found in re.finditer(r"([^\s=]+)(=(\"[^\"]*\"|'[^']*'|\S*))?", text)]
