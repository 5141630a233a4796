# Everything runs on a machine with Go, make and git; test-full says what more it installs.
SHELL := /bin/bash
GO ?= go
BIN := bin/parley
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.7.0

.PHONY: help build demo test test-full full mutants fuzz soak bench lint generate clean

help: ## Say what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -ts $$'\t'

build: ## Build bin/parley
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/parley

demo: build ## One request, two sellers, one agreement, between four processes (INTENT=FILE, KEEP=1)
	@$(BIN) testnet demo $(if $(INTENT),--tender '$(INTENT)') $(if $(KEEP),--keep)

test: ## All tests that need only Go (8 minutes at most on 2 cores)
	$(GO) vet ./...
	$(GO) test ./...

test-full: test full ## What needs more: race detector, second verifier, model checker, deaths

full:
	./.ci/full

mutants: ## Plant a violation of each rule and see its test fail
	$(GO) run ./spec/mutants

fuzz: ## Fuzz every decoder (FUZZTIME=10s each; 20000000x once)
	$(GO) run ./spec/fuzz -fuzztime $(or $(FUZZTIME),10s)

soak: export PARLEY_SOAK := 1
soak: ## The long ones: kills, cuts, flips, floods, every death, routers, markets, spies
	$(GO) test -count=1 -timeout 4h -v -run 'TestKillsUnderLoad|TestDamagedHomes|TestFullDisk|TestFlood' ./testnet
	$(GO) test -count=1 -timeout 3h -v -run 'TestDealsByTheThousand|TestRuns|TestANodeNeedsItsSyncs|TestAgainstModel|PowerCuts|EveryFsync|TestSiege' ./node ./node/desk ./node/store ./node/ledger ./node/spool ./protocol/deal
	$(GO) test -count=1 -timeout 2h -v -run 'Dies|FullDisk' ./node/backup
	PARLEY_FAILPOINTS=all $(GO) test -count=1 -timeout 2h -v -run TestDeathsOfARestore ./testnet
	PARLEY_ROUNDS=50 $(GO) test -count=1 -timeout 2h -v -run 'TestBehindRouters|TestKillsBehindRouters|TestRelaysFail' ./testnet
	PARLEY_SEEDS=200 $(GO) test -count=1 -timeout 8h -v -run TestMarkets ./testnet
	PARLEY_SPIES=100 PARLEY_SPIES_ROUNDS=4 $(GO) test -count=1 -timeout 60m -v -run TestWhoPublished ./node/stem
	PARLEY_RECONCILE=100000 $(GO) test -count=1 -v -run Bandwidth ./node/gossip
	PARLEY_LIVE=100000 $(GO) test -count=1 -v -run LiveCost ./node/store
	PARLEY_DELIVERIES=200000 $(GO) test -count=1 -v -run TestFullMailbox ./node/mailbox
	PARLEY_COURIERS=100 $(GO) test -count=1 -v -run CourierIsLean ./node/network
	$(GO) run ./spec/mutants
	$(GO) run ./spec/fuzz -fuzztime 20000000x -run '^(crypto|protocol)/'
	$(GO) run ./spec/fuzz -fuzztime 20m -run '^node/'
	PARLEY_FAILPOINTS=every $(GO) test -count=1 -timeout 3h -v -run TestDeathAtEveryStep ./testnet
	spec/model/run.sh

bench: ## Figures, side by side in one run
	$(GO) test -run '^$$' -bench . -benchmem ./crypto/... ./protocol/... ./node/...

lint: ## gofmt, vet and staticcheck, at pinned versions
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

generate: ## Constants from spec/registry, vectors from their generators
	$(GO) generate ./...

clean: ## Remove what was built
	rm -rf bin
