"""The way from recipes and saved pictures to proofs; nothing heavy loads before one is asked."""
