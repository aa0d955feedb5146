"""`navicert evidence`: the stores that hold it."""

HELP = "Find evidence, move it between stores, pack a chain into one file, and let go of what is old."

COMMANDS = {
    "list": ("navicert.cli.evidence_list", "list what stores hold"),
    "search": ("navicert.cli.evidence_search", "find documents by digest, step, signer, type, run or time"),
    "put": ("navicert.cli.evidence_put", "put documents, or all of another store, into a store"),
    "pack": ("navicert.cli.evidence_pack", "make one file of a layout and the chain that it holds for"),
    "unpack": ("navicert.cli.evidence_unpack", "put what is in a pack into a store"),
    "push": ("navicert.cli.evidence_push", "attach the chain of an image to it, in its registry"),
    "pull": ("navicert.cli.evidence_pull", "fetch what is attached to an image"),
    "copy": ("navicert.cli.evidence_copy", "copy an image with everything attached to it"),
    "gc": ("navicert.cli.evidence_gc", "remove what no kept release needs"),
}
