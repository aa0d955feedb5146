"""`navicert admission serve`: the webhook."""

from __future__ import annotations

import sys
from contextlib import ExitStack

from navicert.cli.admission_option import add_glass, add_policies, connect, examiner, following, load
from navicert.cli.option import wrong
from navicert.cli.terminal import complain
from navicert.errors import Malformed, Unavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.admission.examiner import Examiner
    from navicert.admission.memory import Memory
    from navicert.admission.mirror import Following
    from navicert.admission.policy_status import StatusWriter
    from navicert.admission.server import Address

HELP = "run the webhook"
DESCRIPTION = """Answer the reviews of an API server by the policies in --policy: POST /verify and /mutate over TLS, GET
/healthz and /readyz. Certificate and policies are read again when they change. Each decision is one line of JSON on
standard output."""
EXAMPLE = "navicert admission serve --policy policy/ --tls-cert tls.crt --tls-key tls.key"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add(
        "--listen", default="0.0.0.0:8443", metavar="ADDR:PORT", help="where to listen (default: 0.0.0.0:8443)"
    )  # in a container
    add("--tls-cert", required=True, metavar="PEM", help="certificate, with the chain behind it")
    add("--tls-key", required=True, metavar="PEM", help="its private key")
    add("--client-ca", metavar="PEM", help="answer only who shows a certificate of these authorities")
    add("--metrics", metavar="ADDR:PORT", help="where Prometheus asks, without TLS (default: nowhere)")
    add("--drain", type=_seconds, default=5.0, metavar="S", help="seconds to go on after SIGTERM (default: 5)")
    add("--memory", metavar="WHERE", help="keep what passed: a file, or configmap:NAMESPACE/NAME")
    add("--memory-key", metavar="KEY", help="private key of the webhook's own that signs it")
    add("--write-status", action="store_true", help="with --from-cluster: write how policies stand into their status")
    add_policies(parser)
    add_glass(parser)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 300:
        raise wrong(f"not 0 to 300 seconds: {text[:40]!r}")
    return seconds


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM; 0 then."""
    from navicert.admission.certificate import Serving
    from navicert.admission.policy_watch import PolicyWatch
    from navicert.admission.quota import Quota
    from navicert.admission.server import Webhook

    listen = _address(args.listen, "--listen")
    metrics = None if args.metrics is None else _address(args.metrics, "--metrics")
    mirrored = following(args)
    policies = PolicyWatch(lambda: load(args), lambda: "" if mirrored is None else mirrored.problem)
    serving = Serving(args.tls_cert, args.tls_key, callers=args.client_ca)
    with ExitStack() as cleanup:
        desk = examiner(args, policies, cleanup, quota=Quota())
        try:
            memory = _memory(args, desk, cleanup)
            webhook = Webhook(
                desk,
                desk.judge,
                policies,
                serving,
                write=_decided,
                tell=_told,
                memory=memory,
                following=mirrored,
                status=_status(args, desk, mirrored),
                drain=args.drain,
            )
            places = [cleanup.enter_context(one.bind()) for one in (listen, metrics) if one is not None]
            webhook.run(places[0], places[1] if metrics is not None else None)
        except ModuleNotFoundError as error:
            raise _not_installed(error) from error
    return 0


def _status(args: argparse.Namespace, desk: Examiner, mirrored: Following | None) -> StatusWriter | None:
    """What tells policies of the cluster how they stand, if they are to be told."""
    from navicert.admission.policy_status import StatusWriter

    if not args.write_status:
        return None
    if not args.from_cluster:
        raise Malformed("only policies of the cluster have a status", path="--write-status", remedy="--from-cluster")
    return StatusWriter(
        connect(args),
        args.cluster_policies.observed,
        desk.judge.layout_of,
        stale=lambda: "" if mirrored is None else mirrored.problem,
    )


def _memory(args: argparse.Namespace, desk: Examiner, cleanup: ExitStack) -> Memory | None:
    """Where what passed is kept across restarts, if it is."""
    from navicert.admission.memory import ConfigMapPlace, FilePlace, Memory, Place
    from navicert.trust.keyfile import open_signer

    if args.memory is None and args.memory_key is None:
        return None
    if args.memory is None or args.memory_key is None:
        raise Malformed("--memory and --memory-key go together", path="serve", remedy="give both or neither")
    scheme, _, rest = args.memory.partition(":")
    namespace, slash, name = rest.partition("/")
    place: Place = FilePlace(args.memory)
    if scheme == "configmap":
        if not (namespace and slash and name and "/" not in name):
            raise Malformed("not a ConfigMap", path="--memory", expected="configmap:NAMESPACE/NAME", got=args.memory)
        place = ConfigMapPlace(connect(args), namespace, name)
    return Memory(desk.cache, place, open_signer(args.memory_key))


def _not_installed(error: ModuleNotFoundError) -> Unavailable:
    return Unavailable(f"needs {error.name}", path="admission serve", remedy="pip install 'navicert[admission]'")


def _address(text: str, option: str) -> Address:
    from navicert.admission.server import Address

    try:
        return Address.parse(text)
    except Malformed as error:
        raise error.at(option) from None


def _decided(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _told(text: str) -> None:
    complain(text)
