# book: execute, render and zip; lab: the chapters in JupyterLab; report: your own table, fitted, checked and
# reported; test, test-deep; slides: a deck a chapter; workshop: what participants get; pdf; address: where the
# book is published; bench: timings; calibrate, scale, r: the stored studies; lock: newest versions; clean: remove
# what was built.
ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
# Fits that chapters share; without make, the user's cache folder keeps them.
export BOOK_FIT_CACHE := $(CURDIR)/_build/fits
# Two chapters or tests run at a time. With a thread a core each, their linear algebra would wait for the
# other's: the book took a fifth longer.
export OPENBLAS_NUM_THREADS ?= 1
PAGES := _build/html/index.html
COMPILE = $(BIN)/uv pip compile --universal --generate-hashes --no-header --python-version 3.12 --upgrade
LIST_SPARK = import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project'] \
	['optional-dependencies']['spark'], sep='\n')

.PHONY: book executed lab address report r test test-deep workshop slides pdf bench calibrate scale lock clean

executed: .venv/ready
	@$(BIN)/python tools/build/execute.py

# Pages and figures of former builds would stay, and go into the archive.
book: executed
	@rm -rf _build/html
	@$(BIN)/jupyter-book build . -W -n --keep-going -q || { rm -rf _build/html _build/.doctrees; exit 1; }
	@$(BIN)/python tools/build/archive.py
	@echo "The book is at $(CURDIR)/$(PAGES)"

# In a container the only user is often root, whom Jupyter turns away without the flag.
lab: .venv/ready
	@$(BIN)/jupyter lab notebooks $$(test "$$(id -u)" != 0 || echo --allow-root)

# make address URL=https://github.com/me/book: where the book is published. With OWNER for me, nowhere.
address: .venv/ready
	@$(BIN)/python tools/build/address.py "$$URL"

# make report TABLE=table.csv FORMULA="y ~ x + (x | g)" RANGE="0 600" UNIT=s, and if you like OUT=folder and
# MORE="--per 10 --reach x 0 10". The shell finds them in its environment, so they may hold spaces and quotes.
report: .venv/ready
	@$(BIN)/python -m helpers report "$$TABLE" "$$FORMULA" $${RANGE:+--range $$RANGE} \
		$${UNIT:+--unit "$$UNIT"} --out "$${OUT:-_build/reports}" $(MORE)

# The tests open the pages, the slides and the participants' notebooks, so these are made first. What an archive
# lacks is asked for before anything runs.
test: tests/unit book slides workshop
	@$(BIN)/python -m pytest -n 2 tests/unit tests/book tests/teach

test-deep: tests/deep book slides workshop .venv/spark
	@$(BIN)/python -m pytest -n 2 tests/deep

workshop: tools/teach/workshop.py executed
	@PYTHONPATH=tools/build $(BIN)/python tools/teach/workshop.py
	@echo "The workshop is at $(CURDIR)/_build/workshop, zipped beside it."

slides: tools/teach/slides.py executed
	@PYTHONPATH=tools/build $(BIN)/python tools/teach/slides.py

pdf: book
	@$(BIN)/python tools/build/pdf.py

bench: .venv/ready
	@PYTHONPATH=tools/build $(BIN)/python tools/study/bench.py

calibrate: .venv/ready
	@$(BIN)/python tools/study/calibrate.py
	@$(BIN)/python tools/study/calibrate_yes_no.py
	@$(BIN)/python tools/study/forget_factor.py

scale: .venv/ready
	@$(BIN)/python tools/study/scale.py

r: .venv/ready
	@PYTHONPATH=tools/build $(BIN)/python tools/study/run_r.py

lock: .venv/ready
	@$(COMPILE) --group book pyproject.toml -o requirements.lock
	@$(BIN)/python -c "$(LIST_SPARK)" | $(COMPILE) -c requirements.lock - -o requirements-spark.lock

clean:
	@rm -rf _build .pytest_cache .ruff_cache
	@echo "Removed what was built; the environment in .venv stays (rm -rf .venv removes it)."

.venv/ready: requirements.lock pyproject.toml tools/build/environment.sh
	@sh tools/build/environment.sh

# PySpark for the deep lane, which runs on Java 17. In a folder of its own, because where it is installed,
# pandera imports it, and every chapter would begin with PySpark's warning about pandas 3.
.venv/spark: .venv/ready requirements-spark.lock
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --no-deps --upgrade \
		--target $@ -r requirements-spark.lock
	@touch $@
