"""What bad input gets, on the real command line: one line that names the file, the place in it and what belongs there;
exit code 2 for what was to be judged by, 1 for what was to be judged; nothing written; within seconds and below 1 GB.

Wrong types are made mechanically: every value of a document in turn becomes a value of every other type. What could
take time or memory runs as a process of its own, whose bounds the kernel enforces.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from vectors.generators.material import block, dsse, metablock

from navicert.cli.main import main
from navicert.crypto.signer import private_pem
from navicert.errors import Malformed
from navicert.limits import LOCAL, MIB
from navicert.model.link import Link
from navicert.testing import Chain, chain, digests, key, signer

AT = "2026-01-01T00:00:00Z"
LINK = f"build.{key('bob').short}.link"
VERIFY = ["verify", "--layout", "root.layout", "--owner", "owner.pub", "--at", AT]
WRONG: list[Any] = [None, True, 7, 1.5, "text", [], {}]
Place = tuple[str | int, ...]

GOOD = (
    chain()
    .having(readme="how it is built")
    .step(
        "build",
        by="bob",
        command="make app",
        materials=["MATCH src/* IN in WITH PRODUCTS IN out FROM build", "ALLOW *", "DISALLOW *"],
        products=["CREATE app", "DISALLOW *"],
    )
    .link("build", command="make app", materials={"src/main.c": b"source"}, products={"app": b"app"})
)
INSPECTED = GOOD.inspection("look", run="true", materials=["ALLOW *", "DISALLOW *"], products=["ALLOW *", "DISALLOW *"])
LAYOUT: dict[str, Any] = INSPECTED.layout().to_json()
BODY: dict[str, Any] = Link(
    "build",
    ("make", "app"),
    {"src/main.c": digests(b"source")},
    {"app": digests(b"app")},
    {"return-value": 0, "stdout": ""},
    {"workdir": "/"},
).to_json()


# --- the ground ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """What a command line came to."""

    code: int
    out: str
    err: str


class Ground:
    """A folder with keys, a layout and a link, all of them good, and command lines that are run in it."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys
        self.put(GOOD)
        for who in ("owner", "bob"):
            (folder / who).write_bytes(private_pem(signer(who), None))
            (folder / f"{who}.pub").write_bytes(key(who).public_pem())

    def put(self, made: Chain) -> None:
        """Write the layout and the evidence of `made`."""
        (self.folder / "root.layout").write_bytes(made.policy().sealed.raw)
        for piece in made.filed:
            place = self.folder / piece.origin
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(piece.raw or b"")

    def run(self, *words: str) -> Ran:
        """Run the command line in this process."""
        code = main(words)
        out, err = self._capsys.readouterr()
        return Ran(code, out, err)

    def files(self) -> dict[str, bytes]:
        """Every file below the folder with its content."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def refuses(self, words: Sequence[str], *said: str, code: int = 2) -> None:
        """The command line is refused in one line that says `said` and what belongs there, and writes nothing."""
        before = self.files()
        ran = self.run(*words)
        assert_refused(ran, *said, code=code)
        assert self.files() == before

    def finds(self, origin: str, *said: str) -> None:
        """The evidence at `origin` does not count, and the verdict says why: it is judged, and not passed."""
        before = self.files()
        ran = self.run(*VERIFY)
        assert (ran.code, ran.err) == (1, ""), ran
        folded = " ".join(ran.out.split())
        assert all(word in folded for word in (origin, *said)), ran.out
        assert self.files() == before


def assert_refused(ran: Ran, *said: str, code: int = 2) -> None:
    assert ran.code == code, ran
    assert ran.out == ""
    assert ran.err.startswith("navicert: ")
    assert ran.err.count("\n") == 1, ran.err
    assert "internal error" not in ran.err
    for word in said:
        assert word in ran.err
    assert "(expected " in ran.err or " – " in ran.err, f"says nothing about what to do: {ran.err}"


@pytest.fixture
def ground(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Ground:
    monkeypatch.chdir(tmp_path)
    return Ground(tmp_path, capsys)


def layout_commands(name: str = "root.layout") -> list[list[str]]:
    """Everything that reads a layout."""
    return [
        ["verify", "--layout", name, "--owner", "owner.pub", "--at", AT],
        ["show", name],
        ["sign", name, "--key", "owner"],
        ["sign", name, "--key", "owner", "--add", "-o", "out"],
        ["sign", name, "--key", "owner.pub", "--verify"],
        ["layout", "show", name],
        ["layout", "lint", name],
        ["layout", "sign", name, "--key", "owner", "-o", "out"],
    ]


def link_commands() -> list[list[str]]:
    """Everything that reads a link that was named."""
    return [
        ["show", LINK],
        ["sign", LINK, "--key", "bob"],
        ["sign", LINK, "--key", "bob", "--add", "-o", "out"],
    ]


# --- wrong types, everywhere ---------------------------------------------------------------------------------------


def places(value: object, path: Place = ()) -> Iterator[Place]:
    """Every value within `value`."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for token, child in children:
        yield (*path, token)
        yield from places(child, (*path, token))


def value_at(document: Any, path: Place) -> Any:
    for token in path:
        document = document[token]
    return document


def replaced(document: object, path: Place, value: object) -> Any:
    copy = json.loads(json.dumps(document))
    value_at(copy, path[:-1])[path[-1]] = value
    return copy


def pointer(path: Place) -> str:
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in path)


def wrong_for(original: object) -> Iterator[object]:
    """A value of every type but that of `original`."""
    return (value for value in WRONG if type(value) is not type(original))


def is_free(path: Place, value: object) -> bool:
    """What the format leaves free: what recorders write of themselves, and fields of a key object that may be absent
    and are, by some, written as null."""
    if path[0] in ("byproducts", "environment") and len(path) > 1:
        return True
    return value is None and path[-1] in ("keyid_hash_algorithms", "keyid") and "keys" in path


def signed(document: object, who: str = "owner") -> Iterator[tuple[str, bytes]]:
    """`document` in both containers, signed by `who` where there is a signed form of it: what pointers into it begin
    with, and the file."""
    yield "/payload#", dsse(document, who)
    try:
        raw = metablock(document, who)
    except Malformed:  # a float has none
        raw = block(document, [{"keyid": key(who).id, "sig": "00" * 64}])
    yield "/signed", raw


def label(path: Place) -> str:
    return pointer(path).replace(key("bob").id, "KEY")


@pytest.mark.parametrize("path", [*places(LAYOUT)], ids=label)
def test_a_wrong_type_in_a_layout(ground: Ground, path: Place) -> None:
    file = ground.folder / "root.layout"
    in_key = path[0] == "keys" and len(path) > 2
    for value in wrong_for(value_at(LAYOUT, path)):
        if is_free(path, value):
            continue
        for base, raw in signed(replaced(LAYOUT, path, value)):
            file.write_bytes(raw)
            for words in layout_commands():
                # A key is read where it is used; what only passes a layout on leaves the keys in it alone.
                if not in_key or words[0] == "verify":
                    ground.refuses(words, "root.layout", base + pointer(path))


@pytest.mark.parametrize("path", [*places(BODY)], ids=pointer)
def test_a_wrong_type_in_a_link(ground: Ground, path: Place) -> None:
    file = ground.folder / LINK
    for value in wrong_for(value_at(BODY, path)):
        if is_free(path, value):
            continue
        for base, raw in signed(replaced(BODY, path, value), "bob"):
            file.write_bytes(raw)
            for words in link_commands():
                ground.refuses(words, LINK, base + pointer(path))
            ground.finds(LINK, base + pointer(path))


CONTAINERS = {"dsse": json.loads(dsse(LAYOUT, "owner")), "metablock": json.loads(metablock(LAYOUT, "owner"))}


def container_places() -> Iterator[tuple[str, Place]]:
    for form, document in CONTAINERS.items():
        for path in places(document):
            if path == ("signed",) or path[0] != "signed":
                yield form, path


@pytest.mark.parametrize(("form", "path"), [*container_places()], ids=str)
def test_a_wrong_type_in_a_container(ground: Ground, form: str, path: Place) -> None:
    for value in wrong_for(value_at(CONTAINERS[form], path)):
        if form == "dsse" and path[-1] == "keyid" and value is None:
            continue  # the id is optional there, and null is how some leave it out
        raw = json.dumps(replaced(CONTAINERS[form], path, value)).encode()
        (ground.folder / "root.layout").write_bytes(raw)
        for words in layout_commands():
            ground.refuses(words, "root.layout", pointer(path))
        (ground.folder / LINK).write_bytes(raw)
        for words in link_commands():
            ground.refuses(words, LINK, pointer(path))


@pytest.mark.parametrize("value", [value for value in WRONG if value != {}], ids=repr)
def test_a_document_that_is_no_object(ground: Ground, value: object) -> None:
    for name in ("root.layout", LINK):
        (ground.folder / name).write_text(json.dumps(value))
    ground.refuses(VERIFY, "root.layout", "expected object")
    ground.refuses(["sign", LINK, "--key", "bob"], LINK, "expected object")
    ground.put(GOOD)
    (ground.folder / LINK).write_text(json.dumps(value))
    ground.finds(LINK, "expected object")


PUBLIC = {
    "keytype": "ed25519",
    "scheme": "ed25519",
    "keyid": key("owner").legacy_id,
    "keyid_hash_algorithms": ["sha256", "sha512"],
    "keyval": {"public": key("owner").public_text},
}


@pytest.mark.parametrize("path", [*places(PUBLIC)], ids=pointer)
def test_a_wrong_type_in_a_key_file(ground: Ground, path: Place) -> None:
    for value in wrong_for(value_at(PUBLIC, path)):
        if value is None and path[-1] in ("keyid", "keyid_hash_algorithms"):
            continue
        (ground.folder / "legacy.pub").write_text(json.dumps(replaced(PUBLIC, path, value)))
        ground.refuses([*VERIFY[:3], "--owner", "legacy.pub"], "legacy.pub", pointer(path))
        ground.refuses(["show", "legacy.pub"], "legacy.pub", pointer(path))


DRAFT: dict[str, Any] = {
    "name": "app",
    "version": 1,
    "expires": "2027-01-01T00:00:00Z",
    "readme": "how it is built",
    "functionaries": {"bob": ["bob.pub"]},
    "steps": [{"name": "build", "by": ["bob"], "threshold": 1, "command": "make app", "materials": ["ALLOW *"]}],
    "inspections": [{"name": "look", "run": ["true"], "products": [["ALLOW", "*"]]}],
}


@pytest.mark.parametrize("path", [*places(DRAFT)], ids=pointer)
def test_a_wrong_type_in_a_layout_written_by_hand(ground: Ground, path: Place) -> None:
    """People may write a list of one as one, and a number as text; what is refused is refused by name and place."""
    for value in (*wrong_for(value_at(DRAFT, path)), "", -1, "\x1b[2K\n", [[]], [None], {"a": {}}):
        for name in ("layout.json", "layout.yaml"):  # what is JSON is YAML too
            (ground.folder / name).write_text(json.dumps(replaced(DRAFT, path, value)))
            before = ground.files()
            ran = ground.run("layout", "sign", name, "--key", "owner", "-o", "out", "--at", AT)
            assert ran.code in (0, 2), ran
            lines = ran.err.splitlines()
            assert all(line.startswith("navicert: ") and "internal error" not in line for line in lines), ran.err
            if ran.code == 0:
                (ground.folder / "out").unlink()
            else:
                assert name in ran.err
            assert ground.files() == before


# --- documents that are none ---------------------------------------------------------------------------------------


def spoilt(what: str, raw: bytes) -> bytes:
    """The good file `raw` with one thing wrong."""
    field = b'"threshold": 1' if b'"threshold"' in raw else b'"name": "build"'
    with_field = {
        "duplicate key": field + b", " + field,
        "NaN is not JSON": field + b', "odd": NaN',
        "-Infinity is not JSON": field + b', "odd": -Infinity',
        "number out of range": field + b', "odd": 1e400',
        "lone surrogate": field + b', "odd": "\\ud800"',
        "not UTF-8": field + b', "odd": "\xff"',
        "nested too deeply": field + b', "odd": ' + b"[" * 10_000 + b"]" * 10_000,
        "not JSON": field + b",,",
    }
    if what in with_field:
        assert raw.count(field) == 1
        return raw.replace(field, with_field[what])
    return {"byte order mark": b"\xef\xbb\xbf" + raw, "extra data": raw + b"{}", "expecting value": b""}[what]


SPOILT = (
    "duplicate key",
    "NaN is not JSON",
    "-Infinity is not JSON",
    "number out of range",
    "lone surrogate",
    "not UTF-8",
    "nested too deeply",
    "not JSON",
    "byte order mark",
    "extra data",
    "expecting value",
)


@pytest.mark.parametrize("what", SPOILT)
def test_a_layout_that_is_not_quite_json(ground: Ground, what: str) -> None:
    for raw in (metablock(LAYOUT, "owner"), spoilt_payload(what, LAYOUT)):
        (ground.folder / "root.layout").write_bytes(spoilt(what, raw) if b'"signed"' in raw else raw)
        ground.refuses(VERIFY, "root.layout", what)
        ground.refuses(["sign", "root.layout", "--key", "owner"], "root.layout", what)


def spoilt_payload(what: str, document: object) -> bytes:
    """An envelope around a payload that is spoilt, and signed so."""
    return dsse(spoilt(what, json.dumps(document).encode()), "owner")


@pytest.mark.parametrize("what", SPOILT)
def test_a_link_that_is_not_quite_json(ground: Ground, what: str) -> None:
    (ground.folder / LINK).write_bytes(spoilt(what, metablock(BODY, "bob")))
    ground.finds(LINK, what)
    ground.refuses(["sign", LINK, "--key", "bob"], LINK, what)


def test_a_link_where_a_layout_belongs(ground: Ground) -> None:
    (ground.folder / "root.layout").write_bytes(metablock(BODY, "owner"))
    for words in layout_commands():
        if words[0] in ("verify", "layout"):
            ground.refuses(words, "root.layout", "not a layout")


def test_a_layout_where_a_link_belongs_is_a_sublayout_and_judged_as_one(ground: Ground) -> None:
    (ground.folder / LINK).write_bytes(metablock(LAYOUT, "bob"))
    ground.finds(LINK, "step.threshold")


def test_a_file_of_something_else(ground: Ground) -> None:
    for raw in (b"\x7fELF\0\0", b"PK\x03\x04", b"-----BEGIN CERTIFICATE-----\n", os.urandom(64) + b"\xff"):
        (ground.folder / "root.layout").write_bytes(raw)
        ground.refuses(VERIFY, "root.layout")
        (ground.folder / "root.layout").write_bytes(GOOD.policy().sealed.raw)
        (ground.folder / LINK).write_bytes(raw)
        ground.finds(LINK, "cannot be read")
        (ground.folder / "odd.pub").write_bytes(raw)
        ground.refuses([*VERIFY[:3], "--owner", "odd.pub"], "odd.pub")


# --- names ---------------------------------------------------------------------------------------------------------

NAMES = ["a/b", "../build", "/etc/build", "", ".hidden", "a\\b", "a\nb", "a\x1b[2Kb", "x" * 201]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_step_whose_name_is_no_file_name(ground: Ground, name: str) -> None:
    for base, raw in signed(replaced(LAYOUT, ("steps", 0, "name"), name)):
        (ground.folder / "root.layout").write_bytes(raw)
        for words in layout_commands():
            ground.refuses(words, "root.layout", f"{base}/steps/0/name", "not a usable name")
    ground.put(GOOD)
    ground.refuses(["run", name, "--key", "bob", "--no-command"], "not a usable name", code=125)
    ground.refuses(["record", "start", name, "--key", "bob"], "not a usable name")


def test_a_file_name_that_rewrites_the_terminal(ground: Ground) -> None:
    name = "a\x1b[2K\rPASS\n\u202e.layout"
    (ground.folder / name).write_bytes(b"{")
    ground.refuses(["show", name], "a\\x1b[2K\\rPASS\\n\\u202e.layout", "not JSON")


def test_a_key_in_a_document_that_rewrites_the_terminal(ground: Ground) -> None:
    broken = replaced(BODY, ("products",), {"\x1b[2K\nPASS\u202e": 7})
    (ground.folder / LINK).write_bytes(dsse(broken, "bob"))
    ground.refuses(["show", LINK], "/payload#/products/\\x1b[2K\\nPASS\\u202e")
    assert "\x1b" not in ground.run(*VERIFY).out


# --- nothing half-written ------------------------------------------------------------------------------------------


def test_a_command_that_is_refused_leaves_what_was_there(ground: Ground) -> None:
    (ground.folder / "out").write_bytes(b"precious")
    ground.refuses(["sign", "root.layout", "--key", "owner", "-o", "out"], "out", "already exists")
    ground.refuses(["sign", "root.layout", "--key", "nowhere", "-o", "out", "--force"], "nowhere")
    (ground.folder / "root.layout").write_bytes(b"{")
    ground.refuses(["sign", "root.layout", "--key", "owner", "-o", "out", "--force"], "root.layout")
    ground.refuses(["layout", "sign", "root.layout", "--key", "owner", "-o", "out", "--force"], "root.layout")


def test_a_run_that_cannot_be_recorded_does_not_run(ground: Ground) -> None:
    touch = ["--", sys.executable, "-c", "open('ran', 'w').close()"]
    for words in (
        ["run", "a/b", "--key", "bob"],
        ["run", "build", "--key", "root.layout"],
        ["run", "build", "--key", "bob", "--store", "root.layout"],
        ["run", "build", "--key", "bob", "--expect-from", "root.layout", "--expect-key", "bob.pub"],
        ["run", "build", "--key", "bob", "--max-document-bytes", "none"],
    ):
        before = ground.files()
        ran = ground.run(*words, *touch)
        assert (ran.code, ran.out) == (125, ""), ran
        assert ran.err.startswith("navicert: ")
        assert "internal error" not in ran.err
        assert ground.files() == before


# --- limits --------------------------------------------------------------------------------------------------------


def test_a_document_larger_than_allowed(ground: Ground) -> None:
    for words in layout_commands():
        ground.refuses([*words, "--max-document-bytes", "100"], "root.layout", "--max-document-bytes")
    for words in link_commands():
        ground.refuses([*words, "--max-document-bytes", "100"], LINK, "--max-document-bytes")


def test_evidence_larger_than_allowed(ground: Ground) -> None:
    size = len((ground.folder / "root.layout").read_bytes())
    (ground.folder / LINK).write_bytes(metablock(BODY, "bob") + b" " * size)
    ran = ground.run(*VERIFY, "--max-document-bytes", str(size))
    assert ran.code == 1
    assert f"larger than {size} bytes" in " ".join(ran.out.split())
    assert ground.run(*VERIFY).code == 0


def signatures(count: int) -> list[object]:
    return [{"keyid": f"{number:064x}", "sig": f"{number:0128x}"} for number in range(count)]


def test_more_signatures_than_anybody_needs(ground: Ground) -> None:
    (ground.folder / "root.layout").write_bytes(block(LAYOUT, signatures(1000)))
    for words in layout_commands():
        ground.refuses(words, "root.layout", "/signatures", f"at most {LOCAL.signatures}")
    ground.put(GOOD)
    (ground.folder / LINK).write_bytes(block(BODY, signatures(1000)))
    ground.finds(LINK, "/signatures", f"at most {LOCAL.signatures}")


# --- processes of their own, within bounds that the kernel enforces ------------------------------------------------

MEMORY, SECONDS = 1024 * MIB, 10

_BOUNDED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_AS, ({memory}, {memory}))
resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds}))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.argv[0] = "navicert"
runpy.run_module("navicert", run_name="__main__", alter_sys=True)
"""


def bounded(ground: Ground, *words: str) -> Ran:
    """Run the command line as a process with little memory and time, which the kernel ends beyond them."""
    before = ground.files()
    program = _BOUNDED.format(memory=MEMORY, seconds=SECONDS)
    ran = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, cwd=ground.folder)
    assert ran.returncode >= 0, f"ended by signal {-ran.returncode}"
    assert "MemoryError" not in ran.stderr
    assert "Traceback" not in ran.stderr
    assert ground.files() == before
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def test_the_bounds_hold(ground: Ground) -> None:
    """A process that takes more is ended: without this the tests below would prove nothing."""
    program = _BOUNDED.format(memory=MEMORY, seconds=SECONDS)
    greedy = program.replace("import resource,", "import os, resource,") + f"\nbytearray({MEMORY})"
    ran = subprocess.run([sys.executable, "-c", greedy.replace("runpy.run", "0 and runpy.run")], capture_output=True)
    assert b"MemoryError" in ran.stderr
    busy = _BOUNDED.format(memory=MEMORY, seconds=1).replace("runpy.run", "0 and runpy.run") + "\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", busy], capture_output=True).returncode < 0


def test_a_huge_layout(ground: Ground) -> None:
    """129 MiB, of which the end is white space: refused, and read where whoever verifies says that it may be."""
    raw = (ground.folder / "root.layout").read_bytes()
    (ground.folder / "root.layout").write_bytes(raw + b" " * (LOCAL.document_bytes + MIB))
    assert_refused(bounded(ground, *VERIFY), "root.layout", "--max-document-bytes")
    assert bounded(ground, *VERIFY, "--max-document-bytes", "130M").code == 0


@pytest.mark.parametrize("shape", ["[", '{"a":', "[[],"])
def test_a_deep_layout(ground: Ground, shape: str) -> None:
    """A million levels."""
    (ground.folder / "root.layout").write_bytes(b'{"signed": ' + shape.encode() * 1_000_000)
    assert_refused(bounded(ground, *VERIFY), "root.layout")
    assert_refused(bounded(ground, "show", "root.layout"), "root.layout")


def test_a_number_of_a_million_digits(ground: Ground) -> None:
    (ground.folder / "root.layout").write_bytes(b'{"signed": ' + b"9" * 1_000_000 + b"}")
    assert_refused(bounded(ground, *VERIFY), "root.layout", "number out of range")


def test_a_thousand_signatures(ground: Ground) -> None:
    (ground.folder / "root.layout").write_bytes(block(LAYOUT, signatures(1000)))
    assert_refused(bounded(ground, *VERIFY), "root.layout", "/signatures")


def test_many_signatures_and_many_keys(ground: Ground) -> None:
    """As many of both as are allowed, and none fits: trying every signature with every key would take minutes."""
    layout = json.loads(json.dumps(LAYOUT))
    keys = [signer(f"key {number}").key for number in range(LOCAL.layout_keys)]
    layout["keys"] = {one.id: one.to_json() for one in keys}
    layout["steps"][0]["pubkeys"] = [one.id for one in keys]
    (ground.folder / "root.layout").write_bytes(metablock(layout, "owner"))
    (ground.folder / LINK).write_bytes(block(BODY, signatures(LOCAL.signatures)))
    ran = bounded(ground, *VERIFY)
    assert ran.code == 1
    assert LINK in ran.out


def test_a_pattern_that_makes_a_matcher_try_everything(ground: Ground) -> None:
    pattern, path = "*a" * 40 + "?", "a" * 4000 + "b/"
    made = (
        chain()
        .step("build", by="bob", materials=[["ALLOW", pattern], ["DISALLOW", "*"]])
        .link("build", materials={f"{path}{number}": b"" for number in range(50)})
    )
    ground.put(made)
    assert bounded(ground, *VERIFY).code in (0, 1)


# --- sublayouts ----------------------------------------------------------------------------------------------------


def nested(levels: int) -> Chain:
    """`levels` layouts inside one another, each other than all others, and a link in the innermost."""
    inner = chain().step("s", by="bob", products=["ALLOW app"]).link("s", products={"app": b"app"})
    for level in range(levels):
        inner = chain().having(readme=str(level)).step("s", by="bob", products=["ALLOW app"]).sublayout("s", inner)
    return inner


def test_eight_levels_of_sublayouts_pass(ground: Ground) -> None:
    ground.put(nested(8))
    assert bounded(ground, *VERIFY).code == 0


def test_250_levels_of_sublayouts(ground: Ground) -> None:
    ground.put(nested(250))
    ran = bounded(ground, *VERIFY)
    assert ran.code == 1
    assert ran.out.startswith("FAIL  sublayout.depth")


def test_250_levels_of_sublayouts_in_one_folder(ground: Ground) -> None:
    """Where evidence lies decides nothing, so folders do not bound the depth either."""
    inner = chain().step("s0", by="bob").link("s0", products={"app": b"app"})
    for level in range(1, 251):
        inner = chain().step(f"s{level}", by="bob").sublayout(f"s{level}", inner)
    (ground.folder / "root.layout").write_bytes(inner.policy().sealed.raw)
    for piece in inner.filed:
        (ground.folder / Path(piece.origin).name).write_bytes(piece.raw or b"")
    ran = bounded(ground, *VERIFY)
    assert ran.code == 1
    assert ran.out.startswith("FAIL  sublayout.depth")


def test_a_sublayout_that_contains_itself(ground: Ground) -> None:
    own = chain().step("build", by="owner")
    raw = own.policy().sealed.raw
    (ground.folder / "root.layout").write_bytes(raw)
    (ground.folder / f"build.{key('owner').short}.link").write_bytes(raw)
    ran = bounded(ground, *VERIFY)
    assert ran.code == 1
    assert "contains itself" in " ".join(ran.out.split())


def test_sublayouts_that_contain_each_other(ground: Ground) -> None:
    """Twelve layouts, each with two steps for which every one of them may stand: without a bound on their number more
    than could be judged in a lifetime."""
    stores: list[str] = []
    for number in range(12):
        layout = chain().having(readme=str(number)).step("a", by="bob").step("b", by="bob").layout().to_json()
        folder = ground.folder / f"store{number}"
        folder.mkdir()
        for step in "ab":
            (folder / f"{step}.{key('bob').short}.link").write_bytes(metablock(layout, "bob"))
        stores += ["--store", folder.name]
    ground.put(chain().step("a", by="bob"))
    ran = bounded(ground, *VERIFY, *stores)
    assert ran.code == 1
    assert "step.threshold" in ran.out or "sublayout" in ran.out


def test_folders_that_contain_themselves(ground: Ground) -> None:
    folder = ground.folder / f"build.{key('bob').short}"
    folder.mkdir()
    (folder / folder.name).symlink_to("..", target_is_directory=True)
    assert bounded(ground, *VERIFY).code == 0
