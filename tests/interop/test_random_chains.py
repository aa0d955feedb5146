"""Random chains, recorded, signed and judged by ours and by each of two releases, in every combination.

Several chains go through one process of each, because the releases start slowly. All types of keys, GPG's among them,
and both containers where a release has both.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.conftest import ROOT, require_component
from tests.gpg_keyring import new_keyring

from navicert.compat.shim.in_toto.models._signer import load_public_key_from_file
from navicert.compat.shim.securesystemslib.interface import import_publickeys_from_file
from navicert.crypto.signer import generate, private_pem
from navicert.envelope.dsse import PAYLOAD_TYPE
from navicert.trust.gpg import export_key

PLAIN = ("ed25519", "ecdsa", "rsa")
GPG = ("gpg-rsa", "gpg-dsa", "gpg-eddsa")
BATCH = Path(__file__).with_name("batch.py")


@dataclass(frozen=True)
class Peer:
    """One in-toto: how its batch is started, and how its options name keys."""

    name: str
    command: tuple[str, ...]

    @property
    def old(self) -> bool:
        return self.name == "1.3.1"

    def perform(self, jobs: list[dict[str, Any]]) -> list[tuple[int, str]]:
        """Code and words of each job."""
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(
            self.command, input=json.dumps(jobs), capture_output=True, text=True, env=environment, check=False
        )
        assert done.returncode == 0, done.stderr
        return [(code, said) for code, said in json.loads(done.stdout)]


@dataclass(frozen=True)
class Keys:
    """A folder with keys of every type for one release, and a keyring."""

    folder: Path
    gpg: dict[str, str]
    old: bool

    @property
    def home(self) -> str:
        return str(self.folder / "ring")

    def signing(self, kind: str, option: str) -> list[str]:
        """The options that sign with the key of `kind`."""
        if kind in self.gpg:
            return ["--gpg", self.gpg[kind], "--gpg-home", self.home]
        return [option, str(self.folder / kind), *(["-t", kind] if self.old else [])]

    def verifying(self, kind: str) -> list[str]:
        """The options that verify with the key of `kind`."""
        if kind in self.gpg:
            return ["--gpg", self.gpg[kind], "--gpg-home", self.home]
        option = ["--layout-keys"] if self.old else ["--verification-keys"]
        return [*option, str(self.folder / f"{kind}.pub"), *(["-t", kind] if self.old else [])]

    def public(self, kind: str) -> dict[str, Any]:
        """The key object, under the id that links of this release are named after."""
        if kind in self.gpg:
            return dict(export_key(self.gpg[kind], self.home).to_json())
        path = str(self.folder / f"{kind}.pub")
        if not self.old:
            return load_public_key_from_file(path)
        (key,) = import_publickeys_from_file([path], [kind]).values()
        key["keyval"].pop("private", None)
        return key


OURS = Peer("ours", (sys.executable, "-m", "navicert.compat", str(BATCH)))


@pytest.fixture(scope="module", params=["3.1.0", "1.3.1"])
def peer(request: pytest.FixtureRequest) -> Peer:
    """Each of the two releases."""
    folder = require_component(f"in-toto-{request.param}")
    python = folder / ("python3" if request.param == "1.3.1" else "python")
    return Peer(request.param, (str(python), "-W", "ignore", str(BATCH)))


@pytest.fixture(scope="module")
def keys(peer: Peer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keys]:
    """Key files as the release writes or takes them, and GPG keys."""
    require_component("gpg")
    folder = tmp_path_factory.mktemp("keys")
    with new_keyring() as ring:
        if peer.old:
            work = [
                {"folder": str(folder), "program": "keygen", "arguments": ["-t", kind, "-b", "2048", kind]}
                for kind in PLAIN
            ]
            assert {code for code, _ in peer.perform(work)} == {0}
        else:
            for kind in PLAIN:
                made = generate(kind, bits=2048)  # type: ignore[arg-type]  # one of the types
                (folder / kind).write_bytes(private_pem(made, None))
                (folder / f"{kind}.pub").write_bytes(made.key.public_pem())
        gpg = {"gpg-rsa": ring.make("alice", "rsa2048", "20y", at="20250101T000000")}
        ring.make_subkey(gpg["gpg-rsa"], "rsa2048", expires="20y")
        gpg["gpg-dsa"] = ring.make("bob", "dsa2048")
        gpg["gpg-eddsa"] = ring.make("carol", "ed25519", "20y")
        (folder / "ring").symlink_to(ring.home)
        yield Keys(folder, gpg, peer.old)


# --- what is drawn -------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "src/b.c", "src/deep/ü", "lib/x y", "out.pyc", "z~"])
FILES = st.dictionaries(NAMES, st.sampled_from(["", "1\n", "2\r\n"]), min_size=1, max_size=4)
CHANGES = st.dictionaries(NAMES, st.sampled_from(["3\n", "1\n", None]), max_size=3)
PATTERNS = st.sampled_from(["*", "src/*", "a", "?", "[!s]*", "lib/x y", "src/deep/*"])
SIMPLE = st.tuples(st.sampled_from(["CREATE", "delete", "MODIFY", "ALLOW", "DISALLOW", "REQUIRE"]), PATTERNS).map(list)
MATCH = st.tuples(
    PATTERNS, st.sampled_from([[], ["IN", "src"]]), st.sampled_from(["MATERIALS", "products"]),
    st.sampled_from([[], ["IN", "src/"]]), st.sampled_from(["one", "two"]),
).map(lambda w: ["MATCH", w[0], *w[1], "WITH", w[2], *w[3], "FROM", w[4]])  # fmt: skip
ANYTHING = [["ALLOW", "*"]]
RULES = st.one_of(st.just(ANYTHING), st.lists(st.one_of(SIMPLE, MATCH), max_size=3))
OPTIONS = st.lists(
    st.sampled_from([("--exclude", "*.c", "*.link*"), ("--lstrip-paths", "src/"), ("-s",), ("--base-path", "src")]),
    max_size=2, unique=True,
).map(lambda found: [word for words in found for word in words])  # fmt: skip
TAMPER = st.sampled_from(["", "", "link", "layout", "missing", "signature", "stranger"])


@dataclass(frozen=True)
class Drawn:
    """A chain of two steps: files, what the steps change, rules, keys, who does what, and what is tampered with."""

    files: dict[str, str]
    changes: tuple[dict[str, str | None], dict[str, str | None]]
    options: list[str]
    halves: bool
    rules: list[list[list[str]]]
    owner: str
    kinds: tuple[str, str]
    threshold: int
    inspect: bool
    expired: bool
    envelope: bool
    tamper: str
    mine: tuple[bool, bool, bool]
    """Whether ours performs the first step, the second, and signs the layout; else the release does."""


@st.composite
def chains(draw: st.DrawFn) -> Drawn:
    kind = st.sampled_from(PLAIN + GPG)
    owner, first, second = draw(kind), draw(kind), draw(kind)
    return Drawn(
        files=draw(FILES),
        changes=(draw(CHANGES), draw(CHANGES)),
        options=draw(OPTIONS),
        halves=draw(st.booleans()),
        rules=[draw(RULES) for _ in range(4)],
        owner=owner,
        kinds=(first, second),
        threshold=draw(st.sampled_from([1, 1, 1, 2])),
        inspect=draw(st.booleans()),
        expired=draw(st.sampled_from([False, False, False, True])),
        envelope=draw(st.booleans()) and not {owner, first, second} & set(GPG),
        tamper=draw(TAMPER),
        mine=(draw(st.booleans()), draw(st.booleans()), draw(st.booleans())),
    )


BATCHES = st.lists(chains(), min_size=6, max_size=6)
# Not shrunk: a batch takes seconds, and which chain of it failed is told.
FEW = settings(max_examples=5, phases=[Phase.generate], suppress_health_check=list(HealthCheck), deadline=None)


def command(changes: dict[str, str | None]) -> list[str]:
    """What writes and removes the files."""
    lines = ["mkdir -p src/deep lib"]
    for name, content in changes.items():
        lines.append(f"rm -f '{name}'" if content is None else f"printf '{content}' > '{name}'")
    return ["sh", "-c", "\n".join(lines)]


def unpack(drawn: Drawn, folder: Path) -> None:
    """The files of a chain, in `folder`/work."""
    for name, content in drawn.files.items():
        (folder / "work" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "work" / name).write_bytes(content.encode())
    (folder / "work" / "src").mkdir(exist_ok=True)


def recording(drawn: Drawn, number: int, keys: Keys, folder: Path) -> list[dict[str, Any]]:
    """The command lines that perform one of the two steps."""
    name, kind = ("one", "two")[number], drawn.kinds[number]
    sign = keys.signing(kind, "-k" if keys.old else "--signing-key")
    work = {"folder": str(folder / "work")}
    flags = ["--use-dsse"] * (drawn.envelope and not keys.old)
    options = [word for word in drawn.options if word != "-s"] if drawn.halves else drawn.options
    if drawn.halves:
        # Nothing happens in between: two programs, and no command.
        start = ["start", "-n", name, "-m", ".", *sign, *options, *flags]
        stop = ["stop", "-n", name, "-p", ".", "-d", "..", *sign, *options]
        return [{**work, "program": "record", "arguments": words} for words in (start, stop)]
    record = ["-n", name, "-m", ".", "-p", ".", "-d", ".."]
    words = [*record, *sign, *options, *flags, "--", *command(drawn.changes[number])]
    return [{**work, "program": "run", "arguments": words}]


def layout(drawn: Drawn, keys: Keys) -> dict[str, Any]:
    first, second = (keys.public(kind) for kind in drawn.kinds)
    steps = []
    for number, (name, key) in enumerate((("one", first), ("two", second))):
        both = number == 1 and drawn.threshold == 2
        rules = drawn.rules[2 * number : 2 * number + 2]
        steps.append({
            "_type": "step", "name": name, "threshold": 2 if both else 1,
            "pubkeys": [first["keyid"], second["keyid"]] if both else [key["keyid"]],
            "expected_command": [] if drawn.halves else command(drawn.changes[number]),
            "expected_materials": rules[0], "expected_products": rules[1],
        })  # fmt: skip
    look = {"_type": "inspection", "name": "look", "run": ["true"], "expected_materials": [["REQUIRE", "root.layout"]],
            "expected_products": ANYTHING}  # fmt: skip
    return {
        "_type": "layout", "steps": steps, "inspect": [look] if drawn.inspect else [], "readme": "",
        "keys": {key["keyid"]: key for key in (first, second)},
        "expires": "2020-01-01T00:00:00Z" if drawn.expired else "2999-01-01T00:00:00Z",
    }  # fmt: skip


def unsigned(drawn: Drawn, keys: Keys) -> bytes:
    made = layout(drawn, keys)
    if drawn.envelope and not keys.old:
        payload = b64encode(json.dumps(made, sort_keys=True).encode()).decode()
        return json.dumps({"payload": payload, "payloadType": PAYLOAD_TYPE, "signatures": []}).encode()
    return json.dumps({"signatures": [], "signed": made}).encode()


def tamper(drawn: Drawn, keys: Keys, folder: Path) -> None:
    """Do to the chain in `folder` what was drawn."""
    links = sorted(folder.glob("two.*.link"))
    for path in links[:1]:
        document = json.loads(path.read_bytes())
        if drawn.tamper == "missing":
            path.unlink()
        elif drawn.tamper == "link" and "signed" in document:
            document["signed"]["products"]["evil"] = {"sha256": "0" * 64}
        elif drawn.tamper == "link":
            changed = json.loads(b64decode(document["payload"])) | {"products": {"evil": {"sha256": "0" * 64}}}
            document["payload"] = b64encode(json.dumps(changed).encode()).decode()
        elif drawn.tamper == "signature":
            one = document["signatures"][0]
            if "signed" in document:
                field = "signature" if "signature" in one else "sig"
                one[field] = one[field][::-1]
            else:
                one["sig"] = b64encode(b64decode(one["sig"])[::-1]).decode()
        elif drawn.tamper == "stranger":
            copy = folder / f"two.{keys.public(drawn.kinds[0])['keyid'][:8]}.link"
            if copy != path:
                shutil.copy(path, copy)
        if drawn.tamper in ("link", "signature"):
            path.write_text(json.dumps(document))
    if drawn.tamper == "layout":
        raw = (folder / "root.layout").read_bytes()
        (folder / "root.layout").write_bytes(raw.replace(b'"readme": ""', b'"readme": "x"').replace(b"InR", b"InS"))


def files(folder: Path) -> dict[str, Any]:
    """What lies in `folder`; of signatures that differ at each signing, only whose they are."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            raw = path.read_bytes()
            found[str(path.relative_to(folder))] = _comparable(raw) if ".link" in path.name else raw
    return found


def _comparable(raw: bytes) -> Any:
    document = json.loads(raw)
    signatures = document["signatures"]
    if any("signature" in one or len(one["sig"]) not in (88, 128) for one in signatures):
        document["signatures"] = [(one["keyid"], sorted(one)) for one in signatures]
        return document
    return raw


def expect_alike(drawn: Drawn, mine: tuple[int, str], theirs: tuple[int, str], peer: Peer) -> None:
    """The same code; the same class of exception; of 3.1.0 the same words about rules."""
    assert mine[0] == theirs[0], f"{drawn}\n{mine[1]}{theirs[1]}"
    assert "Traceback" not in mine[1]
    if theirs[0]:
        assert mine[1].split(":")[0] == theirs[1].split(":")[0]
        assert _class(mine[1]) == _class(theirs[1]), f"{drawn}\n{mine[1]}{theirs[1]}"
        if "RuleVerificationError" in theirs[1] and not peer.old:
            assert _in_order(mine[1]) == _in_order(theirs[1])


def _class(text: str) -> str:
    found = re.search(r"^\(in-toto-[a-z ]+\) (\w+):", text, re.MULTILINE)
    return found[1] if found else text


def _in_order(text: str) -> str:
    return re.sub(r"[\[{](.*)[\]}]", lambda match: ", ".join(sorted(match[1].split(", "))), text)


# --- tests ---------------------------------------------------------------------------------------------------------


@FEW
@given(BATCHES)
def test_random_steps_are_recorded_alike(peer: Peer, keys: Keys, batch: list[Drawn]) -> None:
    with tempfile.TemporaryDirectory() as place:
        outcomes = []
        for who in (OURS, peer):
            jobs = []
            for number, drawn in enumerate(batch):
                folder = Path(place) / who.name / str(number)
                unpack(drawn, folder)
                jobs += recording(drawn, 0, keys, folder) + recording(drawn, 1, keys, folder)
            outcomes.append(who.perform(jobs))
        for mine, theirs in zip(*outcomes, strict=True):
            assert mine[0] == theirs[0], mine[1] + theirs[1]
        for number, drawn in enumerate(batch):
            found = [files(Path(place) / who.name / str(number)) for who in (OURS, peer)]
            assert found[0] == found[1], drawn


@FEW
@given(BATCHES)
def test_random_chains_of_both_are_judged_alike_by_both(peer: Peer, keys: Keys, batch: list[Drawn]) -> None:
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place) / str(number) for number in range(len(batch))]
        for drawn, folder in zip(batch, folders, strict=True):
            unpack(drawn, folder)
            (folder / "root.layout").write_bytes(unsigned(drawn, keys))
        # Each by whoever was drawn; one process of each for each stage. A layout is signed by ours under the id of 3.x
        # where the key is PEM: 1.3.1 does not find that.
        for stage in range(3):
            for who in (OURS, peer):
                jobs = []
                for drawn, folder in zip(batch, folders, strict=True):
                    mine = drawn.mine[stage] and not (stage == 2 and peer.old and drawn.owner == "rsa")
                    if mine is not (who is OURS):
                        continue
                    if stage < 2:
                        jobs += recording(drawn, stage, keys, folder)
                    else:
                        words = ["-f", "root.layout", *keys.signing(drawn.owner, "-k")]
                        jobs.append({"folder": str(folder), "program": "sign", "arguments": words})
                assert [one for one in who.perform(jobs) if one[0]] == []
        for drawn, folder in zip(batch, folders, strict=True):
            tamper(drawn, keys, folder)
        verdicts, left = [], []
        for who in (OURS, peer):
            jobs = []
            for number, (drawn, folder) in enumerate(zip(batch, folders, strict=True)):
                copy = Path(place) / who.name / str(number)
                shutil.copytree(folder, copy)
                words = ["-l", "root.layout", *keys.verifying(drawn.owner)]
                jobs.append({"folder": str(copy), "program": "verify", "arguments": words})
            verdicts.append(who.perform(jobs))
            left.append([files(Path(job["folder"])) for job in jobs])
        for drawn, mine, theirs, ours, others in zip(batch, *verdicts, *left, strict=True):
            expect_alike(drawn, mine, theirs, peer)
            assert ours == others, drawn
