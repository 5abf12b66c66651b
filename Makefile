# Every target is a command of dev.py, which needs Python's standard library only.
.DEFAULT_GOAL := help
.PHONY: help env demo test test-contract lint docs control-plane prometheus bench bench-quick bench-peers profile load lock

PYTHON3 ?= python3
SERVER ?= embedded

help env lint docs control-plane prometheus bench-quick lock:
	@$(PYTHON3) dev.py $@

# ARGS="--keep" or ARGS="-o json", for example; bench-peers takes --quick.
demo test bench bench-peers profile load:
	@$(PYTHON3) dev.py $@ $(ARGS)

test-contract:
	@$(PYTHON3) dev.py $@ SERVER=$(SERVER)
