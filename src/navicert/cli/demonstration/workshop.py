"""The folder in which the demonstration builds: keys, a signed layout, recorded steps, and the verification.

    keys/             owner, developer, builder, scanner: KEY and KEY.pub
    layout.yaml       the policy as its author wrote it; root.layout: signed by the owner
    repository/       the application, as version control would keep it
    step/             the programs that the steps run
    source/ image/    what checkout and build make
    release/          sbom.cdx.json and report.json: what is handed out with the image
    evidence/         one signed link for each step

Everything is done through the functions that `navicert keygen`, `run`, `layout sign` and `verify` call.
"""

from __future__ import annotations

import shutil
import sys
from contextlib import chdir
from pathlib import Path
from typing import TYPE_CHECKING, Final

from navicert.dataclass import dataclass, field

if TYPE_CHECKING:
    from datetime import datetime

    from navicert.crypto.signer import Signer
    from navicert.verdict import Verdict

PEOPLE: Final = ("owner", "developer", "builder", "scanner")
"""Who has a key: the owner of the layout, and the functionaries that it names."""

IMAGE: Final = "oci:image:1.0"
"""The image that is built, and the target of the verification."""

VERIFY: Final = (
    "navicert verify --layout root.layout --owner keys/owner.pub --store evidence",
    f"--inspect-from release --target-step build {IMAGE}",
)
"""The command line that does what `Workshop.judge` does, in two lines."""

_HERE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Step:
    """One step: who performs it, the program with its arguments, and what is recorded of it."""

    name: str
    person: str
    words: tuple[str, ...]
    materials: tuple[str, ...] = ()
    products: tuple[str, ...] = ()

    def command_line(self, python: str = "python3") -> str:
        """The `navicert run` that records this step, as one would type it."""
        paths = [
            f"{option} {path}" for option, paths in (("-m", self.materials), ("-p", self.products)) for path in paths
        ]
        options = " ".join(["--store evidence", *paths])
        return f"navicert run {self.name} --key keys/{self.person} {options} -- {python} {' '.join(self.words)}"


_APP: Final = f"app={IMAGE}"
_SBOM, _REPORT = "release/sbom.cdx.json", "release/report.json"

STEPS: Final = (
    Step("checkout", "developer", ("step/checkout.py", "repository", "source"), products=("source",)),
    Step("build", "builder", ("step/build.py", "source", "image", "1.0"), ("source",), (_APP,)),
    Step("sbom", "scanner", ("step/sbom.py", "image", _SBOM), (_APP,), (_SBOM,)),
    Step(
        "scan", "scanner", ("step/scan.py", _SBOM, "advisories.json", _REPORT), (_SBOM, "advisories.json"), (_REPORT,)
    ),
)
"""The steps in order."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one step: what its program said, how many artifacts were recorded, and the file of its link."""

    step: Step
    said: str
    materials: int
    products: int
    link: Path


@dataclass(frozen=True, slots=True)
class Workshop:
    """One such folder. Paths inside it are relative to it, so that they read the same in every copy."""

    folder: Path
    steps: tuple[Step, ...] = field(default=STEPS)

    @staticmethod
    def furnish(folder: Path) -> Workshop:
        """A workshop in the empty folder `folder`: the application, the programs, and a key for everybody."""
        shutil.copytree(_HERE / "data" / "harbour", folder / "repository")
        shutil.copytree(_HERE / "step", folder / "step", ignore=shutil.ignore_patterns("__*"))
        for name in ("layout.yaml", "advisories.json"):
            shutil.copyfile(_HERE / "data" / name, folder / name)
        workshop = Workshop(folder)
        for person in PEOPLE:
            workshop.make_key(person)
        return workshop

    def copy(self, folder: Path) -> Workshop:
        """A copy of this workshop, and of all that was done in it, at `folder`."""
        shutil.copytree(self.folder, folder, ignore=shutil.ignore_patterns("attacks", "last-year"))
        return Workshop(folder)

    def path(self, name: str) -> Path:
        """The file or folder `name` in this workshop."""
        return self.folder / name

    def make_key(self, person: str) -> None:
        """Make the key pair of `person`."""
        from navicert.crypto.signer import generate, private_pem
        from navicert.trust.keypair import write_pair

        signer = generate("ed25519")
        write_pair(str(self.path(f"keys/{person}")), private_pem(signer, None), signer.key.public_pem())

    def signer(self, person: str) -> Signer:
        """The private key of `person`."""
        from navicert.trust.keyfile import open_signer

        return open_signer(str(self.path(f"keys/{person}")))

    def sign_layout(self, at: datetime) -> None:
        """Make `root.layout` out of `layout.yaml`, signed by the owner at the moment `at`."""
        from navicert.authoring.policy import read_policy
        from navicert.crypto.key import Key
        from navicert.envelope.document import seal
        from navicert.trust.keyfile import open_public_key

        def read_key(name: str) -> Key:
            return open_public_key(str(self.path(name)))

        policy = read_policy(self.path("layout.yaml").read_bytes(), read_key, at, path="layout.yaml")
        self.path("root.layout").write_bytes(seal(policy.finished(), self.signer("owner")))

    def perform(self, name: str, *, person: str = "") -> Done:
        """Run the step `name`, record it, and sign its link with the key of `person` (default: whose step it is).

        Raises what `navicert.record.recorder.make_recording` raises.
        """
        from navicert.envelope.document import seal
        from navicert.record.process import NOWHERE, Wires
        from navicert.record.recorder import World, make_recording
        from navicert.resolve.artifact import ResolveOptions
        from navicert.store.directory import DirectoryStore

        step = next(step for step in self.steps if step.name == name)
        signer = self.signer(person or step.person)
        world = World(
            options=ResolveOptions(cwd=str(self.folder), strict=True),
            wires=Wires(NOWHERE, NOWHERE, 2),
            streams=True,
        )
        # Isolated: what lies in the folder, or in the environment, is no part of the program.
        command = (sys.executable, "-I", *step.words)
        recording = make_recording(name, command, materials=step.materials, products=step.products, world=world)
        link = recording.link
        path = DirectoryStore(str(self.path("evidence"))).put(name, signer.keyid, seal(link, signer))
        said = str(link.byproducts.get("stdout", "")).strip()
        return Done(step, said, len(link.materials), len(link.products), Path(path))

    def run(self, name: str) -> None:
        """Run the program of the step `name` and record nothing. Raises `Unavailable` where it cannot be run."""
        from navicert.errors import Unavailable
        from navicert.record.process import NOWHERE, Wires, execute

        step = next(step for step in self.steps if step.name == name)
        command = (sys.executable, "-I", *step.words)
        completed = execute(command, cwd=str(self.folder), wires=Wires(NOWHERE, NOWHERE, 2))
        if completed.exit_code:
            raise Unavailable(f"the program of step {name} failed", got=f"exit code {completed.exit_code}")

    def forget(self, name: str) -> None:
        """Remove the evidence of the step `name`."""
        for link in self.path("evidence").glob(f"{name}.*.link"):
            link.unlink()

    def judge(self, at: datetime) -> Verdict:
        """The verdict on the image in this workshop, at the moment `at`."""
        from navicert.record.inspector import ProcessInspector
        from navicert.resolve.target import open_target
        from navicert.store.directory import DirectoryStore
        from navicert.store.gather import gather
        from navicert.trust.keyfile import open_public_key
        from navicert.verify.case import Case, Policy
        from navicert.verify.evaluate import verify

        # From inside, so that the report names files as whoever verifies would.
        with chdir(self.folder), ProcessInspector("release") as inspector:
            owner = open_public_key("keys/owner.pub")
            policy = Policy.open(Path("root.layout").read_bytes(), [owner], path="root.layout")
            gathered = gather(policy, [DirectoryStore("evidence")])
            target = open_target(IMAGE)
            case = Case(policy, at, gathered.exhibits, gathered.refused, target=target, target_step="build")
            return verify(case, inspector)
