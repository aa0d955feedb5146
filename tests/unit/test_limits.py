"""Limits: each is a number with its reason, and what comes from elsewhere is never allowed more."""

from __future__ import annotations

import ast
import inspect
from dataclasses import fields

from navicert import limits
from navicert.limits import LOCAL, NETWORK, Limits


def test_every_limit_is_a_positive_number() -> None:
    for preset in (LOCAL, NETWORK):
        assert all(getattr(preset, field.name) > 0 for field in fields(Limits))


def test_the_network_is_never_allowed_more_than_the_user() -> None:
    assert all(getattr(NETWORK, field.name) <= getattr(LOCAL, field.name) for field in fields(Limits))
    assert NETWORK.document_bytes == 16 * 2**20
    assert NETWORK.sbom_bytes == 40 * 2**20
    assert LOCAL.document_bytes == 128 * 2**20


def test_every_limit_states_its_reason() -> None:
    classes = [node for node in ast.walk(ast.parse(inspect.getsource(limits))) if isinstance(node, ast.ClassDef)]
    assert classes
    for body in (node.body for node in classes):
        for statement, reason in zip(body, [*body[1:], None], strict=True):
            if isinstance(statement, ast.AnnAssign):
                assert isinstance(reason, ast.Expr), ast.unparse(statement)
