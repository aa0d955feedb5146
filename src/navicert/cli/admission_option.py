"""Options that the commands about admission share: policies, and how registries are reached."""

from __future__ import annotations

from navicert.cli.image import access, add_access
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack
    from datetime import datetime

    from navicert.admission.cluster import Cluster
    from navicert.admission.examiner import Examiner
    from navicert.admission.layout_map import LayoutMaps
    from navicert.admission.live_template import LiveTemplates
    from navicert.admission.mirror import Following, Mirror
    from navicert.admission.policy import PolicySet
    from navicert.admission.policy_cluster import ClusterPolicies
    from navicert.admission.pull_secret import Secrets
    from navicert.admission.quota import Quota

MODES = ("deny", "warn", "audit")
"""What may become of an image that no policy speaks about."""


def add_policies(parser: argparse.ArgumentParser) -> None:
    """`--policy`, `--from-cluster`, `--admin-namespace`, `--unmatched`, and how registries are reached."""
    add = parser.add_argument
    add("--policy", action="append", default=[], metavar="PATH", help="file or folder of policies (repeatable)")
    add("--from-cluster", action="store_true", help="the policies that are objects of the cluster")
    add("--kubeconfig", metavar="FILE", help="of which cluster (default: as for kubectl)")
    add("--context", metavar="NAME", help="the context in it (default: its current one)")
    add("--admin-namespace", default="navicert", metavar="NS", help="where exceptions may be made (default: navicert)")
    add(
        "--unmatched", choices=MODES, default="deny", metavar="M", help="images that no policy names: deny, warn, audit"
    )
    add("--pull-secrets", metavar="WHERE", help="of workloads: cluster, or a folder of NAMESPACE/NAME.json")
    add_access(parser)


def add_glass(parser: argparse.ArgumentParser) -> None:
    """`--break-glass-in-templates`, of what decides reviews: who asked for an object is known of nothing else."""
    say = "glass broken in a template counts for its Pods"
    parser.add_argument("--break-glass-in-templates", action="store_true", help=say)


def load(args: argparse.Namespace) -> PolicySet:
    """The policies that were named, read anew. Raises `Malformed` and `Unavailable`."""
    from navicert.admission.policy import PolicySet
    from navicert.admission.policy_file import load_policies

    if not args.policy and not args.from_cluster:
        raise Malformed("no policies", remedy="--policy PATH, or --from-cluster")
    found = PolicySet()
    if args.policy:
        found = load_policies(args.policy, admin_namespace=args.admin_namespace)
    if args.from_cluster:
        found = found.with_others(_of_cluster(args))
    for policy in found.policies:
        if policy.pull_secrets and args.pull_secrets is None:
            raise Malformed(
                "nobody said where the pull secrets of workloads are",
                path=policy.source,
                pointer="/spec/credentials/imagePullSecrets",
                remedy="--pull-secrets DIR or cluster; or remove it, and log in where this program runs",
            )
    return found


def following(args: argparse.Namespace) -> Following | None:
    """The policies of the cluster, followed instead of being read each time that they are loaded; None where they are
    not asked for. To be called before `load`."""
    from navicert.admission.layout_map import LayoutMaps
    from navicert.admission.mirror import Following, Mirror
    from navicert.admission.policy_cluster import policy_lists

    if not args.from_cluster:
        return None
    cluster = connect(args)
    mirrors = {path: Mirror(cluster, path) for path in policy_lists(args.admin_namespace)}
    maps = LayoutMaps(cluster)
    args.cluster_policies = _cluster_policies(args, cluster, mirrors, maps)
    return Following(tuple(mirrors.values()), others=(maps,))


def connect(args: argparse.Namespace) -> Cluster:
    """A connection to the cluster that was named, until `examiner`'s `cleanup`."""
    from navicert.admission import cluster

    found = cluster.connect(args.kubeconfig, args.context)
    args.connections = [*getattr(args, "connections", ()), found]
    return found


def _disconnect(args: argparse.Namespace) -> None:
    for cluster in getattr(args, "connections", ()):
        cluster.close()


def _cluster_policies(
    args: argparse.Namespace,
    cluster: Cluster,
    mirrors: Mapping[str, Mirror] | None = None,
    maps: LayoutMaps | None = None,
) -> ClusterPolicies:
    from navicert.admission.policy_cluster import ClusterPolicies

    secrets = args.pull_secrets is not None
    return ClusterPolicies(cluster, args.admin_namespace, pull_secrets=secrets, mirrors=mirrors, maps=maps)


def _of_cluster(args: argparse.Namespace) -> PolicySet:
    """The policies of the cluster, over one connection for all times that they are read. What is passed over is said
    once."""
    from navicert.cli.terminal import complain

    if not hasattr(args, "cluster_policies"):
        args.cluster_policies = _cluster_policies(args, connect(args))
    before = args.cluster_policies.notes
    found: PolicySet = args.cluster_policies()
    for note in args.cluster_policies.notes:
        if note not in before:
            complain(note)
    return found


def examiner(
    args: argparse.Namespace,
    policies: Callable[[], PolicySet],
    cleanup: ExitStack,
    clock: Callable[[], datetime] | None = None,
    quota: Quota | None = None,
) -> Examiner:
    """What decides reviews by `policies`, until `cleanup` closes what it holds open. `quota` is for reviews that
    strangers send."""
    from navicert.admission.examiner import Examiner
    from navicert.admission.judge import Judge
    from navicert.admission.policy import Mode
    from navicert.admission.reach import Reach
    from navicert.admission.worker import Workers

    cleanup.callback(_disconnect, args)
    reach = Reach(access(args))
    cleanup.callback(reach.close)
    judge = Judge(reach) if clock is None else Judge(reach, clock=clock)
    carry = getattr(args, "break_glass_in_templates", False)
    unmatched = {"deny": Mode.ENFORCE, "warn": Mode.WARN, "audit": Mode.AUDIT}[args.unmatched]
    workers = cleanup.enter_context(Workers())
    return Examiner(
        policies,
        judge,
        workers,
        secrets=_secrets(args, cleanup),
        unmatched=unmatched,
        carry_glass=carry,
        templates=_templates(args) if carry else None,
        quota=quota,
    )


def _templates(args: argparse.Namespace) -> LiveTemplates | None:
    """Where the templates of StatefulSets and DaemonSets are looked up; nowhere without a cluster."""
    from navicert.admission.live_template import ClusterTemplates

    return ClusterTemplates(connect(args)) if args.from_cluster else None


def _secrets(args: argparse.Namespace, cleanup: ExitStack) -> Secrets | None:
    """Where the pull secrets of workloads are, if they are to be used."""
    import os

    from navicert.admission.pull_secret import ClusterSecrets, SecretFolder

    if args.pull_secrets is None:
        return None
    if args.pull_secrets != "cluster":
        if not os.path.isdir(args.pull_secrets):
            raise Malformed("no such folder", path="--pull-secrets", got=args.pull_secrets)
        return SecretFolder(args.pull_secrets)
    return ClusterSecrets(connect(args))
