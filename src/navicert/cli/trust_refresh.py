"""`navicert trust refresh`: the trust root of an instance of Sigstore, fetched by TUF into a file."""

from __future__ import annotations

from navicert.cli import option
from navicert.cli.terminal import complain, escape
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "fetch the trust root of an instance by TUF"
DESCRIPTION = """Fetch the trust root that an instance of Sigstore names today, proved by TUF, into a file. Nothing uses
that file until you name it with --trusted-root. Needs a network, and pip install 'navicert[sigstore]'."""
EXAMPLE = "navicert trust refresh -o sigstore.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("-o", "--output", metavar="F", required=True, help="file to write; - for standard output")
    add("--url", metavar="URL", help="TUF repository of another instance (default: the public one)")
    add("--tuf-root", metavar="F", help="the root of that repository, from where you trust it")
    add("--force", action="store_true", help="replace F if it exists")


def run(args: argparse.Namespace) -> int:
    """Fetch, and write what was proved."""
    from navicert.trust.refresh import PUBLIC_GOOD_URL, fetch_trusted_root

    if args.tuf_root is not None and args.url is None:
        raise Malformed(
            "the public repository needs no root", path="--tuf-root", remedy="name the repository with --url"
        )
    raw = fetch_trusted_root(args.url or PUBLIC_GOOD_URL, tuf_root=args.tuf_root)
    option.write_file(args.output, raw, force=args.force)
    if args.output != "-":
        complain(f"written: {escape(args.output)}; name it with --trusted-root")
    return 0
