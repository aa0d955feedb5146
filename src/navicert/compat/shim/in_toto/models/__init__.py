"""What scripts import as `in_toto.models`."""
