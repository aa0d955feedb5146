"""Documents of a store as a table for people and as JSON for programs. Nothing in either is verified."""

from __future__ import annotations

from navicert.cli.option import wrong
from navicert.cli.terminal import complain, escape, say
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Final

    from navicert.store.query import Found

TYPE: Final = "navicert-evidence/v1"

_MOST: Final = 1000
"""Documents that are shown unless more are asked for."""


def add_most(parser: argparse.ArgumentParser) -> None:
    """`--most N`: `args.most`."""
    parser.add_argument("--most", type=count, default=_MOST, metavar="N", help=f"show at most N (default: {_MOST})")


def count(text: str) -> int:
    """A positive number; for argparse's `type=`."""
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise wrong(f"not a positive number: {text[:40]!r}")
    return int(text)


def show(args: argparse.Namespace, found: Iterable[Found]) -> tuple[int, int]:
    """Show what was found, up to `--most`. Returns how many documents, and how many that could not be read."""
    shown: list[Found] = []
    more = False
    for one in found:
        if len(shown) == args.most:
            more = True
            break
        shown.append(one)
    if args.json:
        from navicert.report.json import render_object

        say(render_object({"type": TYPE, "documents": [as_json(one) for one in shown], "more": more}))
    else:
        for line in table([_row(one) for one in shown if one.piece.raw is not None]):
            say(line)
    for one in shown:
        if one.piece.raw is None:
            complain(f"{one.piece.origin}: cannot be read: {one.piece.problem}")
    if more:
        complain(f"there are more than {args.most}: narrow the search, or raise --most")
    unread = sum(one.piece.raw is None for one in shown)
    return len(shown) - unread, unread


def as_json(found: Found) -> dict[str, object]:
    """One document as JSON; the fields are those of docs/reference/json-output.md."""
    from navicert.digest import sha256

    piece, hint = found.piece, found.hint
    return {
        "where": piece.origin,
        "digest": None if piece.raw is None else str(sha256(piece.raw)),
        "verified": False,
        "kind": hint.kind,
        "step": piece.step_hint,
        "scope": list(piece.scope),
        "names": list(hint.names),
        "signers": list(hint.signers),
        "types": list(hint.types),
        "runs": list(hint.runs),
        "materials": len(hint.materials),
        "products": len(hint.products),
        "filed_at": None if piece.filed_at is None else format_timestamp(piece.filed_at),
        "problem": piece.problem,
    }


_HEADER: Final = ("FILED", "KIND", "STEP", "NAMES AS SIGNER", "IN", "OUT", "WHERE")


def _row(found: Found) -> tuple[str, ...]:
    piece, hint = found.piece, found.hint
    step = hint.name or piece.step_hint or "-"
    if piece.step_hint is not None and hint.name and hint.name != piece.step_hint:
        step = f"{hint.name} (filed under {piece.step_hint})"
    kind = hint.types[0] if hint.kind == "statement" and hint.types else hint.kind
    signers = ", ".join(keyid[:8] for keyid in hint.signers[:3]) or "-"
    filed = "-" if piece.filed_at is None else f"{piece.filed_at:%Y-%m-%d %H:%M}"
    return filed, kind, step, signers, str(len(hint.materials)), str(len(hint.products)), piece.origin


def table(rows: Sequence[tuple[str, ...]], header: tuple[str, ...] = _HEADER) -> Iterator[str]:
    """Lines of columns, each as wide as its widest cell, and none without rows; control characters are escaped."""
    if not rows:
        return
    cells = [header, *(tuple(escape(cell) for cell in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header) - 1)]
    for row in cells:
        lead = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        yield f"{lead}  {row[-1]}"
