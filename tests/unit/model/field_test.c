#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/field.h"
#include "support/fields_order.h"

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *text = calloc(1, 1 << 20);
	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	(void)fclose(f);
	return text;
}

/* Records that were stored must stay readable. */
static void order_is_as_pinned(void **state)
{
	bool added;
	char *pinned = read_file(DT_SOURCE_DIR "/tests/unit/model/fields.order");
	(void)state;
	const char *broken = fields_order_broken(pinned, &added);
	if (broken)
		fail_msg("fields.def or enums.def: new rows go at the end of their object; %s", broken);
	if (added)
		fail_msg("new rows are not pinned yet: build the target `docs`");
	free(pinned);
}

static char *edited(const char *text, const char *old, const char *new)
{
	static char out[1 << 20];
	const char *at = strstr(text, old);
	assert_non_null(at);
	(void)snprintf(out, sizeof out, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	return out;
}

/* The check itself: a pinned text that differs from the rows in each way there is. */
static void pin_sees_every_change(void **state)
{
	struct dt_buf now;
	bool added;
	(void)state;
	dt_buf_init(&now, 1 << 20);
	fields_order_write(&now);
	const char *text = dt_buf_text(&now);
	assert_null(fields_order_broken(text, &added));
	assert_false(added);
	/* rows swapped, removed, inserted, of another kind */
	assert_non_null(fields_order_broken(
		edited(text, "frame.ip hex\nframe.module text\n", "frame.module text\nframe.ip hex\n"),
		&added));
	assert_non_null(
		fields_order_broken(edited(text, "frame.ip hex\n", "frame.ip hex\nframe.gone hex\n"), &added));
	assert_non_null(fields_order_broken(edited(text, "frame.ip hex\n", ""), &added));
	assert_non_null(fields_order_broken(edited(text, "frame.ip hex\n", "frame.ip uint\n"), &added));
	assert_non_null(fields_order_broken(
		edited(text, "frame.trust word trust\n", "frame.trust word access\n"), &added));
	assert_non_null(fields_order_broken(edited(text, "word trust unwind\n", ""), &added));
	/* a row added at the end of its object */
	assert_null(fields_order_broken(edited(text, "word trust scan\n", ""), &added));
	assert_true(added);
	dt_buf_deinit(&now);
}

static void words_have_values(void **state)
{
	(void)state;
	assert_string_equal(dt_word(&dt_words_access, DT_ACCESS_WRITE), "write");
	assert_null(dt_word(&dt_words_access, 0));
	assert_null(dt_word(&dt_words_access, DT_access_COUNT));
	assert_null(dt_word(&dt_words_access, UINT32_MAX));
	assert_int_equal(dt_word_value(&dt_words_access, "write"), DT_ACCESS_WRITE);
	assert_int_equal(dt_word_value(&dt_words_access, "Write"), 0);
	assert_int_equal(dt_word_value(&dt_words_access, ""), 0);
	assert_int_equal(dt_word_value(&dt_words_access, NULL), 0);
}

/* What the codecs rely on, for every row. */
static void rows_are_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < dt_object_count; i++)
		for (size_t k = 0; k < dt_objects[i]->field_count; k++) {
			const struct dt_field *field = &dt_objects[i]->fields[k];
			bool counted = field->kind == DT_FIELD_LIST || field->kind == DT_FIELD_TEXTS ||
			               field->kind == DT_FIELD_HEXES || field->kind == DT_FIELD_REGISTERS;
			assert_true(field->off < dt_objects[i]->size);
			assert_true(field->doc[0] != 0);
			assert_int_equal(counted, field->max > 0);
			assert_int_equal(counted, field->count_off > field->off);
			assert_int_equal(field->kind == DT_FIELD_WORD, field->words != NULL);
			for (size_t n = 0; n < k; n++)
				assert_string_not_equal(field->name, dt_objects[i]->fields[n].name);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_as_pinned),
		cmocka_unit_test(pin_sees_every_change),
		cmocka_unit_test(words_have_values),
		cmocka_unit_test(rows_are_sound),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
