"""`navicert run`: one step of a build, run and recorded, its link signed and stored."""

from __future__ import annotations

from navicert.cli.option import (
    add_certificate,
    add_json,
    add_key,
    add_limits,
    add_store,
    add_timestamp,
    add_verbosity,
    limits,
)
from navicert.cli.recording import (
    add_artifacts,
    add_expectation,
    add_facts,
    add_finding,
    add_form,
    complain_of,
    form,
    only_signer,
    report,
    seconds,
    world,
)
from navicert.cli.terminal import complain
from navicert.errors import Malformed, NavicertError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.crypto.signer import Signer
    from navicert.record.recorder import World
    from navicert.store import Store

HELP = "run one step of a build and record it, signed"
DESCRIPTION = """Record the materials, run COMMAND, record the products, and sign all of it as a link.
The exit code is that of COMMAND; 125: nothing recorded, 126: it cannot be executed,
127: not found, 128+N: killed by signal N."""
EXAMPLE = "navicert run build --key keys/builder -m 'src/**' -p app.tar -- make app.tar"
TAKES_COMMAND = True
FAILURE = 125

CANNOT_EXECUTE, NOT_FOUND = 126, 127


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("step", metavar="STEP", help="name of the step in the layout")
    add_key(parser, help="private key to sign with")
    add_certificate(parser)
    add_timestamp(parser)
    add_artifacts(parser, "materials", "files, folders, patterns, NAME=oci:DIR … it uses")
    add_artifacts(parser, "products", "the same for what it makes")
    add_store(parser)
    add_form(parser)
    parser.add_argument("-x", "--no-command", action="store_true", help="run nothing, record the files")
    parser.add_argument("-s", "--record-streams", action="store_true", help="record the output too, without secrets")
    parser.add_argument(
        "--redact", action="append", default=[], metavar="REGEX", help="remove this too from output and command"
    )
    parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="kill it after this time (default: never)")
    parser.add_argument("--record-failure", action="store_true", help="record the step even if COMMAND fails")
    parser.add_argument(
        "--reuse-unchanged", action="store_true", help="do not hash products again that stamps say are untouched"
    )
    add_facts(parser)
    add_expectation(parser)
    add_finding(parser)
    add_limits(parser)
    add_json(parser)
    add_verbosity(parser)


def run(args: argparse.Namespace) -> int:
    """Record the step; return the command's exit code."""
    from navicert.store.uri import open_store

    _check_command(args)
    # Everything that can go wrong without the command is tried before it runs.
    signer = only_signer(args)
    written = form(args, signer)
    surroundings = world(args)
    store = open_store(args.store, limits(args))
    try:  # contextlib takes longer to load than all of this
        store.prepare()
        return _record(args, signer, written, surroundings, store)
    finally:
        store.close()


def _record(args: argparse.Namespace, signer: Signer, written: str, surroundings: World, store: Store) -> int:
    from navicert.envelope.document import seal
    from navicert.record.recorder import make_recording

    try:
        recording = make_recording(
            args.step, args.command, materials=args.materials, products=args.products, world=surroundings
        )
    except NavicertError as error:
        return _explained(error)
    path = store.put(args.step, signer.keyid, seal(recording.link, signer, form=written))
    report(args, recording, path, signer, written)
    return recording.completed.exit_code if recording.completed else 0


def _explained(error: NavicertError) -> int:
    """Say why nothing was recorded, and return the exit code for it. Raises `error` where it has no code of its own."""
    from navicert.record.expectation import MaterialMismatch
    from navicert.record.process import CommandNotExecutable, CommandNotFound
    from navicert.record.recorder import CommandFailed

    if isinstance(error, MaterialMismatch):
        complain_of(error)
        return FAILURE
    if isinstance(error, CommandFailed):
        complain(str(error))
        return error.completed.exit_code
    if isinstance(error, CommandNotFound | CommandNotExecutable):
        complain(str(error))
        return NOT_FOUND if isinstance(error, CommandNotFound) else CANNOT_EXECUTE
    raise error


def _check_command(args: argparse.Namespace) -> None:
    if args.command and args.no_command:
        raise Malformed("a command and --no-command", path="run", remedy="leave one of them out")
    if not args.command and not args.no_command:
        raise Malformed("no command to run", path="run", remedy="write it after --, or give --no-command")
