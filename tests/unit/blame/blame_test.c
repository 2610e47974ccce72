#include "../arena.h"
#include "../facts.h"

#include "judgement/blame/blame.h"

static struct made m;
static struct dt_blame blame;

static void judge(void)
{
	dt_blame(&m.facts, NULL, &arena, &blame);
	assert_non_null(blame.reason);
	assert_false(arena.failed);
	assert_true(!blame.confidence.known || blame.confidence.value <= 100);
	for (size_t i = 0; i < blame.candidates_count; i++)
		assert_non_null(blame.candidates[i].reason);
}

static void assert_blamed(const char *module)
{
	judge();
	if (!blame.module || strcmp(blame.module, module) != 0)
		fail_msg("blamed %s instead of %s: %s", blame.module ? blame.module : "nobody", module, blame.reason);
	assert_true(blame.confidence.known);
}

static void assert_nobody(void)
{
	judge();
	if (blame.module)
		fail_msg("blamed %s: %s", blame.module, blame.reason);
}

static bool is_candidate(const char *module)
{
	for (size_t i = 0; i < blame.candidates_count; i++)
		if (strcmp(blame.candidates[i].module, module) == 0)
			return true;
	return false;
}

/* 0x50, the fault in a module, nothing else. */
static void made_page_fault(const char *module)
{
	made_kernel(&m, 0x50, UINT64_C(0xffffd60300001234), 0, UINT64_C(0xfffff8020ebc14ed), 2);
	made_fault(&m, module, 0x1234);
	m.facts.exception.access = DT_ACCESS_READ;
}

static void caller_of_bugcheck(void **state)
{
	(void)state;
	made_kernel(&m, 0x65, 0, 0, 0, 0);
	made_suspect(&m, "vendor.sys", 0x42, "bugcheck-caller");
	assert_blamed("vendor.sys");
	assert_true(dt_opt_is(blame.offset, 0x42));
	assert_true(blame.confidence.value >= 85);
	/* also with a code that else names nobody */
	m.bugcheck.code = dt_some(0x4a);
	assert_blamed("vendor.sys");
	/* Windows' own callers name nobody */
	m.bugcheck.code = dt_some(0x65);
	m.suspects[0].module = "ntoskrnl.exe";
	assert_nobody();
	m.suspects[0].module = "vendor.sys";
	made_module(&m, "vendor.sys", 0x1000);
	m.modules[0].microsoft = DT_TRUE;
	assert_nobody();
	assert_true(is_candidate("vendor.sys"));
}

static void parameters_that_name(void **state)
{
	(void)state;
	made_kernel(&m, 0x116, 1, UINT64_C(0xfffff8027a960a40), UINT64_C(0xffffffffc0000001), 4);
	made_suspect(&m, "dxgkrnl.sys", 0x99, "bugcheck-caller");
	made_suspect(&m, "nvlddmkm.sys", 0x10, "parameter-2");
	made_frame(&m, "other.sys", 5, DT_TRUST_CALL_SITE);
	assert_blamed("nvlddmkm.sys");
	assert_true(blame.confidence.value >= 85);
	assert_false(is_candidate("other.sys"));
	m.facts.suspects_count = 1;
	assert_nobody();
}

static void power_irp(void **state)
{
	(void)state;
	made_kernel(&m, 0x9f, 3, 1, 2, 3);
	made_suspect(&m, "upper.sys", 0x50, "irp-completion-routine");
	made_suspect(&m, "bus.sys", 0, "device-object"); /* every device hangs on some bus */
	assert_nobody();
	assert_true(is_candidate("bus.sys"));
	assert_true(is_candidate("upper.sys"));
	made_suspect(&m, "holder.sys", 0, "irp-stack-location");
	assert_blamed("holder.sys");
	assert_true(is_candidate("bus.sys"));
	assert_true(is_candidate("upper.sys"));
	m.facts.suspects_count = 1; /* who waits is not who blocks */
	assert_nobody();
	assert_true(is_candidate("upper.sys"));
}

/* Where the stop code names the device of the driver itself, that is who. */
static void device_of_the_driver(void **state)
{
	(void)state;
	made_kernel(&m, 0x144, 1, 0, 2, 3);
	made_suspect(&m, "client.sys", 0, "device-object");
	assert_blamed("client.sys");
}

static void codes_without_evidence(void **state)
{
	(void)state;
	static const struct {
		uint32_t code;
		uint64_t p1;
	} rows[] = {
		{ 0x101, 0x18 }, { 0x133, 1 }, { 0x1a, 0x41287 }, { 0x4e, 0x99 }, { 0x12b, 1 }, { 0x124, 0 },
		{ 0x109, 1 },    { 0x4a, 1 },  { 0xef, 1 },       { 0xf4, 3 },    { 0x1c7, 0 }, { 0xfb, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		made_kernel(&m, rows[i].code, rows[i].p1, 0, 0, 0);
		made_frame(&m, "vendor.sys", 1, DT_TRUST_UNWIND);
		assert_nobody();
		assert_false(blame.confidence.known);
	}
	/* one long DPC is another matter: it stands on the stack */
	made_kernel(&m, 0x133, 0, 0x501, 0x500, 0);
	made_frame(&m, "vendor.sys", 1, DT_TRUST_UNWIND);
	assert_blamed("vendor.sys");
}

static void heap_codes(void **state)
{
	(void)state;
	static const uint32_t codes[] = { 0x19, 0xc2, 0x13a };

	for (size_t i = 0; i < 3; i++) {
		made_kernel(&m, codes[i], 0x20, 0, 0, 0);
		made_frame(&m, "ntoskrnl.exe", 1, DT_TRUST_CONTEXT);
		made_frame(&m, "victim.sys", 1, DT_TRUST_UNWIND);
		assert_nobody();
		assert_true(is_candidate("victim.sys"));
		assert_false(is_candidate("ntoskrnl.exe"));
		assert_true(blame.confidence.known && blame.confidence.value <= 40);
		assert_non_null(strstr(blame.reason, "may be the victims"));
	}
}

/* The heap of a program: the same. */
static void heap_of_a_program(void **state)
{
	(void)state;
	made_user(&m, 0xc0000374);
	made_fault(&m, "ntdll.dll", 0xf0000);
	made_frame(&m, "ntdll.dll", 0xf0000, DT_TRUST_CONTEXT);
	made_frame(&m, "victim.dll", 1, DT_TRUST_UNWIND);
	assert_nobody();
	assert_true(is_candidate("victim.dll"));
	assert_false(is_candidate("ntdll.dll"));
	assert_true(blame.confidence.known && blame.confidence.value <= 40);
	/* the number is an exception's: a stop code's first parameter is another matter */
	made_page_fault("vendor.sys");
	m.facts.exception.code = dt_some(0xc0000374);
	assert_blamed("vendor.sys");
}

/* Whose code used a page that the disk did not give is no matter. */
static void pages_that_could_not_be_read(void **state)
{
	static uint64_t information[] = { 0, 0x1000, UINT64_C(0xc000000e) };

	(void)state;
	made_user(&m, 0xc0000006);
	made_fault(&m, "app.exe", 0x1000);
	made_frame(&m, "app.exe", 0x1000, DT_TRUST_CONTEXT);
	assert_nobody();
	assert_null(strstr(blame.reason, "STATUS_"));
	m.facts.exception.information = information;
	m.facts.exception.information_count = 3;
	assert_nobody();
	assert_non_null(strstr(blame.reason, "STATUS_NO_SUCH_DEVICE"));
	made_kernel(&m, 0x7e, UINT64_C(0xffffffffc0000006), 1, 2, 3);
	m.facts.exception.code = dt_some(0xc0000006);
	made_fault(&m, "vendor.sys", 0x1000);
	assert_nobody();
}

static void own_instruction(void **state)
{
	(void)state;
	made_page_fault("vendor.sys");
	made_frame(&m, "vendor.sys", 1, DT_TRUST_CONTEXT);
	made_frame(&m, "below.sys", 2, DT_TRUST_SCAN);
	assert_blamed("vendor.sys");
	assert_true(dt_opt_is(blame.offset, 0x1234));
	assert_int_equal(blame.confidence.value, 80);
	assert_false(is_candidate("vendor.sys"));
	assert_true(is_candidate("below.sys"));
	/* a code without rows */
	m.bugcheck.code = dt_some(0xa0000001);
	assert_blamed("vendor.sys");
	/* Windows' own: less sure */
	made_page_fault("amdppm.sys");
	made_module(&m, "amdppm.sys", 0x1000);
	m.modules[0].microsoft = DT_TRUE;
	assert_blamed("amdppm.sys");
	assert_int_equal(blame.confidence.value, 50);
	/* unloaded */
	made_page_fault(NULL);
	m.facts.fault.unloaded = "gone.sys";
	assert_blamed("gone.sys");
}

static void carriers_are_never_blamed(void **state)
{
	(void)state;
	static const char *const carriers[] = { "ntoskrnl.exe", "hal.dll", "FLTMGR.SYS", "NETIO.SYS", "ndis.sys", "Wdf01000.sys" };

	for (size_t i = 0; i < sizeof(carriers) / sizeof(carriers[0]); i++) {
		made_page_fault(carriers[i]);
		for (int trust = DT_TRUST_CONTEXT; trust < DT_trust_COUNT; trust++)
			made_frame(&m, carriers[i], 1, (enum dt_trust)trust);
		made_suspect(&m, carriers[i], 1, "bugcheck-caller");
		made_suspect(&m, carriers[i], 1, "execute-caller");
		assert_nobody();
		assert_int_equal(blame.candidates_count, 0);
		m.facts.exception.access = DT_ACCESS_EXECUTE;
		assert_nobody();
	}
}

static void trust_of_frames(void **state)
{
	(void)state;
	made_page_fault("ntoskrnl.exe");
	made_frame(&m, "ntoskrnl.exe", 1, DT_TRUST_CONTEXT);
	made_frame(&m, "FLTMGR.SYS", 1, DT_TRUST_UNWIND);
	made_frame(&m, "vendor.sys", 7, DT_TRUST_UNWIND);
	assert_blamed("vendor.sys");
	assert_int_equal(blame.confidence.value, 70);
	m.frames[2].trust = DT_TRUST_CALL_SITE;
	assert_blamed("vendor.sys");
	assert_int_equal(blame.confidence.value, 45);
	/* behind a scanned frame a call site is worth less, behind many nothing */
	m.frames[1].trust = DT_TRUST_SCAN;
	assert_blamed("vendor.sys");
	assert_int_equal(blame.confidence.value, 40);
	m.frames[2].trust = DT_TRUST_SCAN;
	assert_nobody();
	assert_true(is_candidate("vendor.sys"));
	made_page_fault("ntoskrnl.exe");
	for (int i = 0; i < 3; i++)
		made_frame(&m, "ntoskrnl.exe", 1, DT_TRUST_SCAN);
	made_frame(&m, "vendor.sys", 7, DT_TRUST_CALL_SITE);
	assert_nobody();
	assert_true(is_candidate("vendor.sys"));
}

static void execute_faults(void **state)
{
	(void)state;
	made_page_fault("win32k.sys");
	m.facts.exception.access = DT_ACCESS_EXECUTE;
	made_suspect(&m, "hook.sys", 0x77, "execute-caller");
	assert_blamed("hook.sys");
	assert_true(dt_opt_is(blame.offset, 0x77));
	/* the module at the address is the victim, and the stack below is not asked */
	m.facts.suspects_count = 0;
	made_frame(&m, "vendor.sys", 1, DT_TRUST_CALL_SITE);
	assert_nobody();
	assert_true(is_candidate("vendor.sys"));
}

static void middle_of_an_instruction(void **state)
{
	(void)state;
	made_page_fault("vendor.sys");
	made_frame(&m, "vendor.sys", 1, DT_TRUST_UNWIND);
	m.facts.fault.boundary = DT_FALSE;
	assert_nobody();
	assert_int_equal(blame.candidates_count, 0);
	assert_non_null(strstr(blame.reason, "middle of an instruction of vendor.sys"));
	m.facts.fault.boundary = DT_TRUE;
	assert_blamed("vendor.sys");
	made_anomaly(&m, DT_ANOMALY_MID_INSTRUCTION, "x");
	assert_nobody();
}

static void anomalies_lower(void **state)
{
	(void)state;
	static const enum dt_anomaly_kind kinds[] = { DT_ANOMALY_OPERAND_MISMATCH, DT_ANOMALY_ONE_BIT_ADDRESS };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		made_page_fault("vendor.sys");
		made_anomaly(&m, kinds[i], "x");
		assert_blamed("vendor.sys");
		assert_int_equal(blame.confidence.value, 35);
		assert_non_null(strstr(blame.reason, "signs of bad hardware"));
	}
}

static void a_refused_instruction_blames_nobody(void **state)
{
	(void)state;
	made_page_fault("vendor.sys");
	made_anomaly(&m, DT_ANOMALY_ILLEGAL_BUT_LEGAL, "x");
	assert_nobody();
}

static void a_used_up_stack_lowers(void **state)
{
	(void)state;
	made_page_fault("vendor.sys");
	made_anomaly(&m, DT_ANOMALY_STACK_OVERFLOW, "x");
	assert_blamed("vendor.sys");
	assert_int_equal(blame.confidence.value, 35);
	assert_non_null(strstr(blame.reason, "stack is used up"));
}

static void processes(void **state)
{
	(void)state;
	made_user(&m, 0xc0000005);
	made_fault(&m, "app.exe", 0x10);
	assert_blamed("app.exe");
	made_user(&m, 0xc0000005);
	made_fault(&m, "ucrtbase.dll", 0x10);
	made_frame(&m, "ucrtbase.dll", 1, DT_TRUST_CONTEXT);
	made_frame(&m, "KERNELBASE.dll", 1, DT_TRUST_CALL_SITE);
	made_frame(&m, "plugin.dll", 1, DT_TRUST_CALL_SITE);
	made_frame(&m, "app.exe", 1, DT_TRUST_CALL_SITE);
	assert_blamed("plugin.dll");
	assert_true(is_candidate("app.exe"));
	/* a kernel carrier is nothing special in a process */
	made_user(&m, 0xc0000005);
	made_fault(&m, "ndis.sys", 0x10);
	assert_blamed("ndis.sys");
}

static void nothing_known(void **state)
{
	(void)state;
	memset(&m, 0, sizeof(m));
	assert_nobody();
	assert_int_equal(blame.candidates_count, 0);
	made_kernel(&m, 0x50, 0, 0, 0, 0);
	m.bugcheck.parameters_count = 0;
	assert_nobody();
}

static void many_candidates(void **state)
{
	(void)state;
	static const char *const names[] = { "a.sys", "b.sys", "c.sys", "d.sys", "e.sys", "f.sys", "g.sys", "h.sys", "i.sys", "A.SYS" };

	made_page_fault("ntoskrnl.exe");
	for (size_t i = 0; i < 10; i++)
		made_frame(&m, names[i], i, DT_TRUST_SCAN);
	m.frames[8].trust = DT_TRUST_CALL_SITE;
	assert_nobody();
	assert_int_equal(blame.candidates_count, DT_MAX_CANDIDATES);
	assert_string_equal(blame.candidates[0].module, "i.sys");
	assert_string_equal(blame.candidates[1].module, "a.sys");
}

/* A port driver that fails in its own code: whose request it was is the better claim, where the stack proves it. */
static void who_may_be_to_blame(void **state)
{
	(void)state;
	made_page_fault("storport.sys");
	m.modules[m.facts.modules_count++] = (struct dt_module){ .name = "mini.sys", .microsoft = DT_FALSE };
	made_frame(&m, "storport.sys", 0x1234, DT_TRUST_CONTEXT);
	made_frame(&m, "ntoskrnl.exe", 5, DT_TRUST_UNWIND);
	assert_blamed("storport.sys");
	made_frame(&m, "mini.sys", 7, DT_TRUST_UNWIND);
	assert_blamed("mini.sys");
	assert_true(is_candidate("storport.sys"));
	/* An address that only looks like a frame proves nothing. */
	m.frames[2].trust = DT_TRUST_CALL_SITE;
	assert_blamed("storport.sys");
	m.frames[2].trust = DT_TRUST_UNWIND;
	m.frames[1].trust = DT_TRUST_SCAN;
	assert_blamed("storport.sys");
	/* Last resorts give way to those that may be. */
	made_page_fault("ci.dll");
	made_frame(&m, "ci.dll", 0x1234, DT_TRUST_CONTEXT);
	made_frame(&m, "clfs.sys", 5, DT_TRUST_UNWIND);
	assert_blamed("ci.dll");
	made_frame(&m, "tcpip.sys", 5, DT_TRUST_UNWIND);
	assert_blamed("tcpip.sys");
	made_frame(&m, "ndis.sys", 5, DT_TRUST_UNWIND);
	assert_blamed("tcpip.sys");
	made_frame(&m, "vendor.sys", 5, DT_TRUST_UNWIND);
	assert_blamed("vendor.sys");
}

/* Rows of one's own: whole modules, functions, and never the kernel. */
static void carriers_of_ones_own(void **state)
{
	struct dt_carriers own = *dt_carriers_builtin();
	const char rows[] = "kernel framework.sys ignore\nkernel shared.sys!Shared* ignore\nkernel ntoskrnl.exe last\n";
	struct dt_error err;

	(void)state;
	own.room = own.count;
	assert_int_equal(dt_carriers_add(&own, "own", rows, sizeof(rows) - 1, &arena, &err), DT_OK);
	made_page_fault("framework.sys");
	made_frame(&m, "framework.sys", 0x1234, DT_TRUST_CONTEXT);
	made_frame(&m, "shared.sys", 0x1234, DT_TRUST_UNWIND);
	m.frames[1].symbol = "SharedDispatch";
	made_frame(&m, "vendor.sys", 0x1234, DT_TRUST_UNWIND);
	assert_blamed("framework.sys");
	dt_blame(&m.facts, &own, &arena, &blame);
	assert_string_equal(blame.module, "vendor.sys");
	assert_false(is_candidate("framework.sys"));
	assert_false(is_candidate("shared.sys"));
	m.frames[1].symbol = "Other";
	dt_blame(&m.facts, &own, &arena, &blame);
	assert_string_equal(blame.module, "shared.sys");
	m.frames[1].symbol = NULL;
	dt_blame(&m.facts, &own, &arena, &blame);
	assert_string_equal(blame.module, "shared.sys");
	/* The function that failed counts, too. */
	made_page_fault("shared.sys");
	made_frame(&m, "shared.sys", 0x1234, DT_TRUST_CONTEXT);
	m.facts.fault.ip = m.frames[0].ip;
	m.frames[0].symbol = "SharedCopy";
	made_frame(&m, "ntoskrnl.exe", 0x1234, DT_TRUST_UNWIND);
	dt_blame(&m.facts, &own, &arena, &blame);
	assert_null(blame.module);
}

static void code_that_was_damaged_blames_nobody(void **state)
{
	static const enum dt_anomaly_kind kinds[] = { DT_ANOMALY_CODE_DIFFERS, DT_ANOMALY_ONE_BIT_CODE };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		made_page_fault("vendor.sys");
		assert_blamed("vendor.sys");
		made_anomaly(&m, kinds[i], "other bytes");
		assert_nobody();
		assert_non_null(strstr(blame.reason, "other code of vendor.sys"));
	}
}

static void a_full_arena(void **state)
{
	(void)state;
	struct dt_arena small;

	made_page_fault("vendor.sys");
	made_frame(&m, "below.sys", 2, DT_TRUST_SCAN);
	dt_arena_init(&small, 1);
	dt_blame(&m.facts, NULL, &small, &blame);
	assert_true(small.failed);
	assert_int_equal(blame.candidates_count, 0);
	dt_arena_deinit(&small);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(caller_of_bugcheck), CASE(parameters_that_name),      CASE(power_irp),       CASE(device_of_the_driver), CASE(codes_without_evidence),
		CASE(heap_codes), CASE(heap_of_a_program), CASE(pages_that_could_not_be_read),         CASE(own_instruction),           CASE(carriers_are_never_blamed),
		CASE(trust_of_frames),    CASE(execute_faults),            CASE(middle_of_an_instruction),
		CASE(anomalies_lower),    CASE(a_refused_instruction_blames_nobody), CASE(a_used_up_stack_lowers),
		CASE(processes),                 CASE(nothing_known),
		CASE(code_that_was_damaged_blames_nobody), CASE(who_may_be_to_blame), CASE(carriers_of_ones_own), CASE(many_candidates),    CASE(a_full_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
