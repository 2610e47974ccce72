/*
 * fixture.h - small dumps made byte by byte. Offsets are written out where they
 * are used and come from the formats' documentation; nothing here is shared with
 * the reader.
 */
#ifndef DT_TEST_DUMP_FIXTURE_H
#define DT_TEST_DUMP_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "facts/dump/dump.h"

struct fixture {
	uint8_t data[0x10000];
	size_t len;
};

static inline void put8(struct fixture *f, size_t at, unsigned value)
{
	assert_true(at < sizeof(f->data));
	f->data[at] = (uint8_t)value;
	if (f->len < at + 1)
		f->len = at + 1;
}

static inline void put16(struct fixture *f, size_t at, unsigned value)
{
	put8(f, at, value & 0xff);
	put8(f, at + 1, value >> 8 & 0xff);
}

static inline void put32(struct fixture *f, size_t at, uint32_t value)
{
	put16(f, at, value & 0xffff);
	put16(f, at + 2, value >> 16);
}

static inline void put64(struct fixture *f, size_t at, uint64_t value)
{
	put32(f, at, (uint32_t)value);
	put32(f, at + 4, (uint32_t)(value >> 32));
}

static inline void put_text(struct fixture *f, size_t at, const char *text)
{
	for (size_t i = 0; text[i]; i++)
		put8(f, at + i, (uint8_t)text[i]);
}

/* UTF-16 of ASCII text; gives the number of bytes. */
static inline size_t put_wide(struct fixture *f, size_t at, const char *text)
{
	size_t i = 0;

	for (; text[i]; i++)
		put16(f, at + 2 * i, (uint8_t)text[i]);
	put16(f, at + 2 * i, 0);
	return 2 * i;
}

static inline void fill(struct fixture *f, size_t from, size_t to)
{
	for (size_t at = from; at < to; at++)
		put8(f, at, (uint8_t) "PAGE"[at & 3]);
}

/* ---- opening ------------------------------------------------------------- */

struct opened {
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_dump dump;
	struct dt_error err;
	enum dt_status status;
	uint8_t *copy;
};

/* Opens a copy of exactly these bytes, so that a sanitizer sees every read behind the end. */
static inline void open_bytes(struct opened *o, const uint8_t *data, size_t len)
{
	memset(o, 0, sizeof(*o));
	dt_arena_init(&o->arena, DT_MAX_ARENA);
	dt_notes_init(&o->notes, &o->arena);
	o->copy = malloc(len ? len : 1);
	assert_non_null(o->copy);
	if (len)
		memcpy(o->copy, data, len);
	o->status = dt_dump_open(&o->dump, (struct dt_bytes){ o->copy, len }, &o->arena, &o->notes, &o->err);
}

static inline void open_fixture(struct opened *o, const struct fixture *f)
{
	open_bytes(o, f->data, f->len);
}

static inline void close_opened(struct opened *o)
{
	dt_dump_close(&o->dump);
	dt_arena_deinit(&o->arena);
	free(o->copy);
}

/* Whether a note has this where and this in its text. */
static inline int has_note(const struct opened *o, const char *where, const char *text)
{
	for (size_t i = 0; i < o->notes.count; i++)
		if (strcmp(o->notes.items[i].where, where) == 0 && strstr(o->notes.items[i].text, text))
			return 1;
	return 0;
}

static inline int is_missing(const struct opened *o, const char *text)
{
	for (size_t i = 0; i < o->dump.missing_count; i++)
		if (strstr(o->dump.missing[i], text))
			return 1;
	return 0;
}

static inline void expect_failure(const struct opened *o, enum dt_status status, uint64_t off, const char *text)
{
	assert_int_equal(o->status, status);
	assert_int_equal(o->err.status, status);
	assert_true(o->err.has_off);
	assert_int_equal(o->err.off, off);
	if (!strstr(o->err.text, text))
		fail_msg("\"%s\" is not in \"%s\"", text, o->err.text);
}

/* What must hold for whatever bytes: success or a text, and everything inside its bounds. */
static inline void check_any(const struct opened *o)
{
	const struct dt_dump *dump = &o->dump;

	if (o->status != DT_OK)
		assert_true(o->err.text[0] != 0 && o->err.status == o->status);
	assert_true(dump->module_count <= DT_MAX_MODULES && dump->unloaded_count <= DT_MAX_UNLOADED);
	assert_true(dump->thread_count <= DT_MAX_THREADS && dump->missing_count <= DT_MAX_TEXTS);
	assert_true(dump->exception.parameter_count <= 15);
	assert_true(o->arena.used <= DT_MAX_ARENA);
	for (size_t i = 0; i < dump->module_count; i++) {
		assert_true(dump->modules[i].base.known && dump->modules[i].size.known);
		(void)dt_dump_module_at(dump, dump->modules[i].base.value);
	}
	uint8_t byte;
	for (size_t i = 0; i < dump->memory.count; i++)
		(void)dt_memory_read(&dump->memory,
		                     dump->memory.ranges[i].va + dump->memory.ranges[i].bytes.len - 1, &byte, 1);
}

/* ---- a kernel header ------------------------------------------------------ */

/* DUMP_HEADER64 of an x64 machine, everything optional left as the fill. */
static inline void make_header64(struct fixture *f, uint32_t type)
{
	f->len = 0;
	fill(f, 0, 0x2000);
	put_text(f, 0x0, "PAGEDU64");
	put32(f, 0x8, 15);
	put32(f, 0xc, 19041);
	put64(f, 0x10, 0x1ad002);
	put32(f, 0x30, 0x8664);
	put32(f, 0x34, 12);
	put32(f, 0x38, 0x50);
	put64(f, 0x40, UINT64_C(0xffffffffffffffb4));
	put64(f, 0x48, 0);
	put64(f, 0x50, UINT64_C(0xfffff80012345678));
	put64(f, 0x58, 2);
	put64(f, 0x80, UINT64_C(0xfffff80000a00000));
	memset(f->data + 0x348, 0, 0x4d0);
	put32(f, 0x378, 0x10001f);
	put16(f, 0x380, 0x10);
	put32(f, 0x38c, 0x246);
	put64(f, 0x3e0, UINT64_C(0xfffff50012340100)); /* rsp */
	put64(f, 0x440, UINT64_C(0xfffff800001f5a00)); /* rip */
	put32(f, 0xf98, type);
	put64(f, 0xfa8, UINT64_C(133112934473403733));
	put64(f, 0x1030, UINT64_C(1109893530));
	put32(f, 0x1040, 3);
}

#endif
