"""`git:PATH`: what is checked out in a git repository, as one artifact.

Its digest set has the commit of HEAD (`gitCommit`), that commit's tree (`gitTree`), and under the recorded algorithms
(sha256) the digest of a listing of the tree, which does not rest on git's SHA-1. The listing has one entry for every
file of the whole tree, sorted by the bytes of the paths: mode in six octal digits, space, `blob` or `commit`, space,
the sha256 of the content in hex (for a submodule its commit), tab, path, NUL.

The repository may have been downloaded, so nothing in it is obeyed: hooks, filters, monitors, transports,
replacement objects and the environment are all kept from changing what is read or from running anything.
"""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from typing import IO, Final, cast

from navicert.dataclass import dataclass
from navicert.digest import DigestSet
from navicert.errors import LimitExceeded, Malformed, Unavailable
from navicert.resolve.artifact import Notes, ResolveOptions, refuse_unwritable
from navicert.resolve.content import FileHasher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SCHEME: Final = "git:"

_CHUNK: Final = 1024 * 1024

_OPTIONS: Final = ("--no-pager", "-c", "core.fsmonitor=false")
"""`core.fsmonitor` may name a program, which listing the files of the work tree would run."""

_ENVIRONMENT: Final = {
    # A partial clone fetches objects that it lacks, over a transport that may be a command of its configuration.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


def resolve_git(spec: str, options: ResolveOptions, notes: Notes) -> dict[str, DigestSet]:
    """The one artifact that `spec` names. Raises `Malformed` where it is no repository or has no commit, and
    `Unavailable` where git is missing or cannot read it. Notes when the files beside it are not those of the commit.
    """
    path = refuse_unwritable(spec.removeprefix(SCHEME)) or "."
    if "\0" in path or not os.path.isdir(os.path.join(options.root, path)):
        raise Malformed("not a folder", path=spec, expected="the top folder of a git repository")
    repository = _Repository(os.path.realpath(os.path.join(options.root, path)), spec)
    work_tree = repository.work_tree()
    commit = repository.line("rev-parse", "--verify", "--end-of-options", "HEAD^{commit}")
    tree = repository.line("rev-parse", "--verify", "--end-of-options", f"{commit}^{{tree}}")
    hashes = {name: hashlib.new(name) for name in options.algorithms}
    changed = 0
    known: set[bytes] = set()
    for count, (mode, kind, identity, name) in enumerate(repository.files(tree)):
        if count >= options.limits.artifacts:
            raise LimitExceeded("too many files in the tree (limit artifacts)", path=spec)
        known.add(name)
        entry = b"%b %b %b\t%b\0" % (mode, kind, identity, name)
        for hash in hashes.values():
            hash.update(entry)
        if work_tree and kind == b"blob":
            beside = os.fsdecode(name)
            changed += not _is_same(os.path.join(work_tree, beside), mode, identity, beside)
    if work_tree:
        changed += repository.untracked(known)
        if changed:
            notes.add("files that are not as in the commit, which alone is recorded", f"{changed} in {spec}")
    digests = {"gitCommit": commit, "gitTree": tree} | {name: hash.hexdigest() for name, hash in hashes.items()}
    return {SCHEME + path.replace("\\", "/"): DigestSet.of(digests)}


def _is_same(path: str, mode: bytes, identity: bytes, name: str) -> bool:
    """Whether the file at `path` has the content that the commit has for it."""
    try:
        if mode == b"120000":
            return hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest().encode() == identity
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        return FileHasher(ResolveOptions())(path, name) == DigestSet.of({"sha256": identity.decode()})
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class _Conversation:
    """A process that is asked on its standard input and answers on its standard output."""

    question: IO[bytes]
    answer: IO[bytes]


class _Repository:
    """A git repository at exactly one folder, asked through the git program."""

    def __init__(self, folder: str, spec: str) -> None:
        self._folder = folder
        self._spec = spec
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        # git starts in the repository: a relative folder on the path would be one of it, and what lies there would run.
        kept["PATH"] = os.pathsep.join(filter(os.path.isabs, os.get_exec_path())) or os.defpath
        # Only the named folder: a repository around it is another artifact.
        self._environment = kept | _ENVIRONMENT | {"GIT_CEILING_DIRECTORIES": os.path.dirname(folder)}

    def work_tree(self) -> str | None:
        """The folder of the work tree; None for a bare repository."""
        if self.line("rev-parse", "--is-bare-repository") == "true":
            return None
        if self.line("rev-parse", "--is-inside-work-tree") != "true":
            raise Malformed("not the top of a work tree", path=self._spec, remedy="name the folder that holds .git")
        top = self._output("rev-parse", "--show-toplevel").rstrip(b"\n")
        if os.path.realpath(top) != os.fsencode(self._folder):
            raise Malformed("not the top of the work tree", path=self._spec, remedy=f"name {os.fsdecode(top)} instead")
        return self._folder

    def files(self, tree: str) -> Iterator[tuple[bytes, bytes, bytes, bytes]]:
        """Mode, kind, sha256 of the content (or commit of the submodule) and path of every file in `tree`."""
        with (
            self._process("cat-file", "--batch") as objects,
            self._process("ls-tree", "-r", "-z", "--full-tree", tree) as listing,
        ):
            for entry in _split(listing.answer):
                meta, _, name = entry.partition(b"\t")
                mode, kind, identity = meta.split(b" ")
                yield mode, kind, _content(objects, identity, self._spec) if kind == b"blob" else identity, name

    def untracked(self, known: set[bytes]) -> int:
        """How many files of the work tree are neither in `known` nor ignored."""
        count = 0
        with self._process("ls-files", "-z", "--cached", "--others", "--exclude-standard") as listing:
            for name in _split(listing.answer):
                count += name not in known
        return count

    def line(self, *arguments: str) -> str:
        """The one line that git answers."""
        return self._output(*arguments).decode("utf-8", "replace").strip()

    def _output(self, *arguments: str) -> bytes:
        with self._process(*arguments) as process:
            return process.answer.read(_CHUNK)

    @contextmanager
    def _process(self, *arguments: str) -> Iterator[_Conversation]:
        from subprocess import PIPE, Popen
        from tempfile import TemporaryFile

        with TemporaryFile() as complaints:
            try:
                process = Popen(
                    ["git", *_OPTIONS, *arguments],
                    cwd=self._folder,
                    env=self._environment,
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=complaints,
                )
            except OSError as error:
                raise Unavailable(
                    "git cannot be run", path=self._spec, got=(error.strerror or "").lower(), remedy="install git"
                ) from error
            with process:
                yield _Conversation(cast("IO[bytes]", process.stdin), cast("IO[bytes]", process.stdout))
            if process.returncode:
                complaints.seek(0)
                said = complaints.read(2000).decode("utf-8", "replace").strip().splitlines()
                raise Malformed("git cannot read it", path=self._spec, got=(said or ["no reason given"])[0])


def _content(objects: _Conversation, identity: bytes, spec: str) -> bytes:
    """The sha256, in hex, of the blob `identity`, which the process behind `objects` is asked for."""
    objects.question.write(identity + b"\n")
    objects.question.flush()
    header = objects.answer.readline(4096).split()
    if len(header) != 3 or header[1] != b"blob":
        raise Unavailable("the repository lacks an object", path=spec, got=os.fsdecode(identity), remedy="fetch it")
    hash = hashlib.sha256()
    left = int(header[2])
    while left:
        piece = objects.answer.read(min(left, _CHUNK))
        if not piece:
            raise Unavailable("git ended early", path=spec)
        hash.update(piece)
        left -= len(piece)
    objects.answer.read(1)
    return hash.hexdigest().encode()


def _split(stream: IO[bytes]) -> Iterator[bytes]:
    """What stands before each NUL of `stream`."""
    rest = b""
    while piece := stream.read(_CHUNK):
        *entries, rest = (rest + piece).split(b"\0")
        yield from entries
