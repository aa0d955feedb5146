"""Documents are read quickly where that is proven to be right, and strictly otherwise: both give one value, or none.

What a quick parser takes silently must never get through: the last of doubled keys, NaN, an integer that became a
float, half of a surrogate pair, and nesting without end.
"""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from navicert import strictjson
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.strictjson import canonical
from navicert.survey import strings_in, survey

SHALLOW = Limits(json_depth=6)

keys = st.sampled_from(["a", "b", "sha256", "", '"', "\\", 'x"y', "\u00e9", "\U0001f600", "\n"]) | st.text(max_size=3)
numbers = st.sampled_from(
    ["0", "-0", "1", "-1", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
     "-9223372036854775808", "-9223372036854775809", "1" * 40, "1" * 5000, "1.5", "-0.0", "1e2", "1E400", "-1e400",
     "0.1", "1e-400", "9223372036854775808.0", "NaN", "Infinity", "-Infinity", "01", "1.", "+1"]
)  # fmt: skip
literals = st.sampled_from(["true", "false", "null", '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\uD83D"',
                            '"\\u0022"', '"\\\\\\""', '"\\\\"', '"\\\\ud800"', '"\t"', '"\\x"', "'a'"])  # fmt: skip
strings = keys.map(json.dumps) | keys.map(lambda text: json.dumps(text, ensure_ascii=False))
# Objects are written out from pairs, so that keys may be doubled.
texts = st.recursive(
    numbers | literals | strings | st.integers().map(str) | st.floats().map(repr),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        | st.lists(st.tuples(strings, inner), max_size=4).map(
            lambda pairs: "{ " + " , ".join(f"{name} : {value}" for name, value in pairs) + "}"
        )
    ),
    max_leaves=20,
)


@pytest.fixture(params=["pair by pair", "standard library", "orjson"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(strictjson, "_has_orjson", lambda _: request.param == "orjson")
    if request.param != "pair by pair":
        monkeypatch.setattr(strictjson, "_SHORT", -1)
    return request.param


def shown(value: object) -> str:
    """A text that differs for values that JSON tells apart: `1`, `1.0` and `true`, `0.0` and `-0.0`."""
    if isinstance(value, float):
        return f"{value!r} {math.copysign(1, value)}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{shown(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(shown, value)) + "]"
    return repr(value)


def strictly(raw: bytes) -> str | None:
    try:
        return shown(strictjson._strictly(raw, SHALLOW, ""))
    except Malformed:
        return None


@given(texts)
@example('{"a":1,"a":1}')
@example('{"a":{"b":1},"c":{"b":1,"b":2}}')
@example('{"a":"\\"","a":"x"}')
@example('{"a\\\\":1,"b":"\\\\\\"","b":2}')
@example("[[[[[[[]]]]]]]")
@example("[18446744073709551616]")
def test_what_is_read_quickly_is_what_the_strict_reader_gives(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    quick = strictjson._quickly(raw, SHALLOW)
    if quick is not None:
        assert shown(quick.value) == strictly(raw)
        assert quick.floats or not survey(quick.value, SHALLOW.json_depth).floats


@given(st.binary(max_size=40) | texts.map(lambda text: b"\xef\xbb\xbf" + text.encode("utf-8", "surrogatepass")))
def test_bytes_that_are_no_json_are_never_read_quickly(raw: bytes) -> None:
    quick = strictjson._quickly(raw, SHALLOW)
    assert quick is None or shown(quick.value) == strictly(raw)


@given(st.lists(keys, min_size=1, max_size=60), st.integers(0, 59), st.integers(1, 3))
def test_a_doubled_key_is_never_read_quickly(names: list[str], which: int, level: int) -> None:
    pairs = [f"{json.dumps(name)}: {{}}" for name in dict.fromkeys(names)]
    pairs.append(pairs[which % len(pairs)])
    raw = ('{"x": ' * level + "{" + ",".join(pairs) + "}" + "}" * level).encode()
    assert strictjson._quickly(raw, LOCAL) is None
    with pytest.raises(Malformed, match="duplicate key"):
        strictjson.loads(raw)


def test_ordinary_documents_are_read_quickly() -> None:
    """Else the strict reader would do all the work, and nobody would notice."""
    envelope = json.dumps({"payload": "AAAA", "payloadType": "x", "signatures": [{"keyid": "a", "sig": "b"}]})
    assert strictjson._quickly(envelope.encode(), LOCAL) == strictjson.Reading(json.loads(envelope), floats=False)
    digests = {f"src/{number}": {"sha256": "ab" * 32} for number in range(300)}
    link = {"materials": digests, "products": digests, "command": ["a", 'b "c"'], "byproducts": {"return-value": 0}}
    for written in (json.dumps(link), json.dumps(link, indent=1), json.dumps({"signed": link, "signatures": []})):
        reading = strictjson._quickly(written.encode(), LOCAL)
        assert reading is not None
        assert not reading.floats
        assert reading.value == json.loads(written)


@given(st.text(st.sampled_from('"\\ab'), max_size=12))
def test_strings_are_counted_exactly(text: str) -> None:
    for value in (text, [text, text], {text: text, "k": [text]}):
        raw = json.dumps(value).encode()
        assert strings_in(raw) == survey(value, 9).strings == strings_in(json.dumps(value, indent=2).encode())


@given(st.recursive(st.integers(-(2**70), 2**70) | keys | st.none(), lambda v: st.dictionaries(keys, v, max_size=3)))
def test_both_writers_give_one_canonical_form(value: object) -> None:
    quick = strictjson._canonical_quickly(value)
    plain = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert quick is None or ("\\" not in plain and quick == plain.encode())
    assert canonical(value) == canonical(json.loads(json.dumps(value)))
