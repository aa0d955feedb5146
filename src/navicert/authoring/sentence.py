"""Rules and commands as one line of text, the way people write them.

A rule is its words with spaces between them; a word with a space in it stands in quotes, single or double. Nothing
escapes: a backslash is a backslash, as in the patterns themselves. A command line is split as a shell splits it, and
nothing else that a shell does is done.
"""

from __future__ import annotations

import re
from typing import Final

from navicert.errors import Malformed
from navicert.model.rule import Rule

_WORD: Final = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^\s"'][^\s]*))(?=\s|\Z)""")
_BARE: Final = re.compile(r"""[^\s"'][^\s]*""")


def parse_rule(text: str, where: str = "") -> Rule:
    """The rule that `text` spells, such as `MATCH src/* WITH PRODUCTS FROM checkout`. Raises `Malformed`."""
    words: list[str] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _WORD.match(text, position)
        if match is None:
            raise Malformed(
                "a quotation in this rule does not end, or goes on behind its end",
                pointer=where,
                got=repr(text[position:][:60]),
                remedy="write a word with spaces in it as a whole in quotes, or the rule as a list of words",
            )
        words.append(next(group for group in match.groups() if group is not None))
        position = match.end()
    if len(words) == 1:
        # The commonest cause: YAML takes what follows ` #` for a comment.
        raise Malformed(
            "a rule of one word",
            pointer=where,
            got=repr(text[:60]),
            remedy='a rule is a keyword and a pattern, such as "ALLOW docs/*"; quote the rule if its pattern has a #',
        )
    return Rule.parse(words, where)


def rule_text(rule: Rule) -> str:
    """`rule` as one line that `parse_rule` reads back; where no such line exists, as a JSON array of its words."""
    words = rule.pack()
    texts = [_quoted(word) for word in words]
    if None in texts:
        import json

        return json.dumps(words, ensure_ascii=False)
    return " ".join(text for text in texts if text is not None)


def parse_command(text: str, where: str = "") -> tuple[str, ...]:
    """The words of the command line `text`. Raises `Malformed` where a quotation does not end."""
    import shlex

    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise Malformed(
            "a quotation in this command does not end",
            pointer=where,
            got=repr(text[:60]),
            remedy="end it, or write the command as a list of words",
        ) from error


def _quoted(word: str) -> str | None:
    if _BARE.fullmatch(word):
        return word
    return f'"{word}"' if '"' not in word else f"'{word}'" if "'" not in word else None
