"""JSON text, read and written by compiled code and by `json`: both give the same."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections.abc import Callable
from types import MappingProxyType

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from navicert import jsontext

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TEXTS = VALUES.map(json.dumps) | st.text(
    st.sampled_from('[]{}",:0e.-\\ "ntrufalsNI\t\n\r\x00\u00a0\ud800'), max_size=12
)


@pytest.fixture(params=["compiled", "json", "compiled, and called otherwise"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "json":
        monkeypatch.setattr(jsontext, "make_scanner", None)
        monkeypatch.setattr(jsontext, "make_encoder", None)
    elif request.param != "compiled":
        monkeypatch.setattr(jsontext, "make_encoder", lambda markers, default: None)
    return str(request.param)


def outcome(read: Callable[[str], object], text: str) -> object:
    try:
        value = read(text)
    except (ValueError, RecursionError) as error:
        return "refused" if isinstance(error, ValueError) else "too deep"
    return repr(value)  # `nan` is not equal to itself, and `1` is to `1.0`


@pytest.fixture(params=["json is loaded", "json is not loaded"])
def loaded(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "json is loaded":
        monkeypatch.delitem(sys.modules, "json.decoder")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
@example("")
@example(" \t\r\n1 ")
@example("\u00a01")
@example("1 2")
@example("[" * 100_000)
@example("1" * 5000)
@example('{"a":1,"a":2}')
@example("[NaN, -Infinity, Infinity, -0.0, 1e400]")
@pytest.mark.usefixtures("loaded")
def test_what_is_read_is_what_json_reads(text: str) -> None:
    assert outcome(jsontext.reader(), text) == outcome(json.JSONDecoder().decode, text)


@given(VALUES)
def test_what_is_written_is_what_json_writes(value: object) -> None:
    assert jsontext.writer()(value) == json.dumps(value, sort_keys=True)
    plain = jsontext.writer(",", ":", ascii=False)(value)
    assert plain == json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def test_objects_numbers_and_constants_are_made_as_asked(way: str) -> None:
    read = jsontext.reader(pairs=list, number=str, constant=str.lower)
    assert read(' {"a": 1.50, "a": NaN} ') == [("a", "1.50"), ("a", "nan")]
    assert jsontext.reader()("[1.50, 2]") == [1.5, 2]
    assert math.isnan(float(str(jsontext.reader()("NaN"))))


def test_what_makes_objects_may_refuse(way: str) -> None:
    def refuse(pairs: object) -> object:
        raise ValueError("no objects here")

    with pytest.raises(ValueError, match="no objects here"):
        jsontext.reader(pairs=refuse)("[{}]")


ALONE = r"""
import sys
from navicert import jsontext
read = jsontext.reader()
print(read('{"a": [1, "b"]}'), "json" in sys.modules)
for text in ("{", "[1,", '"a', "[1,]", "nope", '{"a" 1}', '"\\x"'):
    try:
        print(read(text))
    except ValueError as error:
        print(type(error).__name__)
"""


def test_where_nothing_has_loaded_json_it_is_loaded_for_what_is_wrong() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    first, *others = done.stdout.splitlines()
    assert first == "{'a': [1, 'b']} False"
    assert set(others) <= {"JSONDecodeError", "ValueError"}
    assert len(others) == 7


@pytest.mark.parametrize("text", ["", " ", "1 2", "[1", '"a', "'a'", "[1,]", "nope", '"\t"'])
def test_what_is_no_json_is_refused(text: str, way: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of whatever words: nobody is told them
        jsontext.reader()(text)


def test_values_are_written_in_order(way: str) -> None:
    value = {"b": [1, 2.5, None, True], "a": 'ü\ud800\n"\\', "c": {}}
    assert jsontext.writer()(value) == json.dumps(value, sort_keys=True)
    assert jsontext.writer(",", ":", ascii=False)({"b": "ü", "a": ()}) == '{"a":[],"b":"ü"}'
    assert jsontext.quoted("ü\n") == '"\\u00fc\\n"'


def test_other_types_are_made_of_what_they_are_like_or_refused(way: str) -> None:
    assert jsontext.writer(default=dict)([MappingProxyType({"a": 1})]) == '[{"a": 1}]'
    with pytest.raises(TypeError, match="Object of type bytes is not JSON serializable"):
        jsontext.writer()(b"")


def test_what_contains_itself_is_refused_and_nothing_after_it(way: str) -> None:
    write = jsontext.writer()
    around: list[object] = []
    around.append(around)
    with pytest.raises(ValueError, match="Circular"):
        write(around)
    assert write([[], []]) == "[[], []]"


def test_what_is_nested_too_deeply_is_refused(way: str) -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        jsontext.writer()(deep)
    with pytest.raises(RecursionError):
        jsontext.reader()("[" * 100_000)
