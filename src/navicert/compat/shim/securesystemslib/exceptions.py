"""The exceptions of `securesystemslib`, those of its releases before 1.0 included."""

from __future__ import annotations


class Error(Exception):
    """Whatever goes wrong in securesystemslib and in-toto."""


class FormatError(Error):
    """A value that has not the form that it should have."""


class CryptoError(Error):
    """A key that cannot be read, or not be opened."""


class BadSignatureError(CryptoError):
    """A signature that does not verify."""


class UnknownMethodError(CryptoError):
    """A signature scheme that is not known."""


class UnsupportedAlgorithmError(Error):
    """A hash algorithm that is not known."""


class BadHashError(Error):
    """A digest other than the one expected."""


class BadPasswordError(Error):
    """A password that cannot be used."""


class UnsupportedLibraryError(Error):
    """A program or library that is needed and not there."""


class KeyMismatchError(ValueError):
    """A private key and a public key that do not belong together."""


class NotFoundError(Error):
    """Something that is not there."""


class StorageError(Error):
    """A file that cannot be read or written."""


class UnverifiedSignatureError(Error):
    """A signature that was not verified."""


class VerificationError(UnverifiedSignatureError):
    """A signature that could not be checked at all."""
