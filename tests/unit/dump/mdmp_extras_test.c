#include "mdmp_fixture.h"

static void expect(size_t index, const char *source, const char *key, const char *value)
{
	assert_true(index < o.dump.annotation_count);
	assert_string_equal(o.dump.annotations[index].source, source);
	if (key)
		assert_string_equal(o.dump.annotations[index].key, key);
	else
		assert_null(o.dump.annotations[index].key);
	assert_string_equal(o.dump.annotations[index].value, value);
}

static void reads_comments(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	put_text(&f, add_stream(10, 12), "hello\nthere");
	put_wide(&f, add_stream(11, 12), "wide");
	open_mdmp();
	assert_int_equal(o.dump.annotation_count, 2);
	expect(0, "comment", NULL, "hello\xe2\x9f\xa8U+000A\xe2\x9f\xa9there");
	expect(1, "comment", NULL, "wide");
	close_opened(&o);
}

static void cuts_long_values_between_characters(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	size_t at = add_stream(10, 3000);
	for (size_t i = 0; i < 2998; i += 2)
		put_text(&f, at + 1 + i, "\xc3\xa9");
	put8(&f, at, 'x');
	open_mdmp();
	assert_int_equal(strlen(o.dump.annotations[0].value), 1023); /* 1024 would cut a character */
	assert_null(strstr(o.dump.annotations[0].value, "\xe2\x9f\xa8"));
	close_opened(&o);
}

static void reads_assertions(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	size_t at = add_stream(0x47670002, 776);
	put_wide(&f, at, "p != NULL");
	put_wide(&f, at + 0x100, "f");
	put_wide(&f, at + 0x200, "a.c");
	put32(&f, at + 0x300, 42);
	open_mdmp();
	assert_int_equal(o.dump.annotation_count, 4);
	expect(0, "assertion", "expression", "p != NULL");
	expect(1, "assertion", "function", "f");
	expect(2, "assertion", "file", "a.c");
	expect(3, "assertion", "line", "42");
	assert_int_equal(o.dump.writer, DT_WRITER_TOOL);
	close_opened(&o);
}

static uint32_t add_utf8(const char *text)
{
	size_t at = (f.len + 3) & ~(size_t)3;

	put32(&f, at, (uint32_t)strlen(text));
	put_text(&f, at + 4, text);
	put8(&f, at + 4 + strlen(text), 0);
	return (uint32_t)at;
}

/* A block of words at the end of the file; gives its offset. */
static size_t add_words(const uint32_t *words, size_t count)
{
	size_t at = (f.len + 3) & ~(size_t)3;

	for (size_t i = 0; i < count; i++)
		put32(&f, at + 4 * i, words[i]);
	return at;
}

static void put_location(size_t at, size_t off, uint32_t size)
{
	put32(&f, at, size);
	put32(&f, at + 4, (uint32_t)off);
}

static void reads_crashpad_annotations(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	size_t info = add_stream(0x43500001, 52);
	uint32_t simple[] = { 2, add_utf8("prod"), add_utf8("App"), add_utf8("ver"), add_utf8("1.2") };
	put_location(info + 0x24, add_words(simple, 5), sizeof(simple));
	uint32_t strings[] = { 1, add_utf8("abort() called") };
	uint32_t module_simple[] = { 1, add_utf8("k"), add_utf8("v") };
	uint32_t objects[] = { 2, add_utf8("text"),   1, add_utf8("typed"), add_utf8("other"),
		               2, add_utf8("no text") };
	size_t list_at = add_words(strings, 2), simple_at = add_words(module_simple, 3),
	       objects_at = add_words(objects, 7);
	uint32_t module[] = { 1,
		              sizeof(strings),
		              (uint32_t)list_at,
		              sizeof(module_simple),
		              (uint32_t)simple_at,
		              sizeof(objects),
		              (uint32_t)objects_at };
	size_t module_at = add_words(module, 7);
	uint32_t modules[] = { 1, 0, sizeof(module), (uint32_t)module_at };
	put_location(info + 0x2c, add_words(modules, 4), sizeof(modules));
	open_mdmp();
	assert_int_equal(o.dump.annotation_count, 5);
	expect(0, "crashpad", "prod", "App");
	expect(1, "crashpad", "ver", "1.2");
	expect(2, "crashpad", NULL, "abort() called");
	expect(3, "crashpad", "k", "v");
	expect(4, "crashpad", "text", "typed");
	close_opened(&o);
}

static void dictionaries_that_lie_cost_nothing(void **state)
{
	(void)state;
	begin_mdmp();
	add_system(9, 2);
	size_t info = add_stream(0x43500001, 52);
	uint32_t value = add_utf8("v");
	uint32_t words[200] = { UINT32_MAX };
	for (unsigned i = 1; i < 200; i++)
		words[i] = value;
	size_t at = add_words(words, 200);
	put_location(info + 0x24, at, sizeof(words));
	put_location(info + 0x2c, at,
	             sizeof(words)); /* the same words as modules: their places are out of the file */
	open_mdmp();
	assert_int_equal(o.dump.annotation_count, DT_MAX_TEXTS);
	assert_true(has_note(&o, "annotations", "more than 64; the rest is not read"));
	close_opened(&o);
	put_location(info + 0x24, at, UINT32_MAX);
	put_location(info + 0x2c, info, 52); /* modules that are the stream itself */
	open_mdmp();
	assert_int_equal(o.dump.annotation_count, 0);
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_comments),
		cmocka_unit_test(cuts_long_values_between_characters),
		cmocka_unit_test(reads_assertions),
		cmocka_unit_test(reads_crashpad_annotations),
		cmocka_unit_test(dictionaries_that_lie_cost_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
