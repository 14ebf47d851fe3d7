# Fieldgate. `make help` lists the targets.

BIN         := bin/fieldgate
VERSION     := $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
LDFLAGS     := -X main.version=$(VERSION)
LINT        := bin/golangci-lint
LINT_VERSION := v2.13.2
# Tests append here what they skipped for want of a program; see deploy/testdeps.
SKIPPED     := $(CURDIR)/bin/skipped
FUZZTIME    ?= 30s
SMITHTIME   ?= 600
TORTURE     ?= 10
LAMBDA_ARCH ?= arm64
PKG         ?= ./...
# So many tests of a package run at once.
PARALLEL    ?= $(shell echo $$((2 * $$(nproc))))

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/fieldgate
	go build -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/fieldgate

.PHONY: lambda
lambda: ## build bin/fieldgate-lambda-LAMBDA_ARCH.zip, the stages as functions (arm64 or amd64)
	CGO_ENABLED=0 GOOS=linux GOARCH=$(LAMBDA_ARCH) go build -trimpath -tags lambda.norpc -ldflags '-s -w' -o bin/lambda-$(LAMBDA_ARCH)/bootstrap ./cmd/fieldgate-lambda
	cd bin/lambda-$(LAMBDA_ARCH) && zip -qX ../fieldgate-lambda-$(LAMBDA_ARCH).zip bootstrap

.PHONY: run
run: build ## build, then serve the embedded default in development mode
	$(BIN) serve --dev

.PHONY: test
test: build ## everything CI runs, lint too; what is missing is skipped by name
	@rm -f $(SKIPPED)
	@# Many tests wait, which leaves the processors to lint and to more tests at once.
	@make --no-print-directory lint & lint=$$!; \
	FIELDGATE_SKIPPED=$(SKIPPED) go test -race -vet=off -timeout 60m -parallel $(PARALLEL) ./...; status=$$?; \
	wait $$lint || { echo "lint failed, see above" >&2; status=1; }; \
	if [ -s $(SKIPPED) ]; then echo "skipped for want of (make test-deps installs them):"; sort -u $(SKIPPED) | sed 's/^/  /'; fi; \
	exit $$status

.PHONY: test-deps
test-deps: ## install the programs that tests and lint use
	deploy/testdeps/install $(LINT_VERSION)

.PHONY: regress
regress: ## PostgreSQL's own regression statements, compared with a real one; FILE names one file
	deploy/testdeps/regress
	go test -count=1 -timeout 30m -run '^TestRegress$$/^$(FILE)' ./cmd/fieldgate -v -regress.long

.PHONY: smith
smith: ## random queries of sqlsmith for SMITHTIME seconds; an internal error fails
	FIELDGATE_SMITH=$(SMITHTIME) go test -count=1 -v -timeout 60m -run '^TestSmith$$' ./cmd/fieldgate

.PHONY: torture
torture: ## kill, pause and cut off processes on all AWS servers amid faults and resharding, TORTURE times as long as in test; FIELDGATE_TORTURE_SEED repeats
	FIELDGATE_TORTURE_FACTOR=$(TORTURE) go test -count=1 -v -timeout 120m -run '^(TestKillOnAWS|TestTorture|TestWeeks)$$' ./cmd/fieldgate

.PHONY: race
race: ## the tests under the race detector, twice
	go test -race -count=2 -timeout 60m ./...

.PHONY: lint
lint: ## golangci-lint at its pinned version, govet among it; go vet alone if it is not installed
	@if [ -x $(LINT) ]; then $(LINT) run ./...; \
	elif [ "$$CI" = true ] && ! grep -qs '^golangci-lint' bin/testdeps-failed; then echo "golangci-lint is missing: make test-deps installs it" >&2; exit 1; \
	else go vet ./... && echo "golangci-lint is missing: make test-deps installs it; lint was go vet alone"; fi

.PHONY: generate
generate: ## make the generated catalog tables anew, from a real PostgreSQL 15
	go generate ./...

.PHONY: bench
bench: build ## the benchmarks, side by side, ratios
	go run ./cmd/fieldgate/bench

.PHONY: suites
suites: ## the drivers' own test suites against Fieldgate and PostgreSQL
	FIELDGATE_SUITES=all go test -count=1 -v -timeout 60m -run '^TestDriverSuites$$' ./cmd/fieldgate

.PHONY: fuzz
fuzz: ## every fuzz target (of PKG, by default all) for FUZZTIME each; executions are added up
	@total=0; out=$$(mktemp); trap 'rm -f "$$out"' EXIT; pkgs=$$(go list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' $(PKG)) || exit 1; \
	for pkg in $$pkgs; do \
		listed=$$(go test -list '^Fuzz' $$pkg 2>&1) || { echo "$$listed" >&2; exit 1; }; \
		for target in $$(echo "$$listed" | grep '^Fuzz'); do \
			echo "$$pkg $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x $$pkg > "$$out" 2>&1; status=$$?; cat "$$out"; \
			[ $$status = 0 ] || exit 1; \
			execs=$$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$$out" | tail -1); total=$$((total + $${execs:-0})); \
		done; \
	done; \
	echo "$$total executions in all"
