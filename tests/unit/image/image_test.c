/* PE images in memory, built by the sample builder's own knowledge of the format. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts/image/image.h"
#include "pe.h"
#include "windows/fixture.h"

#define BASE UINT64_C(0xfffff80000000000)

struct world {
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_memory memory;
	uint8_t page[PE_PAGE];
};

static const struct pe whole = {
	.size = 0x5000, .timestamp = 0x6689d8f0, .checksum = 0x41e5a3, .wide = true, .name = "ntoskrnl.exe",
	.exports = { { "KiBugCheckData", 0x1230 }, { "NtBuildNumber", 0x1240 }, { "PsLoadedModuleList", 0x1250 } },
	.export_count = 3, .version = "7.15.18513.0", .company = "CrowdStrike, Inc.", .data_rva = 0x2000, .data_size = 0x800,
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	dt_arena_init(&w->arena, 4u << 20);
	dt_notes_init(&w->notes, &w->arena);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	dt_arena_deinit(&w->arena);
	free(w);
	return 0;
}

static void place(struct world *w, size_t len)
{
	struct dt_error err;

	dt_memory_init(&w->memory, &w->arena);
	assert_true(dt_memory_add(&w->memory, BASE, (struct dt_bytes){ w->page, len }, DT_RANGE_BLOCK));
	assert_int_equal(dt_memory_seal(&w->memory, &w->notes, &err), DT_OK);
}

static void build(struct world *w, const struct pe *pe)
{
	struct recipe recipe = { 0 };

	pe_build(&recipe, pe, w->page);
	place(w, PE_PAGE);
}

static void put32(struct world *w, size_t at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		w->page[at + i] = (uint8_t)(value >> 8 * i);
}

static void a_whole_image(void **state)
{
	struct world *w = *state;
	struct dt_image_version version;
	struct dt_image_section section;
	struct dt_image image;
	uint64_t va;

	build(w, &whole);
	assert_true(dt_image_open(&image, &w->memory, BASE));
	assert_int_equal(image.size, 0x5000);
	assert_int_equal(image.timestamp, 0x6689d8f0);
	assert_int_equal(image.checksum, 0x41e5a3);
	assert_int_equal(image.machine, 0x8664);
	assert_string_equal(dt_image_export_name(&image, &w->arena), "ntoskrnl.exe");
	assert_true(dt_image_export(&image, "KiBugCheckData", &va) && va == BASE + 0x1230);
	assert_true(dt_image_export(&image, "PsLoadedModuleList", &va) && va == BASE + 0x1250);
	assert_false(dt_image_export(&image, "KiBugCheck", &va));
	assert_false(dt_image_export(&image, "Zz", &va));
	assert_string_equal(dt_image_debug_id(&image, &w->arena), "6689D8F01234567811223344556677881");
	assert_true(dt_image_section(&image, 0, &section));
	assert_true(section.writable && !section.constant_code && section.rva == 0x2000 && section.size == 0x800);
	assert_false(dt_image_section(&image, 1, &section));
	assert_true(dt_image_version(&image, &w->arena, &version));
	assert_string_equal(dt_image_pdb_name(&image, &w->arena), "image.pdb");
	assert_string_equal(dt_image_export_at(&image, 0x1240, &w->arena), "NtBuildNumber");
	assert_null(dt_image_export_at(&image, 0x1241, &w->arena));
	assert_null(dt_image_export_at(&image, 0x310, &w->arena)); /* in the export directory: a forwarder */
	assert_string_equal(version.file_version, "7.15.18513.0");
	assert_string_equal(version.company, "CrowdStrike, Inc.");
	assert_string_equal(version.product, "Example Product");
}

static void a_narrow_image_without_anything(void **state)
{
	struct world *w = *state;
	static const struct pe bare = { .size = 0x3000, .timestamp = 1 };
	struct dt_image_version version;
	struct dt_image image;
	uint64_t va;

	build(w, &bare);
	assert_true(dt_image_open(&image, &w->memory, BASE));
	assert_int_equal(image.machine, 0x14c);
	assert_int_equal(image.size, 0x3000);
	assert_null(dt_image_export_name(&image, &w->arena));
	assert_false(dt_image_export(&image, "A", &va));
	assert_false(dt_image_version(&image, &w->arena, &version));
	assert_null(version.file_version);
}

static void what_is_no_image(void **state)
{
	struct world *w = *state;
	struct dt_image image;

	build(w, &whole);
	assert_false(dt_image_open(&image, &w->memory, BASE + 0x1000));
	w->page[0] = 'X';
	assert_false(dt_image_open(&image, &w->memory, BASE));
	build(w, &whole);
	put32(w, 0x3c, 0xf01);
	assert_false(dt_image_open(&image, &w->memory, BASE));
	build(w, &whole);
	put32(w, 0x98, 0x999); /* the optional header's magic */
	assert_false(dt_image_open(&image, &w->memory, BASE));
	build(w, &whole);
	put32(w, 0x98 + 0x38, 0); /* SizeOfImage */
	assert_false(dt_image_open(&image, &w->memory, BASE));
}

/* Every length of the page, and every word of it a lie: nothing is read outside, nothing hangs. */
static void lies_and_cuts(void **state)
{
	struct world *w = *state;
	static const uint32_t lies[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x4fff, 0x80000700 };
	struct dt_image_version version;
	struct dt_image_section section;
	struct dt_image image;
	uint64_t va;

	for (size_t i = 0; i < PE_PAGE * 7; i += 4) {
		build(w, &whole);
		put32(w, i / 7 & ~(size_t)3, lies[i / 4 % 7]);
		place(w, i % 3 ? PE_PAGE : i / 7 + 1);
		if (!dt_image_open(&image, &w->memory, BASE))
			continue;
		(void)dt_image_export_name(&image, &w->arena);
		(void)dt_image_export(&image, "NtBuildNumber", &va);
		(void)dt_image_debug_id(&image, &w->arena);
		(void)dt_image_version(&image, &w->arena, &version);
		for (unsigned s = 0; s < 200; s++)
			(void)dt_image_section(&image, s, &section);
		dt_arena_reset(&w->arena);
	}
}

static bool open_file(struct world *w, const char *name, struct dt_bytes *file, struct dt_image *image)
{
	struct dt_error err;

	*file = fixture_read(name);
	if (!file->len) {
		print_message("skipped: %s was not built\n", name);
		return false;
	}
	assert_int_equal(dt_image_lay_out(&w->memory, &w->arena, *file, BASE, &err), DT_OK);
	assert_true(dt_image_open(image, &w->memory, BASE));
	return true;
}

/* Every byte of every function that llvm-readobj lists, and the bytes around it. */
static void functions_as_llvm_lists_them(void **state)
{
	static const char *const names[] = { "frames.dll", "frames-o2.dll" };
	struct world *w = *state;
	struct dt_bytes file;
	struct dt_image image;

	for (size_t n = 0; n < 2 && open_file(w, names[n], &file, &image); n++) {
		unsigned long long value, begin = 0, count = 0;
		char command[600], line[200];

		snprintf(command, sizeof(command), "llvm-readobj --unwind %s/%s", DT_FIXTURES, names[n]);
		FILE *lines = popen(command, "r");
		while (lines && fgets(line, sizeof(line), lines)) {
			struct dt_image_function found;
			bool known;

			if (sscanf(line, " StartAddress: (%llx)", &value) == 1)
				begin = value - 0x40000000;
			if (sscanf(line, " EndAddress: (%llx)", &value) != 1)
				continue;
			count++;
			for (uint32_t rva = (uint32_t)begin; rva < value - 0x40000000; rva++) {
				assert_true(dt_image_function_at(&image, rva, &found, &known) && known);
				assert_int_equal(found.begin, begin);
				assert_int_equal(found.end, value - 0x40000000);
			}
		}
		if (lines)
			pclose(lines);
		assert_true(count >= 10);
		free((void *)(uintptr_t)file.data);
	}
}

static void a_file_as_the_loader_lays_it_out(void **state)
{
	struct world *w = *state;
	struct dt_image_function found;
	struct dt_bytes file;
	struct dt_image image;
	uint64_t va;
	bool known;

	if (!open_file(w, "frames.dll", &file, &image))
		return;
	assert_int_equal(image.timestamp, 0x66aabbcc);
	assert_string_equal(dt_image_pdb_name(&image, &w->arena), "frames.pdb");
	assert_int_equal(strlen(dt_image_debug_id(&image, &w->arena)), 33);
	assert_true(dt_image_export(&image, "run_frames", &va));
	assert_string_equal(dt_image_export_at(&image, (uint32_t)(va - BASE), &w->arena), "run_frames");
	assert_true(dt_image_function_at(&image, (uint32_t)(va - BASE), &found, &known));
	assert_int_equal(found.begin, va - BASE);
	assert_false(dt_image_function_at(&image, 0x10, &found, &known));
	assert_true(known);
	assert_false(dt_image_function_at(&image, image.size - 1, &found, &known));
	free((void *)(uintptr_t)file.data);
}

static void files_that_lie(void **state)
{
	struct world *w = *state;
	static const uint32_t lies[] = { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x1001, 0x2000 };
	struct dt_image_function found;
	struct dt_bytes file;
	struct dt_image image;
	struct dt_error err;
	bool known;

	if (!open_file(w, "frames.dll", &file, &image))
		return;
	uint8_t *copy = malloc(file.len);
	assert_non_null(copy);
	assert_int_equal(dt_image_lay_out(&w->memory, &w->arena, dt_bytes_clip(file, 0, 0), BASE, &err), DT_ERR_FORMAT);
	assert_int_equal(dt_image_lay_out(&w->memory, &w->arena, dt_bytes_clip(file, 0, 0x700), BASE, &err), DT_ERR_FORMAT);
	assert_int_equal(err.off, 0x400);
	assert_int_equal(dt_image_lay_out(&w->memory, &w->arena, file, UINT64_MAX - 0xfff, &err), DT_ERR_FORMAT);
	for (size_t i = 0; i < 0x400 * 7; i += 4) {
		memcpy(copy, file.data, file.len);
		for (unsigned b = 0; b < 4; b++)
			copy[(i / 7 & ~(size_t)3) + b] = (uint8_t)(lies[i / 4 % 7] >> 8 * b);
		struct dt_bytes cut = { copy, i % 3 ? file.len : i / 2 };
		if (dt_image_lay_out(&w->memory, &w->arena, cut, BASE, &err) == DT_OK && dt_image_open(&image, &w->memory, BASE)) {
			for (uint32_t rva = 0; rva < 0x3000; rva += 0x123)
				(void)dt_image_function_at(&image, rva, &found, &known);
			(void)dt_image_export_at(&image, 0x1010, &w->arena);
			(void)dt_image_pdb_name(&image, &w->arena);
		}
		dt_arena_reset(&w->arena);
	}
	free(copy);
	free((void *)(uintptr_t)file.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_image, setup, teardown),
		cmocka_unit_test_setup_teardown(a_narrow_image_without_anything, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_image, setup, teardown),
		cmocka_unit_test_setup_teardown(lies_and_cuts, setup, teardown),
		cmocka_unit_test_setup_teardown(functions_as_llvm_lists_them, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_as_the_loader_lays_it_out, setup, teardown),
		cmocka_unit_test_setup_teardown(files_that_lie, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
