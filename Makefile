# SPDX-License-Identifier: BSD-3-Clause
# One non-recursive makefile. Everything it makes is under $(B). `make help` is the map.

B ?= build
ifeq ($(origin CC),default)
CC = gcc
endif
PREFIX ?= /usr/local
V ?= 0
Q = $(if $(filter 1,$(V)),,@)
QUIET := $(findstring s,$(firstword -$(MAKEFLAGS)))
SAY = $(if $(filter 1,$(V))$(QUIET),@:,@printf '  %-7s %s\n')

# DPDK's own baseline, so that a package runs anywhere; files named *_avx2.c and *_avx512.c are
# compiled for these and chosen at run time.
ARCH ?= $(if $(filter x86_64,$(shell uname -m)),-march=corei7)
OPT ?= -O3
WARN = -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith \
	-Wwrite-strings -Wvla
SAN ?=
CFLAGS ?= $(OPT) -g
ALL_CFLAGS = -std=gnu11 $(ARCH) $(CFLAGS) $(WARN) $(SAN) -fno-common -D_GNU_SOURCE
CPPFLAGS += -Iinclude -I. -I$(B)/gen
# BPF is compiled by clang whatever CC is. linux/bpf.h needs the machine's asm/.
BPF_CLANG ?= clang
BPF_CFLAGS = -std=gnu11 -target bpf -O2 -g -ffreestanding -Iinclude \
	-isystem /usr/include/$(shell $(CC) -print-multiarch) -Wall -Wextra -Werror -Wshadow
LDFLAGS += $(SAN)

# pkg-config only when something is built, and only once: `make help` works before `make deps`.
pkg = $(shell pkg-config $(1) $(2) 2>/dev/null)
DPDK_CFLAGS = $(eval DPDK_CFLAGS := $(call pkg,--cflags-only-I,libdpdk) -include rte_config.h)$(DPDK_CFLAGS)
DPDK_LIBS = $(eval DPDK_LIBS := $(call pkg,--libs,libdpdk))$(DPDK_LIBS)
DP_LIBS = -lxxhash -lsodium
CONTROL_LIBS = -lbpf -lsqlite3 -levent -lcyaml -lyaml -ljansson -lpcap -lsodium -lxxhash -lpthread -lm
RUN_LIBS = $(DPDK_LIBS) -lcrypto -ljansson -lsodium -lxxhash -lpthread

# ---- sources: a room is a folder; a file in it is built ------------------------------------------
LIB_SRC := $(filter-out %.inc.c,$(wildcard dataplane/*.c $(patsubst %,dataplane/%/*.c,num sig rep policy flow pipeline)))
RUN_SRC := $(wildcard dataplane/run/*.c)
CONTROL_SRC := $(wildcard control/*.c)
MAINS := dataplane/run/main.c control/tollgated.c control/tgctl.c
TEST_SRC := $(wildcard tests/*.c tests/unit/*.c tests/support/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
PERF_SRC := $(wildcard perf/*.c)
TSAN_SRC := $(wildcard tests/tsan/test_*.c)
BPF_SRC := $(wildcard bpf/*.bpf.c)
TOOL_SRC := $(wildcard tests/tools/*.c)
ORACLE_SRC := $(wildcard tests/tools/*.cc) # libphonenumber speaks C++

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB_OBJ := $(call obj,$(LIB_SRC))
RUN_OBJ := $(call obj,$(filter-out $(MAINS),$(RUN_SRC)))
CONTROL_OBJ := $(call obj,$(filter-out $(MAINS),$(CONTROL_SRC)))
TEST_OBJ := $(call obj,$(TEST_SRC))
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(FUZZ_SRC))
PERF_MAINS := $(wildcard perf/bench_*.c perf/make_*.c perf/floor_*.c)
PERF_OBJ := $(call obj,$(filter-out $(PERF_MAINS),$(PERF_SRC)))
PERF := $(patsubst perf/%.c,$(B)/perf/%,$(PERF_MAINS))
TOOLS := $(patsubst tests/tools/%.c,$(B)/tests/%,$(TOOL_SRC))
ORACLES := $(patsubst tests/tools/%.cc,$(B)/tests/%,$(ORACLE_SRC))
TSAN_BIN := $(patsubst tests/tsan/%.c,$(B)/tests/tsan_%,$(TSAN_SRC))
PROGRAMS := $(B)/tollgate-dp $(B)/tollgated $(B)/tgctl
C_FILES = $(LIB_SRC) $(RUN_SRC) $(CONTROL_SRC) $(TEST_SRC) $(FUZZ_SRC) $(PERF_SRC) $(TSAN_SRC) $(TOOL_SRC) tests/fuzz/replay.c
H_FILES = $(wildcard include/tollgate/*.h dataplane/*/*.h control/*.h tests/*/*.h perf/*.h bpf/*.h)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all run test asan tsan fuzz fuzz-smoke fuzz-build bench bench-full lint compdb install clean deps help \
	programs tests-build format bpf gen

all: programs ## build everything that is installed: tollgate-dp, tollgated, tgctl
programs: $(PROGRAMS) ; @:

# ---- rules ---------------------------------------------------------------------------------------
$(B)/obj/dataplane/run/%.o $(B)/obj/tests/%.o $(B)/obj/perf/%.o: CPPFLAGS += $(DPDK_CFLAGS)
# What is in these lines stands in include/tollgate/cpu.h too. Tuned for the baseline CPU, an unaligned load of 32 bytes
# would be split in two.
$(B)/obj/%_avx2.o: ARCH += -mavx2 -mbmi -mbmi2 -mtune=haswell
$(B)/obj/%_avx512.o: ARCH += -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512vbmi -mavx512vbmi2 -mvpclmulqdq -mbmi -mbmi2 \
	-mtune=icelake-server -mprefer-vector-width=256

$(B)/obj/%.o: %.c Makefile
	$(SAY) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

NUMBERING = $(B)/gen/dataplane/num/numbering_data.h
$(NUMBERING): dataplane/num/numbering.py
	$(SAY) GEN $@
	@mkdir -p $(@D)
	$(Q)/usr/bin/python3 $< > $@
$(B)/obj/dataplane/num/numbering.o: $(NUMBERING)

# A skeleton holds the object's bytes: tgctl needs no file besides itself. bpftool says on standard
# error that it skips a section that is libxdp's; its words are shown when it fails.
SKELETONS = $(patsubst bpf/%.bpf.c,$(B)/gen/bpf/%.skel.h,$(BPF_SRC))
bpf: $(SKELETONS)
gen: $(NUMBERING) $(SKELETONS)
$(B)/bpf/%.bpf.o: bpf/%.bpf.c Makefile
	$(SAY) BPF $<
	@mkdir -p $(@D)
	$(Q)$(BPF_CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@ $<
$(B)/gen/bpf/%.skel.h: $(B)/bpf/%.bpf.o
	$(SAY) SKEL $@
	@mkdir -p $(@D)
	$(Q)PATH=$$PATH:/usr/sbin bpftool gen skeleton $< name $* >$@ 2>$(<:.o=.log) || { cat $(<:.o=.log); exit 1; }
$(call obj,$(wildcard control/xdp*.c)) $(B)/obj/tests/unit/test_steer.o $(B)/obj/tests/support/steer_lab.o: | $(SKELETONS)

define archive
	$(SAY) AR $@
	@mkdir -p $(@D)
	$(Q)rm -f $@ && ar rcs $@ $^
endef
$(B)/libtollgate.a: $(LIB_OBJ) ; $(archive)
$(B)/libtgcontrol.a: $(CONTROL_OBJ) ; $(archive)
$(B)/libtgrun.a: $(RUN_OBJ) ; $(archive)

define link
	$(SAY) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o %.a,$^) $(1)
endef
$(B)/tollgate-dp: $(B)/obj/dataplane/run/main.o $(B)/libtgrun.a $(B)/libtollgate.a
	$(call link,$(RUN_LIBS))
$(B)/tollgated: $(B)/obj/control/tollgated.o $(B)/libtgcontrol.a $(B)/libtollgate.a
	$(call link,$(CONTROL_LIBS))
$(B)/tgctl: $(B)/obj/control/tgctl.o $(B)/libtgcontrol.a $(B)/libtollgate.a
	$(call link,$(CONTROL_LIBS))

# ---- tests ---------------------------------------------------------------------------------------
ALL_LIBS = $(B)/libtgrun.a $(B)/libtgcontrol.a $(B)/libtollgate.a
TESTS := $(B)/tests/tollgate-tests
$(TESTS): $(TEST_OBJ) $(ALL_LIBS)
	$(call link,$(DPDK_LIBS) $(CONTROL_LIBS) -lcrypto -lcmocka)
$(B)/tests/replay_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/obj/tests/fuzz/replay.o $(B)/libtgcontrol.a $(B)/libtollgate.a
	$(call link,$(CONTROL_LIBS))
$(B)/tests/tsan_%: $(B)/obj/tests/tsan/%.o $(ALL_LIBS)
	$(call link,$(DPDK_LIBS) $(CONTROL_LIBS) -lcrypto)
$(B)/tests/isup_peer: TOOL_LIBS = -lusrsctp
$(B)/tests/%: $(B)/obj/tests/tools/%.o $(B)/libtgcontrol.a $(B)/libtollgate.a
	$(call link,$(CONTROL_LIBS) $(TOOL_LIBS))
$(ORACLES): $(B)/tests/%: tests/tools/%.cc $(B)/libtollgate.a
	$(SAY) CXX $@
	@mkdir -p $(@D)
	$(Q)$(CXX) -std=gnu++17 -O2 -Wall -Wextra -Werror -Iinclude $(SAN) -o $@ $^ -lphonenumber -lsodium -lxxhash
tests-build: $(TESTS) $(patsubst %,$(B)/tests/replay_%,$(FUZZ)) $(TOOLS) $(ORACLES) ; @:

run: deps ## the demonstration: sipp calls through tollgate-dp, a feed update in mid-run, a report
	$(Q)$(MAKE) --no-print-directory programs
	$(Q)tests/system/demo

test: deps ## build and run all tests: unit, fuzz corpus, system (T=PATTERN: those with it in their names)
	$(Q)$(MAKE) --no-print-directory programs tests-build
	$(Q)$(TESTS) --build $(B) $(if $(T),--match '$(T)')

SAN_ENV = ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
asan: deps ## unit tests and fuzz corpus under address and undefined-behaviour sanitizers
	$(Q)$(MAKE) --no-print-directory B=$(B)/asan SAN='-fsanitize=address,undefined -fno-omit-frame-pointer' \
		OPT=-O1 asan-run
asan-run: tests-build $(B)/tgctl
	$(Q)$(SAN_ENV) $(TESTS) --build $(B) --no-system

tsan: deps ## everything that swaps, under the thread sanitizer
	$(Q)$(MAKE) --no-print-directory B=$(B)/tsan SAN='-fsanitize=thread -fno-omit-frame-pointer' OPT=-O1 tsan-run
tsan-run: $(TSAN_BIN)
	$(Q)set -e; for t in $(TSAN_BIN); do echo "  TSAN    $$t"; \
		TSAN_OPTIONS=halt_on_error=1:suppressions=tests/tsan/suppressions $$t; done

# ---- fuzzing -------------------------------------------------------------------------------------
FUZZ_SECONDS ?= 300
FUZZ_B = $(B)/fuzz
fuzz-build: deps
	$(Q)$(MAKE) --no-print-directory B=$(FUZZ_B) CC=clang OPT=-O1 \
		SAN='-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer' fuzz-link
fuzz-link: $(patsubst %,$(B)/fuzz_%,$(FUZZ))
$(B)/fuzz_%: $(B)/obj/tests/fuzz/fuzz_%.o $(B)/libtgcontrol.a $(B)/libtollgate.a
	$(SAY) LD $@
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o %.a,$^) $(CONTROL_LIBS)

fuzz: fuzz-build ## fuzz every target for FUZZ_SECONDS (300) each; finds go to tests/fuzz/corpus
	$(Q)tests/fuzz/run $(FUZZ_B) $(FUZZ_SECONDS) $(FUZZ)
fuzz-smoke: ## ten seconds a target
	$(Q)$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=10

# ---- speed ---------------------------------------------------------------------------------------
$(B)/perf/%: $(B)/obj/perf/%.o $(PERF_OBJ) $(ALL_LIBS)
	$(call link,$(DPDK_LIBS) $(CONTROL_LIBS))
bench: deps ## what Tollgate costs, against limits and rivals, in minutes; build/bench/report.md
	$(Q)$(MAKE) --no-print-directory programs $(PERF)
	$(Q)perf/run 10000000
bench-full: deps ## the same with 100 M entries
	$(Q)$(MAKE) --no-print-directory programs $(PERF)
	$(Q)perf/run 100000000

# ---- upkeep --------------------------------------------------------------------------------------
deps: ## install what is missing, by apt, after saying so
	$(Q).ci/deps

lint: deps ## clang-format, clang-tidy, cppcheck, .ci/layers, headers compile alone
	$(Q)$(MAKE) --no-print-directory gen
	$(Q).ci/lint

format: ## let clang-format rewrite the tree
	$(Q)clang-format -i $(C_FILES) $(H_FILES) $(BPF_SRC)

compdb: ## compile_commands.json for editors and clang-tidy
	$(SAY) GEN compile_commands.json
	$(Q).ci/compdb > compile_commands.json

install: all ## DESTDIR= PREFIX= : programs, samples, README
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/tollgate $(DESTDIR)$(PREFIX)/share/doc/tollgate
	install -m 755 $(PROGRAMS) $(DESTDIR)$(PREFIX)/bin/
	install -m 644 $(wildcard control/samples/*) $(DESTDIR)$(PREFIX)/share/tollgate/
	install -d $(DESTDIR)$(PREFIX)/share/tollgate/packs
	install -m 644 $(wildcard control/packs/*) $(DESTDIR)$(PREFIX)/share/tollgate/packs/
	install -m 644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/tollgate/

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@echo "Targets (V=1 shows commands, CC=clang, B=DIR for another build folder):"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' Makefile

# For .ci/compdb and .ci/lint, which need the flags a file is compiled with.
print-flags: ; @echo '$(CPPFLAGS) $(DPDK_CFLAGS) $(ALL_CFLAGS)'
print-c-files: ; @echo $(C_FILES)
print-h-files: ; @echo $(H_FILES)
print-bpf-files: ; @echo $(BPF_SRC)
print-bpf-flags: ; @echo $(BPF_CFLAGS)
.PHONY: print-flags print-c-files print-h-files print-bpf-files print-bpf-flags asan-run tsan-run fuzz-link

.SECONDARY:
-include $(shell find $(B)/obj $(B)/bpf -name '*.d' 2>/dev/null)
