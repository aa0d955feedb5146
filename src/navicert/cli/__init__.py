"""The command line: one file per command, imported only when it is run. Only here is anything printed or exited."""
