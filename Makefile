# Everything a newcomer needs. `make help` lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help

# What the demo and the tests run besides our own binary: QEMU and its firmware, iPXE, clients, validators.
PACKAGES := qemu-system-x86 ovmf ipxe ipxe-qemu mmdebstrap squashfs-tools busybox-static cpio mtools \
	grub-common grub-efi-amd64-bin dnsmasq-base tftp-hpa atftp tcpdump tshark curl xz-utils cloud-init \
	debconf git iproute2 util-linux bsdutils kea-admin ca-certificates build-essential \
	ignition libxml2-utils netplan.io nftables openssh-server openssh-client sudo systemd dash \
	python3-jsonschema python3-yaml python3-venv dconf-cli distro-info-data \
	xorriso skopeo docker-registry gnupg gpgv minisign openssl e2fsprogs mount nginx-light wget wrk linux-perf \
	chromium chromium-driver $(if $(shell command -v npm),,npm)

# A grammar of PowerShell, a reader of Kickstart, a verifier of webhooks, an S3 store (moto: 20 s, 140 MB), a SCIM directory, and of the
# API's document a validator, a tester and a generator of clients (140 MB), of which Debian has none: made once, in a virtual
# environment of their own.
VALIDATORS := target/validators
READERS := tree-sitter==0.26.1 tree-sitter-powershell==0.26.4 pykickstart==3.78 \
	moto[s3]==5.2.5 flask==3.1.3 flask-cors==6.0.5 standardwebhooks==1.1.0 scim2-server==0.8.3 \
	schemathesis==4.32.5 openapi-spec-validator==0.9.0 openapi-python-client==0.29.1

# What finds fault with the pages for people who see, hear or move otherwise (MPL-2.0): the tests of the pages only.
AXE := axe-core@4.14.1

.PHONY: help setup demo test coverage bench check fmt clean

help: ## Show this help
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## Install the Debian packages that the demo and the tests need (root)
	@missing=$$(for p in $(PACKAGES); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done); \
	if [ -n "$$missing" ]; then \
		echo "installing:" $$missing; \
		export DEBIAN_FRONTEND=noninteractive; \
		printf '#!/bin/sh\nexit 101\n' > /tmp/policy-rc.d.$$$$; \
		if [ ! -e /usr/sbin/policy-rc.d ]; then install -m 755 /tmp/policy-rc.d.$$$$ /usr/sbin/policy-rc.d; made=1; fi; \
		apt-get -q -o DPkg::Lock::Timeout=300 update >/dev/null && \
		apt-get -q -y -o DPkg::Lock::Timeout=300 install --no-install-recommends $$missing >/tmp/greenroom-setup.log 2>&1; status=$$?; \
		[ -z "$$made" ] || rm -f /usr/sbin/policy-rc.d; rm -f /tmp/policy-rc.d.$$$$; \
		if [ $$status -ne 0 ]; then tail -20 /tmp/greenroom-setup.log; exit $$status; fi; \
	fi
	@if [ "$$(cat $(VALIDATORS)/made 2>/dev/null)" != "$(READERS)" ]; then \
		rm -rf $(VALIDATORS) && /usr/bin/python3 -m venv $(VALIDATORS) && \
		$(VALIDATORS)/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --only-binary :all: --no-binary pykickstart $(READERS) && \
		echo "$(READERS)" > $(VALIDATORS)/made; \
	fi
	@if [ "$$(cat target/axe/made 2>/dev/null)" != "$(AXE)" ]; then \
		rm -rf target/axe && mkdir -p target/axe && \
		npm install --silent --no-save --ignore-scripts --no-audit --no-fund --prefix target/axe $(AXE) && \
		echo "$(AXE)" > target/axe/made; \
	fi
	@ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 || apt-get -q update >/dev/null

demo: setup ## Boot a BIOS and a UEFI machine through the daemon into a persona, and show their timelines
	cargo build --release --locked
	cargo build --release --locked --example demo
	KEEP=$(KEEP) target/release/examples/demo

test: setup ## Run every test: unit, goldens, property, crash, and the lab with real firmware
	cargo test --locked --no-fail-fast

coverage: ## Write personas/COVERAGE.md: what each target makes of each field
	INSTA_UPDATE=always cargo test --locked --test personas coverage::

bench: setup ## Run every benchmark beside its peer, and print ratios (QUICK=1: shorter rounds)
	GREENROOM_BENCH_QUICK=$(QUICK) cargo bench --locked

check: ## Formatting, lints, documentation, the floors
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	cargo test --locked --test tidy

fmt: ## Format the code
	cargo fmt

clean: ## Remove everything built, the demo's images too
	cargo clean
