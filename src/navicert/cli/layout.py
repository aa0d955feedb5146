"""`navicert layout`: writing the policy."""

HELP = "Write, check, sign and show the policy: which steps there are, and who may do what."

COMMANDS = {
    "init": ("navicert.cli.layout_init", "write a first layout in YAML, to go on from"),
    "lint": ("navicert.cli.layout_lint", "say what is wrong or weaker than it looks"),
    "sign": ("navicert.cli.layout_sign", "turn YAML or JSON into a signed layout"),
    "import": ("navicert.cli.layout_import", "read a layout of in-toto's attestation-verifier"),
    "show": ("navicert.cli.layout_show", "print a layout for people, signed or not"),
}
