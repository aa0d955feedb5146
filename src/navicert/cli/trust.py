"""`navicert trust`: whom Navicert believes where nobody names a key."""

HELP = "Look at the trust root of Sigstore that certificates are judged by, and fetch a newer one."

COMMANDS = {
    "show": ("navicert.cli.trust_show", "print whom a trust root names, and until when"),
    "refresh": ("navicert.cli.trust_refresh", "fetch the trust root of an instance by TUF"),
}
