"""Files of expectations on the command line: YAML or JSON, plain, pinned by digest, or signed."""

from __future__ import annotations

import re

from navicert.cli import option
from navicert.digest import Digest, sha256
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Final

    from navicert.authoring.node import Node
    from navicert.crypto.key import Key
    from navicert.slsa.expectation import Expectations

_LITERAL: Final = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]{0,17})")
"""Bare words of YAML that are what JSON takes them for."""


def add_expectations(parser: argparse.ArgumentParser) -> None:
    """`--expect` and what vouches for it: `read_expectations(args, keys)`."""
    add = parser.add_argument
    add("--expect", metavar="FILE", help="what is expected of the image, and who is trusted")
    add("--expect-key", action="append", default=[], metavar="PUB", help="FILE is signed by this key (repeatable)")
    add("--expect-digest", metavar="D", help="FILE has this digest, sha256:…")


def read_expectations(args: argparse.Namespace, keys: tuple[Key, ...]) -> Expectations | str:
    """The expectations that `--expect` names; or why they do not count: nobody who was named signed them, or the digest
    is another. Raises `Malformed`."""
    from navicert.slsa.expectation import Expectations

    if args.expect is None:
        if args.expect_key or args.expect_digest:
            raise Malformed("without --expect", path="--expect-key", remedy="name the file with --expect")
        return Expectations()
    raw = option.read_file(args.expect, option.limits(args).document_bytes)
    trusted, problem = _pinned(args, raw)
    if problem:
        return problem
    known = {id: key for key in keys for id in (*key.ids, key.fingerprint)}
    signed = _signed(args, raw)
    if isinstance(signed, str):
        return signed
    if signed is not None:
        value, trusted = signed
    else:
        value = _value(args, raw)
    try:
        return Expectations.from_json(value, keys=known, origin=args.expect, trusted=trusted, digest=sha256(raw))
    except Malformed as error:
        raise error.at(args.expect) from None


def _pinned(args: argparse.Namespace, raw: bytes) -> tuple[str, str]:
    """By which digest the file is pinned, or why it is not what was pinned."""
    if args.expect_digest is None:
        return "", ""
    try:
        wanted = Digest.parse(args.expect_digest)
    except Malformed as error:
        raise error.at("--expect-digest") from None
    if wanted.algorithm != "sha256":
        raise Malformed("not a SHA-256", path="--expect-digest", got=wanted.algorithm)
    found = sha256(raw)
    if found != wanted:
        return "", f"its digest is {found}, not {wanted}"
    return f"pinned by {wanted}", ""


def _signed(args: argparse.Namespace, raw: bytes) -> tuple[object, str] | str | None:
    """The document inside a signed statement, and who signed it; why nobody who was named did; None for a file that is
    not signed."""
    from navicert.envelope.document import open_document
    from navicert.model.statement import Statement
    from navicert.slsa.expectation import PREDICATE_TYPE
    from navicert.strictjson import loads

    bounds = option.limits(args)
    try:
        value = loads(raw, bounds)
    except Malformed:
        value = None  # YAML, which is read elsewhere, and signs nothing
    if not isinstance(value, dict) or "payload" not in value:
        if args.expect_key:
            return "it is not signed"
        return None
    if not args.expect_key:
        raise Malformed(
            "signed, and nobody said by whom", path=args.expect, remedy="name the owner's key with --expect-key"
        )
    owners = option.public_keys(args.expect_key)
    verified = open_document(raw, bounds, path=args.expect).verified_by(owners)
    now = option.at(args)
    missing = [key.short for key in owners if verified is None or not verified.is_signed_by(key, now)]
    if verified is None or missing:
        return f"it is not signed by {', '.join(missing)}"
    body = verified.body
    if not isinstance(body, Statement) or body.predicate_type != PREDICATE_TYPE:
        raise Malformed("no expectations", path=args.expect, expected=f"a statement of type {PREDICATE_TYPE}")
    return dict(body.predicate), f"signed by {', '.join(key.short for key in owners)}"


def _value(args: argparse.Namespace, raw: bytes) -> object:
    """The JSON value of a plain file, which may be YAML."""
    from navicert.strictjson import loads

    bounds = option.limits(args)
    if raw.lstrip()[:1] == b"{":
        return loads(raw, bounds, path=args.expect)
    from navicert.authoring.yaml import read_yaml

    return _plain(read_yaml(raw, bounds, path=args.expect))


def _plain(node: Node) -> object:
    """The JSON value of what was written in YAML. A bare word that is a number, `true`, `false` or `null` in JSON is
    that; every other word is text, and so is one in quotes."""
    from navicert.authoring.node import Items, Word
    from navicert.strictjson import loads

    if isinstance(node, Word):
        bare = node.kind == "plain"
        if bare and node.text == "":
            return None
        return loads(node.text.encode()) if bare and _LITERAL.fullmatch(node.text) else node.text
    if isinstance(node, Items):
        return [_plain(child) for child in node.nodes]
    return {name: _plain(child) for name, child in node.nodes.items()}
