"""Commands of inspections and steps: what they run, and idioms that pass where they should not.

Whether a program passes on an empty report cannot be decided by reading its command line; what is said about that
here are heuristics, and called so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from navicert.authoring.finding import Finding, found
from navicert.authoring.flow import forbidden_afterwards
from navicert.authoring.item import Item, source_glob
from navicert.authoring.pattern import Effort
from navicert.model.rule import RuleKind, Side

ExamineBuiltIn = Callable[[Sequence[str]], str]
"""What is wrong with the command of a built-in inspection; empty for nothing."""

BUILT_IN: Final = ("navicert", "inspect")
_IMAGE_BASE: Final = (*BUILT_IN, "image-base")

_SHELLS: Final = frozenset("sh bash dash zsh ash ksh csh tcsh fish busybox cmd powershell pwsh".split())
_WRAPPERS: Final = frozenset("env nice nohup timeout stdbuf sudo time xargs".split())
_INLINE: Final = {
    "python": ("-c",),
    "perl": ("-e", "-E"),
    "ruby": ("-e",),
    "node": ("-e", "-p", "--eval", "--print"),
    "php": ("-r",),
    "lua": ("-e",),
    "awk": (),
    "gawk": (),
    "mawk": (),
}
_VERSION: Final = re.compile(r"[0-9.]+\Z")
_SYNTAX: Final = frozenset({"&&", "||", "|", "|&", ";", "&", ">", ">>", "<", "<<", "2>", "2>&1", "&>"})

_EXAMINED: Final = 10_000  # characters of a command that the heuristics look at
_DEFAULT: Final = "a default for what the report lacks"
_NOTHING: Final = "a test over all findings, which holds where there are none"
_CODE: Final = (
    (r"""\.get\(\s*(['"])[^'"]*\1\s*,\s*(?:\[\]|\{\}|\(\)|None|list\(\)|dict\(\))\s*\)""", _DEFAULT),
    (r"(?:\bor|\|\||\?\?)\s*(?:\[\]|\{\}|\(\))", _DEFAULT),
    (r"\b(?:any|all)\(|\.(?:some|every|filter)\(", _NOTHING),
)
_JQ_FILTERS: Final = (
    (r"//\s*(?:empty|\[\]|\{\}|0|null|false|true)", _DEFAULT),
    (r"\[\]\?|\.\w+\?", "an optional path, which selects nothing in an empty report"),
    (r"\blength\s*==\s*0|\|\s*not\b|\bany\(|\ball\(|\bselect\(", _NOTHING),
)
_SHELL_IDIOMS: Final = (
    (r"\|\|\s*(?:true\b|exit\s+0\b|:(?:\s|\Z))|;\s*(?:true|exit\s+0)\s*\Z", "a failure that is ignored"),
    (r"(?:^|[\s|;&(])!\s*(?:\S*/)?[ef]?grep\b", "! grep, which passes where there is nothing to find"),
    (r"\bgrep\s+(?:\S+\s+)*?-[a-zA-Z]*[vL]", "grep -v or -L, which says nothing about what is not there"),
)
_IDIOMS: Final = (
    (re.compile(r"\b(?:python|node|ruby|perl|php)"), _CODE),
    (re.compile(r"(?:^|[\s/|;&(])jq\s"), _JQ_FILTERS),
    (re.compile(r"grep\b|\b(?:ba|da|z|k|a)?sh\b"), _SHELL_IDIOMS),
)
_JQ_STATUS: Final = re.compile(r"\s(?:-[a-zA-Z]*e[a-zA-Z]*|--exit-status)\b")
_BUILT_IN_REMEDY: Final = (
    'use a built-in inspection, such as "navicert inspect json-none report.json --preset trivy --severity CRITICAL", '
    "which fails where the report lacks what it looks for"
)


def command_findings(item: Item, examine: ExamineBuiltIn, effort: Effort) -> Iterator[Finding]:
    """What is odd about the command of `item`."""
    words = item.command
    for word in dict.fromkeys(word for word in words if word in _SYNTAX):
        yield _found(
            item,
            "command.shell-words",
            f'no shell reads this command, so "{word}" is handed to {words[0]} as a word',
            "write one plain command; what needs a shell belongs in a script that is itself recorded",
        )
    if item.is_step:
        return
    if not words:
        yield _found(item, "inspection.no-run", "it runs nothing, so it cannot pass", _BUILT_IN_REMEDY)
        return
    if words[: len(BUILT_IN)] == BUILT_IN:
        wrong = examine(words)
        if wrong:
            yield _found(item, "inspection.built-in", wrong, "see navicert inspect --help")
    else:
        yield from _program(item, _unwrapped(words))
    yield from _unbound(item, effort)


def _program(item: Item, words: Sequence[str]) -> Iterator[Finding]:
    program = _VERSION.sub("", words[0].rpartition("/")[2].removesuffix(".exe"))
    if program in _SHELLS:
        yield _found(
            item,
            "inspection.shell",
            f"it runs {program}: every verifier gets another shell, with other programs behind it",
            _BUILT_IN_REMEDY,
        )
    elif program in _INLINE and (not _INLINE[program] or any(word.startswith(_INLINE[program]) for word in words[1:])):
        yield _found(
            item,
            "inspection.inline-code",
            f"it runs a {program} program written in the layout, which nobody tests",
            _BUILT_IN_REMEDY,
        )
    reason = passes_on_empty(words)
    if reason:
        yield _found(
            item,
            "inspection.passes-on-empty",
            f"it looks as if it passes when the report is empty ({reason}); this is a guess from its text",
            _BUILT_IN_REMEDY,
        )


def passes_on_empty(words: Sequence[str]) -> str:
    """Which idiom makes a command look as if it passed on an empty report; empty for none. A guess."""
    text = " ".join(words)[:_EXAMINED]
    for language, idioms in _IDIOMS:
        if not language.search(text):
            continue
        for idiom, reason in idioms:
            if re.search(idiom, text):
                return reason
        if idioms is _JQ_FILTERS and not _JQ_STATUS.search(text):
            return "jq without --exit-status, which passes whatever it prints"
    return ""


def _unwrapped(words: Sequence[str]) -> Sequence[str]:
    """`words` without programs that only start another: env and its assignments, nice, timeout and the like."""
    queue = list(words)
    while queue and queue[0].rpartition("/")[2] in _WRAPPERS:
        queue.pop(0)
        while queue and (queue[0].startswith("-") or "=" in queue[0] or queue[0][:1].isdigit()):
            queue.pop(0)
    return queue or words


def _unbound(item: Item, effort: Effort) -> Iterator[Finding]:
    """Whether what is inspected is what a step made: a MATCH, and a ban on whatever does not match."""
    side = Side.MATERIALS
    bound = []
    for index, rule in enumerate(item.rules(side)):
        if rule.kind is RuleKind.MATCH:
            glob = source_glob(rule, open_braces=True)
            if forbidden_afterwards(item, side, index, glob, effort):
                bound.append(glob)
    if item.command[: len(BUILT_IN) + 1] == _IMAGE_BASE and "target" in item.command:
        return  # the target is bound to a step by itself
    files = _files(item.command) if item.command[: len(BUILT_IN)] == BUILT_IN else ()
    loose = [file for file in files if not any(glob.comparable and glob.matches(file) for glob in bound)]
    if loose or (not files and not bound):
        what = ", ".join(f'"{file}"' for file in loose) or "what it looks at"
        file = loose[0] if loose else "REPORT"
        yield found(
            "inspection.unbound",
            f"nothing ties {what} to a step: any file of that name would do",
            f'write the materials "REQUIRE {file}", "MATCH {file} WITH PRODUCTS FROM STEP", "DISALLOW {file}"',
            place=item.place,
            pointer=f"{item.pointer}/expected_materials",
        )


def _files(words: Sequence[str]) -> tuple[str, ...]:
    """The files that a built-in inspection reads: its words that are neither options nor their values. Of an image the
    one from which all others follow by digests; what is given as its base counts too."""
    files = []
    option = False
    images = tuple(words[: len(BUILT_IN) + 1]) == _IMAGE_BASE
    for word in words[len(BUILT_IN) + 1 :]:
        if images:
            files += _image_file(word.removeprefix("--base="))
        elif not option and not word.startswith("--"):
            files.append(word)
        option = not option and word.startswith("--") and "=" not in word
    return tuple(files)


def _image_file(word: str) -> list[str]:
    medium, colon, rest = word.partition(":")
    path = rest.partition("@")[0].partition(":")[0].rstrip("/")
    if not colon or medium not in ("oci", "oci-archive", "docker-archive"):
        return []
    return [f"{path}/index.json" if medium == "oci" else path]


def _found(item: Item, id: str, message: str, remedy: str) -> Finding:
    return found(id, message, remedy, place=item.place, pointer=item.command_pointer)
