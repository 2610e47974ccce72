/*
 * dump.h - an opened dump: what every format gives, in one shape.
 *
 * formats.def lists the formats; each has one file that recognises it, opens
 * it, and fills struct dt_dump. Readers judge nothing and derive nothing that
 * needs another part: they say what stands in the file, and note what is odd.
 */
#ifndef DT_DUMP_DUMP_H
#define DT_DUMP_DUMP_H

#include "core/base/arena.h"
#include "core/base/bytes.h"
#include "core/model/notes.h"
#include "facts/dump/context.h"
#include "facts/dump/formats.h"
#include "facts/memory/memory.h"

/* A structure of the crashed system that the dump has as a raw copy. */
struct dt_region {
	uint64_t va;           /* 0 when its address is not known */
	struct dt_bytes bytes; /* empty when the dump does not have it */
};

struct dt_dump_thread {
	uint32_t id;
	uint64_t teb;
	uint64_t stack_va;
	struct dt_bytes stack;   /* bytes of the stack, where the thread list has them */
	struct dt_bytes context; /* raw CONTEXT */
	const char *name;        /* NULL when it has none */
	uint64_t start;          /* start address, 0 unknown */
};

/* MDMP exception stream, or an EXCEPTION_RECORD that memory holds. */
struct dt_exception_record {
	bool present;
	uint32_t code, flags;
	uint64_t nested;  /* VA of the next record, 0 none */
	uint64_t address; /* ExceptionAddress */
	uint32_t parameter_count; /* 0..15 */
	uint64_t parameter[15];
};

/* The kernel's debugger block, plain: fields the passes use; 0 when the block is too short for one. */
struct dt_kdbg {
	bool valid;
	uint32_t size;
	uint64_t kern_base;
	uint64_t nt_build_lab; /* VA of text */
	uint16_t size_eprocess, off_eprocess_peb, off_eprocess_parent_cid;
	uint16_t off_prcb_current_thread, off_prcb_mhz, off_prcb_vendor, off_prcb_number, off_prcb_special_registers;
	uint16_t off_kthread_teb, off_kthread_initial_stack, off_kthread_kernel_stack, off_kthread_apc_process;
	uint16_t off_pcr_contained_prcb;
	uint16_t size_prcb, size_ethread;
	uint16_t off_prcb_context, off_eprocess_directory_table;
	uint32_t off_kthread_stack_limit, off_kthread_stack_base;
	uint64_t processor_block;  /* VA of the array of PRCB addresses */
	uint64_t module_list, process_list; /* VAs of list heads */
	uint64_t bugcheck_data;    /* VA of five pointers: code and parameters */
	uint64_t unloaded_drivers, last_unloaded; /* VAs of a pointer to the ring, and of its index */
};

/* A processor as a hypervisor saw it. */
struct dt_cpu_state {
	struct dt_context context;
	uint64_t cr2, cr3, cr4;
	uint64_t idt;  /* VA */
	uint64_t kpcr; /* VA, by the base of its segment; 0 unknown */
};

/* Modules in the order of their addresses, for dt_dump_module_at. */
struct dt_module_index {
	uint64_t base;
	uint64_t reach;  /* highest last address of this module and those before it */
	uint32_t module; /* index into modules */
};

struct dt_dump {
	const struct dt_dump_format *reader;
	struct dt_bytes file;
	struct dt_arena *arena; /* everything below lives here or in file */
	struct dt_notes *notes;

	enum dt_format format;
	enum dt_kind kind;
	enum dt_machine machine;
	enum dt_writer writer;
	enum dt_bool3 complete;
	enum dt_bool3 live;
	const char *missing[DT_MAX_TEXTS];
	size_t missing_count;

	/* system */
	struct dt_opt build, processors;
	uint32_t os_major, os_minor; /* user dumps; 0 unknown */
	uint32_t platform_id;        /* MDMP PlatformId; 2 for Windows */
	unsigned product_type;       /* 1 workstation, 2 domain controller, 3 server, 0 unknown */
	const char *os_text;         /* what the file itself says: service pack, Linux version; NULL */
	const char *build_lab;       /* NtBuildLab, BuildString; NULL */
	uint64_t time;               /* FILETIME of the crash, 0 unknown */
	struct dt_opt uptime;        /* 100 ns units (kernel) */
	uint64_t directory_table_base;
	bool pae; /* 32-bit: the header says so */

	/* kernel: the stop code as the header has it, flag and all */
	bool has_bugcheck;
	uint32_t bugcheck_code;
	uint64_t bugcheck_parameter[4];

	/* memory and contexts */
	struct dt_memory memory;
	struct dt_physical physical; /* dumps of physical memory */
	uint64_t kdbg_va, module_list_va, process_list_va; /* as the header has them; 0 unknown */
	bool header_is_stale;        /* it was filled before the crash */
	const struct dt_cpu_state *cpus; /* captures */
	size_t cpu_count;
	uint64_t thread_stack_limit, thread_stack_base; /* of the crashing thread, where its structure is known */
	const char *host; /* the computer's name, folded, where memory has it; NULL */
	struct dt_context context; /* header context (kernel), exception context (user) */
	uint64_t stack_va;         /* call stack of a triage dump, stack of the crashing thread of a user dump */
	uint64_t stack_len;        /* bytes */

	/* images */
	struct dt_module *modules;
	size_t module_count;
	struct dt_unloaded *unloaded;
	size_t unloaded_count;

	/* kernel structures */
	struct dt_region prcb, process, thread, kdbg_raw, mm_storage;
	struct dt_kdbg kdbg;
	/* secondary data, by what it is; empty when absent */
	struct dt_bytes cpu_values; /* the processor's registry values */
	struct dt_bytes boot_status, slow_io, pnp_event, logon, pci; /* what WinDbg calls blackboxes */
	struct dt_blob *blobs;
	size_t blob_count;
	struct dt_bytes smbios; /* raw SMBIOS tables of the secondary data; empty when absent */
	const char *broken_driver; /* name the writer put there, NULL */

	/* user: exception and process */
	struct dt_exception_record exception;
	uint32_t exception_thread; /* id; 0 unknown */
	bool has_exception_thread;
	struct dt_dump_thread *threads;
	size_t thread_count;
	struct dt_opt process_id, process_created /* Unix seconds */, process_user, process_kernel /* processor time, s */, handle_count, private_bytes, memory_bytes,
		commit_bytes, commit_limit_bytes;
	const char *integrity;     /* NULL unknown */
	enum dt_bool3 wow64;
	const char *cpu;           /* vendor text, NULL */
	struct dt_annotation *annotations;
	size_t annotation_count;
	const struct dt_module_index *index; /* made when the dump is opened; NULL: modules are searched one by one */
	size_t index_count;
	uint32_t text_bytes;         /* bytes of text taken from the file so far: held by a cap */
	struct dt_bytes memory_info; /* entries of MemoryInfoListStream, stride below; empty when absent */
	uint32_t memory_info_stride;
};

/* Recognises and opens. The dump borrows file, arena and notes.
 * DT_ERR_NOT_A_DUMP: no format knows these bytes (says what they look like: empty, all zero, text, an archive).
 * DT_ERR_TRUNCATED, DT_ERR_FORMAT, DT_ERR_UNSUPPORTED, DT_ERR_LIMIT, DT_ERR_NOMEM: with the offset; dump->has_bugcheck or
 * dump->machine say whether the header was good. */
DT_MUST_USE enum dt_status dt_dump_open(struct dt_dump *dump, struct dt_bytes file, struct dt_arena *arena,
                                        struct dt_notes *notes, struct dt_error *err);

/* Loads the libraries that some formats need. */
void dt_dump_prepare(void);
/* Gives back what dt_dump_open() and what came after took beside the arena. */
void dt_dump_close(struct dt_dump *dump);

/* Whether the dump is of a Windows kernel: written by it, by a tool, or by a hypervisor. */
static inline bool dt_dump_is_kernel(const struct dt_dump *dump)
{
	return dump->format == DT_FORMAT_KERNEL || dump->format == DT_FORMAT_CAPTURE;
}
/* Sorts the modules for dt_dump_module_at. */
void dt_dump_index_modules(struct dt_dump *dump);
/* UTF-16 text in memory, clean UTF-8 in the arena; NULL when it is empty or the dump gave its share of text. */
const char *dt_dump_wide_text(struct dt_dump *dump, struct dt_bytes utf16);
/* The kernel's build in its own words, where memory has it; NULL. */
const char *dt_dump_build_lab(struct dt_dump *dump);
/* KDDEBUGGER_DATA64 from its plain bytes; false (and *out invalid) when it is none. */
bool dt_kdbg_parse(struct dt_kdbg *out, struct dt_bytes bytes);
/* Takes the sign off the pointers of a 32-bit system, which the block holds in 64 bits. */
void dt_kdbg_narrow(struct dt_kdbg *kdbg);
/* A note, an entry of missing[], complete is false: for what the file should hold and does not. */
void dt_dump_cut(struct dt_dump *dump, const char *part, const char *fmt, ...) DT_PRINTF(3, 4);

/* The module that holds va, or NULL. Modules of size 0 hold nothing; of nested ranges the innermost wins. */
const struct dt_module *dt_dump_module_at(const struct dt_dump *dump, uint64_t va);
/* The unloaded module whose former range holds va, or NULL. */
const struct dt_unloaded *dt_dump_unloaded_at(const struct dt_dump *dump, uint64_t va);
/* Reads an EXCEPTION_RECORD (64-bit form; 32-bit for x86) from memory. false when the dump does not have it. */
bool dt_dump_exception_at(const struct dt_dump *dump, uint64_t va, struct dt_exception_record *out);
/* Adds to missing[]; the text is static or in the arena. Repeats and texts past the cap are dropped. */
void dt_dump_missing(struct dt_dump *dump, const char *text);
/* Whether the system is Windows (kernel dumps always; user dumps by platform id). */
bool dt_dump_is_windows(const struct dt_dump *dump);

#endif
