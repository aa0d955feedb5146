"""One line of text for people: what came from outside is escaped, and long text is cut.

Every string of a document passes through `escape` before it stands in a report.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from typing import Final

# C0, DEL, C1; line and paragraph separators; soft hyphen, zero-width and bidirectional controls, byte order mark,
# invisible operators, interlinear marks, tags (invisible ASCII), lone surrogates, private use and variation selectors.
_UNSAFE: Final = (
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff"
    "\U000f0000-\U0010ffff]"
)
_LEFT_OUT: Final = " …"
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character in _SHORT:
        return _SHORT[character]
    code = ord(character)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape(text: str) -> str:
    """`text` on one line with nothing left that a terminal obeys or a reader cannot see (as `\\x1b`, `\\u202e`)."""
    if text.isascii() and text.isprintable():
        return text
    import re

    return re.sub(_UNSAFE, _escaped, text)


def cut(text: str, length: int) -> str:
    """`text` in at most `length` characters, its middle left out where it is longer."""
    if len(text) <= length or length < 5:
        return text
    head = (length - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"


def _filled(words: list[str], width: int, hang: int, most: int) -> list[str] | None:
    """`wrap` where no word is longer than a line, of what stood between single spaces. None where one is, or nothing
    fits before the `…`."""
    lines: list[str] = []
    start, count = 0, len(words)
    while True:
        while start < count and not words[start]:
            start += 1
        if start == count:
            return lines
        room = width - hang if lines else width
        end, length = start, -1
        while end < count and length + 1 + len(words[end]) <= room:
            length += 1 + len(words[end])
            end += 1
        if end == start:
            return None
        rest = end
        if len(lines) + 1 >= most and any(words[end:]):
            while end > start and (not words[end - 1] or length + len(_LEFT_OUT) > room):
                end -= 1
                length -= 1 + len(words[end])
            if end == start:
                return None
            words = [*words[:end], _LEFT_OUT.strip()]
            rest = end = end + 1
            count = len(words)
        lines.append(" " * (hang if lines else 0) + " ".join(words[start:end]).rstrip(" "))
        start = rest


def wrap(text: str, width: int, hang: int, most: int, *, cut_words: bool) -> list[str]:
    """`text` in at most `most` lines of `width` characters, the later ones indented by `hang`; what is left out shows
    as `…`. Words that are longer than a line are cut in two only with `cut_words`."""
    if text.isprintable() and text[:1] != " ":
        # What wraps any text takes longer to load than to report a chain.
        lines = _filled(text.split(" "), width, hang, most)
        if lines is not None:
            return lines
    import textwrap

    return textwrap.wrap(
        text,
        width,
        subsequent_indent=" " * hang,
        break_on_hyphens=False,
        break_long_words=cut_words,
        max_lines=most,
        placeholder=_LEFT_OUT,
    )
