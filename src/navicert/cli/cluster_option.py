"""Options that say which cluster is meant, as kubectl has them, and what several commands do with it."""

from __future__ import annotations

from contextlib import closing, contextmanager

from navicert.interface import TypeVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from navicert.admission.cluster import Cluster

Result = TypeVar("Result")

DEFAULT_NAME = "navicert"
_ATTEMPTS = 4


def add_cluster(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which cluster is meant."""
    parser.add_argument("--kubeconfig", metavar="FILE", help="(default: as for kubectl)")
    parser.add_argument("--context", metavar="NAME", help="the context in it (default: its current one)")
    add_namespace(parser)


def add_namespace(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where Navicert is installed."""
    parser.add_argument("--namespace", "-n", metavar="NAME", help="where Navicert is installed")


def add_configurations(parser: argparse.ArgumentParser) -> None:
    """Add the option that names webhook configurations."""
    parser.add_argument(
        "--configuration",
        action="append",
        metavar="NAME",
        help=f"the webhook configuration, of either kind (default: {DEFAULT_NAME}; may be repeated)",
    )


@contextmanager
def cluster(args: argparse.Namespace) -> Iterator[Cluster]:
    """The cluster that the options name."""
    from navicert.admission.cluster import connect

    with closing(connect(args.kubeconfig, args.context)) as found:
        yield found


def existing(found: Cluster, names: list[str]) -> list[tuple[str, str]]:
    """Kind and name of the configurations with these names. Raises `Unavailable` where a name has none."""
    from navicert.admission.arming import PLURALS, configuration_path
    from navicert.errors import Unavailable

    chosen = []
    for name in names:
        here = [(kind, name) for kind in PLURALS if found.get(configuration_path(kind, name)) is not None]
        if not here:
            raise Unavailable(
                "there is no webhook configuration of this name",
                path=name,
                remedy="see kubectl get validatingwebhookconfigurations",
            )
        chosen += here
    return chosen


def insisting(act: Callable[[], Result]) -> Result:
    """What `act` returns; begun again where somebody else changed the same object at the same moment."""
    from navicert.admission.cluster import Conflict

    for _ in range(_ATTEMPTS - 1):
        try:
            return act()
        except Conflict:
            continue
    return act()
