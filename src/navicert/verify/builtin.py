"""Built-in inspections: looking at reports and files without starting a process.

A layout names one as the command `["navicert", "inspect", NAME, …]`, so that other implementations can run the same
layout wherever `navicert` is installed; Navicert itself runs them in place. A report that lacks what is looked for
proves nothing, and fails.
"""

from __future__ import annotations

from typing import Final

from navicert.dataclass import dataclass, field
from navicert.errors import Malformed
from navicert.interface import Callable, Sequence
from navicert.limits import LOCAL
from navicert.strictjson import loads, type_name
from navicert.verify.foundation import NAME as IMAGE_BASE
from navicert.verify.foundation import ImageBase, ReadLayers, digest_of_layers, pinned

BUILT_IN: Final = ("navicert", "inspect")
"""What the command of a built-in inspection begins with."""

SEVERITIES: Final = ("UNKNOWN", "NEGLIGIBLE", "LOW", "MEDIUM", "HIGH", "CRITICAL")


def is_built_in(run: Sequence[str]) -> bool:
    """Whether `run` names a built-in inspection, which needs no process."""
    return tuple(run[:2]) == BUILT_IN


ReadFile = Callable[[str], bytes]
"""Gives the bytes of a file below the inspected folder. Raises `NavicertError` for a missing or outside one."""


def run_built_in(run: Sequence[str], read: ReadFile, read_layers: ReadLayers) -> tuple[int, str]:
    """The return value (0 passed, 1 did not, 2 could not be judged) and the reason of a built-in inspection."""
    try:
        image_base = image_base_of(run)
        if image_base is not None:
            return _image_base(image_base, read_layers)
        words = list(run[2:])
        if not words or words[0] not in CHECKS:
            raise Malformed(
                "unknown built-in inspection",
                expected=", ".join((*CHECKS, IMAGE_BASE)),
                got=repr(words[0]) if words else "nothing",
            )
        return CHECKS[words[0]](_parse(words[0], words[1:]), read)
    except Malformed as error:
        return 2, str(error)


def image_base_of(run: Sequence[str]) -> ImageBase | None:
    """The inspection `image-base` that `run` names; None where it names another. Raises `Malformed`."""
    if tuple(run[:3]) != (*BUILT_IN, IMAGE_BASE):
        return None
    arguments = _parse(IMAGE_BASE, run[3:])
    return ImageBase.parse(arguments.files, arguments.many("--base"))


def _image_base(inspection: ImageBase, read_layers: ReadLayers) -> tuple[int, str]:
    if inspection.is_about_target:
        raise Malformed(
            "the target is known only where a chain is judged",
            path=IMAGE_BASE,
            remedy="let navicert verify run it, or name the image as oci:DIR, oci-archive:FILE or docker-archive:FILE",
        )
    images = {place: read_layers(place) for place in inspection.files}

    def declared(base: str, platform: str) -> str | None:
        if base not in images:
            return pinned(base)
        layers = images[base].get(platform)
        return None if layers is None else digest_of_layers(layers)

    return inspection.judge(images[inspection.image], declared)


@dataclass(frozen=True, slots=True)
class _Arguments:
    files: tuple[str, ...]
    options: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def one(self, name: str) -> str | None:
        values = self.options.get(name, ())
        if len(values) > 1:
            raise Malformed(f"{name} is given more than once")
        return values[0] if values else None

    def many(self, name: str) -> tuple[str, ...]:
        return self.options.get(name, ())


_OPTIONS: Final = {
    "json-none": ("--path", "--value", "--require", "--preset", "--severity"),
    "json-all": ("--path", "--value", "--require"),
    "file-exists": (),
    IMAGE_BASE: ("--base",),
}


def _parse(check: str, words: Sequence[str]) -> _Arguments:
    files: list[str] = []
    options: dict[str, list[str]] = {}
    queue = list(words)
    while queue:
        word = queue.pop(0)
        if not word.startswith("--"):
            files.append(word)
            continue
        name, equals, value = word.partition("=")
        if name not in _OPTIONS[check]:
            raise Malformed(f"unknown option {name} of {check}", expected=", ".join(_OPTIONS[check]) or "none")
        if not equals:
            if not queue:
                raise Malformed(f"{name} needs a value")
            value = queue.pop(0)
        options.setdefault(name, []).append(value)
    if not files:
        raise Malformed(f"{check} names no {'image' if check == IMAGE_BASE else 'file'}")
    return _Arguments(tuple(files), {name: tuple(values) for name, values in options.items()})


@dataclass(frozen=True, slots=True)
class _Preset:
    """How to read one tool's report: `require` must be there (it shows that the tool really reported), `path` leads
    to the severities."""

    require: tuple[str, ...]
    path: str


PRESETS: Final = {
    # A trivy report without Results scanned nothing that it knows; a clean target has Results without Vulnerabilities.
    "trivy": _Preset(("SchemaVersion", "ArtifactName", "Results[]"), "Results[].Vulnerabilities[]?.Severity"),
    "grype": _Preset(("descriptor.name", "source.type", "matches"), "matches[]?.vulnerability.severity"),
}


def _json_none(arguments: _Arguments, read: ReadFile) -> tuple[int, str]:
    preset_name = arguments.one("--preset")
    if preset_name is None:
        if arguments.many("--severity"):
            raise Malformed("--severity needs --preset")
        return _judge_json(arguments, read, _wanted(arguments), arguments.many("--require"), fold=False, all_of=False)
    preset = PRESETS.get(preset_name)
    if preset is None:
        raise Malformed("unknown preset", expected=", ".join(PRESETS), got=repr(preset_name)[:60])
    severities = tuple(value.upper() for value in arguments.many("--severity"))
    odd = sorted(set(severities) - set(SEVERITIES))
    if odd or not severities or arguments.many("--path") or arguments.many("--value"):
        raise Malformed(
            "a preset takes --severity, at least once, and nothing else",
            expected=", ".join(SEVERITIES),
            got=", ".join(odd),
        )
    return _judge_json(arguments, read, (preset.path, severities), preset.require, fold=True, all_of=False)


def _json_all(arguments: _Arguments, read: ReadFile) -> tuple[int, str]:
    return _judge_json(arguments, read, _wanted(arguments), arguments.many("--require"), fold=False, all_of=True)


def _wanted(arguments: _Arguments) -> tuple[str, tuple[str, ...]]:
    path = arguments.one("--path")
    if path is None or not arguments.many("--value"):
        raise Malformed("needs --path and at least one --value")
    if _segments(path)[0].optional and not arguments.many("--require"):
        raise Malformed(
            "the path begins with an optional part, so an empty report would pass",
            remedy="add --require PATH for something that every real report holds",
        )
    return path, arguments.many("--value")


def _judge_json(
    arguments: _Arguments,
    read: ReadFile,
    wanted: tuple[str, tuple[str, ...]],
    require: Sequence[str],
    *,
    fold: bool,
    all_of: bool,
) -> tuple[int, str]:
    path, values = wanted
    looked_at = 0
    for name in arguments.files:
        document = loads(read(name), LOCAL, path=name)
        for needed in require:
            _select(document, needed, name)
        found = [_scalar(value, path, name) for value in _select(document, path, name)]
        strange = next((value for value in found if fold and value.upper() not in SEVERITIES), None)
        if strange is not None:
            raise Malformed(f"unknown severity {strange!r}", path=name, expected=", ".join(SEVERITIES))
        looked_at += len(found)
        listed = [value for value in found if (value.upper() if fold else value) in values]
        if all_of and not found:
            return 1, f"{name}: {path} selects nothing"
        if all_of and len(listed) < len(found):
            odd = next(value for value in found if value not in values)
            return 1, f"{name}: {len(found) - len(listed)} of {len(found)} at {path} differ, first {odd!r}"
        if not all_of and listed:
            return 1, f"{name}: {len(listed)} of {len(found)} at {path} are {', '.join(sorted(set(listed)))}"
    return 0, f"{looked_at} values at {path} looked at, {'all' if all_of else 'none'} of {', '.join(values)}"


@dataclass(frozen=True, slots=True)
class _Segment:
    name: str
    each: bool
    optional: bool


def _segments(path: str) -> list[_Segment]:
    segments = []
    for text in path.split("."):
        optional = text.endswith("?")
        name = text.removesuffix("?")
        each = name.endswith("[]")
        name = name.removesuffix("[]")
        if not name or "[" in name or "?" in name:
            raise Malformed(
                "not a path", expected="names joined by dots, [] for each element, ? for may be absent", got=path
            )
        segments.append(_Segment(name, each, optional))
    return segments


def _select(document: object, path: str, file: str) -> list[object]:
    """What `path` leads to. A part that is not marked `?` must be there, and an array not empty: a report that lacks
    what is looked for proves nothing. Raises `Malformed`."""
    nodes: list[object] = [document]
    for segment in _segments(path):
        reached: list[object] = []
        for node in nodes:
            if not isinstance(node, dict):
                raise Malformed(f"{path}: not an object above {segment.name}", path=file, got=type_name(node))
            value = node.get(segment.name)
            if value is None or (segment.each and value == []):
                if segment.optional:
                    continue
                raise Malformed(f"{path} selects nothing: no {segment.name}", path=file)
            if segment.each:
                if not isinstance(value, list):
                    raise Malformed(f"{path}: {segment.name} is no array", path=file, got=type_name(value))
                reached.extend(value)
            else:
                reached.append(value)
        nodes = reached
    return nodes


def _scalar(value: object, path: str, file: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise Malformed(f"{path} leads to no plain value", path=file, got=type_name(value))


def _file_exists(arguments: _Arguments, read: ReadFile) -> tuple[int, str]:
    for name in arguments.files:
        if not read(name):
            return 1, f"{name}: empty"
    return 0, f"{', '.join(arguments.files)}: present"


CHECKS: Final[dict[str, Callable[[_Arguments, ReadFile], tuple[int, str]]]] = {
    "json-none": _json_none,
    "json-all": _json_all,
    "file-exists": _file_exists,
}
"""The built-in inspections that look into files, by name."""
