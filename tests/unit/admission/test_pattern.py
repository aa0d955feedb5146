"""Patterns of images."""

from __future__ import annotations

import pytest

from navicert.admission.pattern import ImagePattern
from navicert.errors import Malformed
from navicert.oci.reference import Reference


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("nginx", ["nginx", "docker.io/nginx:1", "index.docker.io/nginx"], ["nginx2", "team/nginx", "q.io/n"]),
        ("docker.io/nginx", ["nginx"], ["docker.io/other/nginx"]),
        ("docker.io/**", ["nginx", "team/app", "docker.io/a/b/c"], ["docker.io.evil.com/a", "quay.io/a"]),
        ("team/*", ["team/app"], ["team/app/x", "teams/app", "team2.example/app"]),
        ("r.example/**", ["R.EXAMPLE/app", "r.example/a/b"], ["r.example.evil.com/a", "r.example:5/a", "xr.example/a"]),
        ("r.example/shop/**", ["r.example/shop/a", "r.example/shop/a/b"], ["r.example/shop", "r.example/shopping/a"]),
        ("r.example/*/api", ["r.example/a/api"], ["r.example/a/b/api", "r.example/api"]),
        ("r.example/app-*", ["r.example/app-1", "r.example/app-x"], ["r.example/app", "r.example/app-1/x"]),
        ("r.example:5000/app", ["r.example:5000/app"], ["r.example/app"]),
        ("*.p.example.com/**", ["eu.p.example.com/a"], ["p.example.com/a", "a.b.p.example.com/x", "eu.p.x.org/a"]),
        ("**", ["nginx", "r.example/a/b/c"], []),
        ("localhost/app", ["localhost/app"], ["app"]),
    ],
)  # fmt: skip
def test_what_a_pattern_speaks_about(pattern: str, yes: list[str], no: list[str]):
    parsed = ImagePattern.parse(pattern)
    assert [text for text in yes if not parsed.matches(Reference.parse(text))] == []
    assert [text for text in no if parsed.matches(Reference.parse(text))] == []
    assert ImagePattern.parse(str(parsed)) == parsed


@pytest.mark.parametrize(
    "text",
    ["", "*", "r.example/", "r.example/app:1", "nginx:1", "r.example/**/app", "r.example/a**", "https://r.example/a",
     "r.example/App", "a@sha256:" + "a" * 64, "*.com/**", "*.example/**", "a*.pkg.example.com/x", "r.*.example/x",
     "r.example/a*b*c*d*e", "r.example//a", "**/app", "r_x.example/a", "x" * 600],
)  # fmt: skip
def test_what_could_match_something_else_than_it_seems_to_is_refused(text: str):
    with pytest.raises(Malformed, match="not an image pattern"):
        ImagePattern.parse(text)
