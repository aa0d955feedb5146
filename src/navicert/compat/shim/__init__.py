"""What scripts import as `in_toto` and `securesystemslib`: adapters over Navicert, under their names."""
