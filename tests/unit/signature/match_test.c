/* Every modifier over made facts: present, missing and contradicted. */
#include "../facts.h"

#include "judgement/signature/rule.h"

static struct made m;

/* The state of one selection, written as the body of a map at an indent of four. */
static enum dt_fact_state state_of(const char *body)
{
	struct dt_rules *rules = NULL;
	struct dt_error err = { 0 };
	char text[2048];
	enum dt_fact_state state;

	snprintf(text, sizeof(text), "id: t\ntitle: t\nversion: '1'\ndetection:\n  S:\n%s\n  condition: S\n", body);
	if (dt_rules_load_text(&rules, "t.yml", text, strlen(text), &err) != DT_OK)
		fail_msg("%s in\n%s", err.text, text);
	state = dt_selection_state(&rules->rule[0]->selections[0], &m.facts);
	dt_rules_free(rules);
	return state;
}

#define IS(body, wanted) assert_int_equal(state_of("    " body), DT_FACT_##wanted)

static int setup(void **state)
{
	(void)state;
	made_kernel(&m, 0x50, UINT64_C(0xffffd6030000006a), 0, UINT64_C(0xfffff8020ebc14ed), 2);
	made_fault(&m, "CSAgent.sys", 0xe14ed);
	m.facts.exception.access = DT_ACCESS_READ;
	m.facts.exception.address = dt_some(UINT64_C(0xffffd6030000006a));
	m.facts.dump.time = made_time("2024-07-19T05:00:00Z");
	m.facts.dump.uptime_s = dt_some(90500);
	made_register(&m, "r8", UINT64_C(0xffffd6030000006a));
	made_register(&m, "rbx", 0);
	m.registers[1].value.known = false;
	return 0;
}

static void text(void **state)
{
	(void)state;
	IS("fault.module: csagent.sys", PRESENT);
	IS("fault.module: agent.sys", CONTRADICTED);
	IS("fault.module: [nt, CSAGENT.SYS]", PRESENT);
	IS("fault.module: [nt, hal.dll]", CONTRADICTED);
	IS("fault.module: cs*.s?s", PRESENT);
	IS("fault.module: '*csagent.sys*'", PRESENT);
	IS("fault.module: cs?.sys", CONTRADICTED);
	IS("fault.module: 'cs\\*'", CONTRADICTED);
	IS("fault.module|startswith: CSA", PRESENT);
	IS("fault.module|startswith: gent", CONTRADICTED);
	IS("fault.module|endswith: .SYS", PRESENT);
	IS("fault.module|contains: Agent", PRESENT);
	IS("fault.module|contains: agents", CONTRADICTED);
	IS("fault.module|contains|all: [cs, sys]", PRESENT);
	IS("fault.module|contains|all: [cs, dll]", CONTRADICTED);
	IS("process.name: System", MISSING);
	IS("process.name|if_known: System", PRESENT);
	IS("fault.module|if_known: nt", CONTRADICTED);
}

static void numbers(void **state)
{
	(void)state;
	IS("bugcheck.code: 0x50", PRESENT);
	IS("bugcheck.code: 80", PRESENT);
	IS("bugcheck.code: [0x7e, 0x3b]", CONTRADICTED);
	IS("bugcheck.parameters.3: 2", PRESENT);
	IS("registers.r8: 0xffffd6030000006a", PRESENT);
	IS("registers.rbx: 0", MISSING);
	IS("registers.r9: 0", MISSING);
	IS("fault.offset|gt: 0xe14ed", CONTRADICTED);
	IS("fault.offset|gte: 0xe14ed", PRESENT);
	IS("fault.offset|lt: 0xe14ee", PRESENT);
	IS("fault.offset|lte: 0xe14ec", CONTRADICTED);
	IS("fault.offset|between: [0xe14ed, 0xe14ed]", PRESENT);
	IS("fault.offset|between: [1, 2]", CONTRADICTED);
	IS("exception.address|mask=0xffffffff|lt: 0x1000", PRESENT);
	IS("exception.address|mask=0xffff: 0x6a", PRESENT);
	IS("exception.address|mask=1: 1", CONTRADICTED);
	IS("dump.uptime_s|gt: 90", PRESENT);
	IS("dump.uptime_s: 90.5", PRESENT);
	IS("dump.uptime_s|lt: 90.5", CONTRADICTED);
	IS("exception.access: read", PRESENT);
	IS("exception.access: [write, execute]", CONTRADICTED);
	IS("exception.access_source: parameter", MISSING);
	IS("fault.boundary: true", MISSING);
	IS("bugcheck.code|exists: true", PRESENT);
	IS("bugcheck.code|exists: false", CONTRADICTED);
	IS("exception.code|exists: false", PRESENT);
}

static void times(void **state)
{
	(void)state;
	IS("dump.time|gte: 2024-07-19T04:09:00Z", PRESENT);
	IS("dump.time|gte: 2024-07-19", PRESENT);
	IS("dump.time|lt: 2024-07-19", CONTRADICTED);
	m.facts.dump.time = 0;
	IS("dump.time|lt: 2024-07-19", MISSING);
}

static void two_fields(void **state)
{
	(void)state;
	IS("registers.r8|fieldref: exception.address", PRESENT);
	IS("registers.r8|fieldref|lt: exception.address", CONTRADICTED);
	IS("registers.r8|fieldref: bugcheck.parameters.0", PRESENT);
	IS("registers.r8|fieldref: fault.ip", CONTRADICTED);
	IS("registers.rbx|fieldref: fault.ip", MISSING);
	IS("registers.rbx|fieldref|if_known: fault.ip", PRESENT);
	IS("registers.r8|fieldref: fault.operand_address", MISSING);
	IS("registers.r8|fieldref|if_known: fault.operand_address", PRESENT);
}

static void canonical(void **state)
{
	(void)state;
	IS("registers.r8|canonical: true", PRESENT);
	IS("registers.r8|canonical: false", CONTRADICTED);
	m.registers[0].value.value = UINT64_C(0x1234567800000064);
	IS("registers.r8|canonical: false", PRESENT);
	IS("registers.rbx|canonical: false", MISSING);
	m.facts.dump.machine = DT_machine_NULL;
	IS("registers.r8|canonical: false", MISSING);
}

static void bytes(void **state)
{
	(void)state;
	static const uint8_t code[] = { 0x90, 0x4d, 0x85, 0xc0, 0x45, 0x8b, 0x08, 0xcc };

	IS("fault.bytes|bytes: 458b08", MISSING);
	m.facts.fault.bytes = (struct dt_bytes){ code + 4, 4 };
	IS("fault.bytes|bytes: 45 8B 08", PRESENT);
	IS("fault.bytes|bytes: 45 ?? 08", PRESENT);
	IS("fault.bytes|bytes: 8b08", CONTRADICTED);
	IS("fault.bytes|bytes: 458b08cc90", MISSING);
	IS("fault.bytes|contains: 08cc", PRESENT);
	IS("fault.bytes|contains: cc08", CONTRADICTED);

	IS("fault.code|bytes|at=ip-3: 4d85c0", MISSING);
	m.code = (struct dt_code){ .start = dt_some(m.facts.fault.ip.value - 4), .hex = { code, sizeof(code) } };
	m.facts.fault.code = &m.code;
	IS("fault.code|bytes|at=ip-3: 4d85c0 458b08", PRESENT);
	IS("fault.code|bytes|at=ip-4: 91", CONTRADICTED);
	IS("fault.code|bytes|at=ip-5: 90", MISSING);
	IS("fault.code|bytes|at=ip+3: cc", PRESENT);
	IS("fault.code|bytes|at=ip+3: cccc", MISSING);
	IS("fault.code|bytes: 458b08", PRESENT);
	IS("fault.code|contains: 85c0", PRESENT);
	m.facts.fault.ip.known = false;
	IS("fault.code|bytes: 458b08", MISSING);
}

static void lists_of_objects(void **state)
{
	(void)state;
	IS("stack|any: {module: csagent.sys}", MISSING);
	made_frame(&m, "ntoskrnl.exe", 1, DT_TRUST_CONTEXT);
	made_frame(&m, "csagent.sys", 2, DT_TRUST_CALL_SITE);
	IS("stack|in_a_row=3: {module: csagent.sys}", MISSING);
	made_frame(&m, "csagent.sys", 3, DT_TRUST_SCAN);
	IS("stack|any: {module: csagent.sys}", PRESENT);
	IS("stack|any: {module: csagent.sys, trust: scan}", PRESENT);
	IS("stack|any: {module: ntoskrnl.exe, trust: scan}", CONTRADICTED);
	IS("stack|in_a_row=2: {module: csagent.sys}", PRESENT);
	IS("stack|in_a_row=3: {module: csagent.sys}", CONTRADICTED);
	IS("stack.1.module: csagent.sys", PRESENT);
	IS("stack.9.module: csagent.sys", MISSING);
	made_module(&m, "myfault.sys", 0x7000);
	IS("modules|any: {name: MYFAULT.SYS, size|lte: 0x7000}", PRESENT);
	IS("modules|any: {name: myfault.sys, timestamp|gt: 5}", MISSING);
	IS("modules|any: {name: other.sys, timestamp|gt: 5}", CONTRADICTED);
}

static void combined(void **state)
{
	(void)state;
	IS("fault.module: csagent.sys\n    bugcheck.code: 0x50", PRESENT);
	IS("fault.module: csagent.sys\n    process.name: x", MISSING);
	IS("fault.module: nt\n    process.name: x", CONTRADICTED);
	IS("- fault.module: nt\n    - process.name: x", MISSING);
	IS("- fault.module: nt\n    - bugcheck.code: 0x50", PRESENT);
	IS("any: [{fault.module: nt}, {bugcheck.code: 1}]", CONTRADICTED);
	IS("all: [{fault.module: csagent.sys}, {any: [{bugcheck.code: 0x50}]}]", PRESENT);
	IS("not: {fault.module: nt}", PRESENT);
	IS("not: {bugcheck.code: 0x50}", CONTRADICTED);
	IS("not: {process.name: x}", MISSING);
	IS("when: {bugcheck.code: 0x50}\n    fault.module: nt", CONTRADICTED);
	IS("when: {bugcheck.code: 1}\n    fault.module: nt", MISSING);
	IS("when: {process.name: x}\n    fault.module: csagent.sys", MISSING);
}

static void regular_expressions(void **state)
{
	(void)state;
	IS("fault.module|re: '^cs[a-z]+\\.sys$'", PRESENT);
	IS("fault.module|re: agent", PRESENT);
	IS("fault.module|re: '(?-i)csagent'", CONTRADICTED);
	IS("fault.module|re: ['^nt', 'sys$']", PRESENT);
	IS("fault.module|re|all: ['^nt', 'sys$']", CONTRADICTED);
	IS("process.name|re: '.'", MISSING);
	/* What would take longer than the age of the world is given up, and then not known. */
	m.facts.process.name = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab";
	IS("process.name|re: '^(a+)+$'", MISSING);
	IS("process.name|re: '^((a|aa)+)+$'", MISSING);
	IS("process.name|re: '^a+b$'", PRESENT);
}

static void ranges(void **state)
{
	(void)state;
	IS("fault.offset|in: 0xe1000..0xe1fff", PRESENT);
	IS("fault.offset|in: [1..2, 0xe14ed]", PRESENT);
	IS("fault.offset|in: [1..2, 0xe14ee..0xe14ef]", CONTRADICTED);
	IS("registers.r8|in: 0xffff800000000000/17", PRESENT);
	IS("registers.r8|in: 0xffffd60300000000/33", PRESENT);
	IS("registers.r8|in: 0/17", CONTRADICTED);
	IS("registers.r8|in: 0xffffd6030000006a/64", PRESENT);
	IS("registers.rbx|in: 0/1", MISSING);
	IS("dump.time|in: [2010-01-01..2010-01-02, 2024-07-19..2024-07-20]", PRESENT);
	IS("dump.time|in: 2024-07-19T05:00:01Z..2024-07-20", CONTRADICTED);
	IS("dump.uptime_s|in: 90..90.5", PRESENT);
	IS("dump.build|in: 10240..19041", PRESENT);
}

static void versions(void **state)
{
	(void)state;
	made_module(&m, "csagent.sys", 0x7000);
	IS("modules|any: {name: csagent.sys, version|gte: 7.11}", MISSING);
	m.modules[0].version = "7.9.18110.0";
	m.modules[0].timestamp = dt_some(0x5cf28000);
	IS("modules|any: {name: csagent.sys, version|gte: 7.11}", CONTRADICTED);
	IS("modules|any: {name: csagent.sys, version|lt: 7.11}", PRESENT);
	IS("modules|any: {name: csagent.sys, version|between: [7.9, 7.10]}", PRESENT);
	IS("modules|any: {name: csagent.sys, version|in: ['6.0..6.9', '7.9.18110..7.9.18110.0']}", PRESENT);
	IS("modules|any: {name: csagent.sys, version|gt: 7.9.18110}", CONTRADICTED);
	IS("modules|any: {name: csagent.sys, version: 7.9.*}", PRESENT);
	IS("modules|any: {name: csagent.sys, version|startswith: '7.9.'}", PRESENT);
	IS("modules|any: {name: csagent.sys, version|if_known|gte: 7.9, timestamp|in: 0x5cf00000..0x5cffffff, size: 0x7000}", PRESENT);
	m.modules[0].version = "7.9 (private)";
	IS("modules|any: {name: csagent.sys, version|lt: 7.11}", MISSING);
}

static void code_of_frames(void **state)
{
	(void)state;
	static const uint8_t call[] = { 0x90, 0xe8, 0x10, 0x00, 0x00, 0x00, 0x48, 0x8b };

	made_frame(&m, "ntoskrnl.exe", 1, DT_TRUST_CONTEXT);
	made_frame(&m, "csagent.sys", 2, DT_TRUST_CALL_SITE);
	IS("stack.1.code|bytes|at=ip-5: e8", MISSING);
	m.frames[1].ip = dt_some(0x1006);
	m.code = (struct dt_code){ .start = dt_some(0x1000), .hex = { call, sizeof(call) } };
	m.frames[1].code = &m.code;
	IS("stack.1.code|bytes|at=ip-5: e8", PRESENT);
	IS("stack.1.code|bytes|at=ip-5: e9", CONTRADICTED);
	IS("stack|any: {module: csagent.sys, code|bytes|at=ip-5: e8 10 ?? ?? ??}", PRESENT);
	IS("stack|any: {code|bytes|at=ip: 48 8b}", PRESENT);
	IS("stack|first=1: {module: csagent.sys}", CONTRADICTED);
	IS("stack|first=2: {module: csagent.sys}", PRESENT);
}

static void nothing_known(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	IS("bugcheck.code: 0x50", MISSING);
	IS("bugcheck.parameters.1|gt: 0", MISSING);
	IS("fault.code|bytes|at=ip-3: 4d85c0", MISSING);
	IS("modules|any: {name: x}", MISSING);
	IS("registers.r8|fieldref: exception.address", MISSING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(text, setup),
		cmocka_unit_test_setup(numbers, setup),
		cmocka_unit_test_setup(times, setup),
		cmocka_unit_test_setup(two_fields, setup),
		cmocka_unit_test_setup(canonical, setup),
		cmocka_unit_test_setup(bytes, setup),
		cmocka_unit_test_setup(lists_of_objects, setup),
		cmocka_unit_test_setup(combined, setup),
		cmocka_unit_test_setup(regular_expressions, setup),
		cmocka_unit_test_setup(ranges, setup),
		cmocka_unit_test_setup(versions, setup),
		cmocka_unit_test_setup(code_of_frames, setup),
		cmocka_unit_test_setup(nothing_known, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
