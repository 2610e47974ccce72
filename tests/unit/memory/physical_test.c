#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "facts/memory/physical.h"

enum { FILE_SIZE = 0x8000 };

struct world {
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_physical physical;
	struct dt_error err;
	uint8_t *file;
	unsigned reads;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->file = malloc(FILE_SIZE);
	assert_non_null(w->file);
	for (size_t i = 0; i < FILE_SIZE; i++)
		w->file[i] = (uint8_t)(i >> 8);
	dt_arena_init(&w->arena, 8u << 20);
	dt_notes_init(&w->notes, &w->arena);
	dt_physical_init(&w->physical, (struct dt_bytes){ w->file, FILE_SIZE }, &w->arena);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	dt_arena_deinit(&w->arena);
	free(w->file);
	free(w);
	return 0;
}

static int first(struct world *w, uint64_t pa)
{
	struct dt_bytes bytes = dt_physical_at(&w->physical, pa);

	return bytes.len ? bytes.data[0] : -1;
}

static void extents_are_found_and_end(void **state)
{
	struct world *w = *state;
	static const struct dt_extent extents[] = { { 0x100000, 0x2000, 0x3000 }, { 0x5000, 0x1000, 0x1000 } };

	assert_false(dt_physical_is_set(&w->physical));
	assert_int_equal(first(w, 0x5000), -1);
	assert_int_equal(dt_physical_set_extents(&w->physical, extents, 2, &w->notes, &w->err), DT_OK);
	assert_int_equal(first(w, 0x5000), 0x10);
	assert_int_equal(first(w, 0x5fff), 0x1f);
	assert_int_equal(first(w, 0x6000), -1);
	assert_int_equal(first(w, 0x4fff), -1);
	assert_int_equal(first(w, 0x101234), 0x42);
	assert_int_equal(dt_physical_at(&w->physical, 0x101234).len, 0x1000 - 0x234);
	assert_int_equal(first(w, 0x102000), -1);
	assert_int_equal(w->physical.pages, 3);
	assert_int_equal(w->physical.present, 3);
	assert_int_equal(w->notes.count, 0);
}

static void lies_of_extents_cost_only_themselves(void **state)
{
	struct world *w = *state;
	static const struct dt_extent extents[] = {
		{ 0x5000, 0x1000, 0x1000 },
		{ 0x5000, 0x2000, 0x2000 },                           /* overlaps the first; its second page is its own */
		{ UINT64_MAX - 0xfff, 0x2000, 0 },                    /* wraps */
		{ 0x9000, 0, 0 },                                     /* empty */
		{ 0x10000, UINT64_C(1) << 62, 0x7000 },               /* claims more than any file has */
		{ 0xa000, 0x1000, UINT64_MAX - 0x10 },                /* offset that wraps */
	};

	assert_int_equal(dt_physical_set_extents(&w->physical, extents, 6, &w->notes, &w->err), DT_OK);
	assert_int_equal(first(w, 0x5000), 0x10);
	assert_int_equal(first(w, 0x6000), 0x30);
	assert_int_equal(first(w, UINT64_MAX - 0xfff), -1);
	assert_int_equal(first(w, 0x10000), 0x70);
	assert_int_equal(first(w, 0x11000), -1);
	assert_int_equal(first(w, 0xa000), -1);
	assert_int_equal(w->notes.count, 1);
	assert_int_equal(w->physical.present, 3);
}

static void a_bitmap_gives_pages_in_their_order(void **state)
{
	struct world *w = *state;
	static const uint8_t bitmap[] = { 0x12, 0x80 }; /* pages 1, 4, 15 */

	assert_int_equal(dt_physical_set_bitmap(&w->physical, (struct dt_bytes){ bitmap, 2 }, 16, 0x4000, &w->err), DT_OK);
	assert_int_equal(first(w, 0x1000), 0x40);
	assert_int_equal(first(w, 0x4000), 0x50);
	assert_int_equal(first(w, 0xf010), 0x60);
	assert_int_equal(first(w, 0x2000), -1);
	assert_int_equal(first(w, 0x10000), -1);
	assert_int_equal(w->physical.pages, 3);
	assert_int_equal(dt_physical_set_bitmap(&w->physical, (struct dt_bytes){ bitmap, 2 }, 16, UINT64_MAX - 0x1000, &w->err), DT_OK);
	assert_int_equal(first(w, 0xf000), -1);
	assert_int_equal(w->physical.present, 0);
}

static bool read_page(void *reader, uint64_t pfn, uint8_t *out)
{
	struct world *w = reader;

	w->reads++;
	if (pfn >= 1000)
		return false;
	memset(out, (int)(pfn & 0xff), DT_PAGE_SIZE);
	return true;
}

static void pages_on_request_are_read_once(void **state)
{
	struct world *w = *state;

	assert_int_equal(dt_physical_set_reader(&w->physical, read_page, w, 16 << DT_PAGE_SHIFT, &w->err), DT_OK);
	assert_int_equal(w->physical.end, 16 << DT_PAGE_SHIFT);
	assert_int_equal(first(w, 0x7000), 7);
	assert_int_equal(first(w, 0x7ff0), 7);
	assert_int_equal(first(w, UINT64_C(5000) << 12), -1);
	assert_int_equal(first(w, UINT64_C(5000) << 12), -1);
	assert_int_equal(w->reads, 2);
	for (uint64_t pfn = 0; pfn < 600; pfn++)
		assert_int_equal(first(w, pfn << 12), pfn & 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(extents_are_found_and_end, setup, teardown),
		cmocka_unit_test_setup_teardown(lies_of_extents_cost_only_themselves, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bitmap_gives_pages_in_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(pages_on_request_are_read_once, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
