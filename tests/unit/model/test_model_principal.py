"""Principals: whom a threshold counts."""

from __future__ import annotations

from navicert.model.principal import Principal


def test_what_it_is_called_is_not_who_it_is() -> None:
    assert Principal("person", "ann", "Ann") == Principal("person", "ann", "A.")
    assert len({Principal("person", "ann", "Ann"), Principal("person", "ann")}) == 1


def test_a_person_is_never_a_key_of_the_same_name() -> None:
    assert Principal("person", "ab" * 32) != Principal("key", "ab" * 32)
    assert Principal("person", "ann") != Principal("person", "bea")
    assert Principal("person", "ann") != "ann"


def test_people_see_the_label_or_the_beginning_of_the_identity() -> None:
    assert str(Principal("person", "ann", "Ann")) == "Ann"
    assert str(Principal("key", "0123456789abcdef")) == "0123456789ab"
