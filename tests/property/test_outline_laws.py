"""A command line that is read without `argparse` says what it says to `argparse`, for every command and program."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import io
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from navicert.cli.main import COMMANDS, build_parser
from navicert.cli.outline import Outline
from navicert.compat import program  # noqa: F401  # sets up what the programs need
from navicert.errors import Malformed

Command = tuple[Callable[[Any], None], Callable[[], argparse.ArgumentParser]]

PROGRAMS = ("run", "verify", "sign", "mock", "match_products")


def commands(table: Mapping[str, tuple[str, str]], prog: str) -> Iterator[tuple[str, Command]]:
    """Every command below `table`: its name, what adds its options, and what makes its parser."""
    for word, (name, _) in table.items():
        module = importlib.import_module(name)
        full = f"{prog} {word}"
        if hasattr(module, "configure"):

            def add(parser: Any, module: Any = module) -> None:
                module.configure(parser)
                if isinstance(parser, Outline):
                    parser.add_argument("--debug", action="store_true")

            yield full, (add, partial(build_parser, module, full))
        yield from commands(getattr(module, "COMMANDS", {}), full)


def programs() -> Iterator[tuple[str, Command]]:
    for name in PROGRAMS:
        module = importlib.import_module(f"navicert.compat.shim.in_toto.in_toto_{name}")
        yield f"in-toto-{name}", (module.configure, module.create_parser)


ALL: dict[str, Command] = {**dict(commands(COMMANDS, "navicert")), **dict(programs())}

VALUES = [
    *["x", "a b", "", "-", "a=b", "5", "0", "1K", "1.5", "sha256", "sha512", "either", "index", "rsa", "ed25519"],
    *["text", "json", "any", "µ", "\udc80", "--", "-1", "-x=1", "--no-such", "-qv", "-h", "--help", "--version"],
]


def read(parser: argparse.ArgumentParser, words: list[str]) -> dict[str, object] | None:
    """What `parser` makes of `words`; None where it refuses them, or prints something instead."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            return vars(parser.parse_args(words))
        except (Malformed, SystemExit):
            return None


def words_of(parser: argparse.ArgumentParser) -> st.SearchStrategy[list[str]]:
    """Command lines for `parser`: options as they are, shortened, joined with a value, with values that fit or not."""
    options = [action for action in parser._actions if action.option_strings]
    names = st.sampled_from([name for action in options for name in action.option_strings])
    choices = [str(one) for action in parser._actions for one in action.choices or ()]
    value = st.sampled_from([*VALUES, *choices])
    fitting = st.sampled_from([action for action in options if action.dest != "help"]).flatmap(_fitting)
    odd = st.one_of(
        value.map(lambda text: [text]),
        names.map(lambda name: [name[:-1]]),
        st.tuples(names, value).map(list),
        st.tuples(names, value).map(lambda both: ["=".join(both)]),
        st.tuples(names, value).map(lambda both: ["".join(both)]),
    )
    loose = st.sampled_from(["x", "5", *choices]).map(lambda text: [text])
    one = st.one_of(fitting, fitting, fitting, loose, odd)
    required = [_given(action) for action in parser._actions if action.required and action.dest != "command"]
    some = st.lists(one, max_size=4).map(lambda parts: [word for part in parts for word in part])
    whole = [word for part in required for word in part]
    return st.one_of(some, some.map(lambda rest: [*whole, *rest]), some.map(lambda rest: [*rest, *whole]))


def _fitting(action: argparse.Action) -> st.SearchStrategy[list[str]]:
    """`action` as it is mostly given: with as many values as it takes."""
    name = st.sampled_from(list(action.option_strings))
    if action.nargs == 0:
        return name.map(lambda word: [word])
    value = st.sampled_from([str(one) for one in action.choices or ("x", "5", "a b", "", "-", "1K")])
    most = 1 if action.nargs is None else 3
    values = st.lists(
        value, min_size=0 if action.nargs in ("?", "*") else 1, max_size=1 if action.nargs == "?" else most
    )
    return st.tuples(name, values).map(lambda both: [both[0], *both[1]])


def _given(action: argparse.Action) -> list[str]:
    value = str(next(iter(action.choices))) if action.choices else "5"
    return [*action.option_strings[:1], value]


@pytest.mark.parametrize("name", ALL)
@settings(max_examples=60)
@given(data=st.data())
def test_what_is_read_is_what_argparse_reads(name: str, data: st.DataObject) -> None:
    configure, create_parser = ALL[name]
    parser = create_parser()
    words = data.draw(words_of(parser))
    outline = Outline()
    configure(outline)
    found = outline.read(words)
    event("argparse is asked" if found is None else "read")
    if found is not None:
        expected = read(parser, words)
        assert expected is not None, f"argparse refuses {words}"
        assert vars(found) == expected


@pytest.mark.parametrize("name", ALL)
def test_the_shortest_command_line_of_each_is_read(name: str) -> None:
    """But for those that take several arguments, or commands of their own: `argparse` reads them always."""
    configure, create_parser = ALL[name]
    parser = create_parser()
    outline = Outline()
    configure(outline)
    required = [_given(action) for action in parser._actions if action.required]
    words = [word for part in required for word in part]
    several = len([action for action in parser._actions if not action.option_strings]) > 1
    remainder = any(action.nargs == argparse.REMAINDER for action in parser._actions)
    exclusive = any(group.required for group in parser._mutually_exclusive_groups)
    if not (several or remainder or exclusive):
        assert outline.read(words) is not None
    expected = read(parser, words)
    assert outline.read(words) is None or vars(outline.read(words)) == expected  # type: ignore[arg-type]


READ = [
    "-n build --signing-key k -m src -p app lib -- make --now -j 2",
    "-n build --signing-key k -x",
    "-n build -g -x",
    "-n build -k k -P -x",
    "-n build -k k -s --exclude *.o *.a --use-dsse --run-timeout 5 -- make",
]
ASKED = [
    "--step build --signing-key k -x",
    "--step-name=build --signing-key k -x",
    "-nbuild --signing-key k -x",
    "-n build --signing-key k -sx",
    "-n build --signing-key k -m -- make",
    "-n build --signing-key k -- make -- all",
    "-n build --signing-key -k -- make",
    "-n build --run-timeout soon -x",
    "-n build --key-type dsa -x",
    "-n build -v -q -x",
    "-n build make -x all",
    "-x",
    "--version",
]


@pytest.mark.parametrize("line", READ)
def test_plain_lines_are_read(line: str) -> None:
    configure, create_parser = ALL["in-toto-run"]
    outline = Outline()
    configure(outline)
    found = outline.read(line.split())
    assert found is not None
    assert vars(found) == read(create_parser(), line.split())


@pytest.mark.parametrize("line", ASKED)
def test_lines_that_are_not_plain_are_left_to_argparse(line: str) -> None:
    configure, _ = ALL["in-toto-run"]
    outline = Outline()
    configure(outline)
    assert outline.read(line.split()) is None


@pytest.mark.parametrize("line", ["here --there", "--there here", "--there --elsewhere", "here and"])
def test_only_one_of_those_that_exclude_each_other(line: str) -> None:
    """An argument may be one of them too."""
    outline = Outline()
    group = outline.add_mutually_exclusive_group(required=True)
    group.add_argument("place", nargs="?")
    group.add_argument("--there", action="store_true")
    group.add_argument("--elsewhere", action="store_true")
    assert outline.read(line.split()) is None
    assert outline.read([]) is None
    assert [vars(outline.read([word]) or outline) for word in ("here", "--there")] == [
        {"place": "here", "there": False, "elsewhere": False},
        {"place": None, "there": True, "elsewhere": False},
    ]


def test_values_do_not_gather_in_the_default_of_an_option() -> None:
    """Each reading begins with the default as it was."""
    outline = Outline()
    default: list[str] = ["first"]
    outline.add_argument("--one", action="append", default=default)
    outline.add_argument("--more", action="extend", nargs="+", default=default)
    found = outline.read(["--one", "a", "--more", "b", "c", "--one", "d"])
    assert found is not None
    assert (found.one, found.more, default) == (["first", "a", "d"], ["first", "b", "c"], ["first"])


def test_what_is_given_to_a_default_that_is_text_is_its_type() -> None:
    """As to a value on the command line: but only where it is text, and where nothing is given."""
    outline = Outline()
    outline.add_argument("--size", type=int, default="5")
    outline.add_argument("--most", type=int, default=None)
    outline.add_argument("--bad", type=int, default="x")
    assert outline.read([]) is None
    found = outline.read(["--bad", "1"])
    assert found is not None
    assert (found.size, found.most, found.bad) == (5, None, 1)


def test_an_argument_that_takes_all_that_is_left_is_left_to_argparse() -> None:
    outline = Outline()
    outline.add_argument("words", nargs="...")
    assert outline.read(["a"]) is None
    assert outline.read([]) is None


def test_an_action_that_is_not_known_is_left_to_argparse() -> None:
    outline = Outline()
    outline.add_argument("--count", action="count")
    outline.add_argument("--rest", nargs="...")
    outline.add_argument("--two", nargs=2)
    assert outline.read([]) is not None
    for words in (["--count"], ["--rest", "x"], ["--two", "x", "y"]):
        assert outline.read(words) is None
