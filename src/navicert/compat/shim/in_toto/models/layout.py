"""Layouts that can be changed (`in_toto.models.layout`)."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime

from navicert.compat.shim.in_toto import rulelib
from navicert.compat.shim.in_toto.formats import (
    _check_hex,
    _check_hex_list,
    _check_int,
    _check_iso8601,
    _check_public_key,
    _check_public_keys,
    _check_str,
    _check_str_list,
)
from navicert.compat.shim.in_toto.models._signer import load_public_key_from_file
from navicert.compat.shim.in_toto.models.signable import Fields, Signable
from navicert.compat.shim.securesystemslib.exceptions import FormatError
from navicert.compat.shim.translation import translated
from navicert.timestamp import after, format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, ClassVar, Final

SUBLAYOUT_LINK_DIR_FORMAT: Final = "{name}.{keyid:.8}"


class SupplyChainItem(Fields):
    """A step or an inspection: a name and the rules on its artifacts."""

    FIELDS: ClassVar[tuple[str, ...]] = ("name", "expected_materials", "expected_products")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = kwargs.get("name")
        self.expected_materials: Any = kwargs.get("expected_materials", [])
        self.expected_products: Any = kwargs.get("expected_products", [])

    def add_material_rule_from_string(self, rule_string: str) -> None:
        """Add the rule that one line spells to the rules on materials."""
        self.expected_materials.append(_rule(rule_string))

    def add_product_rule_from_string(self, rule_string: str) -> None:
        """Add the rule that one line spells to the rules on products."""
        self.expected_products.append(_rule(rule_string))

    def _validate_expected_materials(self) -> None:
        _check_rules(self.expected_materials, "Material")

    def _validate_expected_products(self) -> None:
        _check_rules(self.expected_products, "Product")


def _rule(text: str) -> list[str]:
    _check_str(text)
    words = shlex.split(text)
    rulelib.unpack_rule(words)
    return words


def _check_rules(rules: Any, what: str) -> None:
    if not isinstance(rules, list):
        raise FormatError(f"{what} rules should be a list!")
    for rule in rules:
        rulelib.unpack_rule(rule)


class Step(SupplyChainItem):
    """One step, who may perform it, and how many must."""

    FIELDS: ClassVar[tuple[str, ...]] = (*SupplyChainItem.FIELDS, "_type", "pubkeys", "expected_command", "threshold")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._type = "step"
        self.pubkeys: Any = kwargs.get("pubkeys", [])
        self.expected_command: Any = kwargs.get("expected_command", [])
        self.threshold: Any = kwargs.get("threshold", 1)
        self.validate()

    @staticmethod
    def read(data: dict[str, Any]) -> Step:
        """The step of a dictionary. Raises `FormatError`."""
        return Step(**data)

    def set_expected_command_from_string(self, command_string: str) -> None:
        """Expect the command that one line spells."""
        _check_str(command_string)
        self.expected_command = shlex.split(command_string)

    def _validate_type(self) -> None:
        if self._type != "step":
            raise FormatError("Invalid _type value for step (Should be 'step')")

    def _validate_threshold(self) -> None:
        if not isinstance(self.threshold, int):
            raise FormatError(f"Invalid threshold '{self.threshold}', value must be an int.")

    def _validate_pubkeys(self) -> None:
        if not isinstance(self.pubkeys, list):
            raise FormatError("The pubkeys field should be a list!")
        for keyid in self.pubkeys:
            _check_hex(keyid)

    def _validate_expected_command(self) -> None:
        if not isinstance(self.expected_command, list):
            raise FormatError("The expected command field is malformed!")


class Inspection(SupplyChainItem):
    """One command that the verifier runs."""

    FIELDS: ClassVar[tuple[str, ...]] = (*SupplyChainItem.FIELDS, "_type", "run")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._type = "inspection"
        self.run: Any = kwargs.get("run", [])
        self.validate()

    @staticmethod
    def read(data: dict[str, Any]) -> Inspection:
        """The inspection of a dictionary. Raises `FormatError`."""
        return Inspection(**data)

    def set_run_from_string(self, command_string: str) -> None:
        """Run the command that one line spells."""
        _check_str(command_string)
        self.run = shlex.split(command_string)

    def _validate_type(self) -> None:
        if self._type != "inspection":
            raise FormatError("The _type field must be set to 'inspection'!")

    def _validate_run(self) -> None:
        if not isinstance(self.run, list):
            raise FormatError("The run field is malformed!")


def _read(kind: Any, item: dict[str, Any]) -> Any:
    """The step or inspection of a dictionary; what is wrong with it is said with its name."""
    try:
        return kind.read(item)
    except FormatError as error:
        raise FormatError(f"{error} ({kind.__name__.lower()} '{item.get('name')}')") from error


class Layout(Signable):
    """Steps, inspections, keys, and until when all of it holds."""

    FIELDS: ClassVar[tuple[str, ...]] = ("_type", "steps", "inspect", "keys", "expires", "readme")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._type = "layout"
        self.steps: Any = kwargs.get("steps", [])
        self.inspect: Any = kwargs.get("inspect", [])
        self.keys: Any = kwargs.get("keys", {})
        self.readme: Any = kwargs.get("readme", "")
        self.expires: Any = kwargs.get("expires")
        if not self.expires:
            self.set_relative_expiration(months=1)
        self.validate()

    @property
    def type_(self) -> str:
        """The type of the document, "layout"."""
        return self._type

    @staticmethod
    def read(data: dict[str, Any]) -> Layout:
        """The layout of a dictionary, in which steps and inspections become objects. Raises `FormatError`."""
        for name, kind in (("steps", Step), ("inspect", Inspection)):
            items = data.get(name)
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise FormatError(f"Invalid Layout: field `{name}` must be a list of objects")
            data[name] = [_read(kind, item) for item in items]
        return Layout(**data)

    def set_relative_expiration(self, days: int = 0, months: int = 0, years: int = 0) -> None:
        """Expire that much from now on, by the calendar."""
        for number in (days, months, years):
            _check_int(number)
        with translated():
            self.expires = format_timestamp(after(datetime.now(UTC), days=days, months=months, years=years))

    # --- items -----------------------------------------------------------------------------------------------------

    def get_step_name_list(self) -> list[Any]:
        """The names of the steps, in order."""
        return [step.name for step in self.steps]

    def get_step_by_name(self, step_name: str) -> Step | None:
        """The step of that name, or None."""
        _check_str(step_name)
        return next((step for step in self.steps if step.name == step_name), None)

    def remove_step_by_name(self, step_name: str) -> None:
        """Remove the step of that name, if there is one."""
        _check_str(step_name)
        self.steps[:] = [step for step in self.steps if step.name != step_name]

    def get_inspection_name_list(self) -> list[Any]:
        """The names of the inspections, in order."""
        return [inspection.name for inspection in self.inspect]

    def get_inspection_by_name(self, inspection_name: str) -> Inspection | None:
        """The inspection of that name, or None."""
        _check_str(inspection_name)
        return next((item for item in self.inspect if item.name == inspection_name), None)

    def remove_inspection_by_name(self, inspection_name: str) -> None:
        """Remove the inspection of that name, if there is one."""
        _check_str(inspection_name)
        self.inspect[:] = [item for item in self.inspect if item.name != inspection_name]

    # --- keys ------------------------------------------------------------------------------------------------------

    def get_functionary_key_id_list(self) -> list[str]:
        """The ids of the keys."""
        return list(self.keys)

    def add_functionary_key(self, key: dict[str, Any]) -> dict[str, Any]:
        """Add the public key in a dictionary, under its id."""
        _check_public_key(key)
        self.keys[key["keyid"]] = key
        return key

    def add_functionary_key_from_path(self, key_path: str) -> dict[str, Any]:
        """Add the public key in a file, of any form."""
        _check_str(key_path)
        return self.add_functionary_key(load_public_key_from_file(key_path))

    def add_functionary_key_from_gpg_keyid(self, gpg_keyid: str, gpg_home: str | None = None) -> dict[str, Any]:
        """Add the public key that gpg knows by that id."""
        from navicert.compat.shim.securesystemslib._gpg.functions import export_pubkey

        _check_hex(gpg_keyid)
        if gpg_home:
            _check_str(gpg_home)
        return self.add_functionary_key(export_pubkey(gpg_keyid, homedir=gpg_home))

    def add_functionary_keys_from_paths(self, key_path_list: list[str]) -> dict[str, dict[str, Any]]:
        """Add the public keys in files; what was added, by id."""
        _check_str_list(key_path_list)
        added = [self.add_functionary_key_from_path(path) for path in key_path_list]
        return {key["keyid"]: key for key in added}

    def add_functionary_keys_from_gpg_keyids(
        self, gpg_keyid_list: list[str], gpg_home: str | None = None
    ) -> dict[str, dict[str, Any]]:
        """Add public keys that gpg knows; what was added, by id."""
        _check_hex_list(gpg_keyid_list)
        added = [self.add_functionary_key_from_gpg_keyid(keyid, gpg_home) for keyid in gpg_keyid_list]
        return {key["keyid"]: key for key in added}

    # --- checks ----------------------------------------------------------------------------------------------------

    def _validate_type(self) -> None:
        if self._type != "layout":
            raise FormatError("Invalid _type value for layout (Should be 'layout')")

    def _validate_expires(self) -> None:
        try:
            _check_iso8601(self.expires)
        except FormatError as error:
            raise FormatError(f"Malformed date string in layout. Exception: {error}") from error

    def _validate_readme(self) -> None:
        if not isinstance(self.readme, str):
            raise FormatError(f"Invalid readme '{self.readme}', value must be a string.")

    def _validate_keys(self) -> None:
        _check_public_keys(self.keys)

    def _validate_steps_and_inspections(self) -> None:
        seen: set[object] = set()
        for items, kind, field, noun in (
            (self.steps, Step, "steps", "step"),
            (self.inspect, Inspection, "inspect", "inspection"),
        ):
            if not isinstance(items, list):
                raise FormatError(f"The {field} field should be a list!")
            for item in items:
                if not isinstance(item, kind):
                    raise FormatError(f"The {field} list should only contain {noun}s!")
                item.validate()
                if item.name in seen:
                    article = "an" if noun == "inspection" else "a"
                    raise FormatError(
                        f"There is already {article} {noun} with name '{item.name}'. {noun.capitalize()} names must"
                        f" be unique within a layout. (duplicate {noun} '{item.name}')"
                    )
                seen.add(item.name)
