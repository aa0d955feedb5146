"""The program `navicert`: finds the command asked for, imports it alone, and turns what goes wrong into an exit code.

Exit codes: 0 passed · 1 judged and not passed · 2 wrong usage or malformed input · 3 could not find out.

A command is a module with

- `HELP`: one line;
- `EXAMPLE`: a command line that works, shown at the end of its help;
- `configure(parser)`: adds its options;
- `run(args) -> int`: does it, and returns the exit code;
- optionally `DESCRIPTION` (the first lines of its help instead of `HELP`), `TAKES_COMMAND = True` (everything
  after the first `--` is put, untouched, into `args.command`), and `FAILURE`: the exit code of its own failures,
  where 1, 2 and 3 would be taken for those of a program that it runs.

A group of commands is a module with `HELP` and `COMMANDS`, a table like the one below. It may be a command as well,
one without arguments: then options may stand in the place of a command.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType
    from typing import NoReturn

    Table = Mapping[str, tuple[str, str]]

COMMANDS: Table = {
    "demo": ("navicert.cli.demo", "build, verify and attack a small image, offline"),
    "keygen": ("navicert.cli.keygen", "make a key pair"),
    "key": ("navicert.cli.key", "show keys, write them in the form of other programs"),
    "run": ("navicert.cli.run", "run one step of a build and record it, signed"),
    "record": ("navicert.cli.record", "record a step that is no single command: start, stop"),
    "layout": ("navicert.cli.layout", "write, sign, show and lint the policy"),
    "verify": ("navicert.cli.verify", "judge a chain, and the target that came out of it"),
    "attest": ("navicert.cli.attest", "sign a statement: a bill of materials, a scan, …"),
    "verify-attestation": ("navicert.cli.verify_attestation", "judge attestations by themselves, offline"),
    "trust": ("navicert.cli.trust", "show and refresh whom certificates are judged by"),
    "slsa": ("navicert.cli.slsa", "say which SLSA level was reached, what the next lacks"),
    "evidence": ("navicert.cli.evidence", "find evidence, move it, pack it, let go of it"),
    "admission": ("navicert.cli.admission", "let into a cluster only images whose chain verifies"),
    "inspect": ("navicert.cli.inspect", "run a built-in inspection on the files of this folder"),
    "explain": ("navicert.cli.explain", "say what a check means and what to do about it"),
    "show": ("navicert.cli.show", "print any document or key for people"),
    "sign": ("navicert.cli.sign", "sign a layout or link, or check its signatures"),
    "sign-keyless": ("navicert.cli.sign_keyless", "sign without a key, as who this job or person is"),
    "completion": ("navicert.cli.completion", "print completions for bash or zsh"),
}

USAGE, INTERRUPTED, PIPE_CLOSED = 2, 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (default: this process's) and return its exit code. Never raises."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = "--debug" in (words[: words.index("--")] if "--" in words else words)
    try:
        code = _dispatch(words, debug=debug)
    except BrokenPipeError:
        code = PIPE_CLOSED
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line and an exit code
        code = _fail(error, None, debug=debug)
    except KeyboardInterrupt:
        code = INTERRUPTED
    return _finish(code, debug=debug)


def _finish(code: int, *, debug: bool) -> int:
    """Write out what is still buffered: `code`, or where that cannot be done and nothing else was wrong, that it
    cannot. Results that nobody got are no pass."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _abandon_stdout()
        return code or PIPE_CLOSED
    except OSError as error:
        _abandon_stdout()
        return code or _fail(error, None, debug=debug)
    return code


def console() -> NoReturn:
    """The entry point of the installed program."""
    from navicert.cli.process import leave, settle

    _fill_closed_streams()
    settle()
    leave(main())


def _fill_closed_streams() -> None:
    """Put something where a standard stream was closed (`>&-`): a file that is opened later must not take its number,
    and be written to as if it were that stream."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            # Results that go nowhere are an error when they are written; messages that do are not.
            os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY)
            setattr(sys, name, open(number, "r" if name == "stdin" else "w", closefd=False))  # noqa: SIM115


def _dispatch(words: list[str], *, debug: bool) -> int:
    while words and words[0] == "--debug":
        del words[0]
    if not words or words[0] in ("-h", "--help"):
        sys.stdout.write(_overview())
        return 0 if words else USAGE
    if words[0] in ("-V", "--version"):
        from navicert import __version__

        sys.stdout.write(f"navicert {__version__}\n")
        return 0
    if words[0] == "help":
        return _dispatch([*words[1:], "--help"], debug=debug)
    module, name, rest = _find(COMMANDS, words, "navicert")
    if isinstance(module, str):
        sys.stdout.write(module)
        return 0 if rest else USAGE
    return _run(module, name, rest, debug=debug)


def _find(table: Table, words: list[str], prog: str) -> tuple[ModuleType | str, str, list[str]]:
    """The module of the command that `words` name, its full name and what follows; or the help text of a group."""
    word = words[0]
    if word not in table:
        from navicert.cli.parser import suggestion
        from navicert.errors import Malformed

        what = "option" if word.startswith("-") else "command"
        raise Malformed(f"no such {what}: {word}", remedy=suggestion(word, list(table)) or f"see {prog} --help")
    # What importlib does, which takes longer to load than a small command.
    module = __import__(table[word][0], fromlist=["HELP"])
    prog, rest = f"{prog} {word}", words[1:]
    commands: Table | None = getattr(module, "COMMANDS", None)
    if commands is None:
        return module, prog, rest
    while rest and rest[0] == "--debug":
        del rest[0]
    if hasattr(module, "run") and rest and rest[0].startswith("-"):
        return module, prog, rest
    if not rest or rest[0] in ("-h", "--help"):
        return _group_overview(module.HELP, commands, prog), prog, rest
    return _find(commands, rest, prog)


def build_parser(module: ModuleType, prog: str):  # type: ignore[no-untyped-def]  # argparse is not imported for the overview
    """The parser of the command in `module`; `prog` is its full name."""
    from navicert.cli.parser import Parser

    parser = Parser(
        prog,
        getattr(module, "DESCRIPTION", module.HELP),
        getattr(module, "EXAMPLE", ""),
        tail="-- COMMAND [ARG]..." if getattr(module, "TAKES_COMMAND", False) else "",
    )
    module.configure(parser)
    return parser


def _run(module: ModuleType, prog: str, rest: list[str], *, debug: bool) -> int:
    failure: int | None = getattr(module, "FAILURE", None)
    command: list[str] = []
    options = rest
    if getattr(module, "TAKES_COMMAND", False) and "--" in rest:
        split = rest.index("--")
        options, command = rest[:split], rest[split + 1 :]
    try:
        try:
            args = _plainly(module, options) or _parsed(module, prog, options)
        except SystemExit as leaving:  # --help has printed
            return leaving.code if isinstance(leaving.code, int) else USAGE
        if getattr(module, "TAKES_COMMAND", False):
            args.command = command
        result: int = module.run(args)
        return result
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001  # as in main, but here the command is known
        return _fail(error, failure, debug=debug)


def _plainly(module: ModuleType, options: list[str]):  # type: ignore[no-untyped-def]  # as build_parser
    """What `options` say, where they are plain; None where a parser has to read them."""
    from navicert.cli.outline import Outline

    outline = Outline()
    module.configure(outline)
    outline.add_argument("--debug", action="store_true")
    return outline.read(options)


def _parsed(module: ModuleType, prog: str, options: list[str]):  # type: ignore[no-untyped-def]  # as build_parser
    """What `options` say. Raises `Malformed`, and `SystemExit` where help was asked for."""
    from navicert.cli.process import keep_to_english

    keep_to_english()
    return build_parser(module, prog).parse_args(options)


def _fail(error: Exception, failure: int | None, *, debug: bool) -> int:
    """Say what went wrong in one line and return the exit code that stands for it."""
    if debug:
        import traceback

        traceback.print_exception(error)
    from navicert.cli.failure import describe
    from navicert.cli.terminal import complain

    text, code = describe(error)
    complain(text)
    return code if failure is None else failure


def _abandon_stdout() -> None:
    try:
        sink = os.open(os.devnull, os.O_WRONLY)
        os.dup2(sink, sys.stdout.fileno())
        os.close(sink)
    except (OSError, ValueError, AttributeError):
        return  # standard output is not a file of this process: nothing is left to flush into it


def _overview() -> str:
    return (
        "usage: navicert COMMAND [OPTION]..., navicert COMMAND --help, navicert --version\n"
        f"{_lines(COMMANDS)}\n"
        "exit codes: 0 passed, 1 not passed, 2 wrong usage or input, 3 could not find out\n"
        "example:    navicert demo (any command, with --debug: where an error came from)\n"
    )


def _group_overview(help: str, commands: Table, prog: str) -> str:
    first = next(iter(commands))
    return f"usage: {prog} COMMAND [OPTION]...\n\n{help}\n\n{_lines(commands)}\nexample:\n  {prog} {first} --help\n"


def _lines(table: Table) -> str:
    longest = max(11, *map(len, table))
    return "".join(f"  {name:<{longest}} {help}\n" for name, (_, help) in table.items())
