/* What a file says it is, and whether it is what was asked for. */
#include <string.h>

#include "../arena.h"

#include "facts/symbol/identity.h"
#include "windows/fixture.h"

static struct dt_error err;

static struct dt_bytes text(const char *what)
{
	return (struct dt_bytes){ (const uint8_t *)what, strlen(what) };
}

static void an_image_and_its_pdb(void **state)
{
	struct dt_bytes dll = fixture_read("frames.dll"), pdb = fixture_read("frames.pdb");
	struct dt_symbol_identity image, symbols;

	(void)state;
	if (!dll.len || !pdb.len) {
		print_message("skipped: the fixtures were not built\n");
		return;
	}
	assert_int_equal(dt_symbol_identify(dll, &arena, &image, &err), DT_OK);
	assert_int_equal(image.kind, DT_SYMBOL_IMAGE);
	assert_int_equal(image.timestamp, 0x66aabbcc);
	assert_string_equal(image.pdb_name, "frames.pdb");
	assert_int_equal(dt_symbol_identify(pdb, &arena, &symbols, &err), DT_OK);
	assert_int_equal(symbols.kind, DT_SYMBOL_PDB);
	assert_string_equal(symbols.debug_id, image.debug_id);

	struct dt_symbol_request request = { .kind = DT_SYMBOL_IMAGE, .timestamp = image.timestamp, .size = image.size, .debug_id = image.debug_id };
	assert_int_equal(dt_symbol_check(dll, &request, &arena, &err), DT_OK);
	assert_int_equal(dt_symbol_check(pdb, &request, &arena, &err), DT_ERR_NOT_FOUND);
	assert_string_equal(err.text, "it is a PDB, not an image");
	request.timestamp++;
	assert_int_equal(dt_symbol_check(dll, &request, &arena, &err), DT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "time stamp is 0x66aabbcc"));
	request.timestamp--;
	request.size++;
	assert_int_equal(dt_symbol_check(dll, &request, &arena, &err), DT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "its size is"));
	request.size--;
	request.debug_id = "00000000000000000000000000000000" "1";
	assert_int_equal(dt_symbol_check(dll, &request, &arena, &err), DT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "debug identity"));
	request.kind = DT_SYMBOL_PDB;
	assert_int_equal(dt_symbol_check(pdb, &request, &arena, &err), DT_ERR_NOT_FOUND);
	request.debug_id = image.debug_id;
	assert_int_equal(dt_symbol_check(pdb, &request, &arena, &err), DT_OK);
	/* Cut anywhere it is refused, or it is still the one: never anything else. */
	for (size_t len = 0; len < pdb.len; len += 997) {
		enum dt_status status = dt_symbol_check(dt_bytes_clip(pdb, 0, len), &request, &arena, &err);
		assert_true(status == DT_OK || status == DT_ERR_FORMAT || status == DT_ERR_UNSUPPORTED);
	}
	free((void *)(uintptr_t)dll.data);
	free((void *)(uintptr_t)pdb.data);
}

static void a_breakpad_file(void **state)
{
	struct dt_bytes sym = text("MODULE windows x86_64 00112233445566778899AABBCCDDEEFF1 a.pdb\nFUNC 10 4 0 f\n");
	struct dt_symbol_request request = { .kind = DT_SYMBOL_BREAKPAD, .debug_id = "00112233445566778899aabbccddeeff1" };
	struct dt_symbol_identity found;

	(void)state;
	assert_int_equal(dt_symbol_identify(sym, &arena, &found, &err), DT_OK);
	assert_string_equal(found.debug_id, "00112233445566778899AABBCCDDEEFF1");
	assert_int_equal(dt_symbol_check(sym, &request, &arena, &err), DT_OK);
	request.debug_id = "00112233445566778899aabbccddeeff2";
	assert_int_equal(dt_symbol_check(sym, &request, &arena, &err), DT_ERR_NOT_FOUND);
	assert_int_equal(dt_symbol_identify(text("MODULE windows\n"), &arena, &found, &err), DT_ERR_FORMAT);
}

static void what_is_neither(void **state)
{
	struct dt_symbol_identity found;

	(void)state;
	assert_int_equal(dt_symbol_identify(text("<html>\nsorry"), &arena, &found, &err), DT_ERR_UNSUPPORTED);
	assert_int_equal(err.off, 0);
	assert_string_equal(err.text, "it is no image, PDB or Breakpad file: it begins with '<html>'");
	assert_int_equal(dt_symbol_identify(text(""), &arena, &found, &err), DT_ERR_UNSUPPORTED);
	assert_string_equal(err.text, "it is empty");
	assert_int_equal(dt_symbol_identify(text("MZ and no more"), &arena, &found, &err), DT_ERR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_image_and_its_pdb, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(a_breakpad_file, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(what_is_neither, arena_setup, arena_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
