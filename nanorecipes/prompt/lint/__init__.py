"""The prompt guide as rules: what reads a recipe's texts, and one rule a file."""
