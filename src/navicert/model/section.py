"""The artifact lists of a link, read from its text and written to it without a step for each artifact.

A link is two long lists in a short document. Where the lists have a form that implementations write, a path with one
SHA-256 digest after the other, each is cut out of the text and split as a whole; what is left is read like any other
document. It is a second way to read what `Link.from_json` reads and to write what `Link.to_json` gives, for large
links only, and every doubt is for the first: whatever is read here is what the strict reader reads, or nothing is.

Why that is so: within a list that holds no backslash every quote begins or ends a string. All separators are replaced
by marks, which must take turns; then no quote may be left, so each part between two marks is exactly one string. That
a list is the value of the field it was taken for is seen in the rest: there a number stands in its place that stands
nowhere in the document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.artifact import Artifacts, Entry, are_sha256
from navicert.strictjson import canonical, indented, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LEAST: Final = 8 * 1024
"""Bytes of a document from which on reading so is quicker."""

_PLACES: Final = {"materials": 7396452018839206741, "products": 7396452018839206742}
"""The lists, each with the number that stands in its place. (JSON writes a whole number in one way only.)"""


@dataclass(frozen=True, slots=True)
class Form:
    """A way to write documents, and the list of a link in them: what stands between field and list, before the first
    path, between a path and its digest, between two artifacts, and after the last. `write` writes everything else;
    `escapes` says that it escapes what is not ASCII."""

    colon: str
    begin: str
    pair: str
    following: str
    end: str
    write: Callable[[object], str]
    escapes: bool = True


def _spaced(document: object) -> str:
    return json.dumps(document, sort_keys=True)


def _compact(document: object) -> str:
    return canonical(document).decode()


SPACED: Final = Form(": ", '{"', '": {"sha256": "', '"}, "', '"}}', _spaced)
"""The payload of an envelope, as Python's implementations write it."""

INDENTED: Final = Form(": ", '{\n   "', '": {\n    "sha256": "', '"\n   },\n   "', '"\n   }\n  }', indented)
"""A Metablock, as they write it: the link one level down, everything indented by one."""

CANONICAL: Final = Form(":", '{"', '":{"sha256":"', '"},"', '"}}', _compact, escapes=False)
"""Canonical JSON."""

_AFTER, _BETWEEN = b"\0", b"\1"
"""Marks that separators are replaced by: characters that stand in no JSON text."""

_VISIBLE: Final = bytes(range(0x20, 0x100))


def read_sections(text: bytes, limits: Limits = LOCAL, *, inside: str = "") -> dict[str, object] | None:
    """The JSON object in `text`, in which `materials` and `products` of the link are `Artifacts`; None where it has to
    be read as any document is. The link is the object itself, or what stands in its field `inside`."""
    if not LEAST <= len(text) <= limits.document_bytes or any(b"%d" % number in text for number in _PLACES.values()):
        return None
    found: dict[str, Artifacts] = {}
    rest = text
    for name, number in _PLACES.items():
        cut = _cut(rest, name, limits)
        if cut is not None:  # else an empty list, or one of another form: the rest tells
            artifacts, start, end = cut
            rest = b"".join((rest[:start], b"%d" % number, rest[end:]))
            found[name] = artifacts
    if not found:
        return None
    try:
        document = loads(rest, limits)
    except Malformed:
        return None
    link = document.get(inside) if inside and isinstance(document, dict) else document
    if not isinstance(link, dict) or link.get("_type") != "link" or not isinstance(document, dict):
        return None
    for name, artifacts in found.items():
        if link.get(name) != _PLACES[name]:
            return None  # it stood somewhere else
        link[name] = artifacts
    return document


def _cut(text: bytes, name: str, limits: Limits) -> tuple[Artifacts, int, int] | None:
    """The artifacts of the list `name`, and where in `text` the list begins and ends."""
    for form in (SPACED, INDENTED, CANONICAL):
        key = f'"{name}"{form.colon}'.encode()
        at = text.find(key + form.begin.encode())
        if at < 0:
            continue
        start = at + len(key) + len(form.begin)
        end = text.find(form.end.encode(), start)
        artifacts = None if end < 0 else _split(text[start:end], form, limits)
        return None if artifacts is None else (artifacts, at + len(key), end + len(form.end))
    return None


def _split(section: bytes, form: Form, limits: Limits) -> Artifacts | None:
    if _AFTER in section or _BETWEEN in section:
        return None
    marked = section.replace(form.following.encode(), _AFTER).replace(form.pair.encode(), _BETWEEN)
    if b'"' in marked or b"\\" in marked:
        return None
    # What is left of the control characters are the marks, which must take turns, and nothing else.
    marks = marked.translate(None, _VISIBLE)
    count = (len(marks) + 1) // 2
    if marks != (_BETWEEN + _AFTER) * (count - 1) + _BETWEEN or count > limits.artifacts:
        return None
    try:
        parts = marked.replace(_AFTER, _BETWEEN).decode("utf-8").split(_BETWEEN.decode())
    except UnicodeDecodeError:
        return None
    paths, digits = parts[::2], parts[1::2]
    if not are_sha256(digits):
        return None
    entries: dict[str, Entry] = dict(zip(paths, digits, strict=True))
    return Artifacts(entries, plain=True) if len(entries) == count else None  # a path that stands twice is refused


def write_sections(document: Mapping[str, object], form: Form, *, inside: str = "") -> bytes:
    """The text of `document` in `form`. Lists of the link in it may be `Artifacts`; the link is the document itself, or
    what stands in its field `inside`. Raises `Malformed` for what has no canonical form."""
    link = document[inside] if inside else document
    if not isinstance(link, Mapping):
        return form.write(document).encode()
    lists = {name: value for name in _PLACES if isinstance(value := link.get(name), Artifacts)}
    texts = {name: _joined(artifacts, form) for name, artifacts in lists.items()}
    # In the order of the alphabet, as all forms write them.
    short = {name: lists[name].to_json() if text is None else _PLACES[name] for name, text in texts.items()}
    rest = form.write({**document, inside: {**link, **short}} if inside else {**link, **short})
    pieces: list[str] = []
    for name, text in texts.items():
        if text is not None:
            before, place, after = rest.partition(str(_PLACES[name]))
            if not place or str(_PLACES[name]) in after:
                # Of all numbers just this one stands in the document: then as any document is written.
                full = {**link, **{name: artifacts.to_json() for name, artifacts in lists.items()}}
                return form.write({**document, inside: full} if inside else full).encode()
            pieces += (before, text)
            rest = after
    return "".join((*pieces, rest)).encode()


def _joined(artifacts: Artifacts, form: Form) -> str | None:
    """The text of a list; None where some path has to be escaped, or some artifact has other digests."""
    if not artifacts.plain or not artifacts:
        return None
    entries = artifacts.entries
    text = form.following.join([f"{path}{form.pair}{entries[path]}" for path in artifacts.ordered])
    if "\\" in text or text.count('"') != 6 * len(artifacts) - 2:
        return None
    paths = "".join(entries)
    if form.escapes and not (paths.isascii() and paths.isprintable()):
        return None
    try:
        paths.encode()
    except UnicodeEncodeError:
        return None  # half of a surrogate pair: refused, or escaped, by who writes it as any document
    return f"{form.begin}{text}{form.end}"
