"""Verification (`in_toto.verifylib`).

The whole is Navicert's judgement in its profile UPSTREAM; the stages are there one by one too, for scripts that call
them.
"""

from __future__ import annotations

import datetime
import os

from navicert.compat.shim.in_toto import settings
from navicert.compat.shim.in_toto.complaint import bad_return_value
from navicert.compat.shim.in_toto.culprit import named
from navicert.compat.shim.in_toto.exceptions import (
    BadReturnValueError,
    LayoutExpiredError,
    LinkNotFoundError,
    SignatureVerificationError,
    ThresholdVerificationError,
)
from navicert.compat.shim.in_toto.file_name import FILENAME_FORMAT, FILENAME_FORMAT_SHORT
from navicert.compat.shim.in_toto.formats import _check_parameter_dict, _check_public_keys
from navicert.compat.shim.in_toto.inspecting import Inspector, inspect
from navicert.compat.shim.in_toto.models.layout import SUBLAYOUT_LINK_DIR_FORMAT
from navicert.compat.shim.in_toto.models.link import Link
from navicert.compat.shim.in_toto.models.metadata import Metadata
from navicert.compat.shim.in_toto.models.signable import plain
from navicert.compat.shim.in_toto.qualification import authorised, objection, threshold_of
from navicert.compat.shim.in_toto.release import renamed
from navicert.compat.shim.in_toto.verification import LOG, judge, summary_of
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.crypto.key import Key
from navicert.errors import LimitExceeded, Malformed
from navicert.model import layout as core
from navicert.timestamp import parse_timestamp
from navicert.verify.case import Policy
from navicert.verify.parameters import NoValue, fill_in

RULE_TRACE: dict[str, Any] = {}
"""Always empty: a trace belongs to the error that it is part of."""

__all__ = [
    "LOG", "RULE_TRACE", "get_summary_link", "in_toto_verify", "load_links_for_layout", "reduce_chain_links",
    "run_all_inspections", "substitute_parameters", "verify_all_item_rules", "verify_all_steps_command_alignment",
    "verify_allow_rule", "verify_command_alignment", "verify_create_rule", "verify_delete_rule",
    "verify_disallow_rule", "verify_item_rules", "verify_layout_expiration",
    "verify_layout_signatures", "verify_link_signature_thresholds",
    "verify_match_rule", "verify_metadata_signatures", "verify_modify_rule", "verify_require_rule",
    "verify_sublayouts", "verify_threshold_constraints",
]  # fmt: skip


TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from navicert.compat.shim.in_toto.ruling import (
        verify_allow_rule,
        verify_create_rule,
        verify_delete_rule,
        verify_disallow_rule,
        verify_item_rules,
        verify_match_rule,
        verify_modify_rule,
        verify_require_rule,
    )


def __getattr__(name: str) -> object:
    """The rules one by one, which no verification as a whole needs. Spec: PEP 562."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from navicert.compat.shim.in_toto import ruling

    value: object = getattr(ruling, name)
    return value


@renamed("layout", "metadata")
def in_toto_verify(
    metadata: Any,
    layout_key_dict: dict[str, dict[str, Any]],
    link_dir_path: str = ".",
    substitution_parameters: dict[str, str] | None = None,
    step_name: str = "",
    persist_inspection_links: bool = True,
    inspect_timeout: float | None = settings.LINK_CMD_EXEC_TIMEOUT,
) -> Link:
    """The summary link of a chain that passes. Raises what upstream raises for one that does not.

    The layout is judged as `metadata` is now, the links as they lie in the folder. Parameters are filled into the
    layout of `metadata` itself. Inspections run in the current folder.
    """
    now = datetime.datetime.now(datetime.UTC)
    policy = _policy(metadata, layout_key_dict, substitution_parameters, now)
    inspector = Inspector(persist_inspection_links, inspect_timeout)
    try:
        judgement = judge(policy, now, link_dir_path, substitution_parameters, inspector)
    except Malformed as error:
        raise FormatError(named(error, metadata)) from error
    return _summary(summary_of(judgement), step_name)


def _policy(
    metadata: Any,
    layout_key_dict: dict[str, dict[str, Any]],
    substitution_parameters: dict[str, str] | None,
    now: datetime.datetime,
) -> Policy:
    """The layout of `metadata`, which all of the keys signed, as a policy. Raises what upstream raises of others."""
    LOG.info("Verifying layout metadata signatures...")
    verify_metadata_signatures(metadata, layout_key_dict)
    try:
        sealed = metadata.sealed()
        owners = tuple(Key.from_json(plain(key), id=keyid) for keyid, key in layout_key_dict.items())
        verified = sealed.verified_by(owners)
    except LimitExceeded as error:
        raise FormatError(str(error)) from error
    except Malformed as error:
        raise FormatError(named(error, metadata)) from error
    if verified is None or not isinstance(verified.body, core.Layout):
        raise FormatError(f"'{metadata.path}' is not a layout" if metadata.path else "not a layout")
    LOG.info("Extracting layout from metadata...")
    layout = metadata.get_payload()
    LOG.info("Verifying layout expiration...")
    _refuse_expired(layout, now, metadata.path)
    if substitution_parameters is not None:
        LOG.info("Performing parameter substitution...")
        substitute_parameters(layout, substitution_parameters)
    return Policy(sealed, owners, verified)


def _summary(found: object, name: str) -> Link:
    if found is None:
        return Link()
    described = found.to_json()  # type: ignore[attr-defined]  # a link of Navicert's
    return Link(**{**described, "name": name, "environment": {}})


# --- the layout ----------------------------------------------------------------------------------------------------


def verify_metadata_signatures(metadata: Any, keys_dict: dict[str, dict[str, Any]]) -> None:
    """Raises `SignatureVerificationError` unless every key has signed; one key at least."""
    _check_public_keys(keys_dict)
    if not keys_dict:
        raise SignatureVerificationError("Layout signature verification requires at least one key.")
    for key in keys_dict.values():
        metadata.verify_signature(key)


def verify_layout_signatures(layout_metablock: Any, keys_dict: dict[str, dict[str, Any]]) -> None:
    """As `verify_metadata_signatures`, by its name in 1.x."""
    verify_metadata_signatures(layout_metablock, keys_dict)


def verify_layout_expiration(layout: Any) -> None:
    """Raises `LayoutExpiredError` for a layout whose time is over."""
    _refuse_expired(layout, datetime.datetime.now(datetime.UTC), "")


def _refuse_expired(layout: Any, now: datetime.datetime, path: str) -> None:
    if parse_timestamp(layout.expires) <= now:
        name = f" '{path}'" if path else ""
        raise LayoutExpiredError(f"Layout expired: the layout{name} was valid until {layout.expires}")


def substitute_parameters(layout: Any, parameter_dictionary: dict[str, str]) -> None:
    """Fill values for `{name}` into the rules and commands of `layout`. Raises `KeyError` for a name without a value,
    `ValueError` for other braces."""
    _check_parameter_dict(parameter_dictionary)
    for item in (*layout.steps, *layout.inspect):
        where = f"'{item.name}'"
        command = "expected_command" if item in layout.steps else "run"
        for field in ("expected_materials", "expected_products"):
            rules = [[_filled(word, parameter_dictionary, where) for word in rule] for rule in getattr(item, field)]
            setattr(item, field, rules)
        setattr(item, command, [_filled(word, parameter_dictionary, where) for word in getattr(item, command)])


def _filled(text: str, values: Mapping[str, str], where: str) -> str:
    try:
        return fill_in(text, values, where)
    except NoValue as error:
        raise KeyError(error.name) from error
    except Malformed as error:
        raise ValueError(str(error)) from error


# --- links ---------------------------------------------------------------------------------------------------------


def load_links_for_layout(layout: Any, link_dir_path: str) -> dict[str, dict[str, Any]]:
    """The link files of each step, by the id of who may sign it. Raises `LinkNotFoundError` for too few, `FormatError`
    for a threshold that asks for nobody."""
    found: dict[str, dict[str, Any]] = {}
    for step in layout.steps:
        need = threshold_of(step)
        links = found[step.name] = {}
        skipped: list[str] = []
        allowed = [id for key in step.pubkeys for id in (key, *(layout.keys.get(key, {}).get("subkeys") or {}))]
        for keyid in allowed:
            path = os.path.join(link_dir_path, FILENAME_FORMAT.format(step_name=step.name, keyid=keyid))
            try:
                links[keyid] = Metadata.load(path)
            except OSError:
                continue
            except Exception as error:  # noqa: BLE001  # whatever is wrong with one file must not stop the others
                skipped.append(f"'{path}' cannot be read: {error}")
        if len(links) < need:
            named = f" Not counted: {'; '.join(skipped)}." if skipped else ""
            raise LinkNotFoundError(
                f"Step '{step.name}' requires '{need}' link metadata file(s), found '{len(links)}'.{named}"
            )
        for text in skipped:
            LOG.warning("Skipping link. %s", text)
    return found


@renamed("chain_link_dict", "steps_metadata")
def verify_link_signature_thresholds(layout: Any, steps_metadata: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The links of each step that one who may has signed. Raises `ThresholdVerificationError` for too few signers: the
    same key counts once, under however many ids."""
    masters = {subkey: key for key in layout.keys.values() for subkey in key.get("subkeys") or {}}
    verified: dict[str, dict[str, Any]] = {}
    for step in layout.steps:
        need = threshold_of(step)
        good = verified[step.name] = {}
        counted: list[str] = []
        skipped: list[str] = []
        for keyid, link in steps_metadata.get(step.name, {}).items():
            key = authorised(step, keyid, layout.keys, masters)
            line = objection(step, keyid, key, link)
            if line:
                LOG.info(*line)
                skipped.append(line[0].removeprefix("Skipping link. ") % line[1:])
                continue
            fingerprint = Key.from_json(plain(key), id=key["keyid"]).fingerprint
            if fingerprint in counted:
                LOG.warning(
                    "Found links signed by different subkeys of the same main key '%s' for step '%s'. Only one of them"
                    " is counted towards the step threshold.",
                    key["keyid"],
                    step.name,
                )
                skipped.append(f"the link of '{keyid}' is by a key that is counted already: a duplicate counts once")
            counted.append(fingerprint)
            good[keyid] = link
        if len(set(counted)) < need:
            raise ThresholdVerificationError(
                f"Step '{step.name}' requires at least '{need}' links validly signed by different authorized"
                f" functionaries. Only found '{len(set(counted))}'"
                f"{'. Not counted: ' + '; '.join(skipped) + '.' if skipped else ''}"
            )
    return verified


@renamed("chain_link_dict", "steps_metadata")
def verify_sublayouts(
    layout: Any,
    steps_metadata: Mapping[str, Any],
    superlayout_link_dir_path: str,
    inspect_timeout: float | None = settings.LINK_CMD_EXEC_TIMEOUT,
) -> dict[str, dict[str, Any]]:
    """The links of each step, where a sublayout that passes is its summary."""
    masters = {subkey: key for key in layout.keys.values() for subkey in key.get("subkeys") or {}}
    chain: dict[str, dict[str, Any]] = {}
    for name, documents in steps_metadata.items():
        chain[name] = {}
        for keyid, metadata in documents.items():
            payload = metadata.get_payload()
            if payload.type_ == "layout":
                LOG.info("Verifying sublayout %s...", name)
                folder = SUBLAYOUT_LINK_DIR_FORMAT.format(name=name, keyid=keyid)
                key = layout.keys.get(keyid) or masters[keyid]
                payload = in_toto_verify(
                    metadata,
                    {key["keyid"]: key},
                    os.path.join(superlayout_link_dir_path, folder),
                    step_name=name,
                    inspect_timeout=inspect_timeout,
                )
            chain[name][keyid] = payload
    return chain


def verify_command_alignment(command: list[str], expected_command: list[str]) -> None:
    """Warns of a command other than the one expected."""
    if command != expected_command:
        LOG.warning("Run command '%s' differs from expected command '%s'", command, expected_command)


def verify_all_steps_command_alignment(layout: Any, chain_link_dict: Mapping[str, Any]) -> None:
    """Warns of commands other than those expected."""
    for step in layout.steps:
        for keyid, link in chain_link_dict[step.name].items():
            filename = FILENAME_FORMAT.format(step_name=step.name, keyid=keyid)
            LOG.info("Verifying command alignment for '%s'...", filename)
            verify_command_alignment(link.command, step.expected_command)


def verify_threshold_constraints(layout: Any, chain_link_dict: Mapping[str, Any]) -> None:
    """Raises `ThresholdVerificationError` where several must perform a step and do not agree."""
    for step in layout.steps:
        need = threshold_of(step)
        if need <= 1:
            continue
        links = chain_link_dict[step.name]
        if len(links) < need:
            raise ThresholdVerificationError(f"Step '{step.name}' not performed by enough functionaries!")
        (first, reference), *others = links.items()
        for keyid, link in others:
            if (reference.materials, reference.products) != (link.materials, link.products):
                names = [FILENAME_FORMAT.format(step_name=step.name, keyid=id) for id in (first, keyid)]
                raise ThresholdVerificationError(f"Links '{names[0]}' and '{names[1]}' have different artifacts!")


def reduce_chain_links(chain_link_dict: Mapping[str, Any]) -> dict[str, Any]:
    """One link for each step: the first. Raises `LinkNotFoundError` for a step that has none."""
    for name, links in chain_link_dict.items():
        if not links:
            raise LinkNotFoundError(f"Step '{name}' has no link that counts.")
    return {name: next(iter(links.values())) for name, links in chain_link_dict.items()}


def verify_all_item_rules(items: Any, links: Mapping[str, Any]) -> None:
    """Raises `RuleVerificationError` unless all rules of all items hold."""
    from navicert.compat.shim.in_toto import ruling

    for item in items:
        for side in ("materials", "products"):
            LOG.info("Verifying %s rules for '%s'...", side.removesuffix("s"), item.name)
            ruling.verify_item_rules(item.name, side, getattr(item, f"expected_{side}"), links)


# --- inspections ---------------------------------------------------------------------------------------------------


def _raise_on_bad_retval(return_value: object, command: Any = None) -> None:
    if not isinstance(return_value, int) or return_value != 0:
        raise BadReturnValueError(bad_return_value(return_value, command))


def run_all_inspections(
    layout: Any, persist_inspection_links: bool, timeout: float | None = settings.LINK_CMD_EXEC_TIMEOUT
) -> dict[str, Any]:
    """The links of all inspections, which are run in the current folder. Raises `BadReturnValueError`."""
    found = {}
    for inspection in layout.inspect:
        LOG.info("Executing command for inspection '%s'...", inspection.name)
        metadata = inspect(inspection.name, inspection.run, timeout)
        found[inspection.name] = metadata.signed
        _raise_on_bad_retval(metadata.signed.byproducts.get("return-value"), inspection.run)
        if persist_inspection_links:
            metadata.dump(FILENAME_FORMAT_SHORT.format(step_name=inspection.name))
    return found


def get_summary_link(layout: Any, reduced_chain_link_dict: Mapping[str, Any], name: str) -> Link:
    """The link that stands for the whole chain: what went into its first step and came out of its last."""
    if not layout.steps:
        return Link()
    first, last = (reduced_chain_link_dict[layout.steps[i].name] for i in (0, -1))
    return Link(
        name=name,
        materials=first.materials,
        products=last.products,
        byproducts=last.byproducts,
        command=last.command,
    )
