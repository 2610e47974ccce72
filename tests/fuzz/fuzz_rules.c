/* Any text as a signature: loaded, checked against facts, spelled out; its tests read. */
#include <stdlib.h>

#include "judgement/verdict/verdict.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct dt_module modules[] = { { .name = "csagent.sys", .base = { 0xfffff80600000000, true }, .size = { 0x100000, true } } };
static uint64_t parameters[] = { 0xffff840500000074, 0, 0xfffff806000e14ed, 0 };
static struct dt_bugcheck bugcheck = { .code = { 0x50, true }, .name = "PAGE_FAULT_IN_NONPAGED_AREA", .parameters = parameters, .parameters_count = 4 };

static void use(const struct dt_rules *rules, struct dt_arena *arena)
{
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA, .modules = modules, .modules_count = 1, .bugcheck = &bugcheck }, made;
	struct dt_judgement judgement;
	struct dt_error err;
	struct dt_buf out;

	facts.dump.format = DT_FORMAT_KERNEL;
	facts.dump.machine = DT_MACHINE_X64;
	facts.fault.module = "csagent.sys";
	facts.fault.ip = dt_some(0xfffff806000e14ed);
	(void)dt_judge(&facts, rules, 0, arena, &judgement, &err);
	dt_buf_init(&out, 1u << 20);
	for (size_t i = 0; i < dt_rules_count(rules); i++) {
		const struct dt_rule_info *info = dt_rule_info(rules, i);
		(void)dt_rule_explain(rules, info->id, &facts, arena, &out);
		for (size_t t = 0; t < info->test_count && t < 16; t++)
			if (info->tests[t].record)
				(void)dt_rule_test_facts(&info->tests[t], arena, &made, &err);
	}
	dt_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_rules *rules = NULL;
	struct dt_arena arena;
	struct dt_error err;

	if (dt_rules_load_text(&rules, "fuzz.yml", (const char *)data, len, &err) != DT_OK)
		return 0;
	dt_arena_init(&arena, 16u << 20);
	use(rules, &arena);
	dt_arena_deinit(&arena);
	dt_rules_free(rules);
	return 0;
}
