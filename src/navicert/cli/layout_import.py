"""`navicert layout import`: reads the layouts of other tools into a policy document."""

from __future__ import annotations

import os

from navicert.cli.option import add_limits, limits, read_file, write_file
from navicert.cli.terminal import complain, escape, say
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "read a layout of in-toto's attestation-verifier"
DESCRIPTION = """Read a layout that in-toto's attestation-verifier understands (YAML, ITE-10 and ITE-11) and write
the policy document that demands the same, unsigned. What comes out otherwise than there is told; what that tool reads
and never judges is refused."""
EXAMPLE = "navicert layout import layout.yml -o policy.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", metavar="FILE", help="the layout; - for standard input")
    parser.add_argument("-o", "--output", metavar="OUT", required=True, help="where to write the policy; - for stdout")
    parser.add_argument("--name", metavar="NAME", help="what the policy is called (default: after FILE)")
    parser.add_argument("--policy-version", type=int, default=1, metavar="N", help="its version (default: 1)")
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Write the policy. Raises `Malformed` for what cannot be told in it, `Refused` where OUT exists."""
    from navicert.authoring.dialect import import_layout
    from navicert.authoring.yaml import read_yaml
    from navicert.report.json import render_object

    bounds = limits(args)
    name = args.name or os.path.splitext(os.path.basename(args.file))[0].strip("-")
    if not name:
        raise Malformed("the policy needs a name", path="layout import", remedy="give it with --name NAME")
    root = read_yaml(read_file(args.file, bounds.yaml_bytes), bounds, path=args.file)
    imported = import_layout(root, name=name, version=args.policy_version, path=args.file, limits=bounds)
    for note in imported.notes:
        complain(f"note: {escape(note)}")
    write_file(args.output, render_object(imported.document).encode(), force=args.force)
    if args.output != "-":
        say(f"{escape(args.output)}: written – look through it, then: navicert layout sign {escape(args.output)}")
    return 0
