# The commands of PayFlowX. Each is safe to run again at any time.

# Node 24 comes with the npm packages. The machine's own Node is not used after the setup.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# kafkajs sometimes computes a negative delay. That is harmless, but Node 24 warns of it.
INFRA := node --disable-warning=TimeoutNegativeWarning infra/src/cli.ts
SETUP := node_modules/.package-lock.json proto/gen/.stamp client/gen/.stamp

# Settings on the command line (make up INSTANCES=2) reach the commands through the environment.
.DEFAULT_GOAL := help
.PHONY: help setup up down status logs demo test test-upgrade check prose lift bench
MAKEFLAGS += --no-print-directory

help:
	@echo 'PayFlowX: seven services, real servers, one machine.'
	@echo
	@echo '  make demo                  set up and start everything, then play the demo story'
	@echo '  make up [INSTANCES=2]      start everything'
	@echo '  make status                list the processes'
	@echo '  make logs [PROCESS=payment]  follow the logs'
	@echo '  make down                  stop everything; data stays'
	@echo
	@echo '  make check                 lint, prose, contracts, types'
	@echo '  make prose [FOLDER=payment]  only the prose: comments and pages'
	@echo '  make test                  every test, on the real servers'
	@echo '  make test-upgrade [FROM=v1]  test the services of an earlier version on the tables of this one'
	@echo '  make lift [SERVICE=payment]  test each service outside this checkout'
	@echo '  make bench                 measure settled payments a second and their cost (BENCH_MODE=short: a minute)'
	@echo
	@echo 'Ports, your own servers, and other settings: infra/README.md'

setup: $(SETUP)

node_modules/.package-lock.json: package-lock.json
	@echo '· packages      installing by npm (about 20 s)'
	@npm ci --no-audit --no-fund --loglevel=error
	@touch $@

proto/gen/.stamp: node_modules/.package-lock.json proto/buf.gen.yaml proto/adapt-generated.ts buf.yaml $(shell find proto -name '*.proto')
	@echo '· contracts     generating TypeScript'
	@npm run generate --silent --workspace @payflowx/proto
	@touch $@

# The gateway prints its OpenAPI document without being started; the client's types are made from it.
client/gen/.stamp: proto/gen/.stamp client/generate.ts $(shell find gateway/src -name '*.ts')
	@echo '· client        generating TypeScript from the OpenAPI document'
	@npm run generate --silent --workspace @payflowx/client
	@touch $@

up: $(SETUP)
	@$(INFRA) up

down: $(SETUP)
	@$(INFRA) down

status: $(SETUP)
	@$(INFRA) status

logs: $(SETUP)
	@$(INFRA) logs $(PROCESS)

demo: up
	@node --env-file-if-exists=.local/test.env --conditions=payflowx-source e2e/src/demo.ts

check: $(SETUP)
	@$(INFRA) check

prose: $(SETUP)
	@$(INFRA) prose $(FOLDER)

test: $(SETUP)
	@$(INFRA) test

test-upgrade: $(SETUP)
	@$(INFRA) test-upgrade $(FROM)

lift: $(SETUP)
	@$(INFRA) lift $(SERVICE)

bench: up
	@node --conditions=payflowx-source bench/src/main.ts
