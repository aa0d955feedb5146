"""`navicert key`: key files, looked at and written in another form."""

HELP = "Look at keys, and write them in the form that another program reads."

COMMANDS = {
    "show": ("navicert.cli.key_show", "print type and ids of a public key"),
    "convert": ("navicert.cli.key_convert", "write a key in another form: PEM, OpenSSH, in-toto 1.x"),
}
