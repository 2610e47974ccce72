/*
 * space.h - one virtual address space: page tables over physical memory.
 *
 * The shapes of page tables are libaddrxlat's (4 and 5 levels of x64, PAE, 32-bit, AArch64; large pages). What Windows
 * keeps in entries that are not valid for the processor is ours: a page in transition is in memory and is read; of the others
 * (prototype, demand-zero, page file) is said which they are. A walk has at most five steps, whatever the tables hold.
 */
#ifndef DT_MEMORY_SPACE_H
#define DT_MEMORY_SPACE_H

#include "facts/memory/physical.h"

enum dt_paging {
	DT_PAGING_X64_4,
	DT_PAGING_X64_5,
	DT_PAGING_X86_PAE,
	DT_PAGING_X86,
	DT_PAGING_ARM64,
	DT_PAGING_COUNT
};

/* Why there are no bytes at an address. */
enum dt_absence {
	DT_PRESENT = 0,
	DT_ABSENT_ADDRESS,   /* no address of this machine */
	DT_ABSENT_UNMAPPED,  /* the page tables have nothing there */
	DT_ABSENT_TABLE,     /* a page table is not in the dump */
	DT_ABSENT_PAGE,      /* mapped, but the page is not in the dump */
	DT_ABSENT_PROTOTYPE, /* a page of a section, not in memory */
	DT_ABSENT_ZERO,      /* never touched: it would read as zeros */
	DT_ABSENT_PAGE_FILE, /* in the page file */
	DT_ABSENCE_COUNT
};

struct dt_space;

/* physical is borrowed. root: CR3, TTBR; its low bits are masked. Close with dt_space_close().
 * DT_ERR_UNSUPPORTED: libaddrxlat is not on this machine. DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_space_open(struct dt_space **out, struct dt_physical *physical, enum dt_paging paging, uint64_t root,
                                         struct dt_error *err);
void dt_space_close(struct dt_space *space);
uint64_t dt_space_root(const struct dt_space *space);

/* The physical address of va. */
enum dt_absence dt_space_translate(struct dt_space *space, uint64_t va, uint64_t *pa);
/* The bytes from va to the end of its page; empty when they are not there. They live as dt_physical_at()'s do. */
struct dt_bytes dt_space_at(struct dt_space *space, uint64_t va);
/* Why there is no byte at va; DT_PRESENT when there is. */
enum dt_absence dt_space_absence(struct dt_space *space, uint64_t va);
/* "in the page file", … to follow "is not in the dump: ". NULL for DT_PRESENT. */
const char *dt_absence_text(enum dt_absence absence);
/* Whether libaddrxlat is there; loads it. */
bool dt_addrxlat_is_there(void);
/* "x64, 4 levels" */
const char *dt_paging_name(enum dt_paging paging);

#endif
