"""Keys and signatures, in memory: nothing here reads a file, asks for a password or prints."""
