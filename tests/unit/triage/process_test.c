/* Process, thread, processor, subject. */
#include "unit/triage/recipe_facts.h"

static void names_and_ids_on_every_known_build(void **state)
{
	static const unsigned builds[] = { 9600, 17763, 19041, 22000, 26100 };
	char recipe[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
		snprintf(recipe, sizeof(recipe), "%sbuild %u\nprocess longnamedproc.exe pid=1236\nthread tid=5680\ncpu number=3\nbugcheck 0xe2 0 0 0 0\n",
		         KERNEL_DUMP, builds[i]);
		const struct dt_facts *facts = facts_of(recipe);
		/* the kernel keeps 14 characters */
		assert_string_equal(facts->process.name, "longnamedproc.");
		assert_hex(facts->process.pid, 1236);
		assert_hex(facts->process.thread_id, 5680);
		assert_hex(facts->cpu.number, 3);
	}
}

static void what_does_not_look_like_a_process_is_none(void **state)
{
	(void)state;
	/* a pid that is no multiple of 4; a name of control characters */
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "process \x01\x02 pid=1235\nbugcheck 0xe2 0 0 0 0\n");

	assert_null(facts->process.name);
	assert_false(facts->process.pid.known);
	assert_false(facts->process.thread_id.known);
}

static void thread_id_of_an_unknown_build_only_where_it_is_unique(void **state)
{
	(void)state;
	/* build 30000 takes the layout of 26100 here, and the table's last row proves itself */
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "build 30000\nprocess a.exe pid=1236\nthread tid=5680\nbugcheck 0xe2 0 0 0 0\n");

	assert_hex(facts->process.thread_id, 5680);
}

static void subject_is_named_from_memory(void **state)
{
	(void)state;
	/* EPROCESS of build 19041: UniqueProcessId 0x440, ImageFileName 0x5a8 */
	const struct dt_facts *facts = facts_of(KERNEL_DUMP "bugcheck 0xef 0xffffd00000010080 0x0 0x0 0x0\n"
		"zeros 0xffffd00000010080 0xa40\nword 0xffffd000000104c0 0x2d8\n"
		"bytes 0xffffd00000010628 73766368 6f73742e 65786500\n");

	assert_non_null(facts->bugcheck->subject);
	assert_string_equal(facts->bugcheck->subject->kind, "process");
	assert_string_equal(facts->bugcheck->subject->name, "svchost.exe");
	assert_hex(facts->bugcheck->subject->pid, 0x2d8);
	/* not in memory: known to be a process, and no more */
	facts = facts_of(KERNEL_DUMP "bugcheck 0xef 0xffffd00000010080 0x0 0x0 0x0\n");
	assert_non_null(facts->bugcheck->subject);
	assert_null(facts->bugcheck->subject->name);
}

static void irql_of_the_parameter(void **state)
{
	(void)state;
	assert_hex(facts_of(KERNEL_DUMP "bugcheck 0xd1 0x8 0x2 0x0 0xfffff80010001000\n")->cpu.irql, 2);
	assert_false(facts_of(KERNEL_DUMP "bugcheck 0xd1 0x8 0xffff 0x0 0xfffff80010001000\n")->cpu.irql.known);
	assert_false(facts_of(KERNEL_DUMP "bugcheck 0xe2 0 0 0 0\n")->cpu.irql.known);
}

static void user_process(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of("kind mdmp\ntime 2024-01-02T03:04:05Z\npid 77\ncreated 2024-01-02T03:00:05Z\n"
		"module prog.exe 0x140000000 0x10000 path=C:\\x\\prog.exe\nthread 5\nthread 6\nthread-name 6 worker\n"
		"exception thread=6 code=0xc0000005 address=0x140001000 info=0,0\ncontext rip=0x140001000 rsp=0x1000\n");

	assert_string_equal(facts->process.name, "prog.exe");
	assert_hex(facts->process.pid, 77);
	assert_hex(facts->process.thread_id, 6);
	assert_string_equal(facts->process.thread_name, "worker");
	assert_hex(facts->process.threads, 2);
	assert_hex(facts->dump.uptime_s, 240000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_ids_on_every_known_build),
		cmocka_unit_test(what_does_not_look_like_a_process_is_none),
		cmocka_unit_test(thread_id_of_an_unknown_build_only_where_it_is_unique),
		cmocka_unit_test(subject_is_named_from_memory),
		cmocka_unit_test(irql_of_the_parameter),
		cmocka_unit_test(user_process),
	};

	return cmocka_run_group_tests(tests, NULL, free_facts);
}
