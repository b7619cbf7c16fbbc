"""Benchmarks: each compares with the peers and with the physical limit in one run, as ratios."""
