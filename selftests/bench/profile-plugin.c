// SPDX-License-Identifier: GPL-2.0
/*
 * Plugin for QEMU: counts how often each instruction of the guest's kernel is
 * executed between two marks, which inject.ko executes around a run when told
 * to profile. Writes "ADDRESS COUNT" lines, in hexadecimal and decimal, to the
 * file that the argument "out" names; profile.py makes functions of them.
 *
 * The counters lie in a sparse map, 8 bytes for each address in the upper 2 GB,
 * where kernel and modules are: counting is one addition without a call.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/*
 * The part used here of qemu-plugin.h, version 1, of the GPL's second version
 * or later: Debian's QEMU can load plugins but does not ship the header.
 */
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
enum qemu_plugin_cb_flags { QEMU_PLUGIN_CB_NO_REGS };
enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
		void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
uint64_t qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
		void (*cb)(unsigned int vcpu, void *data),
		enum qemu_plugin_cb_flags flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *insn,
		enum qemu_plugin_op op, void *counter, uint64_t add);

#define EXPORT	__attribute__((visibility("default")))
#define BASE	UINT64_C(0xffffffff80000000)
#define SPAN	(UINT64_C(1) << 31)
#define PAGE	4096

EXPORT int qemu_plugin_version = 1;

static const uint8_t mark[] = { 0x0f, 0x1f, 0x80, 0x01, 0x10, 0x37, 0x0b };
static uint64_t *counters;
static uint8_t translated[SPAN / PAGE];
static const char *out;
static bool on;

static void dump(void)
{
	FILE *f = fopen(out, "w");

	if (!f) {
		perror(out);
		exit(1);
	}
	for (uint64_t page = 0; page < SPAN / PAGE; page++) {
		if (!translated[page])
			continue;
		for (uint64_t i = page * PAGE; i < (page + 1) * PAGE; i++)
			if (counters[i])
				fprintf(f, "%" PRIx64 " %" PRIu64 "\n",
					BASE + i, counters[i]);
	}
	if (fclose(f)) {
		perror(out);
		exit(1);
	}
}

static void at_mark(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	on = !on;
	if (on)
		madvise(counters, SPAN * sizeof(*counters), MADV_DONTNEED);
	else
		dump();
}

static bool is_mark(const struct qemu_plugin_insn *insn)
{
	return qemu_plugin_insn_size(insn) == sizeof(mark) &&
	       !memcmp(qemu_plugin_insn_data(insn), mark, sizeof(mark));
}

static void translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb);

	(void)id;
	for (size_t i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
		uint64_t address = qemu_plugin_insn_vaddr(insn);

		if (address < BASE)
			continue;
		translated[(address - BASE) / PAGE] = 1;
		qemu_plugin_register_vcpu_insn_exec_inline(insn,
			QEMU_PLUGIN_INLINE_ADD_U64, &counters[address - BASE],
			1);
		if (is_mark(insn))
			qemu_plugin_register_vcpu_insn_exec_cb(insn, at_mark,
				QEMU_PLUGIN_CB_NO_REGS, NULL);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info,
			       int argc, char **argv);

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc,
			char **argv)
{
	(void)info;
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fprintf(stderr, "profile-plugin: want out=FILE\n");
		return -1;
	}
	out = strdup(argv[0] + 4);
	counters = mmap(NULL, SPAN * sizeof(*counters), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (counters == MAP_FAILED) {
		perror("profile-plugin: mmap");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
	return 0;
}
