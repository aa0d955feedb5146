"""One line of text: nothing in it moves a terminal or hides from a reader."""

from __future__ import annotations

import textwrap
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from navicert.report.line import cut, escape, wrap


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0)])
def test_every_control_character_is_escaped(code: int) -> None:
    assert chr(code) not in escape(f"a{chr(code)}b")


@pytest.mark.parametrize(
    "character",
    [
        "\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069",  # bidirectional
        "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\ufeff", "\u00ad", "\u061c",  # invisible
        "\u2028", "\u2029",  # line ends
        "\u3164", "\u115f", "\uffa0",  # letters without ink
        "\ufe0f", "\U000e0041", "\U000e0100",  # selectors and tags
        "\ue000", "\U00100000",  # no characters at all
    ],
)  # fmt: skip
def test_what_is_invisible_or_reorders_text_is_escaped(character: str) -> None:
    shown = escape(f"a{character}b")
    assert character not in shown
    assert int(shown[3:-1], 16) == ord(character)


def test_bytes_of_a_file_name_that_are_no_text_are_escaped() -> None:
    assert escape("a\udcff\ud800b") == "a\\udcff\\ud800b"


def test_common_control_characters_have_short_names() -> None:
    assert escape("a\nb\rc\td\x1be\x9bf") == "a\\nb\\rc\\td\\x1be\\x9bf"


@pytest.mark.parametrize("text", ["src/main.py", "naïve café", "日本語", "Ελλάδα", "a – b … c", "emoji 🚢"])
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert escape(text) == text


@given(st.text())
def test_whatever_comes_in_one_printable_line_comes_out(text: str) -> None:
    shown = escape(text)
    assert "\n" not in shown
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cs", "Co", "Zl", "Zp")]
    assert escape(shown) == shown


@given(st.text(max_size=60), st.integers(5, 40))
def test_a_cut_text_fits_and_keeps_its_ends(text: str, length: int) -> None:
    short = cut(text, length)
    assert len(short) <= max(length, 0)
    if len(text) > length:
        head, _, tail = short.partition("…") if "…" not in text else (short, "", "")
        assert text.startswith(head) or "…" in text
        assert text.endswith(tail)
    else:
        assert short == text


_words = st.text(st.sampled_from("ab:ä-…\u202e"), max_size=9) | st.sampled_from(["", "", "x" * 30, "a-b-c", "…"])


@settings(max_examples=500)
@example("aaaa bbbb cccc", 9, 0, 1, True)  # no room for what says that something is left out, but in place of a word
@example("aaaa  bbbb cccc", 10, 2, 2, False)
@example("aaaa bbbbbbbbbbbbb", 9, 2, 10**9, False)  # a word that no line has room for
@given(
    st.text(st.sampled_from(" ab-\t\nä\u00a0\u3000…"), max_size=40) | st.lists(_words, max_size=14).map(" ".join),
    st.integers(6, 40),
    st.integers(0, 5),
    st.integers(1, 4) | st.just(10**9),
    st.booleans(),
)
def test_text_is_wrapped_as_by_textwrap_which_is_loaded_for_odd_text_only(
    text: str, width: int, hang: int, most: int, cut_words: bool
) -> None:
    assert wrap(text, width, hang, most, cut_words=cut_words) == textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * hang,
        break_on_hyphens=False,
        break_long_words=cut_words,
        max_lines=most,
        placeholder=" …",
    )
