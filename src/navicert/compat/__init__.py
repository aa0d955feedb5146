"""A drop-in for in-toto: its programs, and the modules that scripts import as `in_toto` and `securesystemslib`."""

from __future__ import annotations

from navicert.compat.finder import install, installed, uninstall

__all__ = ["install", "installed", "uninstall"]
