"""Recipe files: read with positions, checked against the format, found by name."""
