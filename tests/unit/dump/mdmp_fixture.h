/*
 * mdmp_fixture.h - minidumps put together stream by stream, for the tests of mdmp*.c.
 */
#ifndef DT_TEST_MDMP_FIXTURE_H
#define DT_TEST_MDMP_FIXTURE_H

#include "fixture.h"

static struct fixture f;
static struct opened o;
static unsigned stream_count;

/* Header and room for 16 directory entries. */
static inline void begin_mdmp(void)
{
	memset(&f, 0, sizeof(f));
	stream_count = 0;
	put_text(&f, 0, "MDMP");
	put32(&f, 4, 0x61b0a793);
	put32(&f, 12, 0x20);
	put32(&f, 20, 1666819847);
	put8(&f, 0x20 + 16 * 12 - 1, 0);
}

/* Adds a directory entry for bytes that stand at off. */
static inline void add_stream_at(uint32_t type, size_t off, size_t size)
{
	size_t entry = 0x20 + 12 * stream_count++;

	put32(&f, 8, stream_count);
	put32(&f, entry, type);
	put32(&f, entry + 4, (uint32_t)size);
	put32(&f, entry + 8, (uint32_t)off);
}

/* Room for a stream at the end of the file; gives where it is. */
static inline size_t add_stream(uint32_t type, size_t size)
{
	size_t off = (f.len + 7) & ~(size_t)7;

	if (size)
		put8(&f, off + size - 1, 0);
	add_stream_at(type, off, size);
	return off;
}

/* A string at the end of the file; gives its offset. */
static inline uint32_t add_string(const char *text)
{
	size_t at = (f.len + 3) & ~(size_t)3;

	put32(&f, at, (uint32_t)(2 * strlen(text)));
	put_wide(&f, at + 4, text);
	return (uint32_t)at;
}

static inline void add_system(unsigned architecture, uint32_t platform)
{
	size_t at = add_stream(7, 56);

	put16(&f, at, architecture);
	put8(&f, at + 6, 8);
	put8(&f, at + 7, 1);
	put32(&f, at + 8, 10);
	put32(&f, at + 12, 0);
	put32(&f, at + 16, 19041);
	put32(&f, at + 20, platform);
	put_text(&f, at + 0x20, "GenuineIntel");
}

/* An x64 CONTEXT at the end of the file; gives its offset. */
static inline uint32_t add_context(uint64_t rip, uint64_t rsp)
{
	size_t at = (f.len + 15) & ~(size_t)15;

	put8(&f, at + 0x4d0 - 1, 0);
	put32(&f, at + 0x30, 0x10001f);
	put16(&f, at + 0x38, 0x33);
	put64(&f, at + 0xf8, rip);
	put64(&f, at + 0x98, rsp);
	return (uint32_t)at;
}

static inline size_t add_exception(uint32_t thread, uint32_t context)
{
	size_t at = add_stream(6, 168);

	put32(&f, at, thread);
	put32(&f, at + 8, 0xc0000005);
	put64(&f, at + 0x18, UINT64_C(0x7ff712345678));
	put32(&f, at + 0x20, 2);
	put64(&f, at + 0x28, 1);
	put64(&f, at + 0x30, 0x9c);
	put32(&f, at + 0xa0, context ? 0x4d0 : 0);
	put32(&f, at + 0xa4, context);
	return at;
}

static inline void open_mdmp(void)
{
	open_fixture(&o, &f);
	if (o.status != DT_OK)
		fail_msg("%s", o.err.text);
}

#endif
