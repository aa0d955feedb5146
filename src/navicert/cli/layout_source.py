"""Where the `layout` commands get a layout from: the file that is named, the keys that it names, and lint."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NoReturn

from navicert.cli.option import limits, read_file
from navicert.errors import Malformed

if TYPE_CHECKING:
    from navicert.authoring.finding import Finding
    from navicert.authoring.policy import Policy
    from navicert.crypto.key import IdForm, Key


def add_key_ids(parser: argparse.ArgumentParser) -> None:
    """`--key-ids`: `args.key_ids`, a form of ids or None."""
    parser.add_argument(
        "--key-ids",
        choices=("modern", "legacy", "go"),
        metavar="FORM",
        help="ids of keys: modern (in-toto 3), legacy (in-toto 1), go (default: as each key file is read elsewhere)",
    )


def load_policy(args: argparse.Namespace, at: datetime, *, key_ids: IdForm | None = None) -> Policy:
    """The layout in `args.file`, with the keys that it names relative to itself. Raises `NavicertError`, `OSError`."""
    from navicert.authoring.policy import read_policy

    bounds = limits(args)
    raw = read_file(args.file, bounds.document_bytes)
    folder = "" if args.file == "-" else os.path.dirname(args.file)
    return read_policy(raw, _key_reader(folder, key_ids), at, path=args.file, limits=bounds)


def _key_reader(folder: str, key_ids: IdForm | None) -> Callable[[str], Key]:
    def read(file: str) -> Key:
        from navicert.trust.keyfile import open_public_key

        if file.startswith("gpg:"):
            raise Malformed(
                "a layout names key files, not keys of a keyring",
                path=file,
                remedy="name the file that this writes: gpg --armor --export FINGERPRINT > KEY.asc",
            )
        # Only ever a path: what a layout names is no reason to look into the environment.
        path = os.path.join(folder, file)
        key = open_public_key(path if os.path.isabs(path) else f"file:{path}")
        return key.with_id(key.id_of(key_ids)) if key_ids else key

    return read


def findings_about(policy: Policy, at: datetime) -> tuple[Finding, ...]:
    """What lint says about `policy`."""
    from navicert.authoring.lint import lint

    return lint(policy, at, built_in_problem)


class _FileAskedFor(Exception):
    """A built-in inspection went so far as to read a file: its command is in order."""


def _refuse_to_read(name: str) -> NoReturn:
    raise _FileAskedFor(name)


def built_in_problem(run: Sequence[str]) -> str:
    """What is wrong with the command of a built-in inspection, by the code that will run it; empty for nothing."""
    from navicert.verify.builtin import run_built_in

    try:
        return run_built_in(run, _refuse_to_read)[1]
    except _FileAskedFor:
        return ""


def finding_line(path: str, finding: Finding) -> str:
    """`finding` on one line, escaped, as compilers write it."""
    from navicert.cli.terminal import escape

    where = f"{path}:{finding.line}" if finding.line else path
    text = f"{finding.place}: {finding.message}" if finding.place else finding.message
    remedy = f" – {finding.remedy}" if finding.remedy else ""
    return escape(f"{where}: {finding.severity.value}: {text}{remedy} [{finding.id}]")
