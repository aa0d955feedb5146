"""GPG as scripts reach it through `securesystemslib._gpg`."""
