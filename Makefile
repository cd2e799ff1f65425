# SPDX-License-Identifier: MIT
# CLB: kernel module and tools. "make help" lists the targets.

VERSION = 0.1.0
# Release of the kernel to build for; evaluated late, after "setup".
KVER ?= $(shell selftests/kver.sh)
KDIR ?= /lib/modules/$(KVER)/build
PREFIX ?= /usr/local
DESTDIR ?=
export KVER

all: module tools

module: have-headers
	$(MAKE) -C $(KDIR) M=$(CURDIR)/kmod modules

have-headers:
	@test -e $(KDIR)/Makefile || { echo "no headers of kernel" \
	"'$(KVER)' in $(KDIR): run 'make setup' or set KVER=" >&2; exit 1; }

tools:
	$(MAKE) -C tools VERSION=$(VERSION)

setup:
	@selftests/setup.sh

check: setup
	@selftests/check.sh $(TESTS)

check-debug: setup
	@selftests/check-debug.sh $(TESTS)

# What the last check-debug reached.
coverage:
	@selftests/coverage.sh build/log/debug-vm*/

# Ten million sessions and long floods.
check-endurance: setup
	@ENDURANCE_SESSIONS=10000000 ENDURANCE_FLOOD=300000 MEM=4G \
		TEST_TIMEOUT=5400 TIMEOUT=5700 selftests/check.sh endurance

check-harness: setup
	@selftests/vm/check.sh

# Fuzzing without bound: TIME seconds for user space and virtual machine.
fuzz: setup
	$(MAKE) all fuzzers
	@selftests/fuzz/fuzz.sh $(TIME)

fuzzers: build/fuzz/netlink build/fuzz/packets build/fuzz/sync

FUZZ_CFLAGS := -O2 -g -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Wshadow -Werror \
	-Iinclude/uapi
build/fuzz/netlink: selftests/fuzz/netlink_build.c \
	selftests/fuzz/netlink_build.h
build/fuzz/netlink build/fuzz/packets: selftests/fuzz/packet_build.c \
	selftests/fuzz/packet_build.h
# With the codec of the module, which is pure.
build/fuzz/sync: FUZZ_CFLAGS += -include selftests/fuzz/shim/kernel.h \
	-Iselftests/fuzz/shim -Ikmod
build/fuzz/sync: FUZZ_LIBS := -lcrypto
build/fuzz/sync: $(addprefix selftests/fuzz/sync_, build.c build.h model.c \
	model.h seal.c seal.h) $(addprefix kmod/sync_, read.c write.c wire.h \
	window.h)
build/fuzz/%: selftests/fuzz/%.c selftests/fuzz/random.h
	@mkdir -p $(@D)
	$(CC) $(FUZZ_CFLAGS) -o $@ $(filter %.c,$^) $(FUZZ_LIBS)

check-broken: setup
	@selftests/check-broken.sh $(NAMES)

demo: setup
	$(MAKE) all
	@selftests/vm/boot.sh demo selftests/demo.sh

demo-cluster: setup
	$(MAKE) all
	@selftests/cluster/demo-cluster.sh

# Nodes are killed: ROUNDS=10 MODES="nat fnat dr", see Documentation/cluster.rst.
check-cluster: setup
	$(MAKE) all
	@selftests/cluster/run.sh

bench: bench-l4 bench-l4-native bench-sync bench-l7

bench-l4: setup
	$(MAKE) all
	@selftests/bench/l4.sh

bench-l4-native: setup
	$(MAKE) all
	@selftests/bench/l4-native.sh

bench-sync: setup
	$(MAKE) all
	@selftests/bench/sync.sh

bench-l7: setup
	$(MAKE) tools
	@selftests/bench/l7.sh

style: setup
	@selftests/style.sh

install: all
	$(MAKE) -C $(KDIR) M=$(CURDIR)/kmod INSTALL_MOD_DIR=updates \
		$(if $(DESTDIR),INSTALL_MOD_PATH=$(DESTDIR)) modules_install
	$(if $(DESTDIR),,depmod $(KVER))
	$(MAKE) -C tools install VERSION=$(VERSION) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)

# The sources go to /usr/src; dkms builds them for this and later kernels.
dkms_src = $(DESTDIR)/usr/src/clb-$(VERSION)
dkms:
	@test -n "$(DESTDIR)" || command -v dkms >/dev/null || { \
		echo "dkms is not installed: apt-get install dkms" >&2; exit 1; }
	rm -rf $(dkms_src)
	install -d $(dkms_src)/kmod $(dkms_src)/include/uapi/linux
	tar -C kmod --exclude-from=.gitignore -cf - . | \
		tar -C $(dkms_src)/kmod -xf -
	install -m 644 include/uapi/linux/clb.h $(dkms_src)/include/uapi/linux
	sed 's/@VERSION@/$(VERSION)/' dkms.conf >$(dkms_src)/dkms.conf
	$(if $(DESTDIR),,dkms install --force -m clb -v $(VERSION) -k $(KVER))

# One package: the tools, and the module's sources for DKMS.
deb_tree = $(CURDIR)/build/deb/tree
deb: tools
	rm -rf build/deb
	$(MAKE) dkms DESTDIR=$(deb_tree)
	$(MAKE) -C tools install VERSION=$(VERSION) PREFIX=/usr \
		DESTDIR=$(deb_tree)
	tools/deb.sh $(VERSION) $(deb_tree) build/deb/clb_$(VERSION).deb

in-tree:
	@test -n "$(KSRC)" || { echo "usage: make in-tree KSRC=dir" >&2; exit 1; }
	@selftests/in-tree.sh $(KSRC)

clean:
	-test ! -e $(KDIR)/Makefile || $(MAKE) -C $(KDIR) M=$(CURDIR)/kmod clean
	-$(MAKE) -C tools clean
	rm -rf build

help:
	@echo 'make               build the module (kmod/clb.ko) and the tools'
	@echo 'make setup         install missing packages (selftests/packages)'
	@echo 'make demo          show balancing in a virtual machine'
	@echo 'make demo-cluster  kill nodes of a cluster while downloads run'
	@echo 'make check         run all quick tests; TESTS="nat abi": only these'
	@echo 'make check-debug   run the tests on a kernel that looks for faults'
	@echo 'make check-endurance   10 million sessions, long floods'
	@echo 'make check-cluster ROUNDS=10 MODES="nat fnat dr": kill nodes under load'
	@echo 'make check-harness test the test harness itself'
	@echo 'make coverage      lines of kmod that check-debug reached'
	@echo 'make fuzz          fuzz without bound; TIME=seconds (3600)'
	@echo 'make check-broken  break the code, see the tests fail; NAMES="..."'
	@echo 'make bench         measure; results in build/bench: all of bench-l4'
	@echo '                   (instructions), bench-l4-native (time), bench-sync,'
	@echo '                   bench-l7 (HTTP)'
	@echo 'make style         checkpatch, sparse, cppcheck, clang-format, shellcheck'
	@echo 'make install       install for kernel KVER; PREFIX=, DESTDIR='
	@echo 'make dkms          install the module through DKMS'
	@echo 'make deb           make a Debian package in build/deb'
	@echo 'make in-tree KSRC=dir   put the module into a kernel source tree'
	@echo 'make clean         remove what was built'
	@echo 'Kernel release: KVER=$(KVER)'

.PHONY: all module have-headers tools setup check check-debug check-harness \
	check-cluster check-endurance check-broken coverage fuzz fuzzers bench \
	bench-l4 bench-l4-native bench-sync bench-l7 demo demo-cluster style \
	install dkms deb in-tree clean help
