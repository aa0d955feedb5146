"""`navicert admission manifests`: prints what is to be installed into a cluster."""

from __future__ import annotations

from navicert.cli.cluster_option import add_namespace
from navicert.cli.terminal import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "print what is to be installed into a cluster"
DESCRIPTION = """Print the objects of an installation, as YAML, for `kubectl apply -f -`: the same ones as the Helm
chart in deploy/helm/navicert makes of the same values. The namespace must exist."""
EXAMPLE = "navicert admission manifests -n navicert-system -f values.yaml"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_namespace(parser)
    parser.add_argument(
        "--values", "-f", action="append", default=[], metavar="FILE", help="settings (YAML; may be repeated)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="PATH=VALUE", help="one setting, such as replicas=2"
    )
    parser.add_argument(
        "--revision", type=int, default=1, metavar="N", help="one more at each change, as Helm counts (default: 1)"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--crds-only", action="store_true", help="only the definitions of our kinds (Helm never updates them)"
    )
    which.add_argument("--without-crds", action="store_true", help="everything else")
    parser.add_argument("--show-values", action="store_true", help="print all settings with their defaults instead")


def run(args: argparse.Namespace) -> int:
    """Read the settings, and print the objects."""
    from navicert.admission.deployment.definition import definitions
    from navicert.admission.deployment.manifest import manifests
    from navicert.admission.deployment.node import Release
    from navicert.admission.deployment.template import plain
    from navicert.admission.deployment.value import assigned, commented, merged

    if args.show_values:
        say(commented())
        return 0
    if args.crds_only:
        say(plain(definitions()))
        return 0
    layers = [_read(path) for path in args.values]
    values = merged(*layers, assigned(args.set))
    kinds = [] if args.without_crds else definitions()
    objects = manifests(values, Release(args.namespace or "navicert-system", args.revision))
    say(plain([*kinds, *objects]))
    return 0


def _read(path: str) -> dict[str, object]:
    from navicert.admission.deployment.document import read_documents
    from navicert.errors import Malformed
    from navicert.limits import LOCAL
    from navicert.model.field import as_object

    with open(path, "rb") as stream:
        raw = stream.read(LOCAL.yaml_bytes + 1)
    try:
        found = read_documents(raw)
        if len(found) > 1:
            raise Malformed("several documents in one file of settings")
        return as_object(found[0], "") if found else {}
    except Malformed as error:
        raise error.at(path) from None
