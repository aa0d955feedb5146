"""`navicert admission disarm`: lets everything through that no webhook answers for."""

from __future__ import annotations

from datetime import UTC, datetime

from navicert.cli.cluster_option import DEFAULT_NAME, add_cluster, add_configurations, cluster, existing, insisting
from navicert.cli.terminal import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "let everything through that no webhook answers for"
DESCRIPTION = """Set failurePolicy to Ignore in the webhook configurations, for an emergency. Images are still judged
where a webhook answers; --empty asks none any more. It stays so until `navicert admission rearm`. Without this program:
kubectl delete validatingwebhookconfiguration navicert"""
EXAMPLE = "navicert admission disarm --context production"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_cluster(parser)
    add_configurations(parser)
    parser.add_argument("--empty", action="store_true", help="take all webhooks out of the configurations")


def run(args: argparse.Namespace) -> int:
    """Disarm each configuration, and say so."""
    from navicert.admission.arming import disarm

    with cluster(args) as found:
        for kind, name in existing(found, args.configuration or [DEFAULT_NAME]):
            at = datetime.now(UTC)
            said = insisting(lambda kind=kind, name=name, at=at: disarm(found, kind, name, at, empty=args.empty))  # type: ignore[misc]
            say(f"{kind} {name}: {said}")
    return 0
