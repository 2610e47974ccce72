/* The list of vulnerable drivers: what it may look like, what is found in it, what becomes of it in a judgement. */
#include "../facts.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judgement/signature/embedded.h"
#include "judgement/signature/rule.h"

static struct dt_error err;

static enum dt_status init(struct dt_vulnerable *list, const char *text)
{
	err = (struct dt_error){ 0 };
	return dt_vulnerable_init(list, "v.tsv", text, strlen(text), &err);
}

static void refuse(const char *text, const char *message)
{
	struct dt_vulnerable list;

	assert_int_equal(init(&list, text), DT_ERR_FORMAT);
	if (!strstr(err.text, message))
		fail_msg("'%s' lacks '%s'", err.text, message);
}

static void form(void **state)
{
	struct dt_vulnerable list;
	(void)state;

	assert_int_equal(init(&list, ""), DT_OK);
	assert_int_equal(init(&list, "# only words"), DT_OK);
	assert_int_equal(init(&list, "a.sys\t0x00000001\t-\tab-1"), DT_OK);
	refuse("# x\na.sys\t0x00000001\t-\n", "v.tsv:2:1: expected name, timestamp, size and id");
	refuse("a.sys\t0x00000001\t-\tab\tab\n", "v.tsv:1:1: expected name");
	refuse("A.sys\t0x00000001\t-\tab\n", "v.tsv:1:1: expected a name");
	refuse("\t0x00000001\t-\tab\n", "v.tsv:1:1: expected a name");
	refuse("a.sys\t0x1\t-\tab\n", "v.tsv:1:7: expected a timestamp");
	refuse("a.sys\t0x0000000g\t-\tab\n", "v.tsv:1:7: expected a timestamp");
	refuse("a.sys\t0x00000001\t5\tab\n", "v.tsv:1:18: expected a size");
	refuse("a.sys\t0x00000001\t-\tXY\n", "v.tsv:1:20: expected the id");
	refuse("b.sys\t0x00000001\t-\tab\na.sys\t0x00000001\t-\tab\n", "v.tsv:2:1: the lines are not in ascending order");
	refuse("a.sys\t0x00000002\t-\tab\na.sys\t0x00000001\t-\tab\n", "v.tsv:2:1: the lines are not in ascending order");
	refuse("a.sys\t0x00000001\t-\tab\n\n", "v.tsv:2:1: expected name");
}

static void search(void **state)
{
	static const char *const names[] = { "a.sys", "a.sys", "aa.sys", "b.sys", "b.sys", "rtcore64.sys", "z.sys" };
	static const uint64_t times[] = { 1, 5, 2, 3, 4, 0x5d8c0000, 6 };
	struct dt_vulnerable list;
	uint64_t size = 0x9000;
	size_t len;
	(void)state;

	assert_int_equal(init(&list, "# head\na.sys\t0x00000001\t-\ta1\na.sys\t0x00000005\t-\ta5\naa.sys\t0x00000002\t-\taa2\nb.sys\t0x00000003\t0x8000\tb3\n"
	                             "b.sys\t0x00000004\t-\tb4\nrtcore64.sys\t0x5d8c0000\t-\tabc\nz.sys\t0x00000006\t-\tf"), DT_OK);
	for (size_t i = 0; i < 7; i++)
		if (!dt_vulnerable_find(&list, names[i], times[i], NULL, &len))
			fail_msg("%s is not found", names[i]);
	assert_memory_equal(dt_vulnerable_find(&list, "RTCore64.SYS", 0x5d8c0000, &size, &len), "abc", 3);
	assert_int_equal(len, 3);
	assert_null(dt_vulnerable_find(&list, "rtcore64.sys", 0x5d8c0001, NULL, &len)); /* another build */
	assert_null(dt_vulnerable_find(&list, "rtcore6.sys", 0x5d8c0000, NULL, &len));
	assert_null(dt_vulnerable_find(&list, "rtcore64.sysx", 0x5d8c0000, NULL, &len));
	assert_null(dt_vulnerable_find(&list, "", 1, NULL, &len));
	assert_null(dt_vulnerable_find(&list, "zz.sys", 6, NULL, &len));
	assert_null(dt_vulnerable_find(&list, "b.sys", 3, &size, &len)); /* another size */
	size = 0x8000;
	assert_non_null(dt_vulnerable_find(&list, "b.sys", 3, &size, &len));
	assert_int_equal(init(&list, ""), DT_OK);
	assert_null(dt_vulnerable_find(&list, "a.sys", 1, NULL, &len));
}

/* The built-in list is in order, every line of it is found, and the driver of a published date is in it. */
static void builtin(void **state)
{
	struct dt_vulnerable list;
	size_t lines = 0, len;
	(void)state;

	assert_int_equal(dt_builtin_vulnerable_count, 1);
	assert_int_equal(dt_vulnerable_init(&list, "built-in", dt_builtin_vulnerable[0].data, dt_builtin_vulnerable[0].len, &err), DT_OK);
	for (const char *at = list.text; at < list.text + list.len; at = strchr(at, '\n') + 1) {
		char name[80];
		unsigned built;
		if (*at == '#')
			continue;
		assert_int_equal(sscanf(at, "%79[^\t]\t0x%x", name, &built), 2);
		if (!dt_vulnerable_find(&list, name, built, NULL, &len))
			fail_msg("%s 0x%x is not found", name, built);
		lines++;
	}
	assert_true(lines > 1000);
	assert_non_null(dt_vulnerable_find(&list, "Capcom.sys", 1473043413, NULL, &len)); /* 2016-09-05 02:43:33 */
}

static void findings(void **state)
{
	char folder[] = "rules-XXXXXX", path[64];
	struct dt_rules *rules = NULL;
	struct dt_finding *found;
	struct dt_arena arena;
	struct made m;
	(void)state;

	assert_int_equal(dt_rules_load_builtin(&rules, &err), DT_OK);
	dt_arena_init(&arena, 1u << 20);
	made_kernel(&m, 0x50, 0, 0, 0, 0);
	made_module(&m, "ntoskrnl.exe", 0x1000);
	made_module(&m, "Capcom.sys", 0x1000);
	assert_int_equal(dt_rules_findings(rules, &m.facts, &arena, &found), 0); /* a name alone is nothing */
	m.modules[1].timestamp = dt_some(1473043413);
	assert_int_equal(dt_rules_findings(rules, &m.facts, &arena, &found), 1);
	assert_string_equal(found[0].kind, "vulnerable-driver");
	assert_string_equal(found[0].module, "Capcom.sys");
	assert_non_null(strstr(found[0].text, "no cause of the crash"));
	assert_non_null(strstr(found[0].reference, "https://www.loldrivers.io/drivers/"));
	dt_rules_free(rules);
	rules = NULL;

	/* A folder's own list is used instead, and changes the hash: what was judged by another is judged again. */
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/vulnerable-drivers.tsv", folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs("other.sys\t0x00000007\t-\tab\n", file);
	fclose(file);
	assert_int_equal(dt_rules_load(&rules, folder, &err), DT_OK);
	assert_int_equal(dt_rules_findings(rules, &m.facts, &arena, &found), 0);
	m.modules[1].name = "other.sys";
	m.modules[1].timestamp = dt_some(7);
	assert_int_equal(dt_rules_findings(rules, &m.facts, &arena, &found), 1);

	/* More of them than a record lists: the last one says so. */
	struct dt_module many[DT_MAX_FINDINGS + 3];
	for (size_t i = 0; i < DT_MAX_FINDINGS + 3; i++)
		many[i] = m.modules[1];
	struct dt_facts facts = { .modules = many, .modules_count = DT_MAX_FINDINGS };
	assert_int_equal(dt_rules_findings(rules, &facts, &arena, &found), DT_MAX_FINDINGS);
	assert_null(strstr(found[DT_MAX_FINDINGS - 1].text, "more such"));
	facts.modules_count += 3;
	assert_int_equal(dt_rules_findings(rules, &facts, &arena, &found), DT_MAX_FINDINGS);
	assert_non_null(strstr(found[DT_MAX_FINDINGS - 1].text, "; 3 more such drivers are loaded"));
	dt_rules_free(rules);
	rules = NULL;
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("other.sys\n", file);
	fclose(file);
	assert_int_equal(dt_rules_load(&rules, folder, &err), DT_ERR_FORMAT);
	assert_non_null(strstr(err.text, "vulnerable-drivers.tsv:1:1:"));
	unlink(path);
	rmdir(folder);
	dt_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(form), cmocka_unit_test(search), cmocka_unit_test(builtin), cmocka_unit_test(findings) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
