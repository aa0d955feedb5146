"""The frame: which command runs, what its failure is called, and which exit code stands for it."""

from __future__ import annotations

import argparse
import importlib
import io
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
from tests.sample_chain import SampleChain

from navicert import __version__
from navicert.cli import main as frame
from navicert.cli import process
from navicert.cli.main import COMMANDS, build_parser, main
from navicert.cli.parser import Formatter, Parser
from navicert.errors import LimitExceeded, Malformed, Refused, Unavailable, VerificationFailed

Run = Callable[[argparse.Namespace], int]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Installs a command `probe` that does what a test wants."""

    def install(run: Run, **more: object) -> None:
        module = ModuleType("probe")
        attributes: dict[str, object] = {"HELP": "a probe", "configure": _configure, "run": run, **more}
        for name, value in attributes.items():
            setattr(module, name, value)
        monkeypatch.setitem(sys.modules, "navicert_probe", module)
        monkeypatch.setattr(frame, "COMMANDS", {**COMMANDS, "probe": ("navicert_probe", "a probe")})

    return install


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--size", type=int, metavar="N", help="how large")
    parser.add_argument("--layout", metavar="F", help="which")
    parser.add_argument("names", nargs="*", metavar="NAME", help="what")


def raising(error: BaseException) -> Run:
    def run(args: argparse.Namespace) -> int:
        raise error

    return run


# --- the table -----------------------------------------------------------------------------------------------------


def all_commands(table: frame.Table = COMMANDS, prog: str = "navicert") -> Iterator[tuple[str, ModuleType]]:
    for word, (name, _) in table.items():
        module = importlib.import_module(name)
        if hasattr(module, "COMMANDS"):
            assert module.HELP
            yield from all_commands(module.COMMANDS, f"{prog} {word}")
        else:
            yield f"{prog} {word}", module


@pytest.mark.parametrize(
    ("prog", "module"), list(all_commands()), ids=lambda value: value if isinstance(value, str) else ""
)
class TestCommand:
    def test_its_help_fits_80_columns_and_ends_with_an_example_of_itself(
        self, prog: str, module: ModuleType, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main([*prog.split()[1:], "--help"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line for line in lines if len(line) > 80] == []
        assert lines[0].startswith(f"usage: {prog}")
        assert prog in lines[-1]

    def test_every_option_says_what_it_is_for(self, prog: str, module: ModuleType) -> None:
        parser = build_parser(module, prog)
        silent = [action.dest for action in parser._actions if not action.help]
        assert silent == []

    def test_its_one_line_help_is_one_line(self, prog: str, module: ModuleType) -> None:
        assert module.HELP
        assert "\n" not in module.HELP
        assert not module.HELP.endswith(".")


def test_the_overview_lists_every_command_and_fits_a_screen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) < 24
    assert max(map(len, lines)) <= 80
    for name, (_, help) in COMMANDS.items():
        assert any(line.split() == [name, *help.split()] for line in lines)


def test_help_of_a_command_is_also_given_by_the_word_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", "show"]) == 0
    assert capsys.readouterr().out.startswith("usage: navicert show ")


def test_a_group_lists_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["layout", "--help"]) == 0
    assert "  lint " in capsys.readouterr().out


@pytest.mark.parametrize("words", [[], ["layout"], ["--debug"], ["layout", "--debug"]])
def test_too_few_words_print_help_and_are_wrong_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    assert capsys.readouterr().out.startswith("usage: navicert")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"navicert {__version__}\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["verfy"], "no such command: verfy – did you mean verify?"),
        (["xyzzy"], "no such command: xyzzy – see navicert --help"),
        (["--vresion"], "no such option: --vresion – see navicert --help"),
        (["layout", "lnit"], "no such command: lnit – did you mean lint?"),
        (["layout", "xyzzy"], "no such command: xyzzy – see navicert layout --help"),
        (["show", "--jsn", "x"], "show: no such option: --jsn – did you mean --json?"),
        (["show"], "show: the following arguments are required: FILE – see navicert show --help"),
    ],
)
def test_a_mistyped_word_is_answered_with_what_was_probably_meant(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert capsys.readouterr().err == f"navicert: {message}\n"


# --- failures ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (Malformed("bad", path="f", pointer="/x", remedy="mend it"), 2, "f: /x: bad – mend it"),
        (LimitExceeded("too large"), 2, "too large"),
        (Refused("exists"), 2, "exists"),
        (Unavailable("server down"), 3, "server down"),
        (VerificationFailed("not passed", SampleChain(missing=[0]).verdict()), 1, "not passed"),
        (FileNotFoundError(2, "No such file or directory", "a/b"), 2, "a/b: no such file or directory"),
        (NotADirectoryError(20, "Not a directory", b"a/b"), 2, "a/b: not a directory"),
        (IsADirectoryError(21, "Is a directory", "d"), 2, "d: is a directory"),
        (FileNotFoundError(2, "No such file or directory"), 3, "no such file or directory"),
        (PermissionError(13, "Permission denied", "f"), 3, "f: permission denied"),
        (OSError(28, "No space left on device"), 3, "no space left on device"),
        (OSError(5, None), 3, "failed"),
    ],
)
def test_every_kind_of_failure_has_its_line_and_its_exit_code(
    command: Callable[..., None], error: Exception, code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(error))
    assert main(["probe"]) == code
    assert capsys.readouterr() == ("", f"navicert: {message}\n")


@pytest.mark.parametrize(
    "error", [ValueError("odd\nvalue"), RecursionError(), MemoryError(), OSError("no number"), KeyError("x")]
)
def test_what_should_not_happen_is_one_line_without_a_traceback_and_never_a_pass(
    command: Callable[..., None], error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(error))
    assert main(["probe"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"navicert: internal error: {type(error).__name__}")
    assert "--debug" in line


@pytest.mark.parametrize("words", [["--debug", "probe"], ["probe", "--debug"]])
def test_a_traceback_is_shown_on_request_only(
    command: Callable[..., None], words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(Malformed("bad")))
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith("Traceback (most recent call last):")
    assert said.endswith("navicert: bad\n")


def test_debug_that_belongs_to_the_recorded_command_is_not_ours(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(Malformed("bad")), TAKES_COMMAND=True)
    assert main(["probe", "--", "make", "--debug"]) == 2
    assert capsys.readouterr().err == "navicert: bad\n"


def test_control_characters_in_a_message_are_escaped(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(Malformed("bad\x1b[2J\nnavicert: all is well", path="\u202egpj")))
    assert main(["probe"]) == 2
    assert capsys.readouterr().err == "navicert: \\u202egpj: bad\\x1b[2J\\nnavicert: all is well\n"


def test_an_interrupt_is_130(command: Callable[..., None]) -> None:
    command(raising(KeyboardInterrupt()))
    assert main(["probe"]) == 130


def test_a_closed_pipe_is_quiet_and_no_pass(command: Callable[..., None], capfd: pytest.CaptureFixture[str]) -> None:
    command(raising(BrokenPipeError(32, "Broken pipe")))
    assert main(["probe"]) == 141
    assert capfd.readouterr().err == ""


def test_a_closed_pipe_where_output_is_no_file_is_quiet_too(
    command: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    command(raising(BrokenPipeError(32, "Broken pipe")))
    assert main(["probe"]) == 141


def test_output_that_cannot_be_written_is_no_pass(
    command: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Full(io.StringIO):
        def flush(self) -> None:
            raise OSError(28, "No space left on device")

    command(lambda args: 0)
    monkeypatch.setattr(sys, "stdout", Full())
    assert main(["probe"]) == 3
    assert capsys.readouterr().err == "navicert: no space left on device\n"


def test_a_command_that_runs_others_has_a_code_of_its_own_for_its_failures(
    command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(raising(Unavailable("down")), FAILURE=125)
    assert main(["probe"]) == 125
    assert main(["probe", "--size", "x"]) == 125
    assert main(["probe", "--help"]) == 0


# --- what a command is given ---------------------------------------------------------------------------------------


def test_what_follows_two_dashes_reaches_the_command_untouched(command: Callable[..., None]) -> None:
    seen: list[argparse.Namespace] = []

    def run(args: argparse.Namespace) -> int:
        seen.append(args)
        return 0

    command(run, TAKES_COMMAND=True)
    assert main(["probe", "--size", "3", "a", "--", "make", "--", "--size", "x", "-h"]) == 0
    assert (seen[0].command, seen[0].size, seen[0].names) == (["make", "--", "--size", "x", "-h"], 3, ["a"])
    assert main(["probe"]) == 0
    assert seen[1].command == []


def test_the_exit_code_of_a_command_is_passed_on(command: Callable[..., None]) -> None:
    command(lambda args: 77)
    assert main(["probe"]) == 77


def test_options_are_never_abbreviated(command: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    command(lambda args: 0)
    assert main(["probe", "--lay", "x"]) == 2
    assert capsys.readouterr().err == "navicert: probe: no such option: --lay – did you mean --layout?\n"


def test_an_argument_too_many_is_named() -> None:
    parser = Parser("navicert probe", "a probe")
    with pytest.raises(Malformed, match="one argument too many: extra"):
        parser.parse_args(["extra"])


def test_the_usage_line_shows_what_must_be_given() -> None:
    parser = Parser("navicert probe", "a probe", tail="-- COMMAND")
    parser.add_argument("--key", required=True, metavar="K")
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("rest", nargs="*", metavar="REST")
    assert parser.format_usage() == "usage: navicert probe [OPTION]... --key K FILE [REST]... -- COMMAND\n"


def test_a_formatter_is_made_for_help_and_not_for_each_option() -> None:
    made: list[str] = []

    class Counted(Formatter):
        def __init__(self, prog: str) -> None:
            made.append(prog)
            super().__init__(prog)

    parser = Parser("navicert probe", "a probe")
    parser.formatter_class = Counted
    parser.add_argument("--key", metavar="K")
    parser.add_mutually_exclusive_group().add_argument("--no-key", action="store_true", help="none")
    assert parser.parse_args(["--key", "k"]).key == "k"
    assert made == []
    assert "--key K" in parser.format_help()
    assert made == ["navicert probe"]


def test_the_console_script_survives_file_names_that_are_no_text(
    command: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    out, err = io.TextIOWrapper(io.BytesIO(), "ascii"), io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    monkeypatch.setattr(sys, "argv", ["navicert", "probe"])

    def run(args: argparse.Namespace) -> int:
        print("a\udcff – ü")
        return 0

    command(run)
    monkeypatch.setattr(process, "_is_alone", lambda: False)
    with pytest.raises(SystemExit) as left:
        frame.console()
    assert left.value.code == 0
    out.flush()
    assert out.buffer.getvalue() == b"a\\udcff \\u2013 \\xfc\n"  # type: ignore[attr-defined]


def test_lines_of_a_table_in_a_description_stay_lines(capsys):
    assert main(["inspect", "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "  file-exists FILE                          it is there and not empty" in lines
    assert any(line.startswith("  image-base IMAGE --base BASE") for line in lines)
