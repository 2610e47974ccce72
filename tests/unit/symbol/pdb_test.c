/* PDBs as lld-link writes them, held against what llvm-pdbutil reads in them; and PDBs that lie. */
#include <string.h>

#include "../arena.h"

#include "facts/symbol/pdb.h"
#include "windows/fixture.h"

static bool open_pdb(const char *name, struct dt_bytes *file, struct dt_pdb *pdb)
{
	struct dt_error err;

	*file = fixture_read(name);
	if (!file->len) {
		print_message("skipped: %s was not built\n", name);
		return false;
	}
	if (dt_pdb_open(pdb, *file, &arena, &err) != DT_OK)
		fail_msg("%s", err.text);
	return true;
}

/* "   72 | S_GPROC32 [size = 52] `name`" and, two lines on, "addr = 0001:0016, code size = 123". */
static size_t compare_with_llvm(const char *file, struct dt_pdb *pdb)
{
	char command[600], line[400], name[300] = "";
	unsigned section, off, size;
	size_t count = 0;

	snprintf(command, sizeof(command), "llvm-pdbutil dump -symbols %s/%s", DT_FIXTURES, file);
	FILE *lines = popen(command, "r");
	assert_non_null(lines);
	while (fgets(line, sizeof(line), lines)) {
		struct dt_pdb_symbol found;
		const char *at;

		if ((strstr(line, "S_GPROC32") || strstr(line, "S_LPROC32")) && (at = strchr(line, '`')))
			sscanf(at + 1, "%299[^`]", name);
		if (!*name || !(at = strstr(line, "addr = ")) || sscanf(at, "addr = %u:%u, code size = %u", &section, &off, &size) != 3)
			continue;
		assert_int_equal(section, 1);
		for (uint32_t rva = 0x1000 + off; rva < 0x1000 + off + size; rva++) {
			assert_true(dt_pdb_symbol_at(pdb, rva, &found));
			assert_string_equal(found.name, name);
			assert_int_equal(found.rva, 0x1000 + off);
			assert_int_equal(found.len, size);
		}
		name[0] = 0;
		count++;
	}
	pclose(lines);
	return count;
}

static void every_byte_of_every_procedure(void **state)
{
	static const char *const names[] = { "frames.pdb", "frames-o2.pdb", "frames-o0.pdb", "frames-arm64.pdb" };
	struct dt_bytes file;
	struct dt_pdb pdb;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && open_pdb(names[i], &file, &pdb); i++) {
		assert_true(compare_with_llvm(names[i], &pdb) >= 10);
		free((void *)(uintptr_t)file.data);
	}
}

/* What has no procedure, like code of an assembler, is named by the public symbol before it. */
static void public_symbols(void **state)
{
	struct dt_pdb_symbol found;
	struct dt_bytes file;
	struct dt_pdb pdb;

	(void)state;
	if (!open_pdb("frames.pdb", &file, &pdb))
		return;
	assert_true(dt_pdb_symbol_at(&pdb, 0x1001, &found));
	assert_string_equal(found.name, "__chkstk");
	assert_int_equal(found.rva, 0x1000);
	assert_int_equal(found.len, 0);
	assert_false(dt_pdb_symbol_at(&pdb, 0x10, &found));
	assert_false(dt_pdb_symbol_at(&pdb, 0x100000, &found));
	/* A PDB without its compilands, as Microsoft's public ones are, has these alone. */
	pdb.contribution_stride = 0;
	assert_true(dt_pdb_symbol_at(&pdb, 0x1020, &found));
	assert_string_equal(found.name, "run_frames");
	free((void *)(uintptr_t)file.data);
}

static void whose_it_is(void **state)
{
	struct dt_bytes file;
	struct dt_pdb pdb;
	char id[40];

	(void)state;
	if (!open_pdb("frames.pdb", &file, &pdb))
		return;
	snprintf(id, sizeof(id), "%02X%02X%02X%02X%02X%02X%02X%02X", pdb.guid[3], pdb.guid[2], pdb.guid[1], pdb.guid[0], pdb.guid[5], pdb.guid[4],
	         pdb.guid[7], pdb.guid[6]);
	for (size_t i = 8; i < 16; i++)
		snprintf(id + 2 * i, 3, "%02X", pdb.guid[i]);
	snprintf(id + 32, 4, "%x", pdb.age);
	assert_true(dt_pdb_is(&pdb, id));
	id[0] ^= 1;
	assert_false(dt_pdb_is(&pdb, id));
	assert_false(dt_pdb_is(&pdb, ""));
	free((void *)(uintptr_t)file.data);
}

static void what_is_no_pdb(void **state)
{
	struct dt_bytes file;
	struct dt_pdb pdb;
	struct dt_error err;

	(void)state;
	assert_int_equal(dt_pdb_open(&pdb, (struct dt_bytes){ (const uint8_t *)"MZ", 2 }, &arena, &err), DT_ERR_UNSUPPORTED);
	if (!open_pdb("frames.pdb", &file, &pdb))
		return;
	uint8_t *copy = malloc(file.len);
	memcpy(copy, file.data, file.len);
	copy[33] = 3; /* blocks of a size that is no power of two */
	assert_int_equal(dt_pdb_open(&pdb, (struct dt_bytes){ copy, file.len }, &arena, &err), DT_ERR_FORMAT);
	assert_int_equal(err.off, 32);
	memcpy(copy, file.data, file.len);
	memset(copy + 52, 0xff, 4); /* the directory's place */
	assert_int_equal(dt_pdb_open(&pdb, (struct dt_bytes){ copy, file.len }, &arena, &err), DT_ERR_FORMAT);
	assert_int_equal(dt_pdb_open(&pdb, dt_bytes_clip(file, 0, 0x1000), &arena, &err), DT_ERR_FORMAT);
	free(copy);
	free((void *)(uintptr_t)file.data);
}

/* Every number of the file is a lie once; reading ends, and reads nothing outside. */
static void lies_and_cuts(void **state)
{
	static const uint32_t lies[] = { 0xffffffff, 0, 0x7fffffff, 4, 0x80000000, 0x1000 };
	struct dt_pdb_symbol found;
	struct dt_bytes file;
	struct dt_error err;
	struct dt_pdb pdb;
	unsigned n = 0;

	(void)state;
	if (!open_pdb("frames.pdb", &file, &pdb))
		return;
	uint8_t *copy = malloc(file.len);
	memcpy(copy, file.data, file.len);
	for (size_t i = 0; i + 4 <= file.len; i += 4, n++) {
		uint8_t before[4];
		memcpy(before, copy + i, 4);
		/* Blocks of zeros, and words of zero in a row, have nothing to lie about. */
		if (i % 64 && !before[0] && !before[1] && !before[2] && !before[3])
			continue;
		for (unsigned b = 0; b < 4; b++)
			copy[i + b] = (uint8_t)(lies[n % 6] >> 8 * b);
		struct dt_bytes cut = { copy, n % 5 ? file.len : i };
		if (dt_pdb_open(&pdb, cut, &arena, &err) == DT_OK)
			for (uint32_t rva = 0x1000; rva < 0x1600; rva += 0x75)
				(void)dt_pdb_symbol_at(&pdb, rva, &found);
		memcpy(copy + i, before, 4);
		dt_arena_reset(&arena);
	}
	free(copy);
	free((void *)(uintptr_t)file.data);
}

static void names_without_decoration(void **state)
{
	static const struct {
		const char *name, *plain;
	} rows[] = {
		{ "KeBugCheckEx", "KeBugCheckEx" },
		{ "?Read@CBaseInput@@QEAAJXZ", "CBaseInput::Read" },
		{ "?f@C@n@@QEAAXXZ", "n::C::f" },
		{ "?f@f@n@@QEAAXXZ", "n::f::f" },
		{ "?f@C@1@@QEAAXXZ", "C::C::f" },
		{ "??0Thing@ns@@QEAA@XZ", "ns::Thing::Thing" },
		{ "??1Thing@@UEAA@XZ", "Thing::~Thing" },
		{ "?x@?$Vec@H@@QEAAXXZ", "?x@?$Vec@H@@QEAAXXZ" },
		{ "??4Thing@@QEAAAEAV0@XZ", "??4Thing@@QEAAAEAV0@XZ" },
		{ "?", "?" },
		{ "?a", "?a" },
		{ "?9@@", "?9@@" },
		{ "?a@b@c@d@e@f@g@h@i@j@k@@", "?a@b@c@d@e@f@g@h@i@j@k@@" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(dt_undecorate(&arena, rows[i].name), rows[i].plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_byte_of_every_procedure, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(public_symbols, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(whose_it_is, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_pdb, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(lies_and_cuts, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(names_without_decoration, arena_setup, arena_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
