"""`navicert record start` and `record stop`: a step that is no single command."""

from __future__ import annotations

HELP = "record a step that is no single command: its materials at start, its products at stop"

COMMANDS = {
    "start": ("navicert.cli.record_start", "begin: record the materials"),
    "stop": ("navicert.cli.record_stop", "end: record the products and sign the link"),
}
