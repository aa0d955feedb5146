"""The classes of `datetime`, by the shorter way."""

from __future__ import annotations

import datetime
import pickle
import subprocess
import sys

import navicert.datetime


def test_they_are_the_classes_of_the_standard_library() -> None:
    for name in navicert.datetime.__all__:
        assert getattr(navicert.datetime, name) is getattr(datetime, name)
    moment = navicert.datetime.datetime(2026, 1, 1, tzinfo=navicert.datetime.UTC)
    assert pickle.loads(pickle.dumps(moment)) == moment


def test_without_the_compiled_part_they_come_from_where_they_are_documented() -> None:
    code = (
        "import sys; sys.modules['_datetime'] = None; import navicert.datetime, datetime;"
        "print(navicert.datetime.datetime is datetime.datetime, navicert.datetime.UTC is datetime.UTC)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
