"""From names to digests, by the scheme of a name (`in_toto.resolver`)."""

from __future__ import annotations

from navicert.compat.shim.in_toto.resolver._resolver import (
    RESOLVER_FOR_URI_SCHEME,
    DirectoryResolver,
    FileResolver,
    OSTreeResolver,
    Resolver,
)

__all__ = ["RESOLVER_FOR_URI_SCHEME", "DirectoryResolver", "FileResolver", "OSTreeResolver", "Resolver"]
