"""`navicert admission keep`: renews certificates and keeps configurations as they should be."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from navicert.cli.cluster_option import add_cluster, cluster, insisting
from navicert.cli.terminal import complain, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "renew certificates and configurations (run by a CronJob)"
DESCRIPTION = """Do what is left to do: make or renew the authority and the certificate of the webhook, keep both
authorities in the bundle while both are in use, put the webhook configurations in force once a replica is ready, and
bring them back to what they should be. One that was disarmed stays so. Several may run at once."""
EXAMPLE = "navicert admission keep -n navicert-system --configurations wanted.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_cluster(parser)
    parser.add_argument("--configurations", required=True, metavar="FILE", help="how they should be (of the chart)")
    parser.add_argument("--service", default="navicert-webhook", metavar="NAME", help="(default: navicert-webhook)")
    parser.add_argument(
        "--certificates",
        choices=["navicert", "cert-manager"],
        default="navicert",
        metavar="WHOSE",
        help="who makes them: navicert (default) or cert-manager",
    )
    parser.add_argument(
        "--wait", type=float, default=0.0, metavar="SECONDS", help="for a replica that is ready (default: 0)"
    )


def run(args: argparse.Namespace) -> int:
    """One round, or several until all is in force; exit code 1 where that is not in time, with --wait."""
    from navicert.admission.arming import read_wanted
    from navicert.admission.keeping import Installation, keep_round

    with open(args.configurations, "rb") as stream:
        wanted = read_wanted(stream.read(), path=args.configurations)
    with cluster(args) as found:
        namespace = args.namespace or found.namespace
        installation = Installation(namespace, args.service, args.certificates == "navicert", wanted)
        until = time.monotonic() + args.wait
        told: set[str] = set()
        while True:
            done = insisting(lambda: keep_round(found, installation, datetime.now(UTC)))
            for line in done.done:
                if line not in told:
                    say(line)
                told.add(line)
            if not done.waiting or time.monotonic() >= until:
                break
            time.sleep(2)
    if done.waiting and args.wait:
        complain(f"no replica became ready in {args.wait:g} s: not everything is in force")
        return 1
    return 0
