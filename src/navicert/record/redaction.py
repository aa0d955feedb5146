"""Secrets kept out of evidence: a link is signed, kept and shown around for years.

Removed are the values of environment variables whose names say that they are secret, text of the shapes that
well-known services give to their tokens, and whatever patterns the caller adds. It is a net, not a proof: a secret
under an innocent name and of no known shape passes through.
"""

from __future__ import annotations

from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Final

REDACTED: Final = "[redacted]"

MARGIN: Final = 64 * 1024
"""Bytes to look at beyond what is kept, so that a secret that is cut in two at the limit is still recognised."""

_SHORTEST: Final = 6
"""Values with fewer characters are left: `true` or `1` under a secret name would blot out half of the output."""

_KEYS: Final = "API ACCESS PRIVATE SECRET SIGNING ENCRYPTION ACCOUNT DEPLOY LICENSE MASTER SSH".split()
_WORDS: Final = (
    *"TOKEN SECRET PASSWORD PASSWD PASSPHRASE PASS PWD PAT CREDENTIAL CREDENTIALS AUTH BEARER".split(),
    *(f"{kind}{between}KEY" for kind in _KEYS for between in ("", "_")),
)
_LAST_WORDS: Final = tuple(f"_{word}" for word in _WORDS)
_FORMS: Final = "KEY VALUE BASE64 B64 TOKEN PEM HEX JSON".split()
"""What a name may say after the word: of what form the secret is."""
_SECRET: Final = frozenset({"PGPASSWORD", "SSHPASS"})
_NOT_SECRET: Final = frozenset({"PWD", "OLDPWD"})

# None of them takes more than a glance at each character, however hostile the text: every run of characters is entered
# once, at its beginning.
_START: Final = r"(?<![A-Za-z0-9_-])"
# Each with what it looks for, one of which is in all that it matches: so most of them are never compiled.
_SHAPES: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (
        ("PRIVATE KEY",),
        r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    ),
    (
        ("gh", "github_pat_"),
        _START + r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})",
    ),
    (
        ("gl",),
        _START + r"(?:glpat|gldt|glrt|glcbt|glptt|glsoat|glagent|glimt|glft)-[A-Za-z0-9_.-]{20,255}",
    ),
    (("AKIA", "ASIA"), _START + r"(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    (("xox",), _START + r"xox[abeoprs]-[A-Za-z0-9-]{10,255}"),
    (("AIza",), _START + r"AIza[A-Za-z0-9_-]{35}"),
    (("ya29.",), _START + r"ya29\.[A-Za-z0-9_-]{20,2048}"),
    (("npm_",), _START + r"npm_[A-Za-z0-9]{36}\b"),
    (("pypi-",), _START + r"pypi-[A-Za-z0-9_-]{50,2048}"),
    (("dckr_",), _START + r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,255}"),
    (("hvs.", "hvb.", "hvr."), _START + r"hv[sbr]\.[A-Za-z0-9_-]{24,2048}"),
    (("sk-", "sk_"), _START + r"sk[-_][A-Za-z0-9_-]{20,255}"),
    (("eyJ",), _START + r"eyJ[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,4096}\.[A-Za-z0-9_-]{10,4096}"),
)
# Here only the first group is the secret. What they look for is in lower case: they match in any.
_WITHIN: Final[tuple[tuple[str, str], ...]] = (
    (
        "author",
        r"(?i:\bauthorization[\"']?\s{0,8}[:=]\s{0,8}[\"']?(?:bearer|basic|token)\s{1,8})([A-Za-z0-9._~+/=-]{8,4096})",
    ),
    ("bearer", r"(?i:\bbearer\s{1,8})([A-Za-z0-9._~+/=-]{20,4096})"),
    ("://", r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/@:]{0,256}:([^\s/@]{1,256})@"),
)


class Redaction:
    """Replaces secrets in text: `Redaction(environ, patterns)(text)`. `count` says how many it has replaced."""

    __slots__ = ("_known", "_literal", "_patterns", "count")

    def __init__(
        self, environ: Mapping[str, str] | None = None, patterns: Sequence[str] = (), *, known: bool = True
    ) -> None:
        """`known`: whether values of the environment and known shapes are replaced, or only `patterns`."""
        values = {
            part
            for name, value in (environ if environ and known else {}).items()
            if _is_secret(name)
            for part in (value, *value.splitlines())
            if len(part.strip()) >= _SHORTEST
        }
        # The longest first: one secret may be the beginning of another.
        self._literal = list(_literally(sorted(values, key=lambda value: (-len(value), value))))
        self._patterns = list(_compiled(patterns))
        self._known = known
        self.count = 0

    def __call__(self, text: str) -> str:
        """`text` with every secret replaced by `REDACTED`."""
        for pattern in self._literal:
            text = pattern.sub(self._replace, text)
        for signs, shape in _SHAPES if self._known else ():
            if any(sign in text for sign in signs):
                text = _replaced(shape, self._replace, text)
        for pattern in self._patterns:
            text = pattern.sub(self._replace, text)
        for sign, shape in _WITHIN if self._known else ():
            if sign in text.lower():
                text = _replaced(shape, self._replace_group, text)
        return text

    def _replace(self, match: re.Match[str]) -> str:
        if not match[0]:
            return ""
        self.count += 1
        return REDACTED

    def _replace_group(self, match: re.Match[str]) -> str:
        if match[1] == REDACTED:
            return match[0]
        self.count += 1
        start, end = match.span(1)
        return f"{match.string[match.start() : start]}{REDACTED}{match.string[end : match.end()]}"


def _is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret: its last word says so, but for one that says in which form."""
    if name in _NOT_SECRET:
        return False
    name = name.upper()
    ends = [name]
    if name[-1:].isdecimal():
        ends.append(name.rstrip("0123456789").removesuffix("_"))
    ends += [name.removesuffix(form).removesuffix("_") for form in _FORMS if name.endswith(form)]
    return name in _SECRET or any(end in _WORDS or end.endswith(_LAST_WORDS) for end in ends)


# Where there is nothing to look for, `re` is not loaded: that takes as long as a third of an interpreter.


def _replaced(shape: str, by: Callable[[re.Match[str]], str], text: str) -> str:
    import re

    return re.sub(shape, by, text)


def _literally(values: Sequence[str]) -> Iterable[re.Pattern[str]]:
    """One pattern that finds each of `values`, if there are any."""
    if values:
        import re

        yield re.compile("|".join(map(re.escape, values)))


def _compiled(patterns: Sequence[str]) -> Iterable[re.Pattern[str]]:
    for pattern in patterns:
        import re

        try:
            yield re.compile(pattern)
        except re.error as error:
            raise Malformed(f"not a regular expression: {error}", path="--redact", got=repr(pattern[:80])) from error
