"""Words become strings and numbers only where those are expected, and refusals name the place."""

import pytest

from navicert.authoring.node import Fields, Items, Spot, Word, of_json
from navicert.errors import Malformed


def spot(value, kind=None):
    return Spot(Word(value, kind, 7) if kind else of_json(value), "f.yaml", "/a")


@pytest.mark.parametrize("text", ["3", "on", "null-ish", "2031-05-01", "no", "12:30"])
def test_a_bare_word_is_text_where_text_is_expected(text):
    assert spot(text, "plain").text() == text


def test_a_quoted_word_is_text_even_if_it_is_empty_or_says_null():
    assert spot("", "string").text() == ""
    assert spot("null", "string").text() == "null"


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_nothing_written_is_not_text(text):
    with pytest.raises(Malformed, match=r"f.yaml:7: /a: nothing is written here \(expected a name\)"):
        spot(text, "plain").text("a name")


@pytest.mark.parametrize("value", [1, True, 1.5, [], {}, ["a"]])
def test_other_types_of_json_are_not_text(value):
    with pytest.raises(Malformed, match="wrong type"):
        spot(value).text()


@pytest.mark.parametrize(("value", "number"), [("0", 0), ("7", 7), ("999999999", 999999999)])
def test_decimal_numbers_are_integers(value, number):
    assert spot(value, "plain").integer(0) == number
    assert spot(number).integer(0) == number


@pytest.mark.parametrize(
    "value", ["", "1.0", "0x1", "01", "1e3", "1_000", "-1", "+1", "1000000000", "9" * 5000, "three", "٣", " 1"]
)
def test_other_words_are_no_integers(value):
    with pytest.raises(Malformed, match="not a whole number"):
        spot(value, "plain").integer(0)


@pytest.mark.parametrize("value", ["1", True, 1.0, [], {}, None, 10**30])
def test_other_types_of_json_are_no_integers(value):
    with pytest.raises(Malformed, match="not a whole number"):
        spot(value).integer(0)


def test_a_quoted_number_is_no_integer():
    with pytest.raises(Malformed, match="not a whole number"):
        spot("1", "string").integer(0)


def test_an_integer_has_a_lower_bound():
    with pytest.raises(Malformed, match=r"number too small \(expected at least 1, got 0\)"):
        spot("0", "plain").integer(1)


def test_lists_and_fields_point_to_their_elements():
    assert [one.where for one in spot(["x", "y"]).items()] == ["/a/0", "/a/1"]
    assert [one.where for one in spot({"x": 1, "b/c": 2}).fields().values()] == ["/a/x", "/a/b~1c"]


def test_nothing_written_is_an_empty_list_and_no_fields():
    assert spot(None).items() == ()
    assert spot(None).fields() == {}


@pytest.mark.parametrize("value", ["x", 1, {}])
def test_what_is_no_list_is_refused(value):
    with pytest.raises(Malformed, match=r"wrong type.*expected a list"):
        spot(value).items()


@pytest.mark.parametrize("value", ["x", 1, [], ""])
def test_what_is_no_mapping_is_refused(value):
    with pytest.raises(Malformed, match=r"wrong type.*expected fields"):
        spot(value).fields()


def test_an_unknown_field_is_refused_with_the_nearest_known_one_and_its_line():
    node = Fields({"treshold": Word("1", "plain", 9)}, {"treshold": 9}, 4)
    with pytest.raises(
        Malformed, match=r'f.yaml:9: /a/treshold: no field "treshold" in a step – did you mean "threshold"'
    ):
        Spot(node, "f.yaml", "/a").known({"threshold": "threshold", "name": "name"}, "a step")


def test_an_unknown_field_that_is_like_no_other_is_answered_with_all_of_them():
    with pytest.raises(Malformed, match="there are by, name"):
        spot({"colour": "red"}).known({"functionaries": "by", "by": "by", "name": "name"}, "a step")


def test_two_spellings_of_one_field_are_refused():
    with pytest.raises(Malformed, match='field "by" is written twice, under two spellings'):
        spot({"functionaries": "a", "by": "b"}).known({"functionaries": "by", "by": "by"}, "a step")


def test_long_words_are_cut_in_messages():
    with pytest.raises(Malformed) as caught:
        spot("x" * 5000, "plain").integer(0)
    assert len(str(caught.value)) < 200


def test_json_is_known_by_its_own_types():
    assert of_json("a") == Word("a", "string")
    assert of_json(1) == Word("1", "integer")
    assert of_json(True) == Word("True", "other")
    assert of_json(None) == Word("null", "plain")
    assert of_json([]) == Items(())
    assert Spot(of_json([]), "f", "").wrong("odd").pointer == "/"
