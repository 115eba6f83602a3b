# Every target says what it does after "##"; `make help` prints them.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# No C compiler is needed: SQLite is pure Go. The race detector is the exception.
export CGO_ENABLED ?= 0

# Starts one MariaDB and one Redis (or finds them) and names them to the command that follows.
WITH_SERVERS := go run ./internal/platform/testenv/cmd --
# Packages where a data race would cost money or a connection.
RACE := ./internal/billing/... ./internal/money/... ./internal/webhook/... ./internal/sweep/... ./internal/platform/database \
	./internal/platform/idempotency ./internal/platform/outbox ./internal/platform/live ./internal/platform/auth ./resolvers/...
# CI vets everything once, in `make lint`, and then says VET=-vet=off: each way to build has facts of its own about every dependency.
VET ?=
FUZZTIME ?= 60s
GENERATED := graph resolvers docs/schema.graphqls documents page/static/operations.js

# $(call npm_ci,folder): the packages of its lock, unless they are there. Without npm there are none, and whoever needs them says so.
define npm_ci
@if command -v npm >/dev/null && [ ! $(1)/node_modules -nt $(1)/package-lock.json ]; then \
	npm --prefix $(1) ci --no-audit --no-fund && touch $(1)/node_modules; \
fi
endef

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: console ## build the console and serve everything at http://127.0.0.1:8080, data in ./data
	go run . serve

.PHONY: console
console: ## bundle the browser's part into the binary (without npm: says so, and a placeholder stands in)
	@if ! command -v npm >/dev/null || [ ! -f console/package.json ]; then \
		echo "npm is not here: serving the API without the console"; \
	elif [ -f console/dist/index.html ] && [ -z "$$(find console -newer console/dist/index.html -type f \
		-not -path 'console/dist/*' -not -path 'console/node_modules/*' -not -name '*.go')" ]; then \
		echo "console: up to date"; \
	else \
		$(MAKE) --no-print-directory console-packages && npm --prefix console run build; \
	fi

.PHONY: build
build: console ## the binary, bin/paydesk
	go build -trimpath -o bin/paydesk .

.PHONY: test
test: console e2e-clients ## everything that can be tested, on MariaDB and Redis as well as embedded
	$(WITH_SERVERS) go test $(VET) -timeout 20m ./...

.PHONY: console-packages e2e-clients schema-tools npm
console-packages: # what GraphiQL is built from
	$(call npm_ci,console)
e2e-clients: # the real clients (graphql-ws, a browser driver) that e2e/ speaks through
	$(call npm_ci,e2e)
schema-tools: # what judges the schema
	$(call npm_ci,tools/schema)
npm: console-packages e2e-clients schema-tools # all of them, so that CI can fetch while it compiles

# Nothing runs beside anything in these: one goroutine asks a database for its plans over a hundred thousand rows. `make test` has them.
ALONE := ^TestListPlans$$

# The C that comes along with CGO_ENABLED=1 is a SQLite which gorm's driver names and nobody calls: optimising it takes a minute.
.PHONY: race
race: ## the packages that move money, under the race detector (needs a C compiler)
	$(WITH_SERVERS) env CGO_ENABLED=1 CGO_CFLAGS=-O0 go test -race $(VET) -timeout 20m -skip '$(ALONE)' $(RACE)

.PHONY: bench
bench: ## paydesk against hand-written Go on the same MariaDB, as ratios; a quarter of an hour
	go run ./bench

.PHONY: bench-smoke
bench-smoke: ## the same with little data: that the answers are right, not how quick they come
	go run ./bench -smoke

.PHONY: generate
generate: ## code from the schema (gqlgen), the printed schema (docs/schema.graphqls) and the registered operations
	go generate ./graph/... ./documents

.PHONY: generate-check
generate-check: generate ## fail if what is generated is not what is committed
	git diff --exit-code -- $(GENERATED)
	@new=$$(git ls-files --others --exclude-standard -- $(GENERATED)); \
	if [ -n "$$new" ]; then echo "generated but not committed:"; echo "$$new"; exit 1; fi

.PHONY: schema-check
schema-check: schema-tools ## docs/schema.graphqls: lint, relay-compiler, breaking changes since the release; then the checker's own tests
	node tools/schema/check.mjs
	node --test tools/schema/check.test.mjs

.PHONY: schema-release
schema-release: schema-tools ## the served schema becomes the released one, which schema-check compares with
	node tools/schema/release.mjs

.PHONY: fuzz
fuzz: ## each fuzz target of the repository for FUZZTIME (default 60s)
	.ci/fuzz $(FUZZTIME)

.PHONY: fmt
fmt: ## format the Go code
	gofmt -s -w $$(git ls-files '*.go')

.PHONY: lint
lint: ## gofmt, go vet, staticcheck; govulncheck where it is installed and reaches its database
	@bad=$$(gofmt -s -l $$(git ls-files '*.go')); if [ -n "$$bad" ]; then echo "make fmt would change:"; echo "$$bad"; exit 1; fi
	go vet ./...
	go vet -tags failpoint ./internal/platform/failpoint
	go tool -modfile=tools/lint/go.mod staticcheck ./...
	@if command -v govulncheck >/dev/null; then govulncheck ./... || echo "govulncheck: see above (not a gate: its database is on the network)"; \
	else echo "govulncheck is not installed: skipped"; fi

.PHONY: audit
audit: ## check every invariant of the ledger and the payments of the data in PAYDESK_DATABASE_URL or ./data
	go run . audit

.PHONY: ci
ci: generate-check schema-check lint bench-smoke race test ## what CI runs, the tests last

.PHONY: clean
clean: ## remove what was built; ./data is kept
	rm -rf bin console/node_modules e2e/node_modules tools/schema/node_modules
	find console/dist -mindepth 1 -not -name placeholder.html -delete
