"""The chain of a target that is handed on in one piece: judged first, and packed where it holds."""

from __future__ import annotations

import sys

from navicert.cli import option
from navicert.cli.policy import keyless, policies, timestamp_authorities
from navicert.cli.terminal import colour_wanted, complain, width
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from navicert.store import Source
    from navicert.store.pack import Pack
    from navicert.verify.case import Policy, Target


def only_policy(args: argparse.Namespace) -> Policy:
    """The one layout that was given. Raises `Malformed` where there are several."""
    given = policies(args)
    if len(given) != 1:
        raise Malformed("a pack holds one layout", path="--layout", got=f"{len(given)} layouts")
    return given[0]


def packed(
    args: argparse.Namespace, policy: Policy, sources: Sequence[Source], target: Target | None, *, done: str, what: str
) -> tuple[Pack, bytes] | None:
    """The pack of the chain that makes `target` pass, and its bytes; None where the chain does not hold, which has been
    said then. `done` is the word for what is done with it, `what` that with which it is verified later."""
    from navicert.report.text import render_text
    from navicert.store.excerpt import excerpt, holds, pack_of
    from navicert.store.pack import write_pack
    from navicert.verdict import Outcome

    found, verdict = excerpt(
        policy,
        sources,
        at=option.at(args),
        target=target,
        run_id=args.run_id,
        limits=option.limits(args),
        keyless=keyless(args),
        timestamp_authorities=timestamp_authorities(args),
    )
    if not holds(verdict):
        sys.stderr.write(render_text(verdict, colour=colour_wanted(sys.stderr), width=width(sys.stderr)))
        complain(f"nothing was {done}: the chain does not hold")
        return None
    pack = pack_of(policy, found.exhibits)
    if verdict.outcome is Outcome.PENDING:
        complain(f"the inspections of the layout were not run: they are when the {what} is verified")
    return pack, write_pack(pack)
