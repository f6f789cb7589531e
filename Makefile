# Needs Go, make and git; every other tool is built from internal/tools/go.mod, what tests need from go.mod files beside them.

COLLECTOR := bin/otelcol-audit
# The log database that examples/detections is tested with.
VICTORIALOGS := _build/victoria-logs
COMMANDS  := $(sort $(dir $(wildcard internal/cmd/*/*.go)))
TOOL      := go tool -modfile=internal/tools/go.mod

# The same sources give the same bytes: no paths, no revision, no cgo.
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags='-s -w'

# The race detector needs a C compiler. CI sets RACE=-race: there it is no choice.
RACE ?= $(if $(shell command -v $$(go env CC)),-race)

# A workspace around the checkout would change which modules are built.
export GOWORK := off

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: run
run: build ## Build, then show it at work on simulated services (RUN_FOR=20s ends by itself, CONFIG=my.yaml runs your config)
	@exec bin/quickstart -collector $(COLLECTOR) \
		-config '$(or $(CONFIG),examples/quickstart/config.yaml)' \
		-simulate=$(if $(CONFIG),false,true) $(if $(RUN_FOR),-run-for '$(RUN_FOR)')

.PHONY: build
build: $(COLLECTOR) commands ## Build bin/otelcol-audit and the companion programs

# Always asked: what has changed below is known best by go build.
.PHONY: $(COLLECTOR)
$(COLLECTOR): _build/.generated
	@mkdir -p bin
	cd _build && $(BUILD) -mod=mod -o ../$@ .

# ocb writes the Collector's main package and resolves its modules.
_build/.generated: builder-config.yaml go.mod go.sum internal/tools/go.mod
	$(TOOL) builder --config builder-config.yaml --skip-compilation --skip-strict-versioning=false
	@touch $@

.PHONY: commands
commands:
	$(if $(COMMANDS),$(BUILD) -o bin/ $(COMMANDS:%=./%))

# Built once for each version: it is no part of the product.
$(VICTORIALOGS): internal/harness/victorialogs/go.mod internal/harness/victorialogs/go.sum
	@mkdir -p $(@D)
	cd internal/harness/victorialogs && $(BUILD) -o ../../../$@ github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs

.PHONY: clean
clean: ## Remove everything that was built or left by make run
	rm -rf bin _build .run bench.txt coverage.*

.PHONY: test
test: build $(VICTORIALOGS) ## Run all tests, with the race detector
	$(if $(RACE),,@echo 'No C compiler found: testing without the race detector.')
	go test $(RACE) -timeout=60m ./...

.PHONY: flaky
flaky: build $(VICTORIALOGS) ## Look for tests that fail now and then: all of them many times beside busy processors, for hours (FLAKY_MINUTES, FLAKY_PACKAGES, FLAKY_RUN)
	go run ./internal/harness/flaky

.PHONY: e2e
e2e: build ## Test the program at full size (a million events, 500 subaccounts, 60 s certificates), which takes half an hour
	E2E_KILLS=$(or $(E2E_KILLS),250) E2E_KILLED_BACKFILL=200000 E2E_BACKFILL=1000000 E2E_MANY=500 E2E_STRIDE=1 \
		go test -count=1 -timeout=60m -v ./internal/e2e/... ./internal/killpoints
	CERTIFICATE_LIFETIME=60s go test -count=1 -timeout=20m -v -run ShortLivedCertificates ./receiver/sapbtpauditreceiver

.PHONY: bench
bench: ## Run all benchmarks and sum them up
	go test -run='^$$' -bench=. -benchmem -benchtime=$(or $(BENCH_TIME),300ms) -count=$(or $(BENCH_COUNT),6) -p=1 -timeout=15m \
		$$(git grep -l '^func Benchmark' -- '*_test.go' | xargs -n1 dirname | sort -u | sed 's|^|./|') >bench.txt || { cat bench.txt; exit 1; }
	@$(TOOL) benchstat bench.txt

.PHONY: lint
lint: check-versions ## Look for mistakes and for departures from the house's style
	$(TOOL) golangci-lint run ./...

.PHONY: fmt
fmt: ## Format all Go files
	$(TOOL) golangci-lint fmt ./...

.PHONY: generate
generate: ## Write the files that are made from metadata.yaml and from golden files
	go generate ./...

.PHONY: check-generate
check-generate: ## Fail if generating changes a file
	@state() { git status --porcelain --untracked-files=all && git diff; }; \
	before=$$(state) && $(MAKE) --no-print-directory generate && after=$$(state) || exit 1; \
	[ "$$before" = "$$after" ] || { git status --short; git --no-pager diff --stat; \
		echo 'Generated files were out of date: commit what make generate has just written.'; exit 1; }

# Collector modules are released together and only fit together: see CONTRIBUTING.md for upgrades.
.PHONY: check-versions
check-versions: ## Fail if a Collector module is off v1.67.x/v0.161.x
	@modules=$$(go list -m all) || exit 1; \
	off=$$( { echo "$$modules"; sed -n 's/.*gomod: //p' builder-config.yaml; } \
		| grep -E '^(go\.opentelemetry\.io/collector|github\.com/open-telemetry/opentelemetry-collector-contrib)[/ ]' \
		| grep -vE ' v(1\.67|0\.161)\.[0-9]+$$'); \
	[ -z "$$off" ] || { echo 'Collector modules off v1.67.x/v0.161.x:'; echo "$$off"; exit 1; }

.PHONY: check-reproducible
check-reproducible: build ## Fail if a second build, in another folder and without cache, gives other bytes
	@second=$$(mktemp -d) && trap 'rm -rf "$$second"' EXIT && \
	git ls-files -co --exclude-standard -z | tar --null -T - -cf - | tar -xf - -C "$$second" && \
	GOCACHE="$$second/.cache" $(MAKE) --no-print-directory -C "$$second" build && \
	for program in bin/*; do cmp "$$program" "$$second/$$program" || exit 1; done && \
	echo 'Both builds are the same, byte for byte.'

.PHONY: tidy-check
tidy-check: ## Fail if go mod tidy changes a go.mod or go.sum
	go mod tidy -diff
	cd internal/tools && go mod tidy -diff
	cd internal/harness/victorialogs && go mod tidy -diff

.PHONY: vulncheck
vulncheck: build ## Look for known vulnerabilities, in the sources and in the built program
	$(TOOL) govulncheck -test ./...
	$(TOOL) govulncheck -mode=binary $(COLLECTOR)
