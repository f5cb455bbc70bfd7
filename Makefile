# `make` alone prints what there is.
VENV ?= .venv
JOBS ?= 2
PY := $(VENV)/bin/python
DEMO ?= build/demo
EXAMPLE := examples/digits
C_FOLDERS := codegen/kernels firmware_templates tests/support
export VENV

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: test-sbc test-sbc-vm bench-sbc-models fuzz mlperf torture bench-compression bench-cortex-m bench-x86 bench-sparse kernel-tables kernel-paces help setup demo test check lint format tables wheel clean tools-demo tools-test

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: tools-test $(VENV)/.edgec-dev $(VENV)-labgrid/.ready ## Install everything: cross compiler, emulator, .venv

demo: tools-demo $(VENV)/.edgec-demo ## Build the example for a Cortex-M4 and run it on the simulated board
	$(VENV)/bin/edgec build --target cortex-m4 $(EXAMPLE)/digits.onnx \
	    --calibration $(EXAMPLE)/calibration.npz --test $(EXAMPLE)/test.npz -o $(DEMO)

test: setup lint ## Lint, then run the whole test suite
	$(PY) -m pytest -n $(JOBS) --dist loadscope

check: test ## The same; it is what CI runs

lint: $(VENV)/.edgec-dev ## Run ruff, mypy and clang-format, changing nothing
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	find $(C_FOLDERS) -name '*.[ch]' -exec $(VENV)/bin/clang-format --dry-run -Werror {} +

format: $(VENV)/.edgec-dev ## Format Python and C in place
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .
	find $(C_FOLDERS) -name '*.[ch]' -exec $(VENV)/bin/clang-format -i {} +

bench-compression: $(VENV)/.edgec-dev tools-demo ## Run every recipe on the test models and measure what each brings
	$(PY) tools/bench_compression.py --docs $(BENCH_ARGS)

bench-cortex-m: $(VENV)/.edgec-dev tools-demo ## Measure the benchmark models on every Cortex-M, beside TFLM
	$(PY) tools/bench_cortex_m.py $(BENCH_ARGS)

bench-x86: $(VENV)/.edgec-dev ## Measure every backend and peer on this PC, taking turns
	$(PY) tools/bench_x86.py $(BENCH_ARGS)

bench-sbc-models: $(VENV)/.edgec-dev ## Build networks of SBC size and time them beside LiteRT and onnxruntime
	$(PY) tools/bench_sbc_models.py $(BENCH_ARGS)

test-sbc: $(VENV)/.edgec-dev tools-test ## Verify every backend on emulated Raspberry Pis, over SSH
	$(PY) tools/sbc_matrix.py $(MATRIX_ARGS)

test-sbc-vm: $(VENV)/.edgec-dev tools-test ## The same on an emulated computer that boots Debian, and faults
	PATH="$$PATH:/usr/sbin:/sbin" $(PY) tools/sbc_vm_suite.py $(VM_ARGS)

bench-sparse: $(VENV)/.edgec-dev tools-demo ## Count clustered and sparse layers beside plain ones, for the docs
	$(PY) tools/bench_sparse.py --write $(BENCH_ARGS)

torture: $(VENV)/.edgec-dev tools-demo ## Use a device over bad lines: 100,000 frames, and 5,000 to an emulated board
	PYTHONPATH=. $(PY) tools/torture_link.py $(TORTURE_ARGS)
	PYTHONPATH=. $(PY) tools/torture_link.py --target cortex-m4 --frames 5000 --lines 2 $(TORTURE_ARGS)

fuzz: $(VENV)/.edgec-dev tools-test ## Fuzz the firmware's decoders, a minute each
	PYTHONPATH=. $(PY) tools/fuzz_firmware.py $(FUZZ_ARGS)

mlperf: $(VENV)/.edgec-dev tools-demo ## Hold whole MLPerf Tiny sessions with an emulated board
	PYTHONPATH=. $(PY) tools/mlperf_sessions.py $(MLPERF_ARGS)

kernel-tables: $(VENV)/.edgec-dev tools-demo ## Measure the code of every kernel on every Cortex-M
	$(PY) tools/measure_kernels.py $(TABLE_ARGS)

kernel-paces: $(VENV)/.edgec-dev tools-demo ## Count what every kernel takes on every Cortex-M
	$(PY) tools/measure_paces.py $(PACE_ARGS)

tables: $(VENV)/.edgec-demo ## Write the generated tables in docs/ anew
	$(PY) tools/gen_tables.py

wheel: $(VENV)/.edgec-dev ## Build the wheel into dist/
	$(PY) -m build --wheel --no-isolation

clean: ## Remove what was built; the venv stays
	rm -rf build dist edgec.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

tools-demo:
	@tools/setup.sh tools

tools-test:
	@FOR_TESTS=1 tools/setup.sh tools

$(VENV)/.edgec-demo: pyproject.toml constraints.txt
	@tools/setup.sh venv tensorflow
	@touch $@

$(VENV)/.edgec-dev: pyproject.toml constraints.txt
	@tools/setup.sh venv tensorflow,tvm,dev
	@touch $@ $(VENV)/.edgec-demo

$(VENV)-labgrid/.ready: | $(VENV)/.edgec-dev
	@tools/setup.sh labgrid
	@touch $@
