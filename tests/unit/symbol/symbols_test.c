/* Images and names for the modules of a dump: which file is taken, which is refused and why. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "facts/symbol/symbols.h"
#include "windows/fixture.h"

#define BASE UINT64_C(0xfffff80010000000)

static struct dt_arena arena;
static struct dt_notes notes;
static struct dt_dump dump;
static struct dt_module module;
static struct dt_symbols symbols;
static const char *files[3][4]; /* by kind, then attempt */

static int ask(void *self, const struct dt_symbol_request *request)
{
	char path[400];

	(void)self;
	if (request->attempt > 3 || !files[request->kind][request->attempt])
		return -1;
	snprintf(path, sizeof(path), "%s/%s", DT_FIXTURES, files[request->kind][request->attempt]);
	return open(path, O_RDONLY);
}
static const struct dt_symbol_source source = { NULL, ask };

static int setup(void **state)
{
	struct dt_bytes file = fixture_read("frames.dll");
	struct dt_memory memory;
	struct dt_image image;
	struct dt_error err;

	(void)state;
	dt_arena_init(&arena, 16u << 20);
	dt_notes_init(&notes, &arena);
	memset(files, 0, sizeof(files));
	memset(&dump, 0, sizeof(dump));
	dump.machine = DT_MACHINE_X64;
	dump.modules = &module;
	dump.module_count = 1;
	dt_memory_init(&dump.memory, &arena);
	assert_int_equal(dt_memory_seal(&dump.memory, &notes, &err), DT_OK);
	module = (struct dt_module){ .name = "frames.dll", .base = dt_some(BASE) };
	if (file.len) {
		assert_int_equal(dt_image_lay_out(&memory, &arena, file, BASE, &err), DT_OK);
		assert_true(dt_image_open(&image, &memory, BASE));
		module.size = dt_some(image.size);
		module.timestamp = dt_some(image.timestamp);
		module.debug_id = dt_image_debug_id(&image, &arena);
	}
	free((void *)(uintptr_t)file.data);
	dt_symbols_open(&symbols, &dump, &source, &arena, &notes);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_symbols_close(&symbols);
	dt_arena_deinit(&arena);
	return 0;
}

static bool built(void)
{
	if (!module.size.known)
		print_message("skipped: the fixtures were not built\n");
	return module.size.known;
}

static void note_says(const char *text)
{
	assert_true(notes.count > 0);
	if (!strstr(notes.items[notes.count - 1].text, text))
		fail_msg("'%s' does not say '%s'", notes.items[notes.count - 1].text, text);
}

static void the_file_that_was_loaded(void **state)
{
	uint8_t code[4];

	(void)state;
	if (!built())
		return;
	files[DT_SYMBOL_IMAGE][0] = "frames.dll";
	assert_non_null(dt_symbols_image(&symbols, &module));
	assert_int_equal(dt_symbols_code(&symbols, BASE + 0x1000, code, 4), 4);
	assert_int_equal(code[0], 0x90);
	assert_int_equal(dt_symbols_code(&symbols, BASE - 1, code, 4), 0);
	assert_int_equal(notes.count, 0);
}

static void another_build_is_refused_and_the_next_file_taken(void **state)
{
	(void)state;
	if (!built())
		return;
	files[DT_SYMBOL_IMAGE][0] = "frames-arm64.dll";
	files[DT_SYMBOL_IMAGE][1] = "frames.pdb";
	files[DT_SYMBOL_IMAGE][2] = "frames.dll";
	assert_non_null(dt_symbols_image(&symbols, &module));
	assert_int_equal(notes.count, 2);
	assert_non_null(strstr(notes.items[0].text, "another processor"));
	assert_non_null(strstr(notes.items[1].text, "no header of an image"));
}

static void ask_anew(void)
{
	dt_symbols_close(&symbols);
	dt_symbols_open(&symbols, &dump, &source, &arena, &notes);
}

static void why_a_file_is_refused(void **state)
{
	(void)state;
	if (!built())
		return;
	files[DT_SYMBOL_IMAGE][0] = "frames.dll";
	module.timestamp.value++;
	assert_null(dt_symbols_image(&symbols, &module));
	note_says("its time stamp is 0x66aabbcc, the dump has 0x66aabbcd");
	ask_anew();
	module.timestamp.value--;
	module.size.value += 0x1000;
	assert_null(dt_symbols_image(&symbols, &module));
	note_says("its size is");
	ask_anew();
	module.size.value -= 0x1000;
	module.debug_id = "00";
	assert_null(dt_symbols_image(&symbols, &module));
	note_says("its debug identity is");
	ask_anew();
	module.debug_id = NULL;
	module.timestamp = (struct dt_opt){ 0 };
	assert_null(dt_symbols_image(&symbols, &module));
	note_says("neither a time stamp nor a debug identity");
}

static void names_of_functions(void **state)
{
	struct dt_symbol_name name;

	(void)state;
	if (!built())
		return;
	files[DT_SYMBOL_IMAGE][0] = "frames.dll";
	files[DT_SYMBOL_PDB][0] = "frames-o2.pdb";
	files[DT_SYMBOL_PDB][1] = "frames.pdb";
	assert_true(dt_symbols_name(&symbols, BASE + 0x1050, &name));
	assert_string_equal(name.name, "run_frames");
	assert_int_equal(name.begin, BASE + 0x1010);
	assert_int_equal(name.from, DT_SYMBOL_OF_PDB);
	assert_int_equal(notes.count, 1);
	note_says("the PDB is of another build");
	assert_false(dt_symbols_name(&symbols, BASE - 1, &name));
}

/* Without a PDB an export names the function that begins there, and no other. */
static void names_of_exports(void **state)
{
	struct dt_symbol_name name;

	(void)state;
	if (!built())
		return;
	files[DT_SYMBOL_IMAGE][0] = "frames.dll";
	assert_true(dt_symbols_name(&symbols, BASE + 0x1050, &name));
	assert_string_equal(name.name, "run_frames");
	assert_int_equal(name.from, DT_SYMBOL_EXPORT);
	assert_false(dt_symbols_name(&symbols, BASE + 0x10d0, &name)); /* huge_frame is not exported */
}

static void nothing_at_hand(void **state)
{
	struct dt_symbol_name name;

	(void)state;
	if (!built())
		return;
	assert_null(dt_symbols_image(&symbols, &module));
	assert_false(dt_symbols_name(&symbols, BASE + 0x1050, &name));
	assert_int_equal(notes.count, 0);
	assert_false(dt_symbols_name(NULL, BASE, &name));
}

/* Files that are kept open, questions that are asked, and names that are too long to ask by. */
static void what_is_asked_has_caps(void **state)
{
	char name[DT_MAX_ASK_TEXT + 2] = { 0 };

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	module.name = name;
	assert_null(dt_symbols_image(&symbols, &module));
	note_says("a name or an identity of more than 512 bytes");
	module.name = "frames.dll";
	ask_anew();
	symbols.files = DT_MAX_SYMBOL_FILES;
	assert_null(dt_symbols_image(&symbols, &module));
	note_says("more than 96 files; the rest is not asked for");
	ask_anew();
	symbols.asks = DT_MAX_ASKS;
	assert_null(dt_symbols_image(&symbols, &module));
	note_says("more than 1024 questions; the rest is not asked for");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_file_that_was_loaded, setup, teardown),
		cmocka_unit_test_setup_teardown(another_build_is_refused_and_the_next_file_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(why_a_file_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(names_of_functions, setup, teardown),
		cmocka_unit_test_setup_teardown(names_of_exports, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_at_hand, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_asked_has_caps, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
