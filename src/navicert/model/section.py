"""The artifact lists of a link, read from its text and written to it without a step for each artifact.

A link is two long lists in a short document. Where the lists have a form that implementations write, a path with one
SHA-256 digest after the other, each is cut out of the text and split as a whole; what is left is read like any other
document. It is a second way to read what `Link.from_json` reads and to write what `Link.to_json` gives, for large
links only, and every doubt is for the first: whatever is read here is what the strict reader reads, or nothing is.

Why that is so: within a list that holds no backslash every quote begins or ends a string. All separators are replaced
by marks, which must take turns; then no quote may be left, so each part between two marks is exactly one string. That
a list is the value of the field it was taken for is seen in the rest: there a number stands in its place that stands
nowhere else in it.
"""

from __future__ import annotations

from navicert.dataclass import dataclass
from navicert.errors import Malformed
from navicert.interface import Callable, Iterator, Mapping
from navicert.jsontext import writer
from navicert.limits import LOCAL, Limits
from navicert.model.artifact import Artifacts
from navicert.model.passage import Passage, Pool
from navicert.strictjson import canonical, indented, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

LEAST: Final = 8 * 1024
"""Bytes of a document from which on reading so is quicker."""

_PLACES: Final = {"materials": 7396452018839206741, "products": 7396452018839206742}
"""The lists, each with the number that stands in its place. (JSON writes a whole number in one way only.)"""

_NEXT: Final = {"materials": b'"products":', "products": b""}
"""What stands behind each list, in a document whose fields are sorted."""


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
    compact: Form | None = None
    """The form in which it is signed what is written in this one, if that is another."""

    def compacted(self, text: bytes) -> bytes:
        """The text of a list, from the first path to the last digest, in the form in which it is signed."""
        if self.compact is None:
            return text
        text = text.replace(self.pair.encode(), self.compact.pair.encode())
        return text.replace(self.following.encode(), self.compact.following.encode())


_spaced: Final = writer()


def _compact(document: object) -> str:
    return canonical(document).decode()


CANONICAL: Final = Form(":", '{"', '":{"sha256":"', '"},"', '"}}', _compact, escapes=False)
"""Canonical JSON."""

SPACED: Final = Form(": ", '{"', '": {"sha256": "', '"}, "', '"}}', _spaced)
"""The payload of an envelope, as Python's implementations write it."""

INDENTED: Final = Form(
    ": ", '{\n   "', '": {\n    "sha256": "', '"\n   },\n   "', '"\n   }\n  }', indented, compact=CANONICAL
)
"""A Metablock, as they write it: the link one level down, everything indented by one."""

_UNESCAPED: Final = bytes(range(0x20, 0x7F))
"""What no form escapes, but for the quote and the backslash."""


def read_sections(
    text: bytes, limits: Limits = LOCAL, *, inside: str = "", pool: Pool | None = None
) -> dict[str, object] | None:
    """The JSON object in `text`, in which `materials` and `products` of the link are `Artifacts`; None where it has to
    be read as any document is. The link is the object itself, or what stands in its field `inside`. Lists that `pool`
    knows are not read again."""
    if not LEAST <= len(text) <= limits.document_bytes:
        return None
    pool = Pool() if pool is None else pool
    found: dict[str, Artifacts] = {}
    pieces: list[bytes] = []
    at = 0
    for name, number in _PLACES.items():
        cut = _cut(text, name, at, pool, limits)
        if cut is not None:  # else an empty list, or one of another form: the rest tells
            passage, start, end = cut
            pieces += (text[at:start], b"%d" % number)
            at = end
            found[name] = passage.artifacts
    rest = b"".join((*pieces, text[at:]))
    if not found or any(rest.count(b"%d" % _PLACES[name]) != 1 for name in found):
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


def _cut(text: bytes, name: str, at: int, pool: Pool, limits: Limits) -> tuple[Passage, int, int] | None:
    """The list `name` in what of `text` begins `at`, and where in `text` the list begins and ends."""
    key = f'"{name}":'.encode()
    at = text.find(key, at)
    for form in (SPACED, INDENTED, CANONICAL) if at >= 0 else ():
        opening = (form.colon[1:] + form.begin).encode()
        if not text.startswith(opening, at + len(key)):
            continue
        start = at + len(key) + len(opening)
        passage = pool.find(text, start, form)
        if passage is None:
            # What is read up to a false end is no list.
            passages = (pool.read(text[start:end], form, limits) for end in _ends(text, start, form, name))
            passage = next(filter(None, passages), None)
        if passage is None or len(passage.artifacts) > limits.artifacts:
            return None
        return passage, start - len(form.begin), start + len(passage.text) + len(form.end)
    return None


def _ends(text: bytes, start: int, form: Form, name: str) -> Iterator[int]:
    """Where the list `name` that begins at `start` may end: before what implementations write behind it, which is found
    without a look at all of it; else as soon as possible."""
    mark = form.end.encode()
    behind = text.find(_NEXT[name], start) if _NEXT[name] else -1
    last = text.rfind(mark, start, len(text) if behind < 0 else behind)
    if last >= 0:
        yield last
    first = text.find(mark, start)
    if first not in (-1, last):
        yield first


def write_sections(document: Mapping[str, object], form: Form, *, inside: str = "", pool: Pool | None = None) -> bytes:
    """The text of `document` in `form`. Lists of the link in it may be `Artifacts`; the link is the document itself, or
    what stands in its field `inside`. Lists whose canonical text `pool` knows are not written again. Raises `Malformed`
    for what has no canonical form."""
    link = document[inside] if inside else document
    if not isinstance(link, Mapping):
        return form.write(document).encode()
    lists = {name: value for name in _PLACES if isinstance(value := link.get(name), Artifacts)}
    texts: dict[str, bytes | None] = {}
    for name, artifacts in lists.items():
        # A step that changes nothing has one list twice. (Whoever verifies it has it in the pool.)
        twin = next((other for other in texts if pool is None and lists[other] == artifacts), None)
        texts[name] = _joined(artifacts, form, pool) if twin is None else texts[twin]
    # In the order of the alphabet, as all forms write them.
    short = {name: lists[name].to_json() if text is None else _PLACES[name] for name, text in texts.items()}
    rest = form.write({**document, inside: {**link, **short}} if inside else {**link, **short}).encode()
    pieces: list[bytes] = []
    for name, text in texts.items():
        if text is not None:
            before, place, after = rest.partition(b"%d" % _PLACES[name])
            if not place or b"%d" % _PLACES[name] in after:
                # Of all numbers just this one stands in the document: then as any document is written.
                full = {**link, **{name: artifacts.to_json() for name, artifacts in lists.items()}}
                return form.write({**document, inside: full} if inside else full).encode()
            pieces += (before, form.begin.encode(), text, form.end.encode())
            rest = after
    return b"".join((*pieces, rest))


def _joined(artifacts: Artifacts, form: Form, pool: Pool | None) -> bytes | None:
    """The text of a list from the first path to the last digest; None where some path has to be escaped, or some
    artifact has other digests."""
    known = pool.canonical(artifacts) if pool is not None and form is CANONICAL else None
    if known is not None:
        return known
    if not artifacts.plain or not artifacts:
        return None
    paths = "".join(artifacts.entries)
    if '"' in paths or "\\" in paths:
        return None
    try:
        raw = paths.encode()
    except UnicodeEncodeError:
        return None  # half of a surrogate pair: refused, or escaped, by who writes it as any document
    if form.escapes and raw.translate(None, _UNESCAPED):
        return None
    entries, ordered = artifacts.entries, artifacts.ordered
    in_order = list(entries) == ordered  # as whoever records has made them
    count = len(ordered)
    # Path, what stands between, digest, what stands between: joined all at once, without a text for each artifact.
    pieces: list[str] = [form.following] * (4 * count)
    pieces[0::4] = ordered
    pieces[1::4] = [form.pair] * count
    pieces[2::4] = entries.values() if in_order else map(entries.get, ordered)  # type: ignore[assignment,arg-type]  # text
    pieces.pop()
    return "".join(pieces).encode()
