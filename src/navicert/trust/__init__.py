"""Where key material comes from: files, variables, plugins."""
