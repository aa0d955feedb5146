"""YAML is read as structure and words, and everything that could surprise is refused with its line."""

import contextlib
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.authoring.node import Fields, Items, Word
from navicert.authoring.yaml import read_yaml
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL


def read(text, **limits):
    raw = text if isinstance(text, bytes) else text.encode()
    return read_yaml(raw, dataclasses.replace(LOCAL, **limits), path="layout.yaml")


def plain(node):
    """The tree as Python's own types."""
    if isinstance(node, Word):
        return node.text
    if isinstance(node, Items):
        return [plain(child) for child in node.nodes]
    return {name: plain(child) for name, child in node.nodes.items()}


def test_mappings_lists_and_words_are_read_in_both_styles():
    text = "a: one\nb:\n  - two\n  - {c: three, d: [four, five]}\ne: |\n  six\n  seven\n"
    assert plain(read(text)) == {
        "a": "one",
        "b": ["two", {"c": "three", "d": ["four", "five"]}],
        "e": "six\nseven\n",
    }


@pytest.mark.parametrize(
    "word",
    ["yes", "no", "on", "off", "true", "null", "~", "012", "0x1f", "1e3", "12:30", "2031-05-01", ".inf", "=", "<<"],
)
def test_a_word_stays_what_it_looks_like(word):
    assert read(f"{word}: {word}").nodes[word] == Word(word, "plain", 1)


def test_a_quoted_word_is_known_to_be_one():
    assert read("a: '1'").nodes["a"].kind == "string"
    assert read('a: "1"').nodes["a"].kind == "string"
    assert read("a: >\n  1\n").nodes["a"].kind == "string"


def test_everything_knows_its_line():
    root = read("# comment\na: 1\nb:\n  - 2\n  -\n    - 3\n")
    assert root.line == 2
    assert root.lines == {"a": 2, "b": 3}
    assert [node.line for node in root.nodes["b"].nodes] == [4, 6]


def test_json_is_read_as_well():
    assert plain(read('{"a": ["b", 1, true, null]}')) == {"a": ["b", "1", "true", "null"]}


def test_a_byte_order_mark_is_no_word():
    assert plain(read(b"\xef\xbb\xbfa: b")) == {"a": "b"}


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", 'field "a" is written twice', 3),
        ("a: {b: 1,\n b: 2}", 'field "b" is written twice', 2),
        ("a: &x 1\n", "anchors and aliases are not read", 1),
        ("a:\n - &x [1]\n", "anchors and aliases are not read", 2),
        ("a: *x\n", "anchors and aliases are not read", 1),
        ("a: [ALLOW, *]\n", "not YAML", 1),
        ("a: !!str b\n", "tags are not read", 1),
        ("a: !local b\n", "tags are not read", 1),
        ("a: ! b\n", "tags are not read", 1),
        ("a: !!set {b}\n", "tags are not read", 1),
        ("a: 1\n---\nb: 2\n", "more than one document", 2),
        ("[a]: 1\n", "as the name of a field", 1),
        ("? {a: 1}\n: 2\n", "as the name of a field", 1),
        ("a: b: c\n", "mapping values are not allowed here", 1),
        ("a:\n\t- b\n", "cannot start any token", 2),
        ("a: [1, 2\n", "expected ',' or ']'", 2),
        ("a: 'b\n", "found unexpected end of stream", 2),
        ("a: @b\n", "cannot start any token", 1),
        ("a: b\n  c: d\n", "not YAML", 2),
        ('a: "\\ud800"\n', "lone surrogate", 1),
    ],
)
def test_what_could_be_read_in_two_ways_is_refused_with_its_line(text, what, line):
    with pytest.raises(Malformed, match=r"layout\.yaml") as caught:
        read(text)
    assert what in str(caught.value)
    assert caught.value.path == f"layout.yaml:{line}"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["a: *x", "a: [ALLOW, *]", "a: !x", "a: @b"])
def test_whoever_forgot_to_quote_a_pattern_is_told_so(text):
    with pytest.raises(Malformed, match="in quotes"):
        read(text)


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n...\n", "\n\n"])
def test_an_empty_file_is_refused(text):
    if text.startswith("---"):
        assert read(text) == Word("", "plain", 2)
        return
    with pytest.raises(Malformed, match=r"the file is empty.*layout init"):
        read(text)


def test_bytes_that_are_not_utf8_are_refused_with_their_line():
    with pytest.raises(Malformed, match=r"layout\.yaml:2: not UTF-8 at byte 6"):
        read(b"a: b\nc\xff: d")


def test_control_characters_are_refused_with_their_line():
    with pytest.raises(Malformed, match=r"layout\.yaml:2: character U\+0000 is not allowed"):
        read("a: b\nc: \0")


def test_an_escape_that_is_no_character_is_refused():
    with pytest.raises(Malformed, match="an escape that is no character"):
        read('a: "\\U00110000"')
    with pytest.raises(Malformed, match="an escape that is no character"):
        read('a: "\\UFFFFFFFF"')


def test_files_and_nesting_are_bounded():
    read("a: 1", yaml_bytes=4)
    with pytest.raises(LimitExceeded, match="limit yaml_bytes"):
        read("a: 12", yaml_bytes=4)
    read("a: [[1]]", json_depth=3)
    with pytest.raises(LimitExceeded, match=r"layout\.yaml:1: nested too deeply"):
        read("a: [[1]]", json_depth=2)


SCRAPS = st.sampled_from(
    "a: ~- ~\n~  ~[~]~{~}~,~: ~? ~'~\"~|~>~#~&a ~*a~!!x ~---\n~...\n~%YAML 1.1\n~%TAG ! x\n~\t~<<: ~\\"
    '~"\\x41"~"\\ud83d"~é~\x85~\ufeff~1~@'.split("~")
)


@given(st.one_of(st.binary(max_size=60), st.lists(SCRAPS, max_size=25).map(lambda scraps: "".join(scraps).encode())))
def test_any_bytes_give_a_tree_or_malformed(raw):
    with contextlib.suppress(Malformed):
        assert isinstance(read(raw), Word | Items | Fields)
