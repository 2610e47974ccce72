/*
 * signatures/crowdstrike-channel-file-291.yml against the decision as it is
 * written, in words of this test: all combinations of all facts; and records, near ones too.
 */
#include "../facts.h"

#include <stdlib.h>

#include "judgement/signature/rule.h"

enum { R1, R2, R3, R3P, R4, R5, R6, R7, W, R8, R9, FACTS };

static const char *const names[FACTS] = { "R1", "R2", "R3", "R3+", "R4", "R5", "R6", "R7", "W", "R8", "R9" };

static struct dt_rules *rules;
static const struct dt_rule *rule;
static size_t position[FACTS]; /* of each fact among the rule's selections */
static struct made m;

static int load(void **state)
{
	(void)state;
	struct dt_error err = { 0 };

	if (dt_rules_load(&rules, DT_SOURCE_DIR "/signatures/crowdstrike-channel-file-291.yml", &err) != DT_OK)
		fail_msg("%s", err.text);
	rule = rules->rule[0];
	assert_int_equal(rule->selection_count, FACTS);
	for (size_t f = 0; f < FACTS; f++) {
		position[f] = FACTS;
		for (size_t i = 0; i < FACTS; i++)
			if (strcmp(rule->selections[i].name, names[f]) == 0)
				position[f] = i;
		assert_true(position[f] < FACTS);
		assert_non_null(rule->selections[position[f]].title);
	}
	return 0;
}

static int unload(void **state)
{
	(void)state;
	dt_rules_free(rules);
	return 0;
}

/* ---- the grades, sentence by sentence --------------------------------- */

#define PRESENT(f) (s[f] == DT_FACT_PRESENT)
#define AGAINST(f) (s[f] == DT_FACT_CONTRADICTED)

static bool is_confirmed(const enum dt_fact_state s[FACTS])
{
	if (!PRESENT(R1) || !PRESENT(R2) || !PRESENT(R7) || !PRESENT(R9))
		return false;
	if (AGAINST(R3))
		return false;
	if (PRESENT(R3P))
		return true;
	return PRESENT(R3) && PRESENT(R4) && PRESENT(R5) && !AGAINST(R3P);
}

static bool is_probable(const enum dt_fact_state s[FACTS])
{
	bool one = PRESENT(R3) || PRESENT(R5) || PRESENT(R6);

	if (!PRESENT(R1) || AGAINST(R2) || AGAINST(R3))
		return false;
	if (PRESENT(R3P))
		return true;
	if (PRESENT(R3) && PRESENT(R4))
		return true;
	return PRESENT(R2) && PRESENT(W) && one;
}

static bool is_possible(const enum dt_fact_state s[FACTS])
{
	if (PRESENT(R1) && !AGAINST(R2) && PRESENT(W))
		return true;
	if (!PRESENT(R1) || !PRESENT(R2) || !PRESENT(R7) || AGAINST(R3))
		return false;
	return PRESENT(R5) || (PRESENT(R4) && PRESENT(R6));
}

static enum dt_grade expected(const enum dt_fact_state s[FACTS])
{
	if (is_confirmed(s))
		return DT_GRADE_CONFIRMED;
	if (is_probable(s))
		return DT_GRADE_PROBABLE;
	return is_possible(s) ? DT_GRADE_POSSIBLE : DT_grade_NULL;
}

static enum dt_grade graded(const enum dt_fact_state s[FACTS])
{
	enum dt_fact_state states[DT_MAX_EVIDENCE] = { 0 };

	for (size_t f = 0; f < FACTS; f++)
		states[position[f]] = s[f];
	return dt_rule_grade(rule, NULL, states);
}

static void nth_combination(unsigned n, enum dt_fact_state s[FACTS])
{
	static const enum dt_fact_state values[] = { DT_FACT_MISSING, DT_FACT_PRESENT, DT_FACT_CONTRADICTED };

	for (size_t f = 0; f < FACTS; f++, n /= 3)
		s[f] = values[n % 3];
}

enum { COMBINATIONS = 177147 }; /* 3 to the 11th */

static void all_combinations(void **state)
{
	(void)state;
	enum dt_fact_state s[FACTS];
	unsigned seen[DT_grade_COUNT] = { 0 };

	for (unsigned n = 0; n < COMBINATIONS; n++) {
		nth_combination(n, s);
		enum dt_grade grade = graded(s);
		if (grade != expected(s))
			fail_msg("combination %u: grade %d, the decision says %d", n, grade, expected(s));
		seen[grade]++;
	}
	for (int grade = 0; grade < DT_grade_COUNT; grade++)
		assert_true(seen[grade] > 0);
}

static void one_more_fact_never_lowers(void **state)
{
	(void)state;
	enum dt_fact_state s[FACTS];

	for (unsigned n = 0; n < COMBINATIONS; n++) {
		nth_combination(n, s);
		enum dt_grade before = graded(s);
		for (size_t f = 0; f < FACTS; f++) {
			enum dt_fact_state was = s[f];
			s[f] = DT_FACT_PRESENT;
			if (graded(s) < before)
				fail_msg("combination %u: %s lowers the grade", n, names[f]);
			s[f] = was;
		}
	}
}

/* ---- records ---------------------------------------------------------- */

static const uint8_t code[] = { 0x4e, 0x8b, 0x04, 0xd8, 0x75, 0x0b, 0x4d, 0x85, 0xc0, 0x74, 0x12, 0x45, 0x0f, 0xb7, 0x08,
	                        0xeb, 0x08, 0x4d, 0x85, 0xc0, 0x74, 0x07, 0x45, 0x8b, 0x08, 0x4d, 0x8b, 0x50, 0x08 };
static const uint64_t bad = UINT64_C(0xffffd6030000006a);

/* The published crash as 0x50. */
static void made_crash(void)
{
	made_kernel(&m, 0x50, bad, 0, UINT64_C(0xfffff8020ebc14ed), 2);
	m.facts.dump.time = made_time("2024-07-19T04:40:00Z");
	m.facts.dump.time_trust = DT_TIME_OK;
	m.facts.exception.access = DT_ACCESS_READ;
	m.facts.exception.access_source = DT_ACCESS_FROM_PARAMETER;
	m.facts.exception.address = dt_some(bad);
	m.facts.fault.ip = dt_some(UINT64_C(0xfffff8020ebc14ed));
	m.facts.fault.module = "CSAgent.sys";
	m.facts.fault.offset = dt_some(0xe14ed);
	m.facts.fault.bytes = (struct dt_bytes){ code + 0x16, 7 };
	m.code = (struct dt_code){ .start = dt_some(m.facts.fault.ip.value - 0x16), .hex = { code, sizeof(code) } };
	m.facts.fault.code = &m.code;
	made_register(&m, "r8", bad);
	made_register(&m, "r11", 0x14);
	m.facts.process.name = "System";
	for (unsigned i = 0; i < 12; i++)
		made_frame(&m, "CSAgent.sys", 0xb709e + i, DT_TRUST_CALL_SITE);
}

/* The same through an exception: 0x7E with its record. */
static void made_exception_crash(void)
{
	made_crash();
	m.bugcheck.code = dt_some(0x7e);
	m.parameters[0] = UINT64_C(0xffffffffc0000005);
	m.parameters[1] = m.facts.fault.ip.value;
	m.parameters[2] = UINT64_C(0xffffae035f57e000);
	m.parameters[3] = UINT64_C(0xffffae035f57d000);
	m.facts.exception.code = dt_some(0xc0000005);
	m.facts.exception.access_source = DT_ACCESS_FROM_RECORD;
	m.facts.exception.address = dt_some(0x9c);
	m.registers[0].value = dt_some(0x9c);
}

static enum dt_fact_state fact(int f)
{
	return dt_selection_state(&rule->selections[position[f]], &m.facts);
}

static enum dt_grade grade(void)
{
	enum dt_fact_state s[FACTS];

	for (int f = 0; f < FACTS; f++)
		s[f] = fact(f);
	assert_int_equal(graded(s), expected(s));
	return graded(s);
}

static void published_crashes(void **state)
{
	(void)state;
	made_crash();
	for (int f = 0; f < FACTS; f++)
		if (fact(f) != DT_FACT_PRESENT)
			fail_msg("%s is not present", names[f]);
	assert_int_equal(grade(), DT_GRADE_CONFIRMED);
	made_exception_crash();
	for (int f = 0; f < FACTS; f++)
		if (fact(f) != DT_FACT_PRESENT)
			fail_msg("0x7E: %s is not present", names[f]);
	assert_int_equal(grade(), DT_GRADE_CONFIRMED);
}

static void evidence_names_values(void **state)
{
	(void)state;
	struct dt_arena arena;
	struct dt_match *list;

	made_crash();
	dt_arena_init(&arena, 1u << 20);
	assert_int_equal(dt_rules_match(rules, &m.facts, &arena, &list), 1);
	assert_int_equal(list[0].evidence_count, FACTS);
	const struct dt_evidence *e = list[0].evidence;
	assert_string_equal(e[position[R1]].value, "CSAgent.sys");
	assert_int_equal(strncmp(e[position[R1]].fact, "R1 (", 4), 0);
	assert_string_equal(e[position[R2]].value, "exception.access read, exception.access_source parameter");
	assert_string_equal(e[position[R3P]].value, "4e8b04d8750b4d85c07412450fb708eb084d85c07407458b084d8b5008");
	assert_string_equal(e[position[R7]].value, "2024-07-19T04:40:00Z");
	assert_string_equal(e[position[R8]].value, "process.name System, stack CSAgent.sys, 12 in a row");
	dt_arena_deinit(&arena);
}

/* A general protection fault: the reported address is all ones, r8 tells. */
static void non_canonical(void **state)
{
	(void)state;
	made_exception_crash();
	m.facts.exception.address = dt_some(UINT64_MAX);
	m.registers[0].value = dt_some(UINT64_C(0x1234567800000074));
	assert_int_equal(fact(R3), DT_FACT_PRESENT);
	assert_int_equal(fact(R6), DT_FACT_PRESENT);
	assert_int_equal(grade(), DT_GRADE_CONFIRMED);
	m.registers[0].value = dt_some(UINT64_C(0x1234567800000075)); /* odd */
	assert_int_equal(fact(R3), DT_FACT_PRESENT);
	assert_int_equal(fact(R6), DT_FACT_CONTRADICTED);
	m.registers[0].value = dt_some(0x74); /* canonical: it cannot have raised this fault */
	assert_int_equal(fact(R3), DT_FACT_CONTRADICTED);
	assert_int_equal(fact(R6), DT_FACT_CONTRADICTED);
	m.registers[0].value.known = false;
	assert_int_equal(fact(R3), DT_FACT_PRESENT);
	assert_int_equal(fact(R6), DT_FACT_MISSING);
}

static void instruction(void **state)
{
	(void)state;
	made_crash();
	m.registers[0].value = dt_some(bad + 2);
	assert_int_equal(fact(R3), DT_FACT_CONTRADICTED);
	m.registers[0].value.known = false;
	assert_int_equal(fact(R3), DT_FACT_PRESENT);
	m.facts.fault.bytes.len = 2;
	assert_int_equal(fact(R3), DT_FACT_MISSING);
	m.facts.fault.bytes.len = 0;
	assert_int_equal(fact(R3), DT_FACT_MISSING);
	m.facts.fault.bytes = (struct dt_bytes){ code, 4 };
	assert_int_equal(fact(R3), DT_FACT_CONTRADICTED);
	assert_int_equal(fact(R3P), DT_FACT_PRESENT);
	m.code.hex.len = 28;
	assert_int_equal(fact(R3P), DT_FACT_MISSING);
	m.code.hex.len = 29;
	m.code.start.value--; /* the same bytes a byte earlier, and one is lacking at the end */
	assert_int_equal(fact(R3P), DT_FACT_MISSING);
	m.code.start.value++;
	m.facts.fault.ip.value--;
	assert_int_equal(fact(R3P), DT_FACT_MISSING);
	m.facts.fault.code = NULL;
	assert_int_equal(fact(R3P), DT_FACT_MISSING);
}

static void differing_code(void **state)
{
	(void)state;
	uint8_t other[sizeof(code)];

	made_crash();
	memcpy(other, code, sizeof(code));
	other[5] ^= 1;
	m.code.hex.data = other;
	assert_int_equal(fact(R3P), DT_FACT_CONTRADICTED);
	assert_int_equal(fact(R3), DT_FACT_PRESENT);
	assert_int_equal(grade(), DT_GRADE_PROBABLE);
}

/* What the stop code's second parameter says of a page fault, and what is left to the instruction. */
static void page_fault_access(void **state)
{
	(void)state;
	static const struct {
		enum dt_machine machine;
		uint32_t build;
		uint64_t p2;
		enum dt_access access; /* the fact, as parameter or instruction give it */
		enum dt_fact_state wanted;
	} rows[] = {
		{ DT_MACHINE_X64, 19041, 0, DT_ACCESS_READ, DT_FACT_PRESENT },
		{ DT_MACHINE_X64, 9600, 0, DT_ACCESS_READ, DT_FACT_PRESENT },
		{ DT_MACHINE_ARM64, 22000, 0, DT_ACCESS_READ, DT_FACT_PRESENT },
		{ DT_MACHINE_X64, 10586, 2, DT_ACCESS_WRITE, DT_FACT_CONTRADICTED },
		{ DT_MACHINE_X64, 19041, 0x10, DT_ACCESS_EXECUTE, DT_FACT_CONTRADICTED },
		{ DT_MACHINE_X64, 19041, 0x12, DT_ACCESS_READ, DT_FACT_CONTRADICTED },
		{ DT_MACHINE_X64, 19041, 3, DT_ACCESS_READ, DT_FACT_CONTRADICTED },
		/* neither bit: the instruction decides */
		{ DT_MACHINE_X64, 19041, 1, DT_ACCESS_READ, DT_FACT_PRESENT },
		{ DT_MACHINE_X64, 19041, 8, DT_ACCESS_READ, DT_FACT_PRESENT },
		{ DT_MACHINE_X64, 19041, 8, DT_access_NULL, DT_FACT_MISSING },
		{ DT_MACHINE_X64, 19041, 8, DT_ACCESS_WRITE, DT_FACT_CONTRADICTED },
		/* every value but 0 contradicts, whatever the instruction is */
		{ DT_MACHINE_X64, 9600, 1, DT_ACCESS_WRITE, DT_FACT_CONTRADICTED },
		{ DT_MACHINE_X64, 9600, 4, DT_ACCESS_READ, DT_FACT_CONTRADICTED },
		{ DT_MACHINE_X64, 10585, 8, DT_access_NULL, DT_FACT_CONTRADICTED },
		{ DT_MACHINE_ARM64, 26100, 4, DT_ACCESS_READ, DT_FACT_CONTRADICTED },
		{ DT_MACHINE_ARM64, 26100, 1, DT_access_NULL, DT_FACT_CONTRADICTED },
		/* machine unknown */
		{ DT_machine_NULL, 19041, 4, DT_ACCESS_READ, DT_FACT_MISSING },
		{ DT_machine_NULL, 19041, 0, DT_ACCESS_READ, DT_FACT_PRESENT },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		made_crash();
		m.facts.dump.machine = rows[i].machine;
		m.facts.dump.build = dt_some(rows[i].build);
		m.parameters[1] = rows[i].p2;
		m.facts.exception.access = rows[i].access;
		if (fact(R2) != rows[i].wanted)
			fail_msg("row %zu: %d", i, fact(R2));
	}
}

static void exception_access(void **state)
{
	(void)state;
	made_exception_crash();
	m.facts.exception.access = DT_ACCESS_WRITE;
	assert_int_equal(fact(R2), DT_FACT_CONTRADICTED);
	assert_int_equal(grade(), DT_grade_NULL);
	m.facts.exception.access = DT_ACCESS_EXECUTE;
	assert_int_equal(grade(), DT_grade_NULL);
	m.facts.exception.access = DT_access_NULL;
	assert_int_equal(fact(R2), DT_FACT_MISSING);
	assert_int_equal(grade(), DT_GRADE_PROBABLE);
	/* the parameters of 0x7E are no access bits */
	m.facts.exception.access = DT_ACCESS_READ;
	m.facts.dump.machine = DT_MACHINE_ARM64;
	assert_int_equal(fact(R2), DT_FACT_PRESENT);
	/* an in-page error is a read, and no access violation */
	m.facts.exception.code = dt_some(0xc0000006);
	assert_int_equal(fact(R2), DT_FACT_CONTRADICTED);
	assert_int_equal(grade(), DT_grade_NULL);
	m.facts.exception.code = dt_some(0xc000001d);
	m.facts.exception.access = DT_access_NULL;
	assert_int_equal(fact(R2), DT_FACT_CONTRADICTED);
	/* 0x3B: another code than the incident's, its access told by the instruction */
	made_exception_crash();
	m.bugcheck.code = dt_some(0x3b);
	m.facts.exception.access_source = DT_ACCESS_FROM_INSTRUCTION;
	m.facts.exception.address.known = false;
	assert_int_equal(fact(R2), DT_FACT_PRESENT);
	assert_int_equal(fact(R9), DT_FACT_CONTRADICTED);
	assert_int_equal(fact(R3), DT_FACT_PRESENT);
	assert_int_equal(grade(), DT_GRADE_PROBABLE);
}

static void times(void **state)
{
	(void)state;
	static const struct {
		const char *time;
		enum dt_fact_state r7, w;
	} rows[] = {
		{ "2024-07-19T04:08:59Z", DT_FACT_CONTRADICTED, DT_FACT_CONTRADICTED },
		{ "2024-07-19T04:09:00Z", DT_FACT_PRESENT, DT_FACT_PRESENT },
		{ "2024-08-08T23:59:59Z", DT_FACT_PRESENT, DT_FACT_PRESENT },
		{ "2024-08-09T00:00:00Z", DT_FACT_PRESENT, DT_FACT_CONTRADICTED },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		made_crash();
		m.facts.dump.time = made_time(rows[i].time);
		assert_int_equal(fact(R7), rows[i].r7);
		assert_int_equal(fact(W), rows[i].w);
		m.facts.dump.time_trust = DT_TIME_IMPLAUSIBLE;
		assert_int_equal(fact(R7), DT_FACT_MISSING);
		assert_int_equal(fact(W), DT_FACT_MISSING);
	}
	m.facts.dump.time = 0;
	m.facts.dump.time_trust = DT_time_trust_NULL;
	assert_int_equal(fact(R7), DT_FACT_MISSING);
	/* a lost clock leaves it probable by the code alone */
	assert_int_equal(grade(), DT_GRADE_PROBABLE);
	m.facts.fault.code = NULL;
	assert_int_equal(grade(), DT_GRADE_PROBABLE);
}

static void addresses(void **state)
{
	(void)state;
	static const struct {
		uint64_t address;
		enum dt_fact_state wanted;
	} rows[] = {
		{ UINT64_C(0xffffd6030000006a), DT_FACT_PRESENT },  { UINT64_C(0xffff840500000074), DT_FACT_PRESENT },
		{ 0x9c, DT_FACT_PRESENT },                          { 0xffe, DT_FACT_PRESENT },
		{ 0x1000, DT_FACT_CONTRADICTED },                   { 0x9d, DT_FACT_CONTRADICTED },
		{ UINT64_C(0x000000010000006a), DT_FACT_CONTRADICTED }, { UINT64_C(0xffff7fff0000006a), DT_FACT_CONTRADICTED },
		{ UINT64_C(0xffff80000000006a), DT_FACT_PRESENT },  { UINT64_C(0xffffd6030000106a), DT_FACT_CONTRADICTED },
	};

	made_crash();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		m.facts.exception.address = dt_some(rows[i].address);
		if (fact(R6) != rows[i].wanted)
			fail_msg("0x%llx: %d", (unsigned long long)rows[i].address, fact(R6));
	}
	m.facts.exception.address.known = false;
	assert_int_equal(fact(R6), DT_FACT_MISSING);
}

/* What stays of a small dump: no code around the fault, no trap frame. */
static void poor_dumps(void **state)
{
	(void)state;
	made_crash();
	m.facts.fault.code = NULL;
	assert_int_equal(grade(), DT_GRADE_CONFIRMED); /* R3, R4 and R5 */
	m.facts.registers_count = 0;
	assert_int_equal(grade(), DT_GRADE_PROBABLE);
	m.facts.fault.bytes.len = 0;
	assert_int_equal(grade(), DT_GRADE_PROBABLE); /* R2, W and R5 */
	m.facts.fault.offset = dt_some(0xe35a1);
	assert_int_equal(grade(), DT_GRADE_PROBABLE); /* R2, W and R6 */
	m.facts.exception.address = dt_some(UINT64_C(0xffffd6030012346b));
	assert_int_equal(grade(), DT_GRADE_POSSIBLE); /* R1 and W */
	m.facts.dump.time = made_time("2024-09-01T00:00:00Z");
	assert_int_equal(grade(), DT_grade_NULL);
	m.facts.fault.offset = dt_some(0xe14ed);
	assert_int_equal(grade(), DT_GRADE_POSSIBLE); /* R1, R2, R7 and R5 */
	m.facts.dump.time = made_time("2024-07-18T00:00:00Z");
	assert_int_equal(grade(), DT_grade_NULL);
}

static void near_misses(void **state)
{
	(void)state;
	/* loaded, even on the stack, while another driver faults with the same three bytes */
	made_crash();
	m.facts.fault.module = "other.sys";
	m.facts.fault.code = NULL;
	made_module(&m, "CSAgent.sys", 0x4a0000);
	assert_int_equal(fact(R3), DT_FACT_PRESENT);
	assert_int_equal(grade(), DT_grade_NULL);
	m.facts.fault.module = "csagent.sys.bak";
	assert_int_equal(grade(), DT_grade_NULL);
	m.facts.fault.module = NULL;
	assert_int_equal(fact(R1), DT_FACT_MISSING);
	assert_int_equal(grade(), DT_grade_NULL);
	/* a write, an execution, inside csagent within the window */
	made_crash();
	m.parameters[1] = 2;
	m.facts.exception.access = DT_ACCESS_WRITE;
	assert_int_equal(grade(), DT_grade_NULL);
	m.parameters[1] = 0x10;
	m.facts.exception.access = DT_ACCESS_EXECUTE;
	assert_int_equal(grade(), DT_grade_NULL);
	/* 0xF7 of July 2023 */
	made_kernel(&m, 0xf7, 1, 2, UINT64_C(0xfffffffffffffffd), 0);
	made_fault(&m, "csagent.sys", 0x12345);
	m.facts.dump.time = made_time("2023-07-20T00:00:00Z");
	m.facts.dump.time_trust = DT_TIME_OK;
	assert_int_equal(grade(), DT_grade_NULL);
	/* 0x7E of March 2023: a read in csagent at another place */
	made_exception_crash();
	m.facts.dump.time = made_time("2023-03-01T00:00:00Z");
	m.facts.fault.offset = dt_some(0x5f1c2);
	m.facts.fault.bytes = (struct dt_bytes){ code, 4 };
	m.facts.fault.code = NULL;
	m.registers[1].value = dt_some(0);
	assert_int_equal(grade(), DT_grade_NULL);
	/* the sensor of May 2026 */
	m.facts.dump.time = made_time("2026-05-27T00:00:00Z");
	assert_int_equal(grade(), DT_grade_NULL);
	/* a process of the sensor */
	made_user(&m, 0xc0000005);
	made_fault(&m, "CSFalconService.exe", 0xe14ed);
	m.facts.exception.access = DT_ACCESS_READ;
	m.facts.dump.time = made_time("2024-07-19T05:00:00Z");
	m.facts.dump.time_trust = DT_TIME_OK;
	assert_int_equal(grade(), DT_grade_NULL);
}

/* ---- records in all combinations -------------------------------------- */

static const uint8_t other_code[sizeof(code)] = { 0 };

/* One fact of the record set so that it is missing (0), present (1) or contradicted (2). r8 is not known, so that
 * no fact depends on another. */
static void set_fact(int f, unsigned how)
{
	switch (f) {
	case R1:
		m.facts.fault.module = how == 0 ? NULL : how == 1 ? "csagent.SYS" : "other.sys";
		break;
	case R2:
		m.facts.exception.access = how == 0 ? DT_access_NULL : how == 1 ? DT_ACCESS_READ : DT_ACCESS_WRITE;
		break;
	case R3:
		m.facts.fault.bytes = (struct dt_bytes){ how == 1 ? code + 0x16 : code, how ? 7 : 0 };
		break;
	case R3P:
		m.facts.fault.code = how ? &m.code : NULL;
		m.code.hex.data = how == 1 ? code : other_code;
		break;
	case R4:
		m.registers[1].value = how == 1 ? dt_some(0x14) : dt_some(3);
		m.registers[1].value.known = how != 0;
		break;
	case R5:
		m.facts.fault.offset = how == 1 ? dt_some(0xe14ed) : dt_some(0xe14ee);
		m.facts.fault.offset.known = how != 0;
		break;
	case R6:
		m.facts.exception.address = how == 1 ? dt_some(bad) : dt_some(bad + 1);
		m.facts.exception.address.known = how != 0;
		break;
	default:
		m.bugcheck.code = how == 1 ? dt_some(0x50) : dt_some(0xd1);
		m.bugcheck.code.known = how != 0;
		break;
	}
}

static void set_time(unsigned how)
{
	static const char *const times[] = { "2023-01-01T00:00:00Z", "2024-07-20T00:00:00Z", "2025-01-01T00:00:00Z" };

	m.facts.dump.time = how < 3 ? made_time(times[how]) : 0;
}

static void all_records(void **state)
{
	(void)state;
	static const int order[] = { R1, R2, R3, R3P, R4, R5, R6, R9 };
	static const enum dt_fact_state wanted[] = { DT_FACT_MISSING, DT_FACT_PRESENT, DT_FACT_CONTRADICTED };
	struct dt_arena arena;
	struct dt_match *list;

	made_crash();
	m.registers[0].value.known = false;
	dt_arena_init(&arena, 1u << 20);
	for (unsigned n = 0; n < 4 * 6561; n++) {
		unsigned rest = n / 4;
		set_time(n % 4);
		for (size_t i = 0; i < 8; i++, rest /= 3) {
			set_fact(order[i], rest % 3);
			if (fact(order[i]) != wanted[rest % 3])
				fail_msg("record %u: %s is %d", n, names[order[i]], fact(order[i]));
		}
		size_t count = dt_rules_match(rules, &m.facts, &arena, &list);
		assert_int_equal(count ? list[0].grade : DT_grade_NULL, grade());
		dt_arena_reset(&arena);
	}
	dt_arena_deinit(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_combinations),
		cmocka_unit_test(one_more_fact_never_lowers),
		cmocka_unit_test(published_crashes),
		cmocka_unit_test(evidence_names_values),
		cmocka_unit_test(non_canonical),
		cmocka_unit_test(instruction),
		cmocka_unit_test(differing_code),
		cmocka_unit_test(page_fault_access),
		cmocka_unit_test(exception_access),
		cmocka_unit_test(times),
		cmocka_unit_test(addresses),
		cmocka_unit_test(poor_dumps),
		cmocka_unit_test(near_misses),
		cmocka_unit_test(all_records),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
