"""One line of text for people: what came from outside is escaped, and long text is cut.

Every string of a document passes through `escape` before it stands in a report.
"""

from __future__ import annotations

import re
from typing import Final

# C0, DEL, C1; line and paragraph separators; soft hyphen, zero-width and bidirectional controls, byte order mark,
# invisible operators, interlinear marks, tags (invisible ASCII), lone surrogates, private use and variation selectors.
_UNSAFE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ud800-\udfff\ue000-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U000e0000-\U000e0fff"
    "\U000f0000-\U0010ffff]"
)
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
    return _UNSAFE.sub(_escaped, text)


def cut(text: str, length: int) -> str:
    """`text` in at most `length` characters, its middle left out where it is longer."""
    if len(text) <= length or length < 5:
        return text
    head = (length - 1) * 2 // 3
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"
