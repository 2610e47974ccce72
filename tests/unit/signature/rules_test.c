/* Loading: what a rule may say, what is refused and where, the hash, folders, and the list of matches. */
#include "../facts.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judgement/signature/rule.h"

static struct dt_error err;

#define HEAD "id: t\ntitle: a title\nversion: '1'\n"
#define DETECTION "detection:\n  S: {bugcheck.code: 0x50}\n  condition: S\n"

static enum dt_status load(const char *text, struct dt_rules **rules)
{
	*rules = NULL;
	err = (struct dt_error){ 0 };
	return dt_rules_load_text(rules, "t.yml", text, strlen(text), &err);
}

static void refuse(const char *text, const char *message)
{
	struct dt_rules *rules;

	assert_int_equal(load(text, &rules), DT_ERR_FORMAT);
	assert_null(rules);
	if (!strstr(err.text, message))
		fail_msg("'%s' lacks '%s'", err.text, message);
}

static void keys(void **state)
{
	(void)state;
	struct dt_rules *rules;
	const struct dt_rule_info *info;

	assert_int_equal(load(HEAD "status: stable\nauthor: me\ndate: 2024-07-19\nlevel: high\ncategory: driver\n"
	                           "class: driver\ndescription: >\n  two\n  lines\nreferences: [a, b]\nnext_steps:\n  - one\n"
	                           "tags: [x]\ntests:\n  - {sample: s1, grade: confirmed}\n  - {sample: s2, grade: none}\n" DETECTION,
	                      &rules),
	                 DT_OK);
	assert_int_equal(dt_rules_count(rules), 1);
	info = dt_rule_find(rules, "t");
	assert_ptr_equal(info, dt_rule_info(rules, 0));
	assert_null(dt_rule_info(rules, 1));
	assert_null(dt_rule_find(rules, "u"));
	assert_string_equal(info->title, "a title");
	assert_string_equal(info->description, "two lines");
	assert_string_equal(info->level, "high");
	assert_int_equal(info->class, DT_CLASS_DRIVER);
	assert_int_equal(info->reference_count, 2);
	assert_string_equal(info->next_steps[0], "one");
	assert_int_equal(info->test_count, 2);
	assert_int_equal(info->tests[0].grade, DT_GRADE_CONFIRMED);
	assert_int_equal(info->tests[1].grade, DT_grade_NULL);
	dt_rules_free(rules);
	assert_int_equal(load(HEAD DETECTION, &rules), DT_OK);
	assert_int_equal(dt_rule_info(rules, 0)->class, DT_CLASS_KNOWN_INCIDENT);
	assert_null(dt_rule_info(rules, 0)->author);
	dt_rules_free(rules);
}

static void refused_keys(void **state)
{
	(void)state;
	refuse("- a\n", "t.yml:1:1: a rule is a map, found a list");
	refuse("title: x\nversion: '1'\n" DETECTION, "t.yml:1:1: the rule lacks 'id'");
	refuse(HEAD, "the rule lacks 'detection'");
	refuse(HEAD "colour: red\n" DETECTION, "t.yml:4:1: a rule has no key 'colour'");
	refuse("id: T 1\ntitle: t\nversion: '1'\n" DETECTION, "t.yml:1:1: an id is up to 100");
	refuse(HEAD "level: huge\n" DETECTION, "t.yml:4:1: 'huge' is none of the words for 'level'");
	refuse(HEAD "date: July\n" DETECTION, "t.yml:4:1: a date is written");
	refuse(HEAD "date: 2024-13-01\n" DETECTION, "t.yml:4:1: a date is written");
	refuse(HEAD "class: undetermined\n" DETECTION, "t.yml:4:1: 'class' is one of");
	refuse(HEAD "tags: x\n" DETECTION, "t.yml:4:1: 'tags' is a list");
	refuse(HEAD "next_steps: [[a]]\n" DETECTION, "t.yml:4:14: expected text, found a list");
	refuse(HEAD "author: ''\n" DETECTION, "t.yml:4:1: the text is empty");
	refuse(HEAD "author: \"a\\x1b[31m\"\n" DETECTION, "t.yml:4:1: text with control characters");
	refuse(HEAD "tests: [{sample: a}]\n" DETECTION, "t.yml:4:9: a test is {sample");
	refuse(HEAD "tests: [{sample: a, grade: sure}]\n" DETECTION, "'sure' is no grade");
	refuse(HEAD "detection: x\n", "t.yml:4:1: 'detection' is a map");
	refuse(HEAD "detection:\n  condition: S\n", "t.yml:4:1: 'detection' has no selection");
	refuse(HEAD "detection:\n  S: {bugcheck.code: 1}\n", "t.yml:4:1: 'detection' needs 'condition' or 'grades'");
	refuse(HEAD "detection:\n  S: {bugcheck.code: 1}\n  grades: {sure: S}\n", "t.yml:6:12: 'sure' is no grade");
	refuse(HEAD "detection:\n  S: {bugcheck.code: 1}\n  grades: []\n", "t.yml:6:3: 'grades' is a map");
}

static void refuse_selection(const char *selection, const char *message)
{
	char text[1024];

	snprintf(text, sizeof(text), HEAD "detection:\n  S: %s\n  condition: S\n", selection);
	refuse(text, message);
}

static void refused_selections(void **state)
{
	(void)state;
	refuse_selection("text", "t.yml:5:3: expected tests");
	refuse_selection("{}", "t.yml:5:3: a selection needs at least one test");
	refuse_selection("{title: x}", "a selection needs at least one test");
	refuse_selection("[]", "t.yml:5:3: expected a list of maps, found an empty list");
	refuse_selection("{fault.modul: x}", "t.yml:5:7: the record has no field 'fault.modul'");
	refuse_selection("{fault: x}", "'fault' is not one value");
	refuse_selection("{modules: x}", "'modules' is not one value");
	refuse_selection("{verdict.class: driver}", "the record has no field 'verdict.class'");
	refuse_selection("{fault.module|like: x}", "there is no modifier 'like'");
	refuse_selection("{fault.module|gt: x}", "'gt' does not go with the field 'fault.module'");
	refuse_selection("{fault.offset|contains: 1}", "'contains' does not go with");
	refuse_selection("{fault.offset|gt|lt: 1}", "second comparison");
	refuse_selection("{fault.offset|gt=1: 1}", "takes no argument");
	refuse_selection("{fault.offset|mask: 1}", "needs an argument");
	refuse_selection("{fault.offset|mask=0: 1}", "expected a mask");
	refuse_selection("{fault.offset: ten}", "t.yml:5:7: expected a number (0x1f or 31), found 'ten'");
	refuse_selection("{fault.offset: []}", "the list of values is empty");
	refuse_selection("{fault.offset: [1, [2]]}", "expected a value, found a list");
	refuse_selection("{fault.offset|between: [1]}", "'between' needs [low, high]");
	refuse_selection("{fault.offset|between: [2, 1]}", "lower value first");
	refuse_selection("{exception.access: reads}", "'reads' is no word of the field (read, write");
	refuse_selection("{dump.time|gt: yesterday}", "expected a time");
	refuse_selection("{dump.uptime_s|gt: 1.2345}", "expected seconds");
	refuse_selection("{fault.boundary: maybe}", "expected true or false");
	refuse_selection("{fault.bytes: 458b08}", "bytes need the modifier");
	refuse_selection("{fault.bytes|bytes: 45 8b 0}", "expected bytes in hex");
	refuse_selection("{fault.bytes|bytes: '?? ?\?'}", "expected bytes in hex");
	refuse_selection("{fault.bytes|bytes|at=ip-1: 45}", "expected at=ip");
	refuse_selection("{fault.code|bytes|at=start: 45}", "expected at=ip");
	refuse_selection("{fault.code|bytes|at=ip-5000: 45}", "expected at=ip");
	refuse_selection("{registers.r8|fieldref: nothing}", "the record has no field 'nothing'");
	refuse_selection("{registers.r8|fieldref: fault.module}", "are of different kinds");
	refuse_selection("{fault.module|canonical: true}", "'canonical' does not go with");
	refuse_selection("{stack|in_a_row=0: {module: x}}", "expected in_a_row=N");
	refuse_selection("{stack|first=0: {module: x}}", "expected in_a_row=N or first=N");
	refuse_selection("{fault.offset|in: 5..4}", "a range needs the lower value first");
	refuse_selection("{fault.offset|in: 5..}", "expected a number");
	refuse_selection("{registers.r8|in: 0xff/8}", "has bits set behind the first 8");
	refuse_selection("{registers.r8|in: 0/65}", "1 to 64 leading bits");
	refuse_selection("{dump.build|in: 0/4}", "1 to 64 leading bits");
	refuse_selection("{fault.module|gt: 5}", "'gt' does not go with the field 'fault.module'");
	refuse_selection("{modules|any: {version|gt: 1.2.3.4.5}}", "expected a version");
	refuse_selection("{modules|any: {version|gt: 1.70000}}", "expected a version");
	refuse_selection("{modules|any: {version|mask=1: 1}}", "'mask' does not go with");
	refuse_selection("{fault.module|re: ''}", "the regular expression is empty");
	refuse_selection("{fault.module|re: 'a(b'}", "t.yml:5:28: the regular expression: missing closing parenthesis");
	refuse_selection("{dump.build|re: a}", "'re' does not go with the field 'dump.build'");
	refuse_selection("{fault.module|any: {module: x}}", "'fault.module' is no list of objects");
	refuse_selection("{stack|any: {modul: x}}", "the record has no field 'modul'");
	refuse_selection("{stack|any: x}", "expected tests (field: value)");
	refuse_selection("{bugcheck.code: 1, show: [x.y]}", "'show' names fields");
	refuse_selection("{bugcheck.code: 1, title: [x]}", "a title is one line");
	refuse(HEAD "detection:\n  1S: {bugcheck.code: 1}\n  condition: S\n", "t.yml:5:3: '1S' cannot name a selection");
	refuse(HEAD "detection:\n  not: {bugcheck.code: 1}\n  condition: S\n", "'not' cannot name a selection");
}

static void too_many_selections(void **state)
{
	(void)state;
	char text[4096] = HEAD "detection:\n";
	struct dt_rules *rules;

	for (int i = 0; i < DT_MAX_EVIDENCE + 1; i++)
		sprintf(text + strlen(text), "  S%d: {bugcheck.code: 1}\n", i);
	strcat(text, "  condition: S1\n");
	assert_int_equal(load(text, &rules), DT_ERR_LIMIT);
	assert_non_null(strstr(err.text, "t.yml:37:3: more than 32 selections"));
}

static void write_file(const char *folder, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void remove_file(const char *folder, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	unlink(path);
}

#define RULE(id, extra) "id: " id "\ntitle: t\nversion: '1'\n" extra DETECTION

static void folders(void **state)
{
	(void)state;
	char a[] = "rules-XXXXXX", path[64];
	struct dt_rules *rules = NULL;
	char hash[17];

	assert_non_null(mkdtemp(a));
	write_file(a, "1.yml", RULE("bb", ""));
	write_file(a, "2.yaml", RULE("aa", ""));
	write_file(a, "README.md", "no rule");
	write_file(a, ".hidden.yml", "no rule");
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_OK);
	assert_int_equal(dt_rules_count(rules), 2);
	assert_string_equal(dt_rule_info(rules, 0)->id, "aa");
	strcpy(hash, dt_rules_hash(rules));
	assert_int_equal(strlen(hash), 16);
	dt_rules_free(rules);

	/* the same rules in other files, with comments */
	write_file(a, "1.yml", "# first\n" RULE("aa", ""));
	write_file(a, "2.yaml", RULE("'bb'", "\n"));
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_OK);
	assert_string_equal(dt_rules_hash(rules), hash);
	dt_rules_free(rules);

	write_file(a, "1.yml", RULE("aa", "author: x\n"));
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_OK);
	assert_string_not_equal(dt_rules_hash(rules), hash);
	dt_rules_free(rules);

	rules = NULL;
	write_file(a, "2.yaml", RULE("aa", ""));
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_ERR_FORMAT);
	assert_non_null(strstr(err.text, "the id 'aa' is also that of"));
	snprintf(path, sizeof(path), "%s/2.yaml", a);
	assert_int_equal(dt_rules_load(&rules, path, &err), DT_OK);
	dt_rules_free(rules);
	rules = NULL;
	write_file(a, "2.yaml", "id: [\n");
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_ERR_FORMAT);
	assert_non_null(strstr(err.text, "/2.yaml:"));
	assert_null(rules);
	remove_file(a, "2.yaml");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_ERR_IO);
	assert_non_null(strstr(err.text, "not a regular file"));
	remove_file(a, "2.yaml");
	remove_file(a, "1.yml");
	remove_file(a, "README.md");
	remove_file(a, ".hidden.yml");
	/* one that was given by mistake */
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "no signature in it"));
	assert_null(rules);
	rmdir(a);
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_ERR_IO);
	assert_null(rules);
}

static void count_skipped(void *context, const struct dt_error *why)
{
	assert_non_null(strstr(why->text, ".yml:"));
	++*(int *)context;
}

/* Files with errors and a second of the same id are told and left out; without being asked for it nothing loads. */
static void keep_going(void **state)
{
	(void)state;
	char a[] = "rules-XXXXXX";
	struct dt_rules *rules = NULL;
	int skipped = 0;

	assert_non_null(mkdtemp(a));
	write_file(a, "1.yml", RULE("aa", ""));
	write_file(a, "2.yml", "id: [\n");
	write_file(a, "3.yml", RULE("bb", "colour: red\n"));
	write_file(a, "4.yml", RULE("cc", ""));
	write_file(a, "5.yml", RULE("aa", "author: x\n"));
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_ERR_FORMAT);
	assert_null(rules);
	assert_int_equal(dt_rules_load_some(&rules, a, count_skipped, &skipped, &err), DT_OK);
	assert_int_equal(skipped, 3);
	assert_int_equal(dt_rules_count(rules), 2);
	assert_null(dt_rule_find(rules, "aa")->author);
	assert_non_null(dt_rule_find(rules, "cc"));
	dt_rules_free(rules);
	for (int i = 1; i <= 5; i++) {
		char name[32];
		snprintf(name, sizeof(name), "%d.yml", i);
		remove_file(a, name);
	}
	/* Nothing was left out of an empty folder: it was given by mistake. */
	assert_int_equal(dt_rules_load_some(&rules, a, count_skipped, &skipped, &err), DT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "no signature in it"));
	rmdir(a);
}

static void matches_are_ordered(void **state)
{
	(void)state;
	char a[] = "rules-XXXXXX";
	struct dt_rules *rules = NULL;
	struct dt_arena arena;
	struct dt_match *list;
	struct made m;

	assert_non_null(mkdtemp(a));
	write_file(a, "1.yml", "id: zz\ntitle: t\nversion: '2'\ndetection:\n  S: {bugcheck.code: 0x50}\n  N: {process.name: x}\n"
	                       "  grades: {confirmed: S}\n");
	write_file(a, "2.yml", RULE("mm", ""));
	write_file(a, "3.yml", RULE("aa", ""));
	write_file(a, "4.yml", "id: no\ntitle: t\nversion: '1'\ndetection:\n  S: {bugcheck.code: 1}\n  grades: {confirmed: S}\n");
	assert_int_equal(dt_rules_load(&rules, a, &err), DT_OK);
	made_kernel(&m, 0x50, 0, 0, 0, 0);
	dt_arena_init(&arena, 1u << 20);
	assert_int_equal(dt_rules_match(rules, &m.facts, &arena, &list), 3);
	assert_string_equal(list[0].signature, "zz");
	assert_string_equal(list[0].version, "2");
	assert_int_equal(list[0].grade, DT_GRADE_CONFIRMED);
	assert_int_equal(list[0].evidence_count, 2);
	assert_string_equal(list[0].evidence[0].fact, "S");
	assert_string_equal(list[0].evidence[0].value, "0x50");
	assert_int_equal(list[0].evidence[1].state, DT_FACT_MISSING);
	assert_null(list[0].evidence[1].value);
	assert_string_equal(list[1].signature, "aa");
	assert_int_equal(list[1].grade, DT_GRADE_POSSIBLE);
	assert_string_equal(list[2].signature, "mm");
	m.bugcheck.code = dt_some(0x51);
	assert_int_equal(dt_rules_match(rules, &m.facts, &arena, &list), 0);
	dt_arena_deinit(&arena);

	dt_arena_init(&arena, 16); /* a full arena is remembered, not a crash */
	m.bugcheck.code = dt_some(0x50);
	assert_int_equal(dt_rules_match(rules, &m.facts, &arena, &list), 0);
	assert_true(arena.failed);
	dt_arena_deinit(&arena);
	dt_rules_free(rules);
	for (int i = 1; i <= 4; i++) {
		char name[32];
		snprintf(name, sizeof(name), "%d.yml", i);
		remove_file(a, name);
	}
	rmdir(a);
}

static void builtin_equals_the_folder(void **state)
{
	(void)state;
	struct dt_rules *builtin = NULL, *folder = NULL;

	assert_int_equal(dt_rules_load_builtin(&builtin, &err), DT_OK);
	assert_int_equal(dt_rules_load(&folder, DT_SOURCE_DIR "/signatures", &err), DT_OK);
	assert_string_equal(dt_rules_hash(builtin), dt_rules_hash(folder));
	assert_int_equal(dt_rules_count(builtin), dt_rules_count(folder));
	/* Tests are no part of a rule's meaning, and the built-in rules are kept without theirs. */
	assert_int_equal(dt_rule_find(builtin, "crowdstrike-channel-file-291")->test_count, 0);
	assert_true(dt_rule_find(folder, "crowdstrike-channel-file-291")->test_count > 20);
	dt_rules_free(folder);
	folder = NULL;
	assert_int_equal(dt_rules_load_builtin_tested(&folder, &err), DT_OK);
	assert_string_equal(dt_rules_hash(builtin), dt_rules_hash(folder));
	assert_true(dt_rule_find(folder, "crowdstrike-channel-file-291")->test_count > 20);
	assert_true(dt_rules_count(builtin) >= 2);
	dt_rules_free(builtin);
	dt_rules_free(folder);
	dt_rules_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(refused_keys),
		cmocka_unit_test(refused_selections),
		cmocka_unit_test(too_many_selections),
		cmocka_unit_test(folders),
		cmocka_unit_test(keep_going), cmocka_unit_test(matches_are_ordered),
		cmocka_unit_test(builtin_equals_the_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
