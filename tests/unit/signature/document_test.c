#include "../facts.h"

#include <stdlib.h>

#include "core/base/limits.h"
#include "judgement/signature/document.h"

static struct dt_arena arena;
static struct dt_error err;

static int setup(void **state)
{
	(void)state;
	dt_arena_init(&arena, 64u << 20);
	err = (struct dt_error){ 0 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	return 0;
}

static struct dt_doc *parse(const char *text)
{
	struct dt_doc *doc = NULL;

	assert_int_equal(dt_doc_parse(&doc, "a.yml", text, strlen(text), &arena, &err), DT_OK);
	return doc;
}

static void refuse(const char *text, enum dt_status status, const char *place)
{
	struct dt_doc *doc = NULL;

	assert_int_equal(dt_doc_parse(&doc, "a.yml", text, strlen(text), &arena, &err), status);
	assert_int_equal(err.status, status);
	assert_null(doc);
	if (strncmp(err.text, place, strlen(place)) != 0)
		fail_msg("'%s' does not begin with '%s'", err.text, place);
}

static void tree_and_places(void **state)
{
	(void)state;
	const struct dt_doc *doc = parse("id: x\nlist:\n  - one\n  - 'two'\nmap: {a: 1, b: [2, 3]}\n");
	const struct dt_doc *list = dt_doc_get(doc, "list"), *map = dt_doc_get(doc, "map");

	assert_int_equal(doc->kind, DT_DOC_MAP);
	assert_int_equal(doc->count, 3);
	assert_string_equal(dt_doc_get(doc, "id")->text, "x");
	assert_int_equal(list->line, 2);
	assert_int_equal(list->column, 1);
	assert_int_equal(list->count, 2);
	assert_false(list->first->quoted);
	assert_true(list->first->next->quoted);
	assert_int_equal(list->first->next->line, 4);
	assert_int_equal(list->first->next->column, 5);
	assert_string_equal(dt_doc_get(map, "b")->first->next->text, "3");
	assert_null(dt_doc_get(map, "c"));
}

static void normal_form_ignores_layout(void **state)
{
	(void)state;
	struct dt_buf a, b;

	dt_buf_init(&a, 4096);
	dt_buf_init(&b, 4096);
	dt_doc_normal(parse("a: [1, 2]\nb: x"), &a);
	dt_doc_normal(parse("# a comment\na:\n  - 1\n  - \"2\"\nb:   x\n"), &b);
	assert_string_equal(dt_buf_text(&a), dt_buf_text(&b));
	dt_buf_reset(&b);
	dt_doc_normal(parse("a: [12]\nb: x"), &b);
	assert_string_not_equal(dt_buf_text(&a), dt_buf_text(&b));
	dt_buf_deinit(&a);
	dt_buf_deinit(&b);
}

static void refuses_what_rules_do_not_need(void **state)
{
	(void)state;
	refuse("", DT_ERR_FORMAT, "a.yml:1:1: the file is empty");
	refuse("a: &x 1\n", DT_ERR_FORMAT, "a.yml:1:4: anchors");
	refuse("a: 1\nb: *x\n", DT_ERR_FORMAT, "a.yml:2:4: aliases");
	refuse("a: !!str 1\n", DT_ERR_FORMAT, "a.yml:1:4: anchors and tags");
	refuse("a: !t {x: 1}\n", DT_ERR_FORMAT, "a.yml:1:4: anchors and tags");
	refuse("a: 1\nb: 2\na: 3\n", DT_ERR_FORMAT, "a.yml:3:1: the key 'a' stands here twice");
	refuse("[x, y]: 1\n", DT_ERR_FORMAT, "a.yml:1:1: a key must be plain text");
	refuse("a: 1\n---\nb: 2\n", DT_ERR_FORMAT, "a.yml:2:1: a file holds one rule");
	refuse("a: \"x\\0y\"\n", DT_ERR_FORMAT, "a.yml:1:4: a NUL character");
	refuse("a: [1, 2\nb: 3\n", DT_ERR_FORMAT, "a.yml:");
	refuse("b: 1\na: \xff\xfe\n", DT_ERR_FORMAT, "a.yml:2:4: not YAML text");
	refuse("a: \x01\n", DT_ERR_FORMAT, "a.yml:1:4: not YAML text");
	refuse("a:\n\t- 1\n", DT_ERR_FORMAT, "a.yml:2:1:");
}

static void nesting_is_capped(void **state)
{
	(void)state;
	char *deep = malloc(20001);

	assert_non_null(deep);
	memset(deep, '[', 10000);
	memset(deep + 10000, ']', 10000);
	deep[20000] = 0;
	refuse(deep, DT_ERR_LIMIT, "a.yml:1:33: lists and maps are nested too deep");
	free(deep);
}

static void values_and_size_are_capped(void **state)
{
	(void)state;
	size_t len = 2 * (DT_MAX_RULE_NODES + 10) + 2;
	char *many = malloc(len + 1);
	struct dt_doc *doc = NULL;

	assert_non_null(many);
	for (size_t i = 0; i < len; i++)
		many[i] = i % 2 ? ',' : '1';
	many[0] = '[';
	many[1] = ' ';
	many[len - 1] = ']';
	many[len] = 0;
	refuse(many, DT_ERR_LIMIT, "a.yml:1:");
	assert_non_null(strstr(err.text, "too many values"));
	free(many);
	assert_int_equal(dt_doc_parse(&doc, "big.yml", "", (size_t)DT_MAX_RULE_FILE + 1, &arena, &err), DT_ERR_LIMIT);
	assert_non_null(strstr(err.text, "big.yml:1:1: more than 1048576 bytes"));
}

static void every_cut_is_answered(void **state)
{
	(void)state;
	static const char text[] = "a: {b: [1, \"x\\n\", 'y'], c: >\n  d\n}\ne: |\n  text\nf: [[1], {g: h}]\n";

	for (size_t n = 0; n < sizeof(text); n++) {
		struct dt_doc *doc;
		enum dt_status status = dt_doc_parse(&doc, "a.yml", text, n, &arena, &err);
		assert_true(status == DT_OK || status == DT_ERR_FORMAT);
	}
}

static void a_full_arena_is_said(void **state)
{
	(void)state;
	struct dt_arena small;
	struct dt_doc *doc = NULL;

	dt_arena_init(&small, 16);
	assert_int_equal(dt_doc_parse(&doc, "a.yml", "a: b", 4, &small, &err), DT_ERR_NOMEM);
	dt_arena_deinit(&small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tree_and_places, setup, teardown),
		cmocka_unit_test_setup_teardown(normal_form_ignores_layout, setup, teardown),
		cmocka_unit_test_setup_teardown(refuses_what_rules_do_not_need, setup, teardown),
		cmocka_unit_test_setup_teardown(nesting_is_capped, setup, teardown),
		cmocka_unit_test_setup_teardown(values_and_size_are_capped, setup, teardown),
		cmocka_unit_test_setup_teardown(every_cut_is_answered, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_arena_is_said, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
