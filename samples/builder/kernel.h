/*
 * kernel.h - the writers of kernel dumps. Private to the builder.
 *
 * Layouts: DUMP_HEADER64/32, TRIAGE_DUMP64, DUMP_DRIVER_ENTRY, DUMP_UNLOADED_DRIVERS, TRIAGE_DATA_BLOCK and
 * KDDEBUGGER_DATA64 of the WDK's and the kernel's type information; the order of the parts, the fill and what
 * each of the two writers sets: seen in real dumps of builds 9600, 17763, 19041, 22000 (ARM64) and 26100.
 */
#ifndef SAMPLE_KERNEL_H
#define SAMPLE_KERNEL_H

#include "image.h"
#include "memory.h"
#include "recipe.h"

enum {
	HEADER64 = 0x2000,
	HEADER32 = 0x1000,
	DEFAULT_DTB = 0x1ad002,
	DEFAULT_DTB32 = 0x185020,
};

/* What the kernel of a build has where. */
struct build {
	uint32_t build;
	const char *machine;
	unsigned kdbg_size;
	uint16_t told[21];         /* KDDEBUGGER_DATA64 0x298 to 0x2c0: sizes and offsets, in its order */
	uint16_t special, context; /* KPRCB: special registers, and the pointer to the context */
	unsigned name, pid_before; /* EPROCESS.ImageFileName behind, UniqueProcessId before ParentCID */
	unsigned cid, start;       /* ETHREAD.Cid, Win32StartAddress (0: not known) */
	unsigned kdbg_rva, list_rva;
	unsigned stack_limit, stack_base; /* KTHREAD */
};

/* Positions in `told`. */
enum {
	TOLD_TEB = 1,
	TOLD_KERNEL_STACK = 2,
	TOLD_INITIAL_STACK = 3,
	TOLD_APC_PROCESS = 4,
	TOLD_STATE = 5,
	TOLD_EPROCESS = 8,
	TOLD_PARENT_CID = 10,
	TOLD_DTB = 11,
	TOLD_PRCB = 12,
	TOLD_CURRENT_THREAD = 14,
	TOLD_MHZ = 15,
	TOLD_VENDOR = 17,
	TOLD_NUMBER = 19,
	TOLD_ETHREAD = 20,
};

enum { MOST_PART = 0x10000, DEFAULT_THREAD = 0x12399040, DEFAULT_PROCESS = 0x12345080 };
/* The structures of a kernel, each as it stands in memory. */
void kdbg_bytes(struct recipe *recipe, const struct build *b, uint8_t out[MOST_PART]);
void processor_bytes(struct recipe *recipe, const struct build *b, uint8_t bytes[MOST_PART]);
void process_bytes(struct recipe *recipe, const struct build *b, uint8_t bytes[MOST_PART]);
void thread_bytes(struct recipe *recipe, const struct build *b, uint8_t bytes[MOST_PART]);

const struct build *build_row(uint64_t build, const char *machine);
/* Where the kernel's image begins: the first module. */
uint64_t kernel_base(struct recipe *recipe);
bool kernel_writes(const struct recipe *recipe);

/* The header of the kind that dump_type says. */
void build_header64(struct recipe *recipe, struct image *image, uint32_t dump_type);
void build_header32(struct recipe *recipe, struct image *image, uint32_t dump_type);
/* What `body` lines say, behind a header of some size. */
void build_body(struct recipe *recipe, struct image *image, size_t header);

/* What `smbios` and `blob` say, appended; stale: with what a disk held behind it. */
void build_secondary(struct recipe *recipe, struct image *image, bool stale);
/* The same behind the last page of a dump of memory. */
void secondary_behind_pages(struct recipe *recipe, struct image *image);

/* A triage dump while it is written. */
struct triage {
	struct recipe *recipe;
	struct image *image;
	const struct build *build;
	struct memory memory;
	bool kernel; /* written by the kernel, not by a tool */
	bool narrow; /* of a 32-bit system */
	size_t at;   /* TRIAGE_DUMP stands right behind the header */
};

void build_triage(struct recipe *recipe, struct image *image);
void add_kdbg(struct triage *t);
void add_processor(struct triage *t);
void add_process(struct triage *t);
void add_thread(struct triage *t);
void add_stack(struct triage *t);
void add_drivers(struct triage *t);
void add_unloaded(struct triage *t);
void add_blocks(struct triage *t);
void add_secondary(struct triage *t);
/* Appends a part, aligned, and writes its offset into the triage header. */
size_t add_part(struct triage *t, unsigned field, const void *data, size_t len);

#endif
