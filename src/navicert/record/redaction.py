"""Secrets kept out of evidence: a link is signed, kept and shown around for years.

Removed are the values of environment variables whose names say that they are secret, text of the shapes that
well-known services give to their tokens, and whatever patterns the caller adds. It is a net, not a proof: a secret
under an innocent name and of no known shape passes through.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from navicert.errors import Malformed

REDACTED: Final = "[redacted]"

MARGIN: Final = 64 * 1024
"""Bytes to look at beyond what is kept, so that a secret that is cut in two at the limit is still recognised."""

_SHORTEST: Final = 6
"""Values with fewer characters are left: `true` or `1` under a secret name would blot out half of the output."""

_SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|PASS|PWD|PAT|CREDENTIALS?|AUTH|BEARER|"
    r"(?:API|ACCESS|PRIVATE|SECRET|SIGNING|ENCRYPTION|ACCOUNT|DEPLOY|LICENSE|MASTER|SSH)_?KEY|APIKEY)"
    r"(?:_?(?:[0-9]+|KEY|VALUE|BASE64|B64|TOKEN|PEM|HEX|JSON))?$"
    r"|^(?:PGPASSWORD|MYSQL_PWD|RESTIC_PASSWORD|SSHPASS)$",
    re.IGNORECASE,
)
_NOT_SECRET: Final = frozenset({"PWD", "OLDPWD"})

# None of them takes more than a glance at each character, however hostile the text: every run of characters is entered
# once, at its beginning.
_START: Final = r"(?<![A-Za-z0-9_-])"
_SHAPES: Final = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
    _START + r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})",
    _START + r"(?:glpat|gldt|glrt|glcbt|glptt|glsoat|glagent|glimt|glft)-[A-Za-z0-9_.-]{20,255}",
    _START + r"(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    _START + r"xox[abeoprs]-[A-Za-z0-9-]{10,255}",
    _START + r"AIza[A-Za-z0-9_-]{35}",
    _START + r"ya29\.[A-Za-z0-9_-]{20,2048}",
    _START + r"npm_[A-Za-z0-9]{36}\b",
    _START + r"pypi-[A-Za-z0-9_-]{50,2048}",
    _START + r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,255}",
    _START + r"hv[sbr]\.[A-Za-z0-9_-]{24,2048}",
    _START + r"sk[-_][A-Za-z0-9_-]{20,255}",
    _START + r"eyJ[A-Za-z0-9_-]{10,4096}\.eyJ[A-Za-z0-9_-]{10,4096}\.[A-Za-z0-9_-]{10,4096}",
)
# Here only the first group is the secret.
_WITHIN: Final = (
    r"(?i:\bauthorization[\"']?\s{0,8}[:=]\s{0,8}[\"']?(?:bearer|basic|token)\s{1,8})([A-Za-z0-9._~+/=-]{8,4096})",
    r"(?i:\bbearer\s{1,8})([A-Za-z0-9._~+/=-]{20,4096})",
    r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/@:]{0,256}:([^\s/@]{1,256})@",
)


class Redaction:
    """Replaces secrets in text: `Redaction(environ, patterns)(text)`. `count` says how many it has replaced."""

    __slots__ = ("_whole", "_within", "count")

    def __init__(
        self, environ: Mapping[str, str] | None = None, patterns: Sequence[str] = (), *, known: bool = True
    ) -> None:
        """`known`: whether values of the environment and known shapes are replaced, or only `patterns`."""
        values = {
            part
            for name, value in (environ if environ and known else {}).items()
            if _SECRET_NAME.search(name) and name not in _NOT_SECRET
            for part in (value, *value.splitlines())
            if len(part.strip()) >= _SHORTEST
        }
        # The longest first: one secret may be the beginning of another.
        literal = [re.escape(value) for value in sorted(values, key=lambda value: (-len(value), value))]
        shapes, within = (_SHAPES, _WITHIN) if known else ((), ())
        self._whole = [re.compile(text) for text in (*_joined(literal), *shapes)] + list(_compiled(patterns))
        self._within = [re.compile(text) for text in within]
        self.count = 0

    def __call__(self, text: str) -> str:
        """`text` with every secret replaced by `REDACTED`."""
        for pattern in self._whole:
            text = pattern.sub(self._replace, text)
        for pattern in self._within:
            text = pattern.sub(self._replace_group, text)
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


def _joined(literal: list[str]) -> Iterable[str]:
    return ["|".join(literal)] if literal else []


def _compiled(patterns: Sequence[str]) -> Iterable[re.Pattern[str]]:
    for pattern in patterns:
        try:
            yield re.compile(pattern)
        except re.error as error:
            raise Malformed(f"not a regular expression: {error}", path="--redact", got=repr(pattern[:80])) from error
