# The commands of PayFlowX. Each is safe to run again at any time.

# Node 24 comes with the npm packages. The machine's own Node is not used after the setup.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# kafkajs sometimes computes a negative delay. That is harmless, but Node 24 warns of it.
INFRA := node --disable-warning=TimeoutNegativeWarning infra/src/cli.ts
SETUP := node_modules/.package-lock.json proto/gen/.stamp client/gen/.stamp console/dist/.stamp

# Settings on the command line (make up INSTANCES=2) reach the commands through the environment.
.DEFAULT_GOAL := help
.PHONY: help setup up observe down status logs demo test test-faults test-observe test-upgrade check prose lift mutate sbom bench bench-compare bench-webhooks drills backup check-backup restore images chart
MAKEFLAGS += --no-print-directory

help:
	@echo 'PayFlowX: seven services, real servers, one machine.'
	@echo
	@echo '  make demo                  set up and start everything, then play the demo story'
	@echo '  make up [INSTANCES=2]      start everything'
	@echo '  make observe               Prometheus and Jaeger beside the platform; prints links'
	@echo '  make status                list the processes'
	@echo '  make logs [PROCESS=payment]  follow the logs'
	@echo '  make down                  stop everything; data stays'
	@echo
	@echo '  make backup                back up all databases; their WAL is archived from then on'
	@echo '  make check-backup          restore the newest backup elsewhere, and compare the books in it'
	@echo '  make restore TO=<time>     take all databases back to a moment (RFC 3339)'
	@echo
	@echo '  make check                 lint, prose, contracts, types, licences and known vulnerabilities'
	@echo '  make sbom [PACKAGE=payment]  write the bills of materials (CycloneDX) to .local/sbom'
	@echo '  make prose [FOLDER=payment]  only the prose: comments and pages'
	@echo '  make test                  every test, on the real servers'
	@echo '  make test-faults           kill, freeze and restart parts of the running platform under load'
	@echo '  make test-observe          see alerts and traces in a real Prometheus and Jaeger'
	@echo '  make test-upgrade [FROM=v1]  test the services of an earlier version on the tables of this one'
	@echo '  make drills                lose data of the running platform on purpose, and recover it; many minutes'
	@echo '  make lift [SERVICE=payment]  test each service outside this checkout'
	@echo '  make mutate [SERVICE=payment]  change the code and see that the unit tests notice; many minutes'
	@echo '  make images [IMAGE=payment]  build the container images, and see each one start'
	@echo '  make chart                 lint and test the Helm chart; builds Helm once, in some minutes'
	@echo '  make bench                 measure settled payments a second and their cost (BENCH_MODE=short: a minute)'
	@echo '  make bench-compare         measure this checkout against another one in turns (BENCH_BASELINE=folder)'
	@echo '  make bench-webhooks        measure the time from a payment to its webhooks, while other endpoints fail; a minute'
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

# The gateway serves the built files. Without a change of its sources, the console is not built again.
console/dist/.stamp: client/gen/.stamp console/package.json console/vite.config.ts console/index.html $(shell find console/src client/src receipt/src -type f)
	@echo '· console       building the pages'
	@npm run build --silent --workspace @payflowx/console
	@touch $@

up: $(SETUP)
	@$(INFRA) up

# The services send their traces to Jaeger. The next `make up` starts them without.
observe: export PAYFLOWX_TRACES = 1
observe: up
	@$(INFRA) observe

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

sbom: $(SETUP)
	@$(INFRA) sbom $(PACKAGE)

prose: $(SETUP)
	@$(INFRA) prose $(FOLDER)

test: $(SETUP)
	@$(INFRA) test

test-faults: $(SETUP)
	@$(INFRA) test-faults

test-observe: export PAYFLOWX_TRACES = 1
test-observe: up
	@cd observability && NODE_OPTIONS=--conditions=payflowx-source vitest run --config vitest.live.config.ts

test-upgrade: $(SETUP)
	@$(INFRA) test-upgrade $(FROM)

backup: $(SETUP)
	@$(INFRA) backup

check-backup: $(SETUP)
	@$(INFRA) check-backup

restore: $(SETUP)
	@FORCE=$(FORCE) $(INFRA) restore $(TO)

drills: $(SETUP)
	@$(INFRA) drills

lift: $(SETUP)
	@$(INFRA) lift $(SERVICE)

mutate: $(SETUP)
	@$(INFRA) mutate $(SERVICE)

images: $(SETUP)
	@$(INFRA) images $(IMAGE)

chart: $(SETUP)
	@$(INFRA) chart

bench: up
	@node --conditions=payflowx-source bench/src/main.ts

bench-compare: up
	@node --conditions=payflowx-source bench/src/compare.ts

bench-webhooks: $(SETUP)
	@$(INFRA) servers
	@cd bench && node --env-file=../.local/test.env --conditions=payflowx-source src/webhooks.ts
