/* PDBs as lld-link writes them, held against what llvm-pdbutil reads in them; and PDBs that lie. */
#include <string.h>

#include "../arena.h"

#include "facts/symbol/frame.h"
#include "facts/symbol/pdb.h"
#include "windows/fixture.h"
#include "windows/made_pdb.h"

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
static void lies_and_cuts_of(const char *name)
{
	static const uint32_t lies[] = { 0xffffffff, 0, 0x7fffffff, 4, 0x80000000, 0x1000 };
	struct dt_pdb_symbol found;
	struct dt_bytes file;
	struct dt_error err;
	struct dt_symbol_frame frame;
	struct dt_pdb pdb;
	unsigned n = 0;

	if (!open_pdb(name, &file, &pdb))
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
			for (uint32_t rva = 0x1000; rva < 0x1600; rva += 0x75) {
				(void)dt_pdb_symbol_at(&pdb, rva, &found);
				(void)dt_pdb_frame_at(&pdb, rva, &frame);
			}
		memcpy(copy + i, before, 4);
		dt_arena_reset(&arena);
	}
	free(copy);
	free((void *)(uintptr_t)file.data);
}

static void lies_and_cuts(void **state)
{
	(void)state;
	lies_and_cuts_of("frames.pdb");
	lies_and_cuts_of("frames-x86.pdb");
}

static struct made_pdb made;

static void made_symbol(struct dt_pdb *pdb, uint32_t rva, const char *name, uint32_t begin)
{
	struct dt_pdb_symbol found;

	if (!dt_pdb_symbol_at(pdb, rva, &found)) {
		assert_null(name);
		return;
	}
	assert_non_null(name);
	assert_string_equal(found.name, name);
	assert_int_equal(found.rva, begin);
}

/* Code that was put elsewhere after linking: the map leads back to the sections in which symbols stand. */
static void a_map_of_addresses(void **state)
{
	struct dt_error err;
	struct dt_pdb pdb;

	(void)state;
	made_pdb_begin(&made);
	made_section(&made, 9, 0x5000, 0x1000); /* as it was linked */
	made_pdb_public(&made, 1, 0x000, "first");
	made_pdb_public(&made, 1, 0x100, "second");
	made_pdb_omap(&made, 0x1000, 0x5100); /* second came first */
	made_pdb_omap(&made, 0x1080, 0);      /* code of nobody */
	made_pdb_omap(&made, 0x1100, 0x5000);
	made_pdb_omap(&made, 0x1180, 0x51f0); /* the rest of second, far from its begin */
	made_pdb_end(&made);
	assert_int_equal(dt_pdb_open(&pdb, made_pdb_bytes(&made), &arena, &err), DT_OK);
	assert_true(dt_pdb_is(&pdb, MADE_PDB_ID));
	made_symbol(&pdb, 0x1000, "second", 0x1000);
	made_symbol(&pdb, 0x107f, "second", 0x1000);
	made_symbol(&pdb, 0x1080, NULL, 0);
	made_symbol(&pdb, 0x10ff, NULL, 0);
	made_symbol(&pdb, 0x1100, "first", 0x1100);
	made_symbol(&pdb, 0x1150, "first", 0x1100);
	made_symbol(&pdb, 0x1190, "second", 0x1090); /* 0x100 into it */
	made_symbol(&pdb, 0x0fff, NULL, 0);          /* before the map */
	made_pdb_free(&made);
	/* A map without entries, and without the sections as they were. */
	made_pdb_begin(&made);
	made_pdb_public(&made, 1, 0, "first");
	made.has_omap = true;
	made_pdb_end(&made);
	assert_int_equal(dt_pdb_open(&pdb, made_pdb_bytes(&made), &arena, &err), DT_OK);
	made_symbol(&pdb, 0x1000, NULL, 0);
	made_pdb_free(&made);
}

/* A variable stands before an address among data; it is no function that holds it. */
static void data_has_no_function(void **state)
{
	struct dt_error err;
	struct dt_pdb pdb;

	(void)state;
	made_pdb_begin(&made);
	made_section(&made, 7, 0x5000, 0x1000);
	made_put(made.streams[7] + made.sizes[7] - 4, 0xc0000040, 4);
	made_pdb_public(&made, 1, 0, "function");
	made_pdb_public(&made, 2, 0, "variable");
	made_pdb_end(&made);
	assert_int_equal(dt_pdb_open(&pdb, made_pdb_bytes(&made), &arena, &err), DT_OK);
	made_symbol(&pdb, 0x1010, "function", 0x1000);
	made_symbol(&pdb, 0x5000, NULL, 0);
	made_symbol(&pdb, 0x5010, NULL, 0);
	made_pdb_free(&made);
}

/* A part that now lies before where its function would begin has no begin. */
static void a_map_to_before_the_begin(void **state)
{
	struct dt_error err;
	struct dt_pdb pdb;

	(void)state;
	made_pdb_begin(&made);
	made_section(&made, 9, 0x5000, 0x100000);
	made_pdb_public(&made, 1, 0, "first");
	made_pdb_omap(&made, 0x1000, 0x9000);
	made_pdb_omap(&made, 0x2000, 0xfffffff0);
	made_pdb_end(&made);
	assert_int_equal(dt_pdb_open(&pdb, made_pdb_bytes(&made), &arena, &err), DT_OK);
	made_symbol(&pdb, 0x1000, NULL, 0);
	made_symbol(&pdb, 0x2020, NULL, 0); /* the sum wraps */
	made_pdb_free(&made);
}

static void frames_of_fpo_data(void **state)
{
	struct dt_symbol_frame frame;
	struct dt_error err;
	struct dt_pdb pdb;

	(void)state;
	made_pdb_begin(&made);
	made_pdb_fpo(&made, 0x1000, 0x40, 4, 2, 5, 3, true, DT_FPO_OMITTED);
	made_pdb_fpo(&made, 0x1100, 0x40, 0x7fffffff, 0, 5, 3, false, DT_FPO_FRAME); /* locals of 8 GiB */
	made_pdb_end(&made);
	assert_int_equal(dt_pdb_open(&pdb, made_pdb_bytes(&made), &arena, &err), DT_OK);
	assert_true(dt_pdb_frame_at(&pdb, 0x1010, &frame));
	assert_int_equal(frame.begin, 0x1000);
	assert_int_equal(frame.into, 0x10);
	assert_int_equal(frame.locals, 16);
	assert_int_equal(frame.params, 8);
	assert_int_equal(frame.saved, 12);
	assert_int_equal(frame.prolog, 5);
	assert_true(frame.saves_ebp);
	assert_null(frame.program);
	assert_false(dt_pdb_frame_at(&pdb, 0xfff, &frame));
	assert_false(dt_pdb_frame_at(&pdb, 0x1040, &frame));
	assert_false(dt_pdb_frame_at(&pdb, 0x1110, &frame));
	made_pdb_free(&made);
}

/* "0000113E |   66 |  74568 |      0 |     0 |      0 |         16 |   false |     false | false | $T0 ..." */
static void frames_as_llvm_reads_them(void **state)
{
	char command[600], line[1000], program[600];
	unsigned rva, len, locals, params, stack, prolog, saved, count = 0;
	struct dt_symbol_frame frame;
	struct dt_bytes file;
	struct dt_pdb pdb;

	(void)state;
	if (!open_pdb("frames-x86.pdb", &file, &pdb))
		return;
	snprintf(command, sizeof(command), "llvm-pdbutil dump -fpo %s/frames-x86.pdb", DT_FIXTURES);
	FILE *lines = popen(command, "r");
	assert_non_null(lines);
	while (fgets(line, sizeof(line), lines))
		if (sscanf(line, "%x | %u | %u | %u | %u | %u | %u | %*s | %*s | %*s | %599[^\n]", &rva, &len, &locals, &params, &stack, &prolog, &saved,
		           program) == 8) {
			assert_true(dt_pdb_frame_at(&pdb, rva, &frame));
			assert_int_equal(frame.begin, rva);
			assert_int_equal(frame.len, len);
			assert_int_equal(frame.locals, locals);
			assert_int_equal(frame.params, params);
			assert_int_equal(frame.saved, saved);
			assert_string_equal(frame.program, program);
			assert_true(dt_pdb_frame_at(&pdb, rva + len - 1, &frame));
			count++;
		}
	pclose(lines);
	assert_true(count > 40);
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
		cmocka_unit_test_setup_teardown(a_map_of_addresses, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(a_map_to_before_the_begin, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(data_has_no_function, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(frames_of_fpo_data, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(frames_as_llvm_reads_them, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(names_without_decoration, arena_setup, arena_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
