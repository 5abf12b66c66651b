"""What the operator costs: requests, CPU, memory and waiting, measured from outside. `python -m bench.quick`."""
