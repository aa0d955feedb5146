"""`navicert key show`: type and ids of keys, whatever form they are in."""

from __future__ import annotations

from navicert.cli.option import add_json
from navicert.cli.terminal import complain, escape, say
from navicert.errors import Malformed, NavicertError
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from navicert.crypto.key import Key

HELP = "print type and ids of a key"
DESCRIPTION = """Print what a public key is, and the ids that programs know it by. Of a private key only
that it is one."""
EXAMPLE = "navicert key show keys/owner.pub"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "keys", nargs="+", metavar="KEY", help="key file, env:NAME, gpg:FINGERPRINT,\nawskms:… or another name of a key"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Show every key; the first that cannot be read does not keep the others from being shown."""
    from navicert.trust.keyfile import open_public_key

    shown: list[object] = []
    code = 0
    for name in args.keys:
        try:
            found = about(name, open_public_key, as_json=args.json)
        except NavicertError as error:
            if len(args.keys) == 1:
                raise
            from navicert.cli.failure import describe

            text, failed = describe(error)
            complain(text)
            code = max(code, failed)
            continue
        if not args.json:
            say(f"\n{found}" if shown else str(found))
        shown.append(found)
    if args.json:
        from navicert.report.json import render_object

        say(render_object(shown[0] if len(shown) == 1 else shown))
    return code


def about(name: str, load: Callable[[str], Key], *, as_json: bool) -> object:
    """What the key called `name` is that `load` gives: a JSON object or a text. Raises what `load` raises."""
    try:
        key = load(name)
    except Malformed as error:
        if not is_private(error):
            raise
        kind = f"private key ({error.got})" if error.got else "private key"
        if as_json:
            return {"type": "navicert-key/v1", "file": name, "kind": "private", "form": error.got or None}
        return f"{escape(name)}: {escape(kind)}, which is not shown – show its public half, such as KEY.pub"
    return _json(name, key) if as_json else _text(name, key)


def is_private(error: Malformed) -> bool:
    """Whether what could not be read as a public key is a private one."""
    return error.what.startswith("a private key")


def ids_of(key: Key) -> dict[str, str]:
    """The ids of `key` by the form that they have."""
    return {"modern": key.modern_id, "legacy": key.legacy_id, "go": key.go_id}


def _json(name: str, key: Key) -> dict[str, object]:
    about = {"keytype": key.keytype, "scheme": key.scheme, "fingerprint": key.fingerprint}
    ids = {"keyid": key.id, "ids": ids_of(key)}
    found: dict[str, object] = {"type": "navicert-key/v1", "file": name, "kind": "public", **about, **ids}
    if key.openpgp:
        subkeys = [{"keyid": one.id, "keytype": one.keytype, "expires": _until(one)} for one in key.members[1:]]
        found |= {"expires": _until(key), "subkeys": subkeys}
    return found


def _until(key: Key) -> str | None:
    return None if key.expires is None else format_timestamp(key.expires)


def _text(name: str, key: Key) -> str:
    scheme = f", {key.scheme}" if key.scheme != key.keytype else ""
    lines = [f"{escape(name)}: {'GPG' if key.openpgp else 'public'} key, {key.keytype}{scheme}"]
    if key.openpgp:
        lines += _line("id", key)
        for subkey in key.members[1:]:
            lines += _line("subkey", subkey)
    else:
        labels = {"modern": "id", "legacy": "id in 1.x", "go": "id in Go"}
        lines += [f"{labels[form]:<12} {id}" for form, id in ids_of(key).items()]
    return "\n".join([*lines, f"{'fingerprint':<12} {key.fingerprint}"])


def _line(label: str, key: Key) -> list[str]:
    until = f" until {_until(key)}" if key.expires else ""
    return [f"{label:<12} {escape(key.id)}  {key.keytype}{until}"]
