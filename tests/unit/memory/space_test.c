/* Page tables: each form against a walk that is written out here, software entries, and tables that lie. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "facts/memory/memory.h"

enum { PAGES = 64, SIZE = PAGES * 0x1000 };

struct world {
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_physical physical;
	struct dt_error err;
	struct dt_space *space;
	uint8_t *memory; /* physical memory from 0 on */
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	static const struct dt_extent all = { 0, SIZE, 0 };

	assert_non_null(w);
	w->memory = calloc(1, SIZE);
	assert_non_null(w->memory);
	dt_arena_init(&w->arena, 8u << 20);
	dt_notes_init(&w->notes, &w->arena);
	dt_physical_init(&w->physical, (struct dt_bytes){ w->memory, SIZE }, &w->arena);
	assert_int_equal(dt_physical_set_extents(&w->physical, &all, 1, &w->notes, &w->err), DT_OK);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	dt_space_close(w->space);
	dt_arena_deinit(&w->arena);
	free(w->memory);
	free(w);
	return 0;
}

static void open_space(struct world *w, enum dt_paging paging, uint64_t root)
{
	dt_space_close(w->space);
	w->space = NULL;
	assert_int_equal(dt_space_open(&w->space, &w->physical, paging, root, &w->err), DT_OK);
}

static void put64(struct world *w, uint64_t pa, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		w->memory[pa + i] = (uint8_t)(value >> 8 * i);
}

static void put32(struct world *w, uint64_t pa, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		w->memory[pa + i] = (uint8_t)(value >> 8 * i);
}

static void expect(struct world *w, uint64_t va, uint64_t pa)
{
	uint64_t found = 0;

	assert_int_equal(dt_space_translate(w->space, va, &found), DT_PRESENT);
	assert_int_equal(found, pa);
}

static void absent(struct world *w, uint64_t va, enum dt_absence why)
{
	assert_int_equal(dt_space_absence(w->space, va), why);
	assert_int_equal(dt_space_at(w->space, va).len, 0);
	assert_non_null(dt_absence_text(why));
}

/* Tables at 1 to 5, the page at 9; index 1 in each table. */
static void x64_walks_four_and_five_levels(void **state)
{
	struct world *w = *state;
	uint64_t va = UINT64_C(0xffff000000000000) | UINT64_C(0x1ff) << 39 | 1u << 30 | 1u << 21 | 1u << 12;

	put64(w, 0x1000 + 8 * 0x1ff, 0x2063);
	put64(w, 0x2008, 0x3063);
	put64(w, 0x3008, 0x4063);
	put64(w, 0x4008, UINT64_C(0x8000000000009063)); /* no-execute: no part of the address */
	open_space(w, DT_PAGING_X64_4, 0x1abc); /* a PCID in the low bits */
	expect(w, va + 0x123, 0x9123);
	assert_int_equal(dt_space_root(w->space), 0x1000);
	absent(w, va & ~(UINT64_C(1) << 63), DT_ABSENT_ADDRESS);
	absent(w, va + 0x1000, DT_ABSENT_UNMAPPED);
	absent(w, 0, DT_ABSENT_UNMAPPED);
	/* The same tables, one more above. */
	put64(w, 0x5000 + 8 * 0x1ff, 0x1063);
	open_space(w, DT_PAGING_X64_5, 0x5000);
	expect(w, va + 0x123, 0x9123);
	put64(w, 0x5000 + 8 * 0x101, 0x1063);
	open_space(w, DT_PAGING_X64_5, 0x5000);
	expect(w, UINT64_C(0xff01000000000000) | (va & UINT64_C(0xffffffffffff)), 0x9000);
	open_space(w, DT_PAGING_X64_4, 0x1000);
	absent(w, UINT64_C(0xff01000000000000) | (va & UINT64_C(0xffffffffffff)), DT_ABSENT_ADDRESS);
}

static void large_pages(void **state)
{
	struct world *w = *state;

	put64(w, 0x1000, 0x2063);
	put64(w, 0x2000, 0x3063);
	put64(w, 0x2008, 0x80e3 & ~UINT64_C(0x8000)); /* 1 GiB at 0 */
	put64(w, 0x3000, 0xe3);                       /* 2 MiB at 0 */
	open_space(w, DT_PAGING_X64_4, 0x1000);
	expect(w, 0x12345, 0x12345);
	expect(w, 0x40000000 + 0x23456, 0x23456);
	/* Large pages whose memory the dump lacks in part. */
	expect(w, 0x1ff000, 0x1ff000);
	absent(w, 0x1ff000, DT_ABSENT_PAGE);
}

static void x86_forms(void **state)
{
	struct world *w = *state;

	/* PAE: the pointer table stands at any multiple of 32 bytes. */
	put64(w, 0x1020 + 8 * 2, 0x2001);
	put64(w, 0x2000 + 8 * 5, 0x3063);
	put64(w, 0x3000 + 8 * 7, 0x9063);
	open_space(w, DT_PAGING_X86_PAE, 0x1020);
	expect(w, 0x80000000u + (5u << 21) + (7u << 12) + 0x10, 0x9010);
	/* As 64-bit fields hold it, sign-extended. */
	expect(w, UINT64_C(0xffffffff80000000) + (5u << 21) + (7u << 12) + 0x10, 0x9010);
	absent(w, 0, DT_ABSENT_UNMAPPED);
	put32(w, 0x6000 + 4 * 0x200, 0x7063);
	put32(w, 0x7000 + 4 * 3, 0xa063);
	put32(w, 0x6000 + 4 * 0x201, 0xe3); /* 4 MiB at 0 */
	open_space(w, DT_PAGING_X86, 0x6000);
	expect(w, 0x80003004u, 0xa004);
	expect(w, 0x80400000u + 0x5678, 0x5678);
}

static void arm64_form(void **state)
{
	struct world *w = *state;
	uint64_t va = UINT64_C(0xffff800000201000);

	put64(w, 0x1000 + 8 * 0x100, 0x2003);
	put64(w, 0x2000, 0x3003);
	put64(w, 0x3008, 0x4003);
	put64(w, 0x4008, 0x9703);
	put64(w, 0x3010, 0x701); /* a block of 2 MiB at 0 */
	open_space(w, DT_PAGING_ARM64, 0x1000);
	expect(w, va + 8, 0x9008);
	expect(w, UINT64_C(0xffff800000400000) + 0x4321, 0x4321);
	absent(w, va + 0x1000, DT_ABSENT_UNMAPPED);
}

static void software_entries_of_windows(void **state)
{
	static const struct {
		uint64_t pte;
		enum dt_absence absence;
	} rows[] = {
		{ 0x9880, DT_PRESENT },                                         /* in transition */
		{ UINT64_C(0x200000009880), DT_PRESENT },                       /* with the bit that hides it from speculation */
		{ UINT64_C(0x8a00012345670400), DT_ABSENT_PROTOTYPE },
		{ UINT64_C(0x8a00012345670c00), DT_ABSENT_PROTOTYPE },
		{ 0x80, DT_ABSENT_ZERO },
		{ UINT64_C(0x1234500000084), DT_ABSENT_PAGE_FILE },
		{ 0, DT_ABSENT_UNMAPPED },
		{ UINT64_C(0x9063) | UINT64_C(1) << 40, DT_ABSENT_PAGE },       /* mapped beyond the dump */
	};
	struct world *w = *state;

	put64(w, 0x1000, 0x2063);
	put64(w, 0x2000, 0x3063);
	put64(w, 0x3000, 0x4063);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put64(w, 0x4000 + 8 * i, rows[i].pte);
	open_space(w, DT_PAGING_X64_4, 0x1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].absence == DT_PRESENT)
			expect(w, i * 0x1000 + 0x10, 0x9010);
		else
			absent(w, i * 0x1000 + 0x10, rows[i].absence);
	}
	/* A table in transition is a table in memory. */
	put64(w, 0x3000, 0x4880);
	open_space(w, DT_PAGING_X64_4, 0x1000);
	expect(w, 0x10, 0x9010);
	/* A table that is not in the dump. */
	put64(w, 0x3000, UINT64_C(0x100000063));
	open_space(w, DT_PAGING_X64_4, 0x1000);
	absent(w, 0x10, DT_ABSENT_TABLE);
	open_space(w, DT_PAGING_X64_4, UINT64_C(0x100000000));
	absent(w, 0x10, DT_ABSENT_TABLE);
}

static void software_entries_of_arm64(void **state)
{
	static const struct {
		uint64_t pte;
		enum dt_absence absence;
	} rows[] = {
		{ 0x9838, DT_PRESENT }, /* in transition */
		{ UINT64_C(0x8a00012345670438), DT_ABSENT_PROTOTYPE },
		{ 0x38, DT_ABSENT_ZERO },
		{ UINT64_C(0x1234500000078), DT_ABSENT_PAGE_FILE },
		{ 0, DT_ABSENT_UNMAPPED },
		{ UINT64_C(0x200000009838), DT_ABSENT_PAGE }, /* bit 45 is of the address there: beyond the dump */
	};
	struct world *w = *state;

	put64(w, 0x1000, 0x2003);
	put64(w, 0x2000, 0x3003);
	put64(w, 0x3000, 0x4003);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		put64(w, 0x4000 + 8 * i, rows[i].pte);
	open_space(w, DT_PAGING_ARM64, 0x1000);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (rows[i].absence == DT_PRESENT)
			expect(w, i * 0x1000 + 0x10, 0x9010);
		else
			absent(w, i * 0x1000 + 0x10, rows[i].absence);
	}
	put64(w, 0x3000, 0x4838); /* a table in transition */
	open_space(w, DT_PAGING_ARM64, 0x1000);
	expect(w, 0x10, 0x9010);
}

static void tables_that_point_at_themselves_end(void **state)
{
	struct world *w = *state;
	uint64_t pa;

	for (uint64_t i = 0; i < 512; i++)
		put64(w, 0x1000 + 8 * i, 0x1063);
	open_space(w, DT_PAGING_X64_4, 0x1000);
	for (uint64_t va = 0; va < UINT64_C(1) << 47; va += UINT64_C(0x123456789000))
		expect(w, va + 8, 0x1008);
	open_space(w, DT_PAGING_X64_5, 0x1000);
	expect(w, UINT64_C(0xff00000000000000), 0x1000);
	for (uint64_t i = 0; i < 512; i++)
		put64(w, 0x1000 + 8 * i, 0x1880); /* all in transition */
	open_space(w, DT_PAGING_X64_4, 0x1000);
	assert_int_equal(dt_space_translate(w->space, 0x1234, &pa), DT_PRESENT);
	assert_int_equal(pa, 0x1234);
}

/* ---- random tables against a walk by hand -------------------------------------------- */

static uint64_t get64(const struct world *w, uint64_t pa)
{
	uint64_t value = 0;

	for (unsigned i = 8; i-- > 0;)
		value = value << 8 | w->memory[pa + i];
	return value;
}

/* x64, as the processor's manual has it, and transition as Windows has it. */
static bool by_hand(const struct world *w, uint64_t table, uint64_t va, unsigned levels, uint64_t *pa)
{
	const uint64_t pages = UINT64_C(0x000ffffffffff000);

	for (unsigned level = levels; level-- > 0;) {
		uint64_t at = table + 8 * (va >> (12 + 9 * level) & 511);
		if (at + 8 > SIZE)
			return false;
		uint64_t pte = get64(w, at);
		if (!(pte & 1)) {
			if ((pte & 0xc00) != 0x800)
				return false;
			table = pte & UINT64_C(0x0000fffffffff000) & ~(UINT64_C(1) << 45);
			continue;
		}
		uint64_t inside = (UINT64_C(1) << (12 + 9 * level)) - 1;
		if ((level == 1 || level == 2) && (pte & 0x80)) {
			*pa = (pte & pages & ~inside) | (va & inside);
			return true;
		}
		table = pte & pages;
	}
	*pa = table | (va & 0xfff);
	return true;
}

static uint64_t random64(void)
{
	return (uint64_t)rand() << 42 ^ (uint64_t)rand() << 21 ^ (uint64_t)rand();
}

static void random_tables_agree_with_a_walk_by_hand(void **state)
{
	struct world *w = *state;
	unsigned found = 0;

	srand(291);
	for (unsigned round = 0; round < 40; round++) {
		unsigned levels = 4 + round % 2;
		for (uint64_t pa = 0; pa < SIZE; pa += 8) {
			uint64_t flags = (uint64_t)rand() % 8 ? 0x63u : (uint64_t)rand() & 0xfff;
			put64(w, pa, ((uint64_t)rand() % PAGES) << 12 | flags | (rand() % 64 ? 0 : random64()));
		}
		open_space(w, levels == 4 ? DT_PAGING_X64_4 : DT_PAGING_X64_5, 0x3000);
		for (unsigned i = 0; i < 5000; i++) {
			uint64_t va = random64(), pa = 0, expected = 0;
			unsigned sign = levels == 4 ? 47 : 56;
			va = va >> sign & 1 ? va | UINT64_MAX << sign : va & ~(UINT64_MAX << sign);
			bool is = dt_space_translate(w->space, va, &pa) == DT_PRESENT;
			assert_int_equal(is, by_hand(w, 0x3000, va, levels, &expected));
			if (is)
				assert_int_equal(pa, expected);
			found += is;
		}
	}
	assert_true(found > 10000);
}

static void bytes_of_noise_are_walked_in_every_form(void **state)
{
	struct world *w = *state;
	uint8_t byte;
	struct dt_memory memory;

	srand(1);
	for (unsigned round = 0; round < 30; round++) {
		for (size_t i = 0; i < SIZE; i++)
			w->memory[i] = (uint8_t)(rand() >> 3);
		open_space(w, (enum dt_paging)(round % DT_PAGING_COUNT), random64() % SIZE);
		dt_memory_init(&memory, &w->arena);
		memory.space = w->space;
		for (unsigned i = 0; i < 2000; i++) {
			uint64_t va = random64() << (i % 2 ? 16 : 0);
			(void)dt_memory_read(&memory, va, &byte, 1);
			(void)dt_memory_span(&memory, va, 0x5000);
			(void)dt_memory_span_before(&memory, va, 0x5000);
			(void)dt_space_absence(w->space, va);
		}
	}
}

static void reads_go_on_from_page_to_page(void **state)
{
	struct world *w = *state;
	struct dt_memory memory;
	uint8_t bytes[0x2000];

	put64(w, 0x1000, 0x2063);
	put64(w, 0x2000, 0x3063);
	put64(w, 0x3000, 0x4063);
	put64(w, 0x4000 + 8 * 1, 0x9063);
	put64(w, 0x4000 + 8 * 2, 0x7063);
	memset(w->memory + 0x9000, 0x99, 0x1000);
	memset(w->memory + 0x7000, 0x77, 0x1000);
	open_space(w, DT_PAGING_X64_4, 0x1000);
	dt_memory_init(&memory, &w->arena);
	memory.space = w->space;
	assert_int_equal(dt_memory_read(&memory, 0x1ff0, bytes, sizeof(bytes)), 0x1010);
	assert_int_equal(bytes[0], 0x99);
	assert_int_equal(bytes[0x10], 0x77);
	assert_int_equal(dt_memory_span(&memory, 0x1000, 0x10000), 0x2000);
	assert_int_equal(dt_memory_span(&memory, 0x1000, 0x1800), 0x1800);
	assert_int_equal(dt_memory_span_before(&memory, 0x2010, 0x10000), 0x1010);
	assert_int_equal(dt_memory_span_before(&memory, 0x2010, 0x20), 0x20);
	assert_int_equal(dt_memory_span_before(&memory, 0x1000, 0x20), 0);
	assert_false(dt_memory_read_all(&memory, 0x2ff0, bytes, 0x11));
	struct dt_bytes copy = dt_memory_copy(&memory, 0x1800, 0x1000);
	assert_int_equal(copy.len, 0x1000);
	assert_int_equal(copy.data[0x7ff], 0x99);
	assert_int_equal(copy.data[0x800], 0x77);
	assert_null(dt_memory_absence(&memory, 0x1000));
	assert_string_equal(dt_memory_absence(&memory, 0x3000), "nothing is mapped there");
	/* A range is read before the page. */
	assert_true(dt_memory_add(&memory, 0x1ff8, (struct dt_bytes){ (const uint8_t *)"12345678", 8 }, DT_RANGE_STACK));
	assert_int_equal(dt_memory_seal(&memory, &w->notes, &w->err), DT_OK);
	assert_int_equal(dt_memory_read(&memory, 0x1ff8, bytes, 0x10), 0x10);
	assert_memory_equal(bytes, "12345678\x77\x77", 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(x64_walks_four_and_five_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(large_pages, setup, teardown),
		cmocka_unit_test_setup_teardown(x86_forms, setup, teardown),
		cmocka_unit_test_setup_teardown(arm64_form, setup, teardown),
		cmocka_unit_test_setup_teardown(software_entries_of_windows, setup, teardown),
		cmocka_unit_test_setup_teardown(software_entries_of_arm64, setup, teardown),
		cmocka_unit_test_setup_teardown(tables_that_point_at_themselves_end, setup, teardown),
		cmocka_unit_test_setup_teardown(random_tables_agree_with_a_walk_by_hand, setup, teardown),
		cmocka_unit_test_setup_teardown(bytes_of_noise_are_walked_in_every_form, setup, teardown),
		cmocka_unit_test_setup_teardown(reads_go_on_from_page_to_page, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
