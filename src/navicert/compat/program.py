"""The seven programs, as they are installed: each is the `main` of the module that scripts know."""

from __future__ import annotations

from contextvars import ContextVar

from navicert.cli.process import leave, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

ALONE: ContextVar[bool] = ContextVar("ALONE", default=False)
"""Whether this process is one of the programs and nothing else goes on in it, as it may where a script imports us."""


def _run(name: str) -> NoReturn:
    settle()
    ALONE.set(True)
    code: object = 0
    try:
        # Not by `importlib`, which would have to be loaded for it.
        __import__(f"navicert.compat.shim.in_toto.in_toto_{name}", fromlist=["main"]).main()
    except SystemExit as leaving:
        code = leaving.code
    except KeyboardInterrupt:
        code = 130
    leave(code)


def run() -> None:
    """`in-toto-run`."""
    _run("run")


def record() -> None:
    """`in-toto-record`."""
    _run("record")


def verify() -> None:
    """`in-toto-verify`."""
    _run("verify")


def sign() -> None:
    """`in-toto-sign`."""
    _run("sign")


def mock() -> None:
    """`in-toto-mock`."""
    _run("mock")


def match_products() -> None:
    """`in-toto-match-products`."""
    _run("match_products")


def keygen() -> None:
    """`in-toto-keygen`."""
    _run("keygen")
