"""The exceptions of `in_toto`."""

from __future__ import annotations

from navicert.compat.shim.securesystemslib.exceptions import Error


class SignatureVerificationError(Error):
    """A document without a valid signature of the key that is asked for."""


class LayoutExpiredError(Error):
    """A layout whose time is over."""


class RuleVerificationError(Error):
    """Artifacts that break a rule."""


class ThresholdVerificationError(Error):
    """Too few functionaries, or functionaries that disagree."""


class BadReturnValueError(Error):
    """A command that ended with something other than 0."""


class LinkNotFoundError(Error):
    """A link file that is missing."""


class UnsupportedKeyTypeError(Error):
    """A key of a type that is not known."""


class PrefixError(Error):
    """Prefixes to strip that leave two files under one name."""


class InvalidMetadata(Error):
    """A document that is neither a layout nor a link."""
