"""Defaults that a script may change (`in_toto.settings`). No file and no environment variable does."""

from __future__ import annotations

DEBUG = False
"""Whether messages carry where they come from."""

ARTIFACT_EXCLUDE_PATTERNS: list[str] | None = ["*.link*", ".git", "*.pyc", "*~"]
"""What is left out of recordings unless the caller says otherwise."""

ARTIFACT_BASE_PATH: str | None = None
"""Where artifacts are looked up unless the caller says otherwise."""

LINK_CMD_EXEC_TIMEOUT = 10
"""Seconds that an inspection may take. The command of a step takes what it needs."""
