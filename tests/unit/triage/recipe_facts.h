/*
 * recipe_facts.h - the facts that the triage passes find in a dump built from recipe lines.
 */
#ifndef TEST_RECIPE_FACTS_H
#define TEST_RECIPE_FACTS_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "facts/triage/triage.h"
#include "sample.h"

static struct dt_triage *test_triage;
static struct sample test_sample;

/* A triage dump with a kernel, a driver, a stack and a process; lines of the test come behind and win. */
#define KERNEL_DUMP                                                                     \
	"kind triage\nbuild 19041\ntime 2024-01-02T03:04:05Z\nuptime 60\n"               \
	"module ntoskrnl.exe 0xfffff80000000000 0x1000000\n"                             \
	"module driver.sys 0xfffff80010000000 0x10000\n"                                 \
	"stack 0xffffa00000001000 0x1000\nprocess System pid=4\nthread tid=100\n"         \
	"context rip=0xfffff80000400000 rsp=0xffffa00000001000\n"

static inline const struct dt_facts *facts_of(const char *recipe)
{
	struct dt_triage_options options = { 0 };
	struct dt_error err;

	sample_free(&test_sample);
	if (sample_build(&test_sample, "test.recipe", recipe, strlen(recipe)))
		fail_msg("%s", test_sample.error);
	if (!test_triage)
		assert_int_equal(dt_triage_create(&test_triage, &err), DT_OK);
	return dt_triage_bytes(test_triage, (struct dt_bytes){ test_sample.data, test_sample.len }, "test.dmp", &options);
}

static inline int free_facts(void **state)
{
	(void)state;
	dt_triage_destroy(test_triage);
	test_triage = NULL;
	sample_free(&test_sample);
	return 0;
}

#define assert_hex(opt, expected)                       \
	do {                                            \
		assert_true((opt).known);               \
		assert_int_equal((opt).value, expected); \
	} while (0)

static inline struct dt_opt register_of(const struct dt_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->registers_count; i++)
		if (!strcmp(facts->registers[i].name, name))
			return facts->registers[i].value;
	fail_msg("there is no register %s", name);
	return (struct dt_opt){ 0 };
}

static inline const struct dt_anomaly *anomaly_of(const struct dt_facts *facts, enum dt_anomaly_kind kind)
{
	for (size_t i = 0; i < facts->anomalies_count; i++)
		if (facts->anomalies[i].kind == kind)
			return &facts->anomalies[i];
	return NULL;
}

static inline const struct dt_suspect *suspect_of(const struct dt_facts *facts, const char *from)
{
	for (size_t i = 0; i < facts->suspects_count; i++)
		if (!strcmp(facts->suspects[i].from, from))
			return &facts->suspects[i];
	return NULL;
}

#endif
