"""Micro-benchmarks: what each part of the house costs per operation. `python -m bench.micro --help`."""
