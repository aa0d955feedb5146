"""The documents of in-toto as immutable values: what they say, without signatures and without I/O."""
