"""The benchmark of the proof: photos, seeded pairs, training and the table."""
