"""The programs of the demonstration's four steps: standard library only, so that they run wherever they are copied."""
