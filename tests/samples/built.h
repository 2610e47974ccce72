/*
 * built.h - builds a recipe given as text, and reads the file at documented offsets. Every read is inside the
 * file, or the test fails.
 */
#ifndef TEST_BUILT_H
#define TEST_BUILT_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "sample.h"

static struct sample built;

/* The recipe's dump; stays until the next one. */
static inline void build(const char *recipe)
{
	sample_free(&built);
	if (sample_build(&built, "test.recipe", recipe, strlen(recipe)))
		fail_msg("%s", built.error);
}

static inline void must_fail(const char *recipe, const char *error)
{
	sample_free(&built);
	assert_int_equal(sample_build(&built, "folder/test.recipe", recipe, strlen(recipe)), -1);
	assert_string_equal(built.error, error);
	assert_null(built.data);
}

static inline uint64_t number_at(size_t off, size_t size)
{
	uint64_t value = 0;

	if (off > built.len || size > built.len - off)
		fail_msg("offset 0x%zx is not in the file of 0x%zx bytes", off, built.len);
	for (size_t i = size; i-- > 0;)
		value = value << 8 | built.data[off + i];
	return value;
}

static inline uint64_t u16(size_t off)
{
	return number_at(off, 2);
}

static inline uint64_t u32(size_t off)
{
	return number_at(off, 4);
}

static inline uint64_t u64(size_t off)
{
	return number_at(off, 8);
}

static inline const char *bytes_at(size_t off, size_t len)
{
	number_at(off + len - 1, 1);
	return (const char *)built.data + off;
}

/* UTF-16 text against ASCII. */
static inline void assert_utf16(size_t off, const char *text)
{
	for (size_t i = 0; text[i]; i++)
		assert_int_equal(u16(off + 2 * i), text[i]);
}

static inline int free_built(void **state)
{
	(void)state;
	sample_free(&built);
	return 0;
}

#endif
