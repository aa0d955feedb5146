"""The trust root of an instance of Sigstore, fetched by TUF: the one thing here that goes to the network, when asked.

TUF (The Update Framework) is spoken by the package `sigstore` (extra `sigstore`), which keeps what it has seen in the
user's data folder, so that an older root is not accepted later. What it gives is read like any other trust root before
anybody gets it.
"""

from __future__ import annotations

import importlib
import logging
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from navicert.crypto.trusted_root import TrustedRoot
from navicert.errors import Malformed, Unavailable

PUBLIC_GOOD_URL: Final = "https://tuf-repo-cdn.sigstore.dev"
"""The TUF repository of the public instance."""

_INSTALL: Final = "pip install 'navicert[sigstore]'"


def is_private_address(url: str) -> bool:
    """Whether nobody can listen on the way to `url`: by TLS, or on this machine."""
    host = urlsplit(url).hostname
    return url.startswith("https://") or (url.startswith("http://") and host in ("127.0.0.1", "localhost", "::1"))


def fetch_trusted_root(url: str = PUBLIC_GOOD_URL, *, tuf_root: str | None = None) -> bytes:
    """The trust root that the TUF repository at `url` names today, as JSON. `tuf_root` is a file with that repository's
    own root, which the public one does not need.

    Raises `Unavailable` without the extra, and where the repository cannot be reached or believed; `Malformed` for an
    address that is none, and for what is no trust root.
    """
    if not is_private_address(url):
        raise Malformed("not the address of a TUF repository", path=url, expected="https://…")
    try:
        models: Any = importlib.import_module("sigstore.models")
        errors: Any = importlib.import_module("sigstore.errors")
    except ImportError as error:
        raise Unavailable("fetching a trust root needs more packages", path=url, remedy=_INSTALL) from error
    # Told through our own errors; its warnings of an offline mode and the like would stand between.
    logging.getLogger("sigstore").setLevel(logging.CRITICAL)
    bootstrap = None if tuf_root is None else Path(tuf_root)
    try:
        config: Any = models.ClientTrustConfig.from_tuf(url, offline=False, bootstrap_root=bootstrap)
        raw = str(config.trusted_root._inner.to_json()).encode()
    except (errors.Error, OSError, ValueError) as error:
        cause = error.__cause__ or error
        raise Unavailable(f"no trust root by TUF: {str(cause)[:200] or type(cause).__name__}", path=url) from error
    TrustedRoot.read(raw, path=url)
    return raw
