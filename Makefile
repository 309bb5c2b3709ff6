# A thin index: the work is in scripts/ and cargo. `make` alone lists what there is.
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench soak setup program deny

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## the whole job on embedded defaults; ARGS=--exit ends instead of staying up
	@scripts/demo $(ARGS)

test: ## every test, with its own set-up
	@scripts/test

lint: ## format, clippy and documentation, in every workspace
	@scripts/lint

bench: ## benchmarks beside their rivals; results go to bench/README.md by hand
	@scripts/bench

soak: ## the end-to-end tests on a chain that loses transactions; ARGS="ROUNDS SEED"
	@scripts/soak $(ARGS)

setup: ## install what demo and test need (root for Debian packages)
	@scripts/setup demo test

program: ## rebuild programs/artifacts and programs/idl from source
	@scripts/setup program
	@programs/skill_marketplace/build

deny: ## licences, bans and sources of every dependency
	@scripts/setup deny
	@scripts/deny
