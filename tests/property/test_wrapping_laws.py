"""Lines are wrapped as `textwrap` wraps them, which is loaded for odd ones only."""

from __future__ import annotations

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from navicert.report.line import wrap

words = st.text(alphabet="ab:µ-…\u202e", max_size=9) | st.sampled_from(["", "", "x" * 30, "a-b-c", "…"])
texts = st.lists(words, max_size=14).map(" ".join) | st.text(alphabet="a \n\t\u00a0", max_size=40)


@given(texts, st.integers(8, 40), st.integers(0, 6), st.integers(1, 4), st.booleans())
def test_lines_are_those_of_textwrap(text: str, width: int, hang: int, most: int, cut_words: bool) -> None:
    expected = textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * hang,
        break_on_hyphens=False,
        break_long_words=cut_words,
        max_lines=most,
        placeholder=" …",
    )
    assert wrap(text, width, hang, most, cut_words=cut_words) == expected
