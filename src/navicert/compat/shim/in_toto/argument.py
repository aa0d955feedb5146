"""Options that several programs have (`in_toto.common_args`), and how their command lines are read."""

from __future__ import annotations

import sys

from navicert.cli.outline import Outline

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Any, Final, NoReturn

    Options = argparse.ArgumentParser | Outline
    """What options are added to: a parser, or what reads the command lines that need none."""
    Group = argparse._ArgumentGroup | Outline

EXCLUDE_ARGS: Final = ["--exclude"]
EXCLUDE_KWARGS: Final[dict[str, Any]] = {
    "dest": "exclude_patterns",
    "required": False,
    "metavar": "<pattern>",
    "nargs": "+",
    "help": "what not to record, in the language of .gitignore; instead of the default: *.link* .git *.pyc *~",
}
BASE_PATH_ARGS: Final = ["--base-path"]
BASE_PATH_KWARGS: Final[dict[str, Any]] = {
    "dest": "base_path",
    "required": False,
    "metavar": "<path>",
    "help": "folder that materials and products are looked up in; recorded names do not contain it",
}
LSTRIP_PATHS_ARGS: Final = ["--lstrip-paths"]
LSTRIP_PATHS_KWARGS: Final[dict[str, Any]] = {
    "dest": "lstrip_paths",
    "required": False,
    "nargs": "+",
    "metavar": "<path>",
    "help": "prefixes to cut off recorded names; none may begin with another",
}
KEY_PASSWORD_ARGS: Final = ["-P", "--password"]
KEY_PASSWORD_KWARGS: Final[dict[str, Any]] = {
    "nargs": "?",
    "const": True,
    "metavar": "<password>",
    "help": "password of the key; without <password> it is asked for",
}
OPTS_TITLE: Final = "Options"
GPG_ARGS: Final = ["-g", "--gpg"]
GPG_KWARGS: Final[dict[str, Any]] = {
    "nargs": "?",
    "const": True,
    "metavar": "<id>",
    "help": "id of the gpg key to sign with; without <id> the default key of gpg",
}
GPG_HOME_ARGS: Final = ["--gpg-home"]
GPG_HOME_KWARGS: Final[dict[str, Any]] = {
    "dest": "gpg_home",
    "type": str,
    "metavar": "<path>",
    "help": "home folder of gpg, where its keys are",
}
SIGNING_KEY_ARGS: Final = ["--signing-key"]
SIGNING_KEY_KWARGS: Final[dict[str, Any]] = {
    "type": str,
    "metavar": "<path>",
    "dest": "signing_key",
    "help": "private key to sign with, of any form (or env:VARIABLE, gpg:ID); PEM signs under the id of in-toto 3.x",
}
KEY_ARGS: Final = ["-k", "--key"]
KEY_KWARGS: Final[dict[str, Any]] = {
    "type": str,
    "metavar": "<path>",
    "help": "private key to sign with, of any form (or env:VARIABLE, gpg:ID); signs under the id of in-toto 1.x",
}
KEY_TYPE_ARGS: Final = ["-t", "--key-type"]
KEY_TYPE_KWARGS: Final[dict[str, Any]] = {
    "dest": "key_type",
    "choices": ["rsa", "ed25519", "ecdsa"],
    "help": "type that the key must be of; the file says itself what it is",
}
VERBOSE_ARGS: Final = ["-v", "--verbose"]
VERBOSE_KWARGS: Final[dict[str, Any]] = {"dest": "verbose", "action": "store_true", "help": "show more output"}
QUIET_ARGS: Final = ["-q", "--quiet"]
QUIET_KWARGS: Final[dict[str, Any]] = {"dest": "quiet", "action": "store_true", "help": "suppress all output"}
METADATA_DIRECTORY_ARGS: Final = ["-d", "--metadata-directory"]
METADATA_DIRECTORY_KWARGS: Final[dict[str, Any]] = {
    "required": False,
    "type": str,
    "metavar": "<directory>",
    "help": "existing folder to write the link to (default: the current one)",
}
DSSE_ARGS: Final = ["--use-dsse"]
DSSE_KWARGS: Final[dict[str, Any]] = {
    "dest": "use_dsse",
    "default": False,
    "action": "store_true",
    "help": "write a DSSE envelope",
}
RUN_TIMEOUT_ARGS: Final = ["--run-timeout"]
RUN_TIMEOUT_KWARGS: Final[dict[str, Any]] = {
    "type": int,
    "dest": "run_timeout",
    "default": None,
    "metavar": "<seconds>",
    "help": "seconds after which the command is killed and nothing recorded (default: never)",
}


def parse_password_and_prompt_args(args: argparse.Namespace) -> tuple[str | None, bool]:
    """The password that was given, and whether to ask for one."""
    return (None, True) if args.password is True else (args.password, False)


def getpass() -> str:
    """What somebody types for a password, asked for as `getpass` does, which is loaded for it."""
    from getpass import getpass as ask

    return ask()


def title_case_action_groups(parser: argparse.ArgumentParser) -> None:
    """Begin the words in the titles of the groups of options with capitals."""
    for group in parser._action_groups:
        group.title = (group.title or "").title()


def sort_action_groups(parser: argparse.ArgumentParser, title_order: Sequence[str] | None = None) -> None:
    """Put the groups of options in the order of `title_order`: by default what is required first."""
    order = title_order or ["Required Named Arguments", "Positional Arguments", OPTS_TITLE]
    groups = {group.title: group for group in parser._action_groups}
    parser._action_groups = [groups[title] for title in order]


def long_options(*words: str) -> frozenset[str]:
    """The options of one release, from their names without the dashes."""
    return frozenset(f"--{word}" for text in words for word in text.split())


def read(configure: Callable[[Options], None], create_parser: Callable[[], argparse.ArgumentParser]) -> Any:
    """What the command line says. `configure` adds the options; the parser is made where it is needed."""
    outline = Outline()
    configure(outline)
    return outline.read(sys.argv[1:]) or create_parser().parse_args()


def refuse(parser: argparse.ArgumentParser, text: str) -> NoReturn:
    """Say how `parser` is used and what is wrong, and leave with 2."""
    parser.print_usage()
    parser.error(text)


def finish(parser: argparse.ArgumentParser, version: str | None = None) -> argparse.ArgumentParser:
    """`parser` with `--version` and its groups in order."""
    if version is not None:
        parser.add_argument("--version", action="version", version=f"{parser.prog} {version}")
    title_case_action_groups(parser)
    sort_action_groups(parser)
    return parser


def add_verbosity(parser: Options) -> None:
    """`--verbose` or `--quiet`."""
    group = parser.add_mutually_exclusive_group(required=False)
    group.add_argument(*VERBOSE_ARGS, **VERBOSE_KWARGS)
    group.add_argument(*QUIET_ARGS, **QUIET_KWARGS)


def is_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin is not None and sys.stdin.isatty()
