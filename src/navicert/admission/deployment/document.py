"""YAML as Kubernetes reads it: what an operator writes, as values with their types.

Duplicate names are refused, since readers differ on which counts, and so are aliases, which can hold more than they
show. Words that look like a time stay words.
"""

from __future__ import annotations

from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    import yaml


def read_documents(raw: bytes, limits: Limits = LOCAL) -> list[object]:
    """The documents in `raw`, empty ones left out. JSON is YAML. Raises `Malformed`, `LimitExceeded`."""
    import yaml

    if len(raw) > limits.yaml_bytes:
        raise LimitExceeded("too large (limit yaml_bytes)", expected=f"at most {limits.yaml_bytes} bytes")
    try:
        return [one for one in yaml.load_all(raw, Loader=_loader()) if one is not None]  # a safe one
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise Malformed(f"not YAML: {error.problem}", pointer=f"line {line}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Malformed(f"not YAML: {str(error)[:200]}") from error


def _loader() -> type[yaml.SafeLoader]:
    import yaml

    class Loader(yaml.SafeLoader):
        """PyYAML's safe loader without aliases, duplicates and times."""

        def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
            if self.check_event(yaml.AliasEvent):
                event = self.peek_event()  # type: ignore[no-untyped-call]
                raise yaml.composer.ComposerError(
                    None, None, "an alias: write out what it stands for", event.start_mark
                )
            return super().compose_node(parent, index)

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:
            seen = set()
            for key, _ in node.value:
                if not isinstance(key, yaml.ScalarNode):
                    raise yaml.constructor.ConstructorError(None, None, "a name that is no word", key.start_mark)
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(None, None, f"{key.value!r} twice", key.start_mark)
                seen.add(key.value)
            # A name such as 1 or `on` is a word here, as for whoever turns the same document into JSON.
            return {key.value: self.construct_object(value, deep=True) for key, value in node.value}

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    return Loader
