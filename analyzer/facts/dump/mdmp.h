/*
 * mdmp.h - what the readers of a user-mode minidump's streams share.
 *
 * Offsets: minidumpapiset.h of the Windows SDK (structures packed to 4 bytes),
 * Breakpad's and Crashpad's published headers; confirmed on real files of
 * each writer.
 */
#ifndef DT_DUMP_MDMP_H
#define DT_DUMP_MDMP_H

#include "facts/dump/reader.h"

#define DT_STREAM(id, number, name) MDMP_##id,
#define DT_STREAM_NAMED(id, number, name) MDMP_##id,
enum mdmp_stream_id {
#include "facts/dump/mdmp_streams.def"
	MDMP_STREAM_COUNT
};

/* One stream of the directory. */
struct mdmp_stream {
	const char *name;
	struct dt_bytes bytes; /* what there is of it */
	uint32_t size;         /* what the directory says */
	uint32_t off;          /* in the file, for messages */
	bool seen;
};

struct mdmp {
	struct dt_dump *dump;
	struct dt_bytes file;
	struct mdmp_stream stream[MDMP_STREAM_COUNT];
	bool has_system;
	bool has_requesting_thread; /* Breakpad: the thread that asked for the dump */
	uint32_t requesting_thread;
	struct dt_bytes xstate;  /* of the misc info: how extended registers are kept; empty when absent */
	struct dt_bytes context; /* the raw CONTEXT whose registers were taken; empty when none were */
};

#define DT_STREAM(id, number, name) void mdmp_##id(struct mdmp *m, const struct mdmp_stream *stream);
#define DT_STREAM_NAMED(id, number, name)
#include "facts/dump/mdmp_streams.def"

/* An address of the process: 32-bit ones can come sign-extended. */
uint64_t mdmp_va(const struct mdmp *m, uint64_t va);
/* MINIDUMP_STRING at an offset; NULL when it is not all there, too long or odd. */
const char *mdmp_string(struct mdmp *m, uint32_t rva);
/* The bytes a MINIDUMP_LOCATION_DESCRIPTOR at off names; empty when they are not all there. */
struct dt_bytes mdmp_location(const struct mdmp *m, struct dt_bytes bytes, uint64_t off);
/* A list that begins with a count: u32 n, perhaps 4 bytes of padding, n entries of stride bytes. Gives how many
 * entries there are, at most cap, and *first, the offset of the first in the stream. What is cut is noted. */
size_t mdmp_list(struct mdmp *m, const struct mdmp_stream *stream, uint32_t stride, size_t cap, uint64_t *first);
/* A list with its own header: SizeOfHeader, SizeOfEntry, number of entries (u32, or u64 where wide). */
size_t mdmp_table(struct mdmp *m, const struct mdmp_stream *stream, uint32_t min_stride, bool wide, size_t cap,
                  uint64_t *first, uint32_t *stride);
/* "list, part" in the arena; part where list is NULL. */
const char *mdmp_join(struct mdmp *m, const char *list, const char *part);
struct dt_dump_thread *mdmp_thread(struct mdmp *m, uint32_t id);
/* Adds an annotation; value is cut and made clean text. key may be NULL. Past the cap they are dropped. */
void mdmp_annotate(struct mdmp *m, const char *source, const char *key, struct dt_bytes utf8);
void mdmp_annotate16(struct mdmp *m, const char *source, const char *key, struct dt_bytes utf16);
/* After all streams: context of the thread to look at, its stack. */
void mdmp_choose_thread(struct mdmp *m);
/* After that: extended registers of that thread. */
void mdmp_extended_registers(struct mdmp *m);

#endif
