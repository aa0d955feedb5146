"""`navicert trust show`: whom a trust root of Sigstore names, and for which time."""

from __future__ import annotations

from navicert.cli.option import add_json
from navicert.cli.terminal import escape, say
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.crypto.certification import Window
    from navicert.crypto.trusted_root import TrustedRoot

HELP = "print whom a trust root names, and until when"
DESCRIPTION = """Print the logs and authorities that a trust root of Sigstore names, each with the time for which it is
believed. Without --trusted-root: the public one, as it shipped."""
EXAMPLE = "navicert trust show --trusted-root ours.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--trusted-root", metavar="F", help="trust root in JSON (default: the public one)")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Show the root."""
    from navicert.trust.sigstore import PUBLIC_GOOD, PUBLIC_GOOD_TAKEN, open_trusted_root

    root = open_trusted_root(args.trusted_root)
    name = args.trusted_root or f"{PUBLIC_GOOD}, shipped, of {PUBLIC_GOOD_TAKEN}"
    if args.json:
        from navicert.report.json import render_object

        others = {"others": [_json(one) for one in root.others]} if root.others else {}
        say(render_object({"type": "navicert-trusted-root/v1", "name": name, **_json(root), **others}))
        return 0
    say(f"{escape(name)}\n  digest  {root.digest}")
    for number, one in enumerate(root.each, 1):
        if root.others:
            say(f"\nroot {number} of {len(root.each)}, each enough by itself")
        _print(one)
    return 0


def _print(root: TrustedRoot) -> None:
    for title, members in _members(root).items():
        say(f"\n{title}")
        for member, window in members:
            say(f"  {escape(member)}\n    {_until(window)}")
        if not members:
            say("  none, so none is asked for" if not _wanted(root, title) else "  none that is supported")
    for problem in root.unsupported:
        say(f"\nnot supported: {escape(problem)}")


def _members(root: TrustedRoot) -> dict[str, list[tuple[str, Window]]]:
    return {
        "certificate authorities": [(one.name, one.window) for one in root.authorities],
        "logs of certificates": [(one.name, one.window) for one in root.ctlogs],
        "logs of signatures": [(one.name, one.window) for one in root.logs],
        "timestamp authorities": [(one.name, one.window) for one in root.timestamp_authorities],
    }


def _wanted(root: TrustedRoot, title: str) -> bool:
    return {"logs of certificates": root.wants_ctlog, "logs of signatures": root.wants_log}.get(title, False)


def _until(window: Window) -> str:
    end = "" if window.end is None else f" until {format_timestamp(window.end)}"
    return f"from {format_timestamp(window.start)}{end}"


def _json(root: TrustedRoot) -> dict[str, object]:
    def dated(window: Window) -> dict[str, object]:
        end = None if window.end is None else format_timestamp(window.end)
        return {"from": format_timestamp(window.start), "until": end}

    return {
        "digest": str(root.digest),
        "certificateAuthorities": [
            {"name": one.name, "certificates": [c.fingerprint for c in one.chain], **dated(one.window)}
            for one in root.authorities
        ],
        "ctlogs": [{"name": one.name, "id": one.id.hex(), **dated(one.window)} for one in root.ctlogs],
        "logs": [{"name": one.name, "id": one.id.hex(), **dated(one.window)} for one in root.logs],
        "timestampAuthorities": [
            {"name": one.name, "certificates": [c.fingerprint for c in one.chain], **dated(one.window)}
            for one in root.timestamp_authorities
        ],
        "unsupported": list(root.unsupported),
    }
