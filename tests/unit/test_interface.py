"""Protocols and generic classes without `typing`: what is asked of them at run time is answered as `typing` does."""

from __future__ import annotations

import typing
from types import ModuleType

import pytest

from navicert import interface
from navicert.crypto.signer import Signer, generate
from navicert.envelope.document import Verified
from navicert.store import Store

BOTH = pytest.mark.parametrize("made_by", [interface, typing], ids=["ours", "typing"])


@BOTH
def test_whatever_has_all_that_a_checked_protocol_names_is_one(made_by: ModuleType) -> None:
    @made_by.runtime_checkable
    class Named(made_by.Protocol):  # type: ignore[misc, name-defined]
        @property
        def name(self) -> str:
            return ""

        def call(self) -> None: ...

    class Whole:
        name = "x"

        def call(self) -> None: ...

    class Part:
        name = "x"

    assert isinstance(Whole(), Named)
    assert not isinstance(Part(), Named)


@BOTH
def test_a_protocol_asks_for_what_those_that_it_derives_from_name_too(made_by: ModuleType) -> None:
    class Named(made_by.Protocol):  # type: ignore[misc, name-defined]
        name: str

        def call(self) -> None: ...

    @made_by.runtime_checkable
    class Closed(Named, made_by.Protocol):  # type: ignore[misc, name-defined]
        def close(self) -> None: ...

    class Part:
        def close(self) -> None: ...

        def call(self) -> None: ...

    class Whole(Part):
        name = ""

    assert isinstance(Whole(), Closed)
    assert not isinstance(Part(), Closed)
    assert not isinstance(Part(), type("Other", (Named,), {}))


def test_a_plugin_that_gives_half_a_signer_is_no_signer() -> None:
    class Half:
        keyid = "ab"

    assert isinstance(generate(), Signer)
    assert not isinstance(Half(), Signer)


def test_nothing_is_of_a_protocol_that_is_not_checked() -> None:
    kind: type = Store
    assert not isinstance(object(), kind)  # typing raises here; either way it is no yes


@BOTH
def test_a_generic_class_is_itself_whatever_it_is_given(made_by: ModuleType) -> None:
    content = made_by.TypeVar("content", covariant=True)

    class Box(made_by.Generic[content]):  # type: ignore[misc, name-defined]
        def __init__(self, content: object) -> None:
            self.content = content

    boxes: typing.Any = Box
    assert boxes[int](1).content == 1
    assert isinstance(boxes[int](1), Box)


def test_a_verified_document_can_be_named_with_what_is_in_it() -> None:
    assert Verified[typing.Any] is Verified  # type: ignore[comparison-overlap]
