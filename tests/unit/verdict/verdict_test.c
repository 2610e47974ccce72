#include "../arena.h"
#include "../facts.h"

#include "judgement/verdict/case.h"

static struct dt_rules *rules;
static struct made m;
static struct dt_judgement j;

static int load(void **state)
{
	(void)state;
	struct dt_error err = { 0 };

	if (dt_rules_load_builtin(&rules, &err) != DT_OK)
		fail_msg("%s", err.text);
	return 0;
}

static int unload(void **state)
{
	(void)state;
	dt_rules_free(rules);
	return 0;
}

static void assert_class(enum dt_verdict_class class)
{
	struct dt_error err = { 0 };

	assert_int_equal(dt_judge(&m.facts, rules, 42, &arena, &j, &err), DT_OK);
	if (j.verdict.class != class)
		fail_msg("class %d instead of %d: %s", j.verdict.class, class, j.verdict.summary);
	assert_int_equal(j.judged.at, 42);
	assert_string_equal(j.judged.rules, dt_rules_hash(rules));
	assert_non_null(j.verdict.summary);
	assert_int_equal(j.verdict.summary[strlen(j.verdict.summary) - 1], '.');
	assert_true(j.verdict.next_steps_count > 0);
	bool unsure = class == DT_CLASS_UNDETERMINED || class == DT_CLASS_UNREADABLE;
	assert_int_equal(j.verdict.confidence.known, !unsure);
	for (size_t i = 0; i < j.verdict.next_steps_count; i++)
		assert_null(strstr(j.verdict.next_steps[i], "{module}"));
}

static bool says(const char **list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strstr(list[i], text))
			return true;
	return false;
}

static bool reason(const char *text)
{
	return says(j.verdict.reasons, j.verdict.reasons_count, text);
}

static bool step(const char *text)
{
	return says(j.verdict.next_steps, j.verdict.next_steps_count, text);
}

/* How many branches the step with that text has. */
static size_t branches_of(const char *text)
{
	size_t at = 0, n = 0;

	while (at < j.verdict.next_steps_count && !strstr(j.verdict.next_steps[at], text))
		at++;
	while (at + n + 1 < j.verdict.next_steps_count && !strncmp(j.verdict.next_steps[at + n + 1], "- ", 2))
		n++;
	assert_true(at < j.verdict.next_steps_count);
	return n;
}

static void made_page_fault(const char *module)
{
	made_kernel(&m, 0x50, UINT64_C(0xffffd60300001234), 0, UINT64_C(0xfffff8020ebc14ed), 2);
	m.bugcheck.name = "PAGE_FAULT_IN_NONPAGED_AREA";
	made_fault(&m, module, 0xe14ed);
	m.facts.exception.access = DT_ACCESS_READ;
	m.facts.exception.address = dt_some(UINT64_C(0xffffd60300001234));
}

static void made_incident(void)
{
	static const uint8_t code[] = { 0x45, 0x8b, 0x08 };

	made_page_fault("csagent.sys");
	m.facts.exception.address = dt_some(UINT64_C(0xffffd6030000006a));
	m.facts.fault.bytes = (struct dt_bytes){ code, 3 };
	made_register(&m, "r11", 0x14);
	m.facts.dump.time = made_time("2024-07-19T05:00:00Z");
	m.facts.dump.time_trust = DT_TIME_OK;
}

static void known_incident(void **state)
{
	(void)state;
	made_incident();
	assert_class(DT_CLASS_KNOWN_INCIDENT);
	assert_int_equal(j.verdict.confidence.value, 98);
	assert_int_equal(j.matches[0].grade, DT_GRADE_CONFIRMED);
	assert_non_null(strstr(j.verdict.summary, "This is CrowdStrike Falcon sensor, Channel File 291"));
	assert_non_null(strstr(j.verdict.summary, "csagent.sys+0xe14ed"));
	assert_true(reason("found: R1 "));
	assert_true(reason("missing: R3+ "));
	assert_true(step("Safe Mode"));
	assert_true(step("BitLocker"));
	assert_string_equal(j.blame.module, "csagent.sys");

	m.facts.dump.time = 0;
	m.facts.dump.time_trust = DT_time_trust_NULL;
	assert_class(DT_CLASS_KNOWN_INCIDENT);
	assert_int_equal(j.verdict.confidence.value, 80);
	assert_non_null(strstr(j.verdict.summary, "This is probably"));
	assert_true(reason("missing: R7 "));
	m.registers[0].value = dt_some(3);
	m.facts.dump.time = made_time("2025-07-19T05:00:00Z");
	assert_class(DT_CLASS_DRIVER);
	assert_int_equal(j.matches[0].grade, DT_GRADE_POSSIBLE);
	assert_true(reason("contradicted: R4 "));
	assert_true(step("it may be: CrowdStrike"));
	/* what holds under that condition only is a branch of it */
	assert_null(strstr(j.verdict.next_steps[0], "it may be"));
	assert_true(branches_of("it may be: CrowdStrike") > 3);
}

static void without_rules(void **state)
{
	(void)state;
	struct dt_error err = { 0 };

	made_incident();
	assert_int_equal(dt_judge(&m.facts, NULL, 1, &arena, &j, &err), DT_OK);
	assert_int_equal(j.verdict.class, DT_CLASS_DRIVER);
	assert_null(j.judged.rules);
	assert_int_equal(j.matches_count, 0);
}

static void drivers(void **state)
{
	(void)state;
	made_page_fault("vendor.sys");
	assert_class(DT_CLASS_DRIVER);
	assert_string_equal(j.verdict.summary, "The driver vendor.sys crashed Windows: PAGE_FAULT_IN_NONPAGED_AREA (0x50), an "
	                                       "invalid read in vendor.sys+0xe14ed.");
	assert_int_equal(j.verdict.confidence.value, 80);
	assert_true(step("`vendor.sys`"));
	assert_string_equal(j.bucket.family, "av:read|vendor.sys");
}

static void windows_itself(void **state)
{
	(void)state;
	made_page_fault("inbox.sys");
	made_module(&m, "inbox.sys", 0x100000);
	m.modules[0].microsoft = DT_TRUE;
	m.facts.fault.instruction = "mov eax, dword ptr [rcx]";
	m.facts.dump.complete = DT_TRUE;
	assert_class(DT_CLASS_OS);
	/* what is not in the dump speaks for nobody: neither the callers ... */
	m.facts.dump.complete = DT_FALSE;
	assert_class(DT_CLASS_UNDETERMINED);
	made_frame(&m, "inbox.sys", 1, DT_TRUST_CONTEXT);
	made_frame(&m, "ntoskrnl.exe", 1, DT_TRUST_SCAN);
	assert_class(DT_CLASS_OS);
	/* ... nor the instruction that could contradict the address */
	m.facts.fault.instruction = NULL;
	assert_class(DT_CLASS_UNDETERMINED);
	m.facts.fault.instruction = "mov eax, dword ptr [rcx]";
	/* a driver from outside near the fault takes the certainty */
	made_frame(&m, "vendor.sys", 1, DT_TRUST_SCAN);
	assert_class(DT_CLASS_UNDETERMINED);
	m.facts.stack_count = 0;
	made_anomaly(&m, DT_ANOMALY_ONE_BIT_ADDRESS, "one bit");
	assert_class(DT_CLASS_UNDETERMINED);
	/* a carrier is not the culprit */
	made_page_fault("ntoskrnl.exe");
	assert_class(DT_CLASS_UNDETERMINED);
	assert_true(reason("nobody is blamed"));
}

/* What would show more depends on what this is. */
static void steps_of_an_unknown_cause(void **state)
{
	(void)state;
	made_page_fault("ntoskrnl.exe");
	made_module(&m, "ntoskrnl.exe", 0x100000);
	m.facts.dump.kind = DT_KIND_TRIAGE;
	assert_class(DT_CLASS_UNDETERMINED);
	assert_true(step("write a kernel memory dump"));
	m.facts.dump.kind = DT_KIND_ACTIVE;
	assert_class(DT_CLASS_UNDETERMINED);
	assert_false(step("write a kernel memory dump"));
	assert_true(step("other dumps of the same computer"));
	m.facts.modules_count = 0; /* it should have memory, and has not */
	assert_class(DT_CLASS_UNDETERMINED);
	assert_true(step("write a kernel memory dump"));

	made_user(&m, 0xcfffffff);
	made_module(&m, "app.exe", 0x100000);
	assert_class(DT_CLASS_UNDETERMINED);
	assert_true(step("one that hangs"));
	assert_false(step("write a kernel memory dump"));
	assert_false(step("updates of Windows"));
}

static void hardware(void **state)
{
	(void)state;
	made_kernel(&m, 0x124, 0, 1, 2, 3);
	assert_class(DT_CLASS_HARDWARE);
	made_kernel(&m, 0x124, 0x10, 1, 2, 3); /* a driver reported it */
	assert_int_equal(dt_judge(&m.facts, rules, 1, &arena, &j, NULL), DT_OK);
	assert_int_not_equal(j.verdict.class, DT_CLASS_HARDWARE);

	made_kernel(&m, 0x1a, 0x41792, UINT64_C(0xffffdd010bc5d3f8), UINT64_C(0x2000000000), 0);
	made_anomaly(&m, DT_ANOMALY_ONE_BIT_PTE, "a page-table entry has one wrong bit");
	assert_class(DT_CLASS_HARDWARE);
	assert_non_null(strstr(j.verdict.summary, "one wrong bit"));
	assert_true(step("Test the memory"));
	made_kernel(&m, 0x1a, 0x41792, UINT64_C(0xffffdd010bc5d3f8), UINT64_C(0x2100000000), 0); /* two bits */
	assert_class(DT_CLASS_UNDETERMINED);

	made_kernel(&m, 0x3b, 0xc000001d, 1, 2, 0);
	made_fault(&m, "vendor.sys", 1);
	made_anomaly(&m, DT_ANOMALY_ILLEGAL_BUT_LEGAL, "the processor called nop illegal");
	assert_class(DT_CLASS_HARDWARE);
}

/* Evidence is no proof. */
static void doubts(void **state)
{
	(void)state;
	static const enum dt_anomaly_kind kinds[] = { DT_ANOMALY_OPERAND_MISMATCH, DT_ANOMALY_ONE_BIT_ADDRESS,
		                                      DT_ANOMALY_MID_INSTRUCTION };

	for (size_t i = 0; i < 3; i++) {
		made_page_fault("vendor.sys");
		made_anomaly(&m, kinds[i], "what was seen");
		assert_class(DT_CLASS_UNDETERMINED);
		assert_true(reason("evidence of bad hardware or corrupted memory: what was seen"));
		assert_true(reason("bad hardware or corrupted memory but does not prove it"));
	}
	/* these say nothing of the kind */
	made_page_fault("vendor.sys");
	made_anomaly(&m, DT_ANOMALY_STACK_OVERFLOW, "what was seen");
	assert_class(DT_CLASS_DRIVER);
	assert_true(reason("evidence about the stack: what was seen"));
	assert_false(reason("bad hardware"));
	/* a modified kernel is no hardware fault by itself */
	made_kernel(&m, 0x109, 1, 2, 3, 1);
	assert_class(DT_CLASS_UNDETERMINED);
}

static void requested(void **state)
{
	(void)state;
	static const uint32_t codes[] = { 0xe2, 0x161, 0x1c8, 0xdeaddead };

	for (size_t i = 0; i < 4; i++) {
		made_kernel(&m, codes[i], 0, 0, 0, 0);
		assert_class(DT_CLASS_REQUESTED);
	}
	/* the tool that crashes on demand: by its signature, whatever the code */
	made_kernel(&m, 0x4a, 1, 2, 0, 3);
	m.facts.process.name = "notmyfault64.e";
	made_module(&m, "myfault.sys", 0x7000);
	assert_class(DT_CLASS_REQUESTED);
	assert_string_equal(j.matches[0].signature, "sysinternals-notmyfault");
	assert_non_null(strstr(j.verdict.summary, "NotMyFault"));
	m.facts.process.name = "notepad.exe"; /* the driver may stay loaded after a test */
	assert_class(DT_CLASS_UNDETERMINED);
	assert_int_equal(j.matches_count, 0);
	made_kernel(&m, 0, 0, 0, 0, 0);
	m.facts.bugcheck = NULL;
	m.facts.dump.live = DT_TRUE;
	assert_class(DT_CLASS_REQUESTED);
	assert_non_null(strstr(j.verdict.summary, "No crash: a running system was captured"));
}

static void recovered(void **state)
{
	(void)state;
	static const uint32_t codes[] = { 0x117, 0x141, 0x142, 0x144, 0x193 };

	for (size_t i = 0; i < 5; i++) {
		made_kernel(&m, codes[i], 0x3001, 2, 0, 3);
		assert_class(DT_CLASS_RECOVERED);
	}
	made_kernel(&m, 0x117, 1, 2, 0, 3);
	made_suspect(&m, "vendor.sys", 1, "parameter-2");
	assert_class(DT_CLASS_RECOVERED);
	assert_string_equal(j.blame.module, "vendor.sys");
	assert_non_null(strstr(j.verdict.summary, "went on"));
}

/* A signature that is only probable gives way to what the stop code says and to proof of bad hardware; a confirmed one does not. */
static void what_outweighs_a_signature(void **state)
{
	(void)state;
	made_kernel(&m, 0x116, UINT64_C(0xffffd00000001010), UINT64_C(0xfffff80040960a40), UINT64_C(0xffffffffc000009a), 4);
	made_suspect(&m, "nvlddmkm.sys", 0x960a40, "parameter 2");
	assert_class(DT_CLASS_DRIVER);
	assert_string_equal(j.matches[0].signature, "nvidia-tdr");
	assert_int_equal(j.matches[0].grade, DT_GRADE_PROBABLE);
	assert_non_null(strstr(j.verdict.summary, "This is probably NVIDIA"));
	made_anomaly(&m, DT_ANOMALY_ONE_BIT_PTE, "a page-table entry has one wrong bit");
	assert_class(DT_CLASS_HARDWARE);
	assert_true(step("Test the memory"));
	assert_true(step("it may be: NVIDIA"));
	assert_true(branches_of("it may be: NVIDIA") > 0);
	assert_null(strstr(j.verdict.summary, "NVIDIA"));

	made_incident();
	made_anomaly(&m, DT_ANOMALY_ONE_BIT_PTE, "a page-table entry has one wrong bit");
	assert_class(DT_CLASS_KNOWN_INCIDENT);
	assert_int_equal(j.matches[0].grade, DT_GRADE_CONFIRMED);
}

/* Rules over a stop code and its values alone add advice and change no verdict. */
static void possible_changes_nothing(void **state)
{
	(void)state;
	static const uint32_t codes[] = { 0x109, 0x101, 0xc4, 0x7b };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct dt_judgement with;
		struct dt_error err = { 0 };
		made_kernel(&m, codes[i], 1, 2, 3, 4);
		assert_int_equal(dt_judge(&m.facts, rules, 1, &arena, &with, &err), DT_OK);
		assert_int_equal(with.matches_count, 1);
		assert_int_equal(with.matches[0].grade, DT_GRADE_POSSIBLE);
		assert_int_equal(dt_judge(&m.facts, NULL, 1, &arena, &j, &err), DT_OK);
		assert_int_equal(with.verdict.class, j.verdict.class);
		assert_string_equal(with.verdict.summary, j.verdict.summary);
	}
}

static void applications(void **state)
{
	(void)state;
	made_user(&m, 0xc0000005);
	m.facts.process.name = "app.exe";
	m.facts.exception.name = "EXCEPTION_ACCESS_VIOLATION";
	m.facts.exception.access = DT_ACCESS_READ;
	made_fault(&m, "plugin.dll", 0x10);
	assert_class(DT_CLASS_APPLICATION);
	assert_non_null(strstr(j.verdict.summary, "The application app.exe crashed in plugin.dll: EXCEPTION_ACCESS_VIOLATION (0xc0000005), an invalid read in plugin.dll+0x10"));
	assert_int_equal(j.verdict.confidence.value, 80);
	made_fault(&m, "ntdll.dll", 0x10);
	assert_class(DT_CLASS_APPLICATION);
	assert_int_equal(j.verdict.confidence.value, 40);
	m.facts.exception.code = dt_some(0x80000003);
	assert_class(DT_CLASS_UNDETERMINED);
	m.facts.exception.code.known = false;
	assert_class(DT_CLASS_UNDETERMINED);
	assert_non_null(strstr(j.verdict.summary, "holds no crash"));
}

/* The name of 0xC0000409 says overrun, whatever the reason is. */
static void fast_fails_with_their_reasons(void **state)
{
	(void)state;
	made_user(&m, 0xc0000409);
	m.facts.exception.name = "STATUS_STACK_BUFFER_OVERRUN";
	m.facts.exception.detail = "FAST_FAIL_FATAL_APP_EXIT";
	made_fault(&m, "app.exe", 0x10);
	assert_class(DT_CLASS_APPLICATION);
	assert_non_null(strstr(j.verdict.summary, "STATUS_STACK_BUFFER_OVERRUN (0xc0000409, FAST_FAIL_FATAL_APP_EXIT), in app.exe+0x10"));
}

/* A mark of a crash reporter in place of an exception: the program ran on, or hung; nobody's instruction failed. */
static void marks_in_place_of_exceptions(void **state)
{
	static const uint32_t debugger[] = { 0x80000003, 0x80000004, 0x4000001e, 0x4000001f, 0x40010005, 0x40010006, 0x4001000a, 0x406d1388 };
	static const uint32_t asked[] = { 0x517a7ed, 0x43507378, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(debugger) / sizeof(debugger[0]); i++) {
		made_user(&m, debugger[i]);
		made_fault(&m, "app.exe", 0x10);
		assert_class(DT_CLASS_UNDETERMINED);
		assert_string_equal(j.blame.module, "app.exe");
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		made_user(&m, asked[i]);
		made_fault(&m, "app.exe", 0x10);
		assert_class(DT_CLASS_REQUESTED);
		assert_null(j.blame.module);
		assert_true(reason("no exception happened"));
		/* in a kernel's dump the number means nothing of the kind */
		made_page_fault("vendor.sys");
		m.facts.exception.code = dt_some(asked[i]);
		assert_class(DT_CLASS_DRIVER);
	}
	made_user(&m, 0xcfffffff);
	made_fault(&m, "app.exe", 0x10);
	assert_class(DT_CLASS_UNDETERMINED);
	assert_null(j.blame.module);
}

static void unreadable(void **state)
{
	(void)state;
	struct dt_failure failure = { .kind = DT_FAILURE_TRUNCATED, .text = "the file ends at 0x40" };

	memset(&m, 0, sizeof(m));
	m.facts.failure = &failure;
	assert_class(DT_CLASS_UNREADABLE);
	assert_string_equal(j.verdict.summary, "The file could not be analysed: the file ends at 0x40.");
	assert_int_equal(j.verdict.next_steps_count, 2);
	assert_null(j.bucket.own);
	/* a good header is worth a verdict */
	made_page_fault("vendor.sys");
	m.facts.failure = &failure;
	assert_class(DT_CLASS_DRIVER);
	assert_true(reason("ended early: the file ends at 0x40"));
	/* what was never begun did not end early */
	memset(&m, 0, sizeof(m));
	failure = (struct dt_failure){ .kind = DT_FAILURE_NOT_A_DUMP, .text = "expected MDMP, found 68 65 (text)" };
	m.facts.failure = &failure;
	assert_class(DT_CLASS_UNREADABLE);
	assert_string_equal(j.verdict.summary, "This is no dump of a known kind: expected MDMP, found 68 65 (text).");
	assert_true(reason("the file is no dump of a known kind: expected MDMP, found 68 65 (text)"));
	assert_false(reason("ended early"));
	assert_int_equal(j.verdict.next_steps_count, 3);
	assert_non_null(strstr(j.verdict.next_steps[0], "whether this is the dump at all"));
	failure.kind = DT_FAILURE_UNSUPPORTED;
	assert_class(DT_CLASS_UNREADABLE);
	assert_true(reason("reading it is not supported: expected MDMP"));
	assert_false(reason("ended early"));
	/* another copy of it would be read no better */
	assert_int_equal(j.verdict.next_steps_count, 1);
	assert_true(step("Give the dump itself"));
	failure = (struct dt_failure){ .kind = DT_FAILURE_IO, .text = "cannot open: Permission denied" };
	assert_class(DT_CLASS_UNREADABLE);
	assert_true(reason("reading the file failed: cannot open"));
	assert_false(reason("ended early"));
	assert_int_equal(j.verdict.next_steps_count, 1);
	assert_true(step("may be read"));
	memset(&m, 0, sizeof(m));
	assert_class(DT_CLASS_UNDETERMINED);
}

static void a_full_arena(void **state)
{
	(void)state;
	struct dt_arena small;
	struct dt_error err = { 0 };

	made_incident();
	dt_arena_init(&small, 64);
	assert_int_equal(dt_judge(&m.facts, rules, 1, &small, &j, &err), DT_ERR_NOMEM);
	assert_int_equal(err.status, DT_ERR_NOMEM);
	dt_arena_deinit(&small);
}

static void the_same_twice(void **state)
{
	(void)state;
	struct dt_judgement first;

	made_incident();
	assert_class(DT_CLASS_KNOWN_INCIDENT);
	first = j;
	assert_class(DT_CLASS_KNOWN_INCIDENT);
	assert_string_equal(first.verdict.summary, j.verdict.summary);
	assert_int_equal(first.verdict.reasons_count, j.verdict.reasons_count);
	for (size_t i = 0; i < j.verdict.reasons_count; i++)
		assert_string_equal(first.verdict.reasons[i], j.verdict.reasons[i]);
}

/* The table ends in a row that always holds, and no row stands behind it. */
static void precedence_is_total(void **state)
{
	(void)state;
	struct dt_case c = { .facts = &m.facts, .out = &j };

	memset(&m, 0, sizeof(m));
	memset(&j, 0, sizeof(j));
	for (size_t i = 0; i + 1 < dt_precedence_count; i++)
		assert_false(dt_precedences[i].holds(&c));
	assert_ptr_equal(dt_precedence(&c), &dt_precedences[dt_precedence_count - 1]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(known_incident), CASE(without_rules), CASE(drivers),      CASE(windows_itself), CASE(hardware), CASE(steps_of_an_unknown_cause),
		CASE(doubts),         CASE(requested),     CASE(recovered),    CASE(what_outweighs_a_signature), CASE(possible_changes_nothing), CASE(applications),
		CASE(marks_in_place_of_exceptions), CASE(fast_fails_with_their_reasons), CASE(unreadable), CASE(a_full_arena), CASE(the_same_twice), CASE(precedence_is_total),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
