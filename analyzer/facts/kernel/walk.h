/*
 * walk.h - what the files of facts/kernel share. Private to this folder.
 */
#ifndef DT_KERNEL_WALK_H
#define DT_KERNEL_WALK_H

#include "facts/image/image.h"
#include "facts/kernel/kernel.h"

/* What the walk has found so far, beyond the dump. */
struct dt_kernel_walk {
	struct dt_dump *dump;
	unsigned width;        /* bytes of a pointer */
	uint64_t module_list;  /* VA of PsLoadedModuleList, 0 unknown */
	uint64_t process_list; /* VA of PsActiveProcessHead, 0 unknown */
	uint64_t kpcr;         /* of the processor that a capture is read by, 0 unknown */
};

/* A pointer of the crashed machine; 32-bit ones without their sign. */
bool dt_walk_pointer(const struct dt_kernel_walk *walk, uint64_t va, uint64_t *out);
/* The same, and it is an address of the kernel. */
bool dt_walk_kernel_pointer(const struct dt_kernel_walk *walk, uint64_t va, uint64_t *out);
/* The text of the UNICODE_STRING at va; clean, in the arena. NULL when it is empty or not all there. */
const char *dt_walk_string(const struct dt_kernel_walk *walk, uint64_t va);
/* An address as 64-bit fields hold it: without the sign that a 32-bit one was extended by. */
uint64_t dt_walk_address(const struct dt_kernel_walk *walk, uint64_t value);

/* The steps, in their order. */
bool dt_walk_space(struct dt_kernel_walk *walk);      /* address_space.c: page tables that translate what must be there */
void dt_walk_shared(struct dt_kernel_walk *walk);     /* shared_data.c: KUSER_SHARED_DATA */
void dt_walk_guest(struct dt_kernel_walk *walk);      /* guest.c: the kernel of a capture */
void dt_walk_kdbg(struct dt_kernel_walk *walk);       /* debugger_block.c */
void dt_walk_stand_in(struct dt_kernel_walk *walk);   /* stand_in.c: without the debugger block */
void dt_walk_bugcheck(struct dt_kernel_walk *walk);   /* guest.c: the stop code and the registers of a capture */
void dt_walk_modules(struct dt_kernel_walk *walk);    /* modules.c */
void dt_walk_unloaded(struct dt_kernel_walk *walk);   /* unloaded.c */
void dt_walk_processors(struct dt_kernel_walk *walk); /* processors.c */
void dt_walk_stack(struct dt_kernel_walk *walk);      /* kernel_stack.c */
void dt_walk_host(struct dt_kernel_walk *walk);       /* host.c */

/* Whether the list at head is a doubly linked list whose first entry points back. */
bool dt_walk_is_list(const struct dt_kernel_walk *walk, uint64_t head);
/* Decodes a debugger block that is encoded as running systems keep it (encoded_block.c), by what is known of it beforehand; in the arena. Empty
 * when the bytes are none. 64-bit systems only. */
struct dt_bytes dt_walk_decode(const struct dt_kernel_walk *walk, struct dt_bytes block);
/* The address of an encoded block whose tag and base stand in a page that lies at va; 0 when there is none. The kernel's base must be known. */
uint64_t dt_walk_find_encoded(const struct dt_kernel_walk *walk, uint64_t va, struct dt_bytes page);
/* Finds the kernel's image below an address inside it. */
bool dt_walk_find_image(const struct dt_kernel_walk *walk, uint64_t inside, struct dt_image *out);

#endif
