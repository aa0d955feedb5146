"""The traits of a document that an index of a store is asked by."""

from __future__ import annotations

import enum


class Trait(enum.IntEnum):
    """By what a document can be looked up in an index. The numbers are written to disk."""

    PRODUCT = 1
    """The digest of a product, or of a statement's subject."""
    MATERIAL = 2
    """The digest of a material."""
    STEP = 3
    """The step that it says it is for."""
    SIGNER = 4
    """The first eight digits of a key id that a signature on it names."""
    TYPE = 5
    """`link`, `layout`, or a predicate type."""
    RUN = 6
    """The run id that a recorder wrote."""
    SUBLAYOUT = 7
    """The step that it is filed under, of layouts only."""
    FILED = 8
    """A step that it is filed under and does not say it is for. This and the one before are no step's of their own."""
