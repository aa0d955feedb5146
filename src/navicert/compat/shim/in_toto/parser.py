"""A parser that knows the options of every release of in-toto.

A program takes what its release 1.3.1, 2.x or 3.1.0 takes, abbreviations included: one that several options begin with
means what it means in the newest release in which it means one.
"""

from __future__ import annotations

import argparse
import os
import sys

from navicert.cli.process import keep_to_english
from navicert.compat.program import ALONE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """As wide as the terminal. Argparse makes one for each option, and would look the width up in `shutil`."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or 80  # type: ignore[union-attr]  # closed: below
    except (AttributeError, ValueError, OSError):
        return 80


class Parser(argparse.ArgumentParser):
    """A parser of the options of several releases. `editions` are the long options of each, the newest first."""

    def __init__(self, *args: Any, editions: Sequence[frozenset[str]] = (), **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", _Formatter)
        if ALONE.get():
            keep_to_english()
        super().__init__(*args, **kwargs)
        self.editions = editions

    def _get_option_tuples(self, option_string: str) -> list[Any]:
        # Overrides what argparse asks for the options that an abbreviation may mean.
        found: list[Any] = super()._get_option_tuples(option_string)
        for edition in self.editions if len(found) > 1 else ():
            known = [option for option in found if option[1] in edition]
            if len(known) == 1:
                return known
        return found
