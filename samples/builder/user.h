/*
 * user.h - the writer of user minidumps (MDMP). Private to the builder.
 *
 * Layouts: minidumpapiset.h, google_breakpad/common/minidump_format.h, Crashpad's minidump_extensions.h.
 */
#ifndef SAMPLE_USER_H
#define SAMPLE_USER_H

#include "image.h"
#include "memory.h"
#include "recipe.h"

/* A stack whose bytes stand in the file: the thread's entry and the memory list point at the same bytes. */
struct stack {
	uint64_t va;
	size_t len, off;
};

enum { MAX_STACKS = 64 };

struct writer {
	struct recipe *recipe;
	struct image *image;
	struct memory memory;
	const char *machine;
	size_t streams;
	struct stack stacks[MAX_STACKS];
	size_t stack_count;
};

void build_mdmp(struct recipe *recipe, struct image *image);

/* Enters a stream into the directory. */
void add_stream(struct writer *w, uint32_t type, size_t off, size_t len);
/* Makes room at the file's end, aligned to 4, zeroed, and enters it as a stream; its offset. */
size_t begin_stream(struct writer *w, uint32_t type, size_t len);
/* MINIDUMP_STRING: bytes, UTF-16, NUL; its offset. */
size_t add_string(struct writer *w, const char *text);
/* Writes the location {size, offset} of a CONTEXT that it appends. */
void add_context(struct writer *w, const struct line *line, size_t location);

void add_system_info(struct writer *w);
void add_misc_info(struct writer *w);
void add_modules(struct writer *w);
void add_unloaded_modules(struct writer *w);
void add_threads(struct writer *w);
void add_thread_extras(struct writer *w);
void add_exception(struct writer *w);
void add_memory_info(struct writer *w);
void add_memory_list(struct writer *w);
/* Comments, handles, and what Breakpad and Crashpad write. */
void add_extras(struct writer *w);
/* Streams that are given as bytes or text. */
void add_given_streams(struct writer *w);

#endif
