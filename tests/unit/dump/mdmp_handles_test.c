#include "mdmp_fixture.h"

#include <stdio.h>

/* A stream of count descriptors, zeroed; gives where it is. */
static size_t add_handles(uint32_t stride, uint32_t count)
{
	size_t at = add_stream(12, 16 + (size_t)stride * count);

	put32(&f, at, 16);
	put32(&f, at + 4, stride);
	put32(&f, at + 8, count);
	return at;
}

static void set_type(size_t stream, uint32_t stride, unsigned index, uint32_t rva)
{
	put32(&f, stream + 16 + (size_t)index * stride + 8, rva);
}

static void begin(void)
{
	begin_mdmp();
	add_system(9, 2);
}

static void both_descriptors_are_counted_by_type(void **state)
{
	static const uint32_t strides[] = { 32, 40, 48 }; /* the last: one that is to come */

	(void)state;
	for (size_t i = 0; i < sizeof(strides) / sizeof(strides[0]); i++) {
		begin();
		size_t at = add_handles(strides[i], 4);
		uint32_t file = add_string("File"), again = add_string("File"), port = add_string("ALPC Port");
		set_type(at, strides[i], 0, file);
		set_type(at, strides[i], 1, port);
		set_type(at, strides[i], 2, again); /* the same name at another place */
		open_mdmp();
		assert_true(dt_opt_is(o.dump.handle_count, 4));
		assert_int_equal(o.notes.count, 1);
		assert_int_equal(o.notes.items[0].level, DT_NOTE_INFO);
		assert_string_equal(o.notes.items[0].where, "handle data");
		assert_string_equal(o.notes.items[0].text,
		                    "4 handles: 2 File, 1 ALPC Port, 1 whose type has no readable name");
		close_opened(&o);
	}
}

static void five_types_are_named_and_the_rest_counted(void **state)
{
	static const char *const names[] = { "Key", "Event", "Thread", "Mutant", "Section", "Timer", "File" };

	(void)state;
	begin();
	size_t at = add_handles(40, 7 + 1);
	for (unsigned i = 0; i < 7; i++)
		set_type(at, 40, i, add_string(names[i]));
	set_type(at, 40, 7, add_string("Timer"));
	open_mdmp();
	assert_true(has_note(&o, "handle data", "8 handles: 2 Timer, 1 Event, 1 File, 1 Key, 1 Mutant, 2 of other types"));
	close_opened(&o);
}

static void one_handle_is_no_plural(void **state)
{
	(void)state;
	begin();
	set_type(add_handles(40, 1), 40, 0, 0);
	open_mdmp();
	assert_true(has_note(&o, "handle data", "1 handle: 1 whose type has no readable name"));
	close_opened(&o);
	begin();
	add_handles(40, 0);
	open_mdmp();
	assert_true(dt_opt_is(o.dump.handle_count, 0));
	assert_int_equal(o.notes.count, 0);
	close_opened(&o);
}

/* Names of objects and other texts do not come into the record as the name of a type. */
static void what_is_no_name_of_a_type_is_not_named(void **state)
{
	static const char *const names[] = { "C:\\secret.txt", "a@b", "x\x1b[2J", "ANameThatIsLongerThanAnyTypeHas.", "ThirtyTwoLettersAreOneTooManyXYZ" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		begin();
		size_t at = add_handles(40, 1);
		set_type(at, 40, 0, add_string(names[i]));
		put32(&f, at + 16 + 12, add_string("File")); /* the name of the object */
		open_mdmp();
		assert_int_equal(o.notes.count, 1);
		assert_string_equal(o.notes.items[0].text, "1 handle: 1 whose type has no readable name");
		close_opened(&o);
	}
}

static void bad_strings_have_no_name(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		begin();
		size_t at = add_handles(40, 1);
		uint32_t name = add_string("File");
		set_type(at, 40, 0, i == 0 ? 0xfffffff0 : i == 1 ? (uint32_t)f.len - 2 : name);
		if (i >= 2)
			put32(&f, name, i == 2 ? 7 : i == 3 ? 0 : 0xfffffffe);
		open_mdmp();
		assert_true(has_note(&o, "handle data", "1 handle: 1 whose type has no readable name"));
		close_opened(&o);
	}
}

/* More types than there are rows for: what found none is counted with the rest. */
static void types_past_the_cap_are_others(void **state)
{
	enum { TYPES = DT_MAX_HANDLE_TYPES + 6 };
	char name[16];

	(void)state;
	begin();
	size_t at = add_handles(32, TYPES + 1);
	for (unsigned i = 0; i < TYPES; i++) {
		snprintf(name, sizeof(name), "T%03u", i);
		set_type(at, 32, i, add_string(name));
	}
	set_type(at, 32, TYPES, add_string("T000"));
	open_mdmp();
	assert_true(has_note(&o, "handle data", "71 handles: 2 T000, 1 T001, 1 T002, 1 T003, 1 T004, 65 of other types"));
	close_opened(&o);
}

static void a_stream_that_is_cut_counts_what_is_there(void **state)
{
	(void)state;
	begin();
	size_t at = add_handles(40, 2);
	set_type(at, 40, 0, add_string("File"));
	put32(&f, at + 8, 0xffffffff);
	open_mdmp();
	assert_false(o.dump.handle_count.known);
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(has_note(&o, "handle data", "4294967295 entries of 40 bytes at 0x"));
	assert_true(has_note(&o, "handle data", "2 handles: 1 File, 1 whose type has no readable name"));
	close_opened(&o);
}

/* A leak of more handles than are looked at: the total stays, the types are those of the first. */
static void types_of_a_great_leak_are_those_of_the_first(void **state)
{
	enum { COUNT = DT_MAX_HANDLES + 1 };

	(void)state;
	begin();
	uint32_t name = add_string("Event");
	add_stream_at(12, f.len, 16 + 32 * (size_t)COUNT);
	size_t at = f.len, len = at + 16 + 32 * (size_t)COUNT;
	uint8_t *bytes = calloc(1, len);
	assert_non_null(bytes);
	memcpy(bytes, f.data, f.len);
	memcpy(bytes + at, (const uint8_t[]){ 16, 0, 0, 0, 32, 0, 0, 0, 1, 0, 16 }, 11);
	for (size_t i = 0; i < COUNT; i++)
		memcpy(bytes + at + 16 + 32 * i + 8, (const uint8_t[]){ (uint8_t)name, (uint8_t)(name >> 8) }, 2);
	open_bytes(&o, bytes, len);
	free(bytes);
	assert_int_equal(o.status, DT_OK);
	assert_true(dt_opt_is(o.dump.handle_count, COUNT));
	assert_true(has_note(&o, "handle data", "1,048,577 handles, by type the first 1,048,576: 1,048,576 Event"));
	close_opened(&o);
}

static void descriptors_that_are_too_short_are_not_read(void **state)
{
	static const uint32_t strides[] = { 0, 31 };
	char text[80];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin();
		size_t at = add_handles(40, 2);
		put32(&f, at + 4, strides[i]);
		open_mdmp();
		assert_false(o.dump.handle_count.known);
		snprintf(text, sizeof(text), "SizeOfEntry %u at 0x%zx, expected at least 12 and 32", strides[i], at);
		assert_int_equal(o.notes.count, 1);
		assert_true(has_note(&o, "handle data", text));
		close_opened(&o);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_descriptors_are_counted_by_type),
		cmocka_unit_test(five_types_are_named_and_the_rest_counted),
		cmocka_unit_test(one_handle_is_no_plural),
		cmocka_unit_test(what_is_no_name_of_a_type_is_not_named),
		cmocka_unit_test(bad_strings_have_no_name),
		cmocka_unit_test(types_past_the_cap_are_others),
		cmocka_unit_test(a_stream_that_is_cut_counts_what_is_there),
		cmocka_unit_test(types_of_a_great_leak_are_those_of_the_first),
		cmocka_unit_test(descriptors_that_are_too_short_are_not_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
