PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYFATE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/fate-federation/pyfate-2.2.0
PULSAR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/fate-federation/pulsar-2.10.1
# Processes of one test run must order sets alike, because names of tests are made from them; the next run orders them otherwise.
HASHES := $(shell date +%s)
# Many parties come up, or something waits for a minute: with the slower suites.
SLOW := $(addprefix tests/engine/test_,kubefate.py combinations.py boards.py local.py stack_reference.py cert_manager.py external.py)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: setup tools demo demo-down demo-train demo-train-down test lint traffic-server servers shells real-nodes images test-nodes test-real pulsar pyfate ci slow federations render bench schemas

$(INSTALLED): requirements.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes -r requirements.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

tools: $(INSTALLED)          ## find or build pulumi, kubectl, helm and the control plane
	$(BIN)/sandbox tools

demo: $(INSTALLED)           ## three organizations, each with a cluster of its own, linked into a federation
	$(BIN)/python -m sandbox.demo up

demo-train: $(INSTALLED) real-nodes images   ## two organizations on real nodes train a model across their clusters; needs root
	$(BIN)/python -m sandbox.train up

demo-train-down: $(INSTALLED) ## stop its clusters and delete what it made
	$(BIN)/python -m sandbox.train down

demo-down: $(INSTALLED)      ## stop the demo's clusters and delete what it made
	$(BIN)/python -m sandbox.demo down

setup: $(INSTALLED)          ## install fatefed and sandbox into .venv

test: $(INSTALLED) tools lint  ## the tests: unit, charts, components, engine
	PYTHONHASHSEED=$(HASHES) $(BIN)/python -m pytest tests/unit tests/charts tests/components --numprocesses=auto --dist=loadfile
	PYTHONHASHSEED=$(HASHES) $(BIN)/python -m pytest tests/engine $(SLOW:%=--ignore=%) --numprocesses=2 --dist=loadfile --durations=5

lint: $(INSTALLED)           ## format, style, types, generated files
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/python -m federation.stack.schemas --check

traffic-server:              ## Debian's Traffic Server, and nginx with its Lua module, which the traffic tests run
	PATH=$$PATH:/usr/sbin; for tool in traffic_manager nginx; do command -v $$tool > /dev/null || missing=1; done; \
	test -e /usr/lib/nginx/modules/ngx_http_lua_module.so || missing=1; \
	test -z "$$missing" || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends trafficserver nginx-light libnginx-mod-http-lua; }

servers:                     ## Debian's MariaDB, RabbitMQ and Docker registry, which the tests of Jobs, `doctor` and `images pin` run
	PATH=$$PATH:/usr/sbin; for tool in mariadbd mysql rabbitmq-server docker-registry; do command -v $$tool > /dev/null || missing=1; done; \
	test -z "$$missing" || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends mariadb-server-core mariadb-client-core rabbitmq-server docker-registry; }

real-nodes:                  ## Debian's containerd, runc, CNI plugins, iptables and nftables, which `sandbox up --nodes real` runs
	PATH=$$PATH:/usr/sbin; for tool in containerd runc iptables nft busybox ip nsenter; do command -v $$tool > /dev/null || missing=1; done; \
	test -e /usr/lib/cni/bridge || missing=1; \
	test -z "$$missing" || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends --no-remove containerd runc containernetworking-plugins iptables nftables busybox-static iproute2 util-linux procps; }

images: $(INSTALLED)         ## local test images that stand for those of FATE 2.2.0, for real nodes; needs root and Debian 12
	for tool in mmdebstrap gcc g++; do command -v $$tool > /dev/null || missing="mmdebstrap gcc g++"; done; \
	test -e "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" || missing="$$missing python3.11-dev"; \
	test -z "$$missing" || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends $$missing; }
	$(if $(SUDO),$(SUDO) -E env PATH="$$PATH" HOME="$$HOME") $(BIN)/sandbox images

test-nodes: $(INSTALLED) tools real-nodes  ## clusters with real nodes, and what network policies promise there; needs root
	$(BIN)/python -m pytest tests/nodes --durations=5

test-real: $(INSTALLED) tools real-nodes images  ## jobs of real FATE between two clusters with real nodes: about a quarter of an hour; needs root
	$(BIN)/python -m pytest tests/real --durations=5

shells:                      ## Debian's zsh and fish, which the tests of completion run beside bash
	for tool in zsh fish; do command -v $$tool > /dev/null || missing=1; done; \
	test -z "$$missing" || { $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends zsh fish; }

pulsar: $(PULSAR)/.installed   ## a real Pulsar broker from Maven's jars, and the client that FATE pins

$(PULSAR)/.installed: tests/pulsar/pom.xml tests/pulsar/requirements.txt $(INSTALLED)
	command -v mvn > /dev/null && command -v java > /dev/null || \
	{ $(SUDO) apt-get update -q && $(SUDO) apt-get install -y -q --no-install-recommends maven openjdk-17-jre-headless; }
	mvn --quiet --batch-mode --file $< org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(PULSAR)/lib
	$(BIN)/pip install --quiet --no-deps --require-hashes --upgrade --target $(PULSAR)/client -r tests/pulsar/requirements.txt
	touch $@

pyfate: $(PYFATE)/.installed   ## FATE 2.2.0's own parsers, in an environment of their own

$(PYFATE)/.installed: tests/runtime/requirements.txt
	test -x $(PYFATE)/bin/python || $(PYTHON) -m venv $(PYFATE)
	$(PYFATE)/bin/pip install --quiet --no-deps --require-hashes -r $<
	touch $@

ci: test traffic-server servers shells pulsar pyfate real-nodes  ## what CI runs: the tests, then the slower suites
	$(BIN)/python -m pytest tests/traffic tests/servers tests/shells tests/pulsar tests/runtime --durations=5
	$(MAKE) test-nodes
	$(MAKE) --jobs=2 slow federations
	$(MAKE) demo
	$(MAKE) demo-down

# Beside each other, not shared out by file: all files of one use the same clusters.
slow: $(INSTALLED)           ## the slower files of the engine tests
	$(BIN)/python -m pytest $(SLOW) --durations=5

federations: $(INSTALLED)    ## a star of five organizations and a mesh of three
	$(BIN)/python -m pytest tests/federations --durations=5

render: $(INSTALLED)         ## every object of a stack as files: make render STACK=bank-a OUT=/tmp/bank-a
	$(BIN)/fatefed render -s $(STACK) --out $(OUT)

bench: $(INSTALLED) tools    ## all that is timed, as one table beside the stored one; some of it: make bench ARGS="unchanged --rounds 3"
	$(BIN)/python -m tests.bench $(ARGS)

schemas: $(INSTALLED)        ## regenerate the JSON schemas and example values
	$(BIN)/python -m federation.stack.schemas
