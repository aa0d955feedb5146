"""Terminal injection: names in documents, files and arguments that would rewrite what a person reads.

A control sequence can clear the line that says FAIL and print PASS in its place, a bidirectional override can turn a
file name around, a line feed can add a line that nobody wrote. Known of cargo, pip, git, kubectl and others as
CVE-2021-42574 and CWE-150.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path

import pytest
from tests.sample_chain import SampleChain, digests, rule

from navicert.cli.main import main
from navicert.digest import DigestSet
from navicert.envelope.body import Body
from navicert.envelope.document import seal
from navicert.model.layout import Inspection, Layout, Step
from navicert.model.link import Link
from navicert.model.statement import ResourceDescriptor, Statement

# Clears the line and writes another verdict over it; then one that turns text around, a bell, a title, a line.
_WRITES = "a\x1b[2K\x1b[1G\x1b[32mPASS\x1b[0m\u202egpj.exe"
EVIL = f"{_WRITES}\u2066\x07\x1b]0;owned\x9c\x9b2J\rPASS  all is well\nPASS  all is well"
EVIL_NAME = f"{_WRITES}\nPASS  all is well"
MOVES = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def navicert(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and all output of a command line in `folder`."""
    out = io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(out):
        code = main(words)
    return code, out.getvalue()


def unharmed(text: str) -> bool:
    """Whether nothing in `text` moves a terminal, and no line of it was written by the attacker."""
    return not MOVES.search(text) and not re.search(r"^PASS  all is well", text, re.MULTILINE)


@pytest.fixture
def chain(tmp_path: Path) -> SampleChain:
    """A chain in `tmp_path`, with a layout that allows nothing evil."""
    sample = SampleChain()
    sample.write(tmp_path)
    return sample


def evidence(chain: SampleChain, folder: Path, link: Link) -> None:
    """Put `link`, rightly signed, in place of the last step's."""
    (folder / "evidence" / f"step02.{chain.bob.key.short}.link").write_bytes(seal(link, chain.bob))


def verify(folder: Path, *words: str) -> Iterator[tuple[int, str]]:
    """The verdict as text, in full, and as JSON."""
    common = ("verify", "--layout", "root.layout", "--owner", "owner.pub", "--store", "evidence", *words)
    for more in ((), ("--verbose",), ("--json",)):
        yield navicert(folder, *common, *more)


def test_an_artifact_name_cannot_turn_fail_into_pass(chain: SampleChain, tmp_path: Path) -> None:
    last = [link for link, _ in chain.links()][-1]
    evidence(chain, tmp_path, replace(last, materials={**last.materials, EVIL: digests(b"evil")}))
    for code, text in verify(tmp_path, "app"):
        assert code == 1
        assert unharmed(text)
        assert "owned" in text


def test_everything_else_in_a_link_is_harmless_too(chain: SampleChain, tmp_path: Path) -> None:
    last = [link for link, _ in chain.links()][-1]
    loud = replace(
        last,
        command=(EVIL,),
        byproducts={"return-value": EVIL, EVIL: EVIL},
        environment={EVIL: EVIL},
        extra={EVIL: EVIL},
    )
    evidence(chain, tmp_path, loud)
    for code, text in verify(tmp_path, "app"):
        assert code == 0
        assert unharmed(text)


def test_the_signed_name_of_a_link_is_harmless(chain: SampleChain, tmp_path: Path) -> None:
    last = [link for link, _ in chain.links()][-1]
    evidence(chain, tmp_path, replace(last, name=EVIL))
    for code, text in verify(tmp_path, "app"):
        assert code == 1
        assert unharmed(text)


def test_the_file_name_of_evidence_is_harmless(chain: SampleChain, tmp_path: Path) -> None:
    (tmp_path / "evidence" / f"step02.{chain.bob.key.short}.link").unlink()
    (tmp_path / "evidence" / f"step02.{EVIL_NAME}.link").write_bytes(b"{")
    (tmp_path / "evidence" / "step02.\udcff.link").write_bytes(b"{")
    for code, text in verify(tmp_path, "app"):
        assert code == 1
        assert unharmed(text)


def test_a_layout_cannot_write_on_the_terminal_of_whoever_checks_it(chain: SampleChain, tmp_path: Path) -> None:
    layout = chain.layout()
    hostile = replace(
        layout,
        readme=f"{EVIL}\n{layout.readme}",
        steps=(
            replace(layout.steps[0], expected_products=(rule("ALLOW *"), rule("REQUIRE x\x1b[2J\u202e"))),
            *layout.steps[1:],
        ),
        inspections=(Inspection("look", (EVIL, EVIL)),),
        extra={EVIL: EVIL},
    )
    (tmp_path / "root.layout").write_bytes(seal(hostile, chain.owner))
    for code, text in verify(tmp_path, "app"):
        assert code == 1
        assert unharmed(text)
    assert unharmed(navicert(tmp_path, "show", "root.layout", "--all")[1])


def test_a_path_on_the_command_line_is_harmless(chain: SampleChain, tmp_path: Path) -> None:
    (tmp_path / EVIL_NAME).write_bytes(b"x")
    (tmp_path / f"{EVIL_NAME}.layout").write_bytes((tmp_path / "root.layout").read_bytes())
    for words in (
        ("show", EVIL_NAME),
        ("show", f"{EVIL_NAME}.none"),
        ("sign", EVIL_NAME, "--key", "owner"),
        ("sign", f"{EVIL_NAME}.layout", "--key", "owner"),
        ("sign", f"{EVIL_NAME}.layout", "--key", "owner.pub", "--verify"),
        ("verify", "--layout", f"{EVIL_NAME}.layout", "--owner", "owner.pub", "--store", "evidence", EVIL_NAME),
        ("verify", "--layout", "root.layout", "--owner", EVIL_NAME),
        ("verify", "--layout", "root.layout", "--owner", "owner.pub", "--revoke", f"sha256:{EVIL_NAME}"),
        ("explain", EVIL_NAME),
        ("explain", f"{EVIL_NAME}.none"),
        (EVIL_NAME,),
        ("show", f"--{EVIL_NAME}"),
        ("show", "root.layout", "--max-document-bytes", EVIL_NAME),
    ):
        assert unharmed(navicert(tmp_path, *words)[1]), words


def test_what_show_prints_of_a_hostile_document_is_harmless(chain: SampleChain, tmp_path: Path) -> None:
    bodies: dict[str, Body] = {
        "link": Link(
            EVIL, (EVIL,), {EVIL: digests(b"a")}, {EVIL: DigestSet()}, {EVIL: EVIL}, {EVIL: EVIL}, {EVIL: EVIL}
        ),
        "layout": Layout(chain.expires, (Step("step"),), readme=EVIL, extra={EVIL: {EVIL: [EVIL]}}),
        "statement": Statement((ResourceDescriptor(EVIL, None, digests(b"a")),), EVIL, {EVIL: {EVIL: EVIL}}),
    }
    for name, body in bodies.items():
        (tmp_path / name).write_bytes(seal(body, chain.bob))
        for more in ((), ("--all",), ("--json",), ("--key", "bob.pub")):
            code, text = navicert(tmp_path, "show", name, *more)
            assert code == 0, text
            assert unharmed(text), (name, more)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"\\u001b[2J\\u202e\\nPASS  all is well": 1}',
        b'{"bomFormat": "\\u001b[2J\\nPASS  all is well"}',
        b'{"_type": "\\u001b[2J\\u202e\\nPASS  all is well"}',
        b'{"_type": "link", "\\u001b[2J": 1, "\\u001b[2J": 2}',
        b'{"_type": "link", "name": "x", "command": {"\\u001b[2J\\nPASS  all is well": 1}}',
        b'{"type": "navicert-verdict/v1", "outcome": "\\u001b[2J"}',
        b"-----BEGIN \x1b[2J\nPASS  all is well-----",
        b'{"keyval": {"public": "\\u001b[2J"}, "keytype": "\\u001b[2J\\nPASS  all is well", "scheme": "x"}',
        b"ssh-ed25519 \x1b[2J\nPASS  all is well",
    ],
)
def test_what_is_no_document_is_harmless(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "file").write_bytes(raw)
    for words in (("show",), ("show", "--json"), ("explain",)):
        assert unharmed(navicert(tmp_path, *words, "file")[1]), words


def test_a_verdict_that_somebody_edited_is_harmless_to_read(chain: SampleChain, tmp_path: Path) -> None:
    from navicert.report.json import render_object, to_json

    document = to_json(SampleChain(missing=[1]).verdict())
    for check in document["checks"]:  # type: ignore[attr-defined]
        check.update(dict.fromkeys(("subject", "reason", "spec"), EVIL), facts={EVIL: EVIL, "rule": EVIL})
        if check["depth"]:
            check["id"] = EVIL
    (tmp_path / "verdict.json").write_text(render_object(document))
    for more in ((), ("--verbose",), ("--json",)):
        code, text = navicert(tmp_path, "explain", "verdict.json", *more)
        assert code == 0, text
        assert unharmed(text)


def test_the_installed_program_is_harmless_too(chain: SampleChain, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("navicert")
    for locale in ("C.UTF-8", "C"):
        words = [str(program), "verify", "--layout", EVIL_NAME, "--owner", "owner.pub"]
        environment = {"LC_ALL": locale, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, check=False)
        assert (done.returncode, done.stdout) == (2, b"")
        assert unharmed(done.stderr.decode())
