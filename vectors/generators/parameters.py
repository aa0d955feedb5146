"""Parameters: values for {name} in a layout's rules and commands, given by whoever verifies.

Spec: in-toto v1.0 §4.3.4.
"""

from __future__ import annotations

from collections.abc import Mapping

from vectors.generators.material import APP
from vectors.generators.vector import PASS, Expected, Vector, fails, of

from navicert.testing import Rules, chain

SPEC = "in-toto v1.0 §4.3.4: {name} stands for a value"


def _filled(
    attack: str,
    rules: Rules,
    parameters: Mapping[str, str] | None,
    *,
    path: str = "app-1.2",
    strict: Expected = PASS,
    in_toto: str = "pass",
    upstream: Expected | None = None,
    patterns: tuple[str, ...] = (),
    control: str = "",
) -> Vector:
    """One step with these rules on its one product."""
    made = (
        chain()
        .having(form="metablock")
        .step("build", by="bob", products=[line.split(" ") if isinstance(line, str) else line for line in rules])
        .link("build", products={path: APP})
    )
    return of(
        made,
        attack=attack,
        spec=SPEC,
        in_toto=in_toto,
        strict=strict,
        upstream=upstream,
        parameters=parameters,
        patterns=patterns,
        control=control,
    )


def _refused(says: str) -> Expected:
    return fails("policy", "Malformed", says)


def parameter() -> Vector:
    """The version is given, and is that of the product."""
    return _filled(
        "none: the control of cases about parameters", ["CREATE app-{version}", "DISALLOW *"], {"version": "1.2"}
    )


def parameter_of_another_version() -> Vector:
    """The version is given, and the product is another one."""
    return _filled(
        "evidence of another release",
        ["CREATE app-{version}", "DISALLOW *"],
        {"version": "1.3"},
        strict=fails("rules", "rule.disallow", '"app-1.2"'),
        in_toto="RuleVerificationError",
        control="parameter",
    )


def parameter_without_value() -> Vector:
    """Parameters are given, and not this one."""
    return _filled(
        "a placeholder that is left as it is, or filled with nothing",
        ["CREATE app-{version}", "DISALLOW *"],
        {"name": "app"},
        strict=_refused('parameter "version" has no value'),
        in_toto="KeyError",
        control="parameter",
    )


def parameter_that_is_a_wildcard() -> Vector:
    """The value is a star: whoever gives it decides what the owner's rule allows."""
    return _filled(
        "a value that turns a rule into one that allows everything",
        ["CREATE app-{version}", "DISALLOW *"],
        {"version": "*"},
        strict=_refused("is a pattern"),
        upstream=PASS,
        control="parameter",
    )


def parameter_that_is_declared_a_pattern() -> Vector:
    """The same value, and the verifier says that it is meant to match more than itself."""
    return _filled(
        "none: meant",
        ["CREATE app-{version}", "DISALLOW *"],
        {"version": "1.*"},
        patterns=("version",),
    )


def parameter_that_reaches_into_an_object() -> Vector:
    """{version.__class__} is a format of one language, and a hole in it: values are text, and nothing is looked up in
    them."""
    return _filled(
        "a policy that reads the verifier's memory",
        ["CREATE app-{version.__class__}", "DISALLOW *"],
        {"version": "1.2"},
        path="app-<class 'str'>",
        strict=_refused("not a placeholder"),
        in_toto="pass",
        control="parameter",
    )


def parameter_with_a_format() -> Vector:
    """{version:>999999999} asks for a gigabyte of spaces."""
    return _filled(
        "a few characters that take all memory",
        ["CREATE app-{version:>9}", "DISALLOW *"],
        {"version": "1.2"},
        path="app-      1.2",
        strict=_refused("not a placeholder"),
        in_toto="pass",
        control="parameter",
    )


def parameter_by_number() -> Vector:
    """{0} has no name."""
    return _filled(
        "a value taken from somewhere else",
        ["CREATE app-{0}", "DISALLOW *"],
        {"version": "1.2"},
        strict=_refused('parameter "0" has no value'),
        in_toto="IndexError",
        control="parameter",
    )


def parameter_is_not_filled_twice() -> Vector:
    """A value that looks like a placeholder stays as it is."""
    return _filled(
        "none: values are not read as policy",
        ["CREATE app-{version}", "DISALLOW *"],
        {"version": "{name}", "name": "x"},
        path="app-{name}",
    )


def braces_doubled() -> Vector:
    """{{ and }} are braces."""
    return _filled(
        "none: how a brace is written", ["CREATE app-{{x}}", "DISALLOW *"], {"version": "1.2"}, path="app-{x}"
    )


def braces_without_parameters() -> Vector:
    """Where no parameter is given, nothing is filled in, and braces are characters."""
    return _filled("none: a layout without parameters", ["CREATE app-{x}", "DISALLOW *"], None, path="app-{x}")


def brace_alone() -> Vector:
    """A brace that belongs to nothing, where parameters are given."""
    return _filled(
        "a placeholder that is read as far as it goes",
        ["CREATE app-{", "DISALLOW *"],
        {"version": "1.2"},
        path="app-{",
        strict=_refused("not a placeholder"),
        in_toto="ValueError",
        control="braces-doubled",
    )
