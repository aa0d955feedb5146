"""`navicert admission rearm`: puts the webhook configurations in force again."""

from __future__ import annotations

import time

from navicert.cli.cluster_option import DEFAULT_NAME, add_cluster, add_configurations, cluster, existing, insisting
from navicert.cli.terminal import complain, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.admission.arming import Wanted
    from navicert.admission.cluster import Cluster

HELP = "put the webhook configurations in force again"
DESCRIPTION = """Fill in the webhooks, their caBundle and their failurePolicy, once a replica is ready to answer. Of a
configuration that is not the chart's, give it back the policies that `disarm` took, and fill in the caBundle."""
EXAMPLE = "navicert admission rearm -n navicert-system --configuration in-toto-verifier"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_cluster(parser)
    add_configurations(parser)
    parser.add_argument(
        "--wait", type=float, default=60.0, metavar="SECONDS", help="for a replica that is ready (default: 60)"
    )


def run(args: argparse.Namespace) -> int:
    """Wait, arm each configuration, and say so; exit code 1 where no replica is ready in time."""
    from navicert.admission.arming import arm
    from navicert.admission.keeping import current_bundle, is_ready

    with cluster(args) as found:
        namespace = args.namespace or found.namespace
        chosen = _wanted(found, namespace, existing(found, args.configuration or [DEFAULT_NAME]))
        bundle = current_bundle(found, namespace)
        until = time.monotonic() + args.wait
        while not is_ready(found, namespace):
            if time.monotonic() >= until:
                complain(f"no replica of navicert-webhook in {namespace} is ready: nothing was put in force")
                return 1
            time.sleep(1)
        for one in chosen:
            said = insisting(lambda one=one: arm(found, one, bundle))  # type: ignore[misc]
            say(f"{one.kind} {one.name}: {said}")
    return 0


def _wanted(found: Cluster, namespace: str, names: list[tuple[str, str]]) -> list[Wanted]:
    """How each configuration should be: as the chart says, or as it was where the chart does not know it."""
    from navicert.admission.arming import Wanted, read_wanted
    from navicert.admission.keeping import CONFIGURATIONS
    from navicert.errors import Unavailable

    place = f"/api/v1/namespaces/{namespace}/configmaps/{CONFIGURATIONS}"
    document = found.get(place)
    data = document.get("data") if document is not None else None
    text = data.get("configurations.json") if isinstance(data, dict) else None
    if not isinstance(text, str):
        raise Unavailable(
            "Navicert is not installed here",
            path=f"ConfigMap {namespace}/{CONFIGURATIONS}",
            remedy="name the namespace: --namespace NAME",
        )
    known = {(one.kind, one.name): one for one in read_wanted(text.encode(), path=place)}
    return [known.get(pair, Wanted(*pair, None)) for pair in names]
