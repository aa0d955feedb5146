"""Recording steps (`in_toto.runlib`)."""

from __future__ import annotations

import os
import sys

from navicert.compat.shim.in_toto import settings
from navicert.compat.shim.in_toto.file_name import (
    FILENAME_FORMAT,
    FILENAME_FORMAT_SHORT,
    UNFINISHED_FILENAME_FORMAT,
    UNFINISHED_FILENAME_FORMAT_GLOB,
)
from navicert.compat.shim.in_toto.formats import _check_hex, _check_str, _check_str_list
from navicert.compat.shim.in_toto.models._signer import GPGSigner
from navicert.compat.shim.in_toto.models.link import Link
from navicert.compat.shim.in_toto.models.metadata import Envelope, Metablock, Metadata
from navicert.compat.shim.in_toto.release import with_signing_key
from navicert.compat.shim.message import Log
from navicert.compat.shim.securesystemslib.signer import SSlibSigner
from navicert.compat.shim.translation import translated
from navicert.errors import Malformed
from navicert.model.artifact import Artifacts
from navicert.model.field import as_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from navicert.compat.shim.in_toto.resolver._resolver import Hashes

LOG: Final = Log("in_toto.runlib")


def record_artifacts_as_dict(
    artifacts: Any,
    exclude_patterns: Any = None,
    base_path: Any = None,
    follow_symlink_dirs: bool = False,
    normalize_line_endings: bool = False,
    lstrip_paths: Any = None,
) -> Hashes:
    """The digests of all artifacts that the names in `artifacts` stand for. Raises `OSError` and `ValueError`."""
    found = _recorded(artifacts, exclude_patterns, base_path, follow_symlink_dirs, normalize_line_endings, lstrip_paths)
    return found.to_json() if isinstance(found, Artifacts) else found


def _recorded(
    artifacts: Any,
    exclude_patterns: Any,
    base_path: Any,
    follow_symlink_dirs: bool,
    normalize_line_endings: bool,
    lstrip_paths: Any,
) -> Artifacts | Hashes:
    """As `record_artifacts_as_dict`, in the form that the core keeps where it can be."""
    if not artifacts:
        return {}
    from navicert.compat.shim.in_toto.resolver._resolver import record

    return record(
        artifacts,
        exclude_patterns or settings.ARTIFACT_EXCLUDE_PATTERNS,
        base_path or settings.ARTIFACT_BASE_PATH,
        follow_symlink_dirs,
        normalize_line_endings,
        lstrip_paths,
    )


def execute_link(link_cmd_args: list[str], record_streams: bool, timeout: float | None = None) -> dict[str, Any]:
    """Run a command; its code, and with `record_streams` its output, which is shown too. Raises `OSError`,
    `subprocess.TimeoutExpired`."""
    from navicert.dataclass import replace
    from navicert.limits import LOCAL
    from navicert.record.process import NOWHERE, TimedOut, Wires
    from navicert.record.recorder import World, make_recording
    from navicert.resolve.artifact import ResolveOptions

    wires = Wires(None, _descriptor(sys.stdout, 1), _descriptor(sys.stderr, 2))
    world = World(
        options=ResolveOptions(limits=replace(LOCAL, stream_bytes=LOCAL.document_bytes)),
        wires=wires if record_streams else Wires(None, NOWHERE, NOWHERE),
        streams=record_streams,
        redact_known=False,
        timeout=timeout,
        record_failure=True,
        note_excludes=False,
    )
    try:
        with translated(ValueError):
            byproducts = dict(make_recording("command", link_cmd_args, world=world).link.byproducts)
    except Exception as error:
        if isinstance(error.__cause__, TimedOut):
            from subprocess import TimeoutExpired

            raise TimeoutExpired(link_cmd_args, timeout or 0) from error
        raise
    for name in ("stdout", "stderr"):
        # As text, which is what upstream reads it as.
        byproducts[name] = str(byproducts[name]).replace("\r\n", "\n").replace("\r", "\n")
    return byproducts


def _descriptor(stream: Any, default: int) -> int:
    try:
        stream.flush()
        return int(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return default


def _subprocess_run_duplicate_streams(cmd: list[str], timeout: float | None) -> tuple[Any, Any, Any]:
    found = execute_link(cmd, True, timeout)
    return found["return-value"], found["stdout"], found["stderr"]


def in_toto_mock(name: str, link_cmd_args: list[str], use_dsse: bool = False) -> Any:
    """Record a command with everything in the current folder before and after it, unsigned, in `NAME.link`."""
    metadata = in_toto_run(name, ["."], ["."], link_cmd_args, record_streams=True, use_dsse=use_dsse)
    filename = FILENAME_FORMAT_SHORT.format(step_name=name)
    LOG.info("Storing unsigned link metadata to '%s'...", filename)
    metadata.dump(filename)
    return metadata


def _check(name: Any, signer: Any, lists: tuple[Any, ...], texts: tuple[Any, ...]) -> None:
    if signer and not callable(getattr(signer, "sign", None)):
        raise ValueError("signer must be a Signer instance")
    for value in lists:
        if value:
            _check_str_list(value)
    for value in texts:
        if value:
            _check_str(value)
    with translated():
        try:
            as_name(name, "")
        except Malformed as error:
            error.what = f"step name '{name}' is {error.what}"
            raise


@with_signing_key(5)
def in_toto_run(
    name: str,
    material_list: Any,
    product_list: Any,
    link_cmd_args: Any,
    record_streams: bool = False,
    gpg_keyid: Any = None,
    gpg_use_default: bool = False,
    gpg_home: Any = None,
    exclude_patterns: Any = None,
    base_path: Any = None,
    compact_json: bool = False,
    record_environment: bool = False,
    normalize_line_endings: bool = False,
    lstrip_paths: Any = None,
    metadata_directory: Any = None,
    use_dsse: bool = False,
    timeout: float | None = None,
    signer: Any = None,
    signing_key: Any = None,
) -> Any:
    """Record a step: materials, command, products. Signed and written to `NAME.KEYID8.link` where somebody signs.

    `timeout` is in seconds; without one the command takes what it needs. `signing_key` is a private key in the
    dictionary of releases before 1.0.
    """
    LOG.info("Running '%s'...", name)
    if gpg_keyid:
        _check_hex(gpg_keyid)
    _check(name, signer, (exclude_patterns,), (base_path, metadata_directory))
    found = {
        "exclude_patterns": exclude_patterns,
        "base_path": base_path,
        "follow_symlink_dirs": True,
        "normalize_line_endings": normalize_line_endings,
        "lstrip_paths": lstrip_paths,
    }
    materials = _record("materials", material_list, found)
    byproducts: dict[str, Any] = {}
    if link_cmd_args:
        _check_str_list(link_cmd_args)
        LOG.info("Running command '%s'...", " ".join(link_cmd_args))
        byproducts = execute_link(link_cmd_args, record_streams, timeout)
    products = _record("products", product_list, found)
    LOG.info("Creating link metadata...")
    link = Link(
        name=name,
        materials=materials,
        products=products,
        command=link_cmd_args,
        byproducts=byproducts,
        environment=_environment(record_environment),
    )
    metadata = _contained(link, use_dsse, compact_json)
    chosen = _signer(signer, signing_key, gpg_keyid, gpg_use_default, gpg_home)
    if chosen is not None:
        signature = metadata.create_signature(chosen)
        filename = FILENAME_FORMAT.format(step_name=name, keyid=signature.keyid)
        _store(metadata, filename, metadata_directory)
    return metadata


def _record(what: str, names: Any, found: dict[str, Any]) -> Artifacts | Hashes:
    if names:
        _check_str_list(names)
        LOG.info("Recording %s '%s'...", what, ", ".join(names))
    return _recorded(names, **found)


def _environment(record_environment: bool) -> dict[str, Any]:
    return {"workdir": os.getcwd().replace("\\", "/")} if record_environment else {}


def _contained(link: Link, use_dsse: bool, compact_json: bool = False) -> Any:
    LOG.info("Generating link metadata using %s...", "DSSE" if use_dsse else "Metablock")
    return Envelope.from_signable(link) if use_dsse else Metablock(signed=link, compact_json=compact_json)


def _signer(signer: Any, signing_key: Any, gpg_keyid: Any, gpg_use_default: bool, gpg_home: Any) -> Any:
    if signer or signing_key:
        LOG.info("Signing link metadata using passed signer...")
        return signer or SSlibSigner(signing_key)
    if gpg_keyid:
        LOG.info("Signing link metadata using passed GPG keyid...")
        return GPGSigner(keyid=gpg_keyid, homedir=gpg_home)
    if gpg_use_default:
        LOG.info("Signing link metadata using default GPG key ...")
        return GPGSigner(keyid=None, homedir=gpg_home)
    return None


def _store(metadata: Any, filename: str, directory: str | None) -> None:
    path = filename if directory is None else os.path.join(directory, filename)
    LOG.info("Storing link metadata to '%s'...", path)
    metadata.dump(path)


@with_signing_key(2)
def in_toto_record_start(
    step_name: str,
    material_list: Any,
    gpg_keyid: Any = None,
    gpg_use_default: bool = False,
    gpg_home: Any = None,
    exclude_patterns: Any = None,
    base_path: Any = None,
    record_environment: bool = False,
    normalize_line_endings: bool = False,
    lstrip_paths: Any = None,
    use_dsse: bool = False,
    signer: Any = None,
    signing_key: Any = None,
) -> None:
    """Begin to record a step: its materials, signed, in `.NAME.KEYID8.link-unfinished`."""
    LOG.info("Start recording '%s'...", step_name)
    _require_signing_arg(signer or signing_key, gpg_keyid, gpg_use_default)
    _check(step_name, signer, (exclude_patterns,), (base_path, gpg_keyid))
    found = {
        "exclude_patterns": exclude_patterns,
        "base_path": base_path,
        "follow_symlink_dirs": True,
        "normalize_line_endings": normalize_line_endings,
        "lstrip_paths": lstrip_paths,
    }
    materials = _record("materials", material_list, found)
    LOG.info("Creating preliminary link metadata...")
    link = Link(name=step_name, materials=materials, environment=_environment(record_environment))
    metadata = _contained(link, use_dsse)
    signature = metadata.create_signature(_signer(signer, signing_key, gpg_keyid, gpg_use_default, gpg_home))
    filename = UNFINISHED_FILENAME_FORMAT.format(step_name=step_name, keyid=signature.keyid)
    LOG.info("Storing preliminary link metadata to '%s'...", filename)
    metadata.dump(filename)


def _require_signing_arg(signer: Any, gpg_keyid: Any, gpg_use_default: bool) -> None:
    if not (signer or gpg_keyid or gpg_use_default):
        raise ValueError("Pass either a signer, a gpg keyid or set gpg_use_default to True!")


@with_signing_key(2)
def in_toto_record_stop(
    step_name: str,
    product_list: Any,
    gpg_keyid: Any = None,
    gpg_use_default: bool = False,
    gpg_home: Any = None,
    exclude_patterns: Any = None,
    base_path: Any = None,
    normalize_line_endings: bool = False,
    lstrip_paths: Any = None,
    metadata_directory: Any = None,
    command: Any = None,
    byproducts: Any = None,
    environment: Any = None,
    signer: Any = None,
    signing_key: Any = None,
) -> None:
    """Finish recording a step: its products are added to what `in_toto_record_start` wrote, which must be signed by
    the same key, and the link is signed and written to `NAME.KEYID8.link`."""
    LOG.info("Stop recording '%s'...", step_name)
    _require_signing_arg(signer or signing_key, gpg_keyid, gpg_use_default)
    if gpg_keyid:
        _check_hex(gpg_keyid)
    _check(step_name, signer, (exclude_patterns,), (base_path, metadata_directory))
    signer = signer or (SSlibSigner(signing_key) if signing_key else None)
    unfinished = _unfinished(step_name, signer)
    LOG.info("Loading preliminary link metadata '%s'...", unfinished)
    metadata = Metadata.load(unfinished)
    keyid, key = _key_of(metadata, signer, gpg_keyid, gpg_home)
    metadata.verify_signature(key)
    LOG.info("Extracting Link from metadata...")
    link = metadata.get_payload()
    found = {
        "exclude_patterns": exclude_patterns,
        "base_path": base_path,
        "follow_symlink_dirs": True,
        "normalize_line_endings": normalize_line_endings,
        "lstrip_paths": lstrip_paths,
    }
    link.products = _record("products", product_list, found)
    link.command = command or link.command
    link.byproducts = byproducts or link.byproducts
    link.environment = environment or link.environment
    metadata = _contained(link, isinstance(metadata, Envelope))
    LOG.info("Updating signature with %s '%.8s...'...", "signer" if signer else "gpg key", keyid)
    metadata.create_signature(signer or GPGSigner(keyid=keyid, homedir=gpg_home))
    _store(metadata, FILENAME_FORMAT.format(step_name=step_name, keyid=keyid), metadata_directory)
    LOG.info("Removing unfinished link metadata '%s'...", unfinished)
    os.remove(unfinished)


def _unfinished(step_name: str, signer: Any) -> str:
    if signer:
        return UNFINISHED_FILENAME_FORMAT.format(step_name=step_name, keyid=signer.public_key.keyid)
    import glob

    from navicert.compat.shim.in_toto.exceptions import LinkNotFoundError

    pattern = UNFINISHED_FILENAME_FORMAT_GLOB.format(step_name=glob.escape(step_name), pattern="*")
    found = sorted(glob.glob(pattern))
    if not found:
        raise LinkNotFoundError(
            f"Could not find a preliminary link for step '{step_name}' in the current working directory."
        )
    if len(found) > 1:
        raise LinkNotFoundError(
            f"Found more than one preliminary links for step '{step_name}' in the current working directory:"
            f" {', '.join(found)}. We need exactly one to stop recording."
        )
    return found[0]


def _key_of(metadata: Any, signer: Any, gpg_keyid: Any, gpg_home: Any) -> tuple[str, dict[str, Any]]:
    """The public key that must have signed the unfinished link, after the id that the finished one is named by."""
    if signer:
        LOG.info("Verifying preliminary link signature using passed signer...")
        keyid = signer.public_key.keyid
        return keyid, {**signer.public_key.to_dict(), "keyid": keyid}
    from navicert.compat.shim.in_toto.exceptions import LinkNotFoundError
    from navicert.compat.shim.securesystemslib._gpg import functions as gpg

    if gpg_keyid:
        LOG.info("Verifying preliminary link signature using passed gpg key...")
        key = gpg.export_pubkey(gpg_keyid, gpg_home)
        return key["keyid"], key
    LOG.info("Verifying preliminary link signature using default gpg key...")
    signatures = metadata.sealed().signatures
    if not signatures:
        raise LinkNotFoundError("the preliminary link carries no signature")
    keyid = signatures[0].keyid or ""
    return keyid, gpg.export_pubkey(keyid, gpg_home)


def in_toto_match_products(
    link: Link, paths: Any = None, exclude_patterns: Any = None, lstrip_paths: Any = None
) -> tuple[set[str], set[str], set[str]]:
    """What is only among the products of `link`, what only among the files, and what differs. The link is believed."""
    files = record_artifacts_as_dict(
        ["."] if paths is None else paths, exclude_patterns=exclude_patterns, lstrip_paths=lstrip_paths
    )
    both = link.products.keys() & files.keys()
    differ = {name for name in both if link.products[name] != files[name]}
    return link.products.keys() - files.keys(), files.keys() - link.products.keys(), differ
