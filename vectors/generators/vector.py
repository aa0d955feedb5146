"""One case: what is given, what must come out, and how it is written down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal

from navicert.testing import NOW, Chain, key
from navicert.timestamp import format_timestamp

Layer = Literal[
    "json", "envelope", "model", "signature", "policy", "evidence", "rules", "inspection", "target"
]  # fmt: skip
"""Where a case must fail: each layer looks only at what the layers before it let through."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What one way of judging makes of a case: "pass" or a layer; and in Navicert's words the id of the first cause
    (a check, or the class of an error), a part of what it says, and the ids of the warnings."""

    expect: Layer | Literal["pass"] = "pass"
    id: str = ""
    says: str = ""
    warns: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The JSON object of a profile."""
        if self.expect == "pass":
            return {"expect": "pass", **({"warns": sorted(self.warns)} if self.warns else {})}
        return {"expect": self.expect, "id": self.id, "says": self.says}


def passes(*warns: str) -> Expected:
    """A pass, with warnings of these ids."""
    return Expected(warns=warns)


def fails(layer: Layer, id: str, says: str) -> Expected:
    """A failure at `layer`."""
    return Expected(layer, id, says)


PASS: Final = passes()


@dataclass(frozen=True, slots=True)
class Vector:
    """One case. `strict` and `upstream` are the two profiles; `in_toto` is what the reference implementation makes of
    it: "pass", or the class of the exception that it raises."""

    attack: str
    spec: str
    layout: bytes
    strict: Expected
    in_toto: str
    upstream: Expected | None = None
    """Where it differs from `strict`."""
    control: str = ""
    """The passing case from which this one differs in one thing."""
    evidence: Mapping[str, bytes] = field(default_factory=dict)
    refused: Mapping[str, Layer] = field(default_factory=dict)
    """Evidence that cannot be read or carries no valid signature, and the layer that says so."""
    at: datetime = NOW
    owners: tuple[str, ...] = ("owner",)
    owner_threshold: int | None = None
    target: tuple[str, bytes] | None = None
    target_step: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The folder that inspections look at."""
    parameters: Mapping[str, str] | None = None
    patterns: tuple[str, ...] = ()
    """Parameters whose values may hold wildcards."""
    revoked: tuple[str, ...] = ()
    run_id: str = ""
    min_version: int | None = None

    def having(self, **fields: Any) -> Vector:
        """This case with other fields."""
        return replace(self, **fields)

    def to_json(self, name: str, group: str, comment: str) -> dict[str, object]:
        """The JSON object of a case file. What does not apply is left out."""
        document: dict[str, object] = {
            "$schema": "../schema.json",
            "name": name,
            "group": group,
            "comment": comment,
            "attack": self.attack,
            "spec": self.spec,
            "expect": self.strict.expect,
            "profiles": {"strict": self.strict.to_json(), "upstream": (self.upstream or self.strict).to_json()},
            "upstream": _said(self.in_toto),
            "at": format_timestamp(self.at),
            "owners": [key(owner).public_pem().decode() for owner in self.owners],
            "layout": content(self.layout),
            "evidence": {path: content(raw) for path, raw in sorted(self.evidence.items())},
        }
        target = None
        if self.target is not None:
            target = {"name": self.target[0], "content": content(self.target[1])}
        optional: dict[str, object] = {
            "control": self.control,
            "refused": dict(sorted(self.refused.items())),
            "owner_threshold": self.owner_threshold,
            "target": target,
            "target_step": self.target_step,
            "files": {path: content(raw) for path, raw in sorted(self.files.items())},
            "patterns": sorted(self.patterns),
            "revoked": sorted(self.revoked),
            "run_id": self.run_id,
            "min_version": self.min_version,
        }
        document |= {name: value for name, value in optional.items() if value not in ("", None, [], {})}
        if self.parameters is not None:
            document["parameters"] = dict(self.parameters)
        return document


def _said(oracle: str) -> dict[str, str]:
    result = {"result": "pass"} if oracle == "pass" else {"result": "fail", "error": oracle}
    return {"implementation": "in-toto 3.1.0", **result}


def content(raw: bytes) -> dict[str, str]:
    """`raw` as a JSON object: {"text": …} where it is text that a person can read, else {"base64": …}."""
    import base64

    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        text = "\0"
    if all(character.isprintable() or character == "\n" for character in text):
        return {"text": text}
    return {"base64": base64.b64encode(raw).decode()}


def render(document: Mapping[str, object]) -> bytes:
    """The bytes of a case file: ASCII, so that no tool on the way changes a character."""
    return (json.dumps(document, indent=2) + "\n").encode("ascii")


def of(chain: Chain, *, attack: str, spec: str, in_toto: str, strict: Expected = PASS, **fields: Any) -> Vector:
    """The case of `chain`: its layout signed by its owners, and its evidence. Other fields as in `Vector`."""
    given: dict[str, Any] = {
        "layout": chain.policy().sealed.raw,
        "evidence": evidence_of(chain),
        "owners": chain.owners,
    }
    return Vector(attack=attack, spec=spec, strict=strict, in_toto=in_toto, **(given | fields))


def evidence_of(chain: Chain) -> dict[str, bytes]:
    """The files of evidence of `chain`."""
    return {piece.origin: piece.raw for piece in chain.filed if piece.raw is not None}
