"""Answers that cannot be relied on: they say nothing about the image, which is not the same as a bad request."""

from __future__ import annotations

import pytest

from navicert.errors import LimitExceeded, Malformed, NavicertError, Refused, Unavailable
from navicert.oci.answer import answering
from navicert.oci.exchange import Missing


def raised(error: NavicertError) -> NavicertError:
    with pytest.raises(NavicertError) as caught, answering():
        raise error
    return caught.value


@pytest.mark.parametrize("kind", [Malformed, LimitExceeded])
def test_what_is_malformed_in_an_answer_could_not_be_found_out(kind: type[Malformed]) -> None:
    """A registry that lies must not look like a mistake of the user, nor like an image that was judged."""
    error = kind("bad", path="r.example/app", pointer="/a", expected="b", got="c", remedy="d")
    found = raised(error)
    assert type(found) is Unavailable
    assert str(found) == str(error)
    assert found.__cause__ is error


def test_what_the_user_named_and_is_not_there_stays_a_mistake_of_the_user() -> None:
    error = Missing("r.example/app:nope").error()
    assert raised(error) is error


@pytest.mark.parametrize("error", [Refused("denied"), Unavailable("down")])
def test_other_errors_stay_what_they_are(error: NavicertError) -> None:
    assert raised(error) is error


def test_what_is_no_error_of_ours_is_not_taken_for_an_answer() -> None:
    with pytest.raises(ZeroDivisionError), answering():
        raise ZeroDivisionError
