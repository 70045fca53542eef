# The commands of this project. `make demo` and `make test` set up a fresh machine first.

R       ?= R
RSCRIPT ?= Rscript
JOBS    ?= $(shell nproc 2>/dev/null || echo 2)

# Nothing of the user's is changed: the package goes into a library of its own.
BUILD    := $(CURDIR)/build
LIB      := $(BUILD)/lib
WITH_LIB := R_LIBS="$(LIB)$${R_LIBS:+:$$R_LIBS}"
PACKAGE  := $(shell sed -n 's/^Package: *//p' DESCRIPTION)
TARBALL  := $(PACKAGE)_$(shell sed -n 's/^Version: *//p' DESCRIPTION).tar.gz

export CCACHE_BASEDIR := $(CURDIR)

COMPILED  := $(shell find src inst/include -type f ! -name '*.o' ! -name '*.so' ! -name '*.dll' 2>/dev/null)
INSTALLED := DESCRIPTION $(wildcard NAMESPACE) $(shell find R inst man -type f 2>/dev/null)

.PHONY: help setup install demo examples test bench bench-run bench-conv bench-workloads bench-counts bench-joined bench-threshold full check sanitize windows docs vignettes clean
.DEFAULT_GOAL := help

help:
	@echo "make setup     install what is missing: R, compiler, R packages"
	@echo "make demo      train the denoising autoencoder on real digits"
	@echo "make examples  run the scripts of inst/examples in full and check that they reach their goals"
	@echo "make test      run all tests, C++ and R"
	@echo "make bench     measure speed and size; bench-run, bench-conv, bench-workloads, bench-counts, bench-joined, bench-threshold: parts of it"
	@echo "make check     R CMD build and R CMD check --as-cran"
	@echo "make sanitize  run the C++ tests under the address and undefined-behaviour sanitizers"
	@echo "make windows   compile the C++ core and its tests for Windows, and run them where wine is"
	@echo "make docs      generate NAMESPACE, man and the glue code"
	@echo "make vignettes render vignettes and articles"
	@echo "make full      everything at full quality"
	@echo "make clean     remove what was built"

setup:
	@tools/setup.sh

# R's make rules do not know which object includes which header: a change in src builds all of it again.
$(BUILD)/sources-changed: $(COMPILED)
	@mkdir -p $(LIB)
	@find src -name '*.o' -delete -o -name '*.so' -delete
	@touch $@

$(BUILD)/installed: $(BUILD)/sources-changed $(INSTALLED) | setup
	MAKEFLAGS=-j$(JOBS) $(R) CMD INSTALL --library="$(LIB)" . >$(BUILD)/install.log 2>&1 || { cat $(BUILD)/install.log; exit 1; }
	@touch $@

install: $(BUILD)/installed

demo: install
	$(WITH_LIB) $(RSCRIPT) demo/denoise.R build

examples: install
	@mkdir -p $(BUILD)/examples
	@for script in inst/examples/*.R; do echo "$$script"; $(WITH_LIB) $(RSCRIPT) $$script $(BUILD)/examples || exit 1; done

test: install
	@tools/setup.sh testthat
	@$(WITH_LIB) JOBS=$(JOBS) MAKEFLAGS=-j$(JOBS) $(RSCRIPT) tools/run-tests.R

# One after the other, whatever -j says: measurements do not share a machine. ARGS are options of a part.
bench: install
	@$(MAKE) bench-run
	@$(MAKE) bench-conv
	@$(MAKE) bench-workloads

bench-run: install
	$(WITH_LIB) $(RSCRIPT) bench/run.R

bench-conv: setup
	@tools/setup.sh libdnnl-dev python3-torch
	$(RSCRIPT) bench/conv.R $(ARGS)

bench-workloads: install
	@tools/setup.sh python3-torch
	$(WITH_LIB) $(RSCRIPT) bench/workloads.R $(ARGS)

bench-counts: setup
	@tools/setup.sh valgrind
	bench/counts.sh $(ARGS)

bench-joined: setup
	@$(MAKE) -s -C bench joined
	build/bench/joined $(ARGS)

bench-threshold: setup
	@$(MAKE) -s -C bench threshold
	build/bench/threshold $(ARGS)

# The clock and CRAN's own pages are not asked: the result is the same without a network.
check: export _R_CHECK_CRAN_INCOMING_REMOTE_ = false
check: export _R_CHECK_SYSTEM_CLOCK_ = false
check: export _R_CHECK_FORCE_SUGGESTS_ = false
check: setup
	@tools/setup.sh pandoc testthat qpdf
	@mkdir -p $(BUILD)
	cd $(BUILD) && MAKEFLAGS=-j$(JOBS) $(R) CMD build "$(CURDIR)"
	cd $(BUILD) && MAKEFLAGS=-j$(JOBS) $(R) CMD check --as-cran --no-manual $(TARBALL) || true
	@grep '^Status:' $(BUILD)/$(PACKAGE).Rcheck/00check.log
	@! grep -qE '^Status:.*(ERROR|WARNING)' $(BUILD)/$(PACKAGE).Rcheck/00check.log

sanitize: setup
	MAKEFLAGS=-j$(JOBS) $(MAKE) -C tests/cpp run PARTS=$(JOBS) BUILD=$(BUILD)/cpp-sanitize SANITIZE=address,undefined

# Without the compiler there is nothing to be seen, and a message of the setup says so. Two programs that start wine
# together on an empty prefix can miss each other's server, so the prefix is made first.
windows: export WINEPREFIX = $(BUILD)/wine
windows: export WINEDEBUG = -all
windows: setup
	@tools/setup.sh g++-mingw-w64-x86-64-posix
	@mkdir -p $(BUILD)
	@! command -v wine >/dev/null || wine wineboot --init
	@! command -v x86_64-w64-mingw32-g++-posix >/dev/null || \
	  MAKEFLAGS=-j$(JOBS) $(MAKE) -s -C tests/cpp $(if $(shell command -v wine),run PARTS=$(JOBS),all) \
	  BUILD=$(BUILD)/cpp-windows CXX=x86_64-w64-mingw32-g++-posix CXXFLAGS="-O1 -static" RUNNER=wine

docs: install
	@tools/setup.sh roxygen2
	$(WITH_LIB) $(RSCRIPT) tools/document.R

vignettes: install
	@tools/setup.sh pandoc rmarkdown
	$(WITH_LIB) $(RSCRIPT) -e 'for (f in Sys.glob(c("vignettes/*.Rmd", "vignettes/articles/*.Rmd"))) rmarkdown::render(f, output_dir = "$(BUILD)/vignettes", quiet = TRUE)'

full: export CONVNET_GOLDENS ?= $(realpath ../shared/goldens)
full: test demo examples vignettes check sanitize windows bench

clean:
	rm -rf $(BUILD) Rplots.pdf
	find src -name '*.o' -delete -o -name '*.so' -delete
