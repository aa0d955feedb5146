"""Generators of the test vectors: one function per case, one module per group of cases."""
