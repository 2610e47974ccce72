/* WinDbg's ids, from the facts that transcripts of !analyze give; and the facts that are not enough for one. */
#include "../arena.h"
#include "../facts.h"

#include "judgement/bucket/bucket.h"

static struct made m;
static struct dt_bucket bucket;

static void frame(const char *module, const char *symbol, enum dt_trust trust)
{
	made_frame(&m, module, 0x1000, trust);
	struct dt_frame *last = &m.frames[m.facts.stack_count - 1];
	last->symbol = symbol;
	last->symbol_from = symbol ? DT_SYMBOL_OF_PDB : DT_symbol_source_kind_NULL;
}

static void expect(const char *module, const char *id, const char *hash)
{
	struct dt_blame blame = { .module = module, .offset = dt_some(0x1000) };

	dt_bucket(&m.facts, &blame, &arena, &bucket);
	if (!id) {
		assert_null(bucket.id);
		assert_null(bucket.hash);
		return;
	}
	assert_non_null(bucket.id);
	assert_string_equal(bucket.id, id);
	if (hash)
		assert_string_equal(bucket.hash, hash);
}

/* Transcripts whose code, parameters and frames are published with the id and its hash. */
static void published_pairs_are_derived(void **state)
{
	(void)state;
	made_kernel(&m, 0x50, 0xfffff78000001000, 0, 0xfffff80528f293cb, 2);
	m.facts.exception.access = DT_ACCESS_READ;
	frame("win32kbase.sys", "WmsgpConnect", DT_TRUST_CONTEXT);
	expect("win32kbase.sys", "AV_R_(null)_win32kbase!WmsgpConnect", "{ece26be9-101a-e2cf-72a9-a92359219248}");

	made_kernel(&m, 0xd1, 8, 2, 0, 0xfffff80000001000);
	m.facts.exception.access = DT_ACCESS_READ;
	frame("NETIO.SYS", "StreamInvokeCalloutAndNormalizeAction", DT_TRUST_CONTEXT);
	expect("NETIO.SYS", "AV_NETIO!StreamInvokeCalloutAndNormalizeAction", "{c2ca2d1f-cfdc-88d5-c7bc-7693b8f0de04}");

	made_kernel(&m, 0x116, 1, 2, 0xffffffffc000009a, 4);
	made_suspect(&m, "nvlddmkm.sys", 0x10, "parameter 2");
	expect("nvlddmkm.sys", "0x116_IMAGE_nvlddmkm.sys", "{c89bfe8c-ed39-f658-ef27-f2898997fdbd}");
	m.suspects[0].module = "igdkmdnd64.sys";
	expect("igdkmdnd64.sys", "0x116_IMAGE_igdkmdnd64.sys", "{7eb0cc99-c85b-4092-6430-8f1db059b7c1}");

	made_kernel(&m, 0x9f, 3, 1, 2, 3);
	made_suspect(&m, "RtsPer.sys", 0x10, "irp-stack-location");
	made_suspect(&m, "pci.sys", 0x10, "device-object");
	expect("RtsPer.sys", "0x9F_3_RtsPer_IMAGE_pci.sys", "{ce555a86-e2a6-4bdd-cc96-f64b1a03e85a}");
	expect("pci.sys", NULL, NULL);

	made_user(&m, 0xc0000005);
	m.facts.exception.access = DT_ACCESS_READ;
	m.facts.exception.address = dt_some(0);
	frame("ucrtbase.dll", "strlen", DT_TRUST_CONTEXT);
	expect(NULL, "NULL_POINTER_READ_c0000005_ucrtbase.dll!strlen", "{a0b48e4f-49ea-405c-b212-80cce7e49af9}");
}

/* Whose id no facts of a dump give: the hash alone is tested. */
static void published_pairs_that_are_not_derived(void **state)
{
	(void)state;
	assert_string_equal(dt_bucket_hash("RAISED_IRQL_FAULT_notmyfault64.e_nt!KiSystemServiceExitPico", true, &arena),
	                    "{417877c2-a27e-c86e-f30c-fc40cd36253a}");
}

static void a_vendors_module_has_an_unknown_function(void **state)
{
	(void)state;
	made_kernel(&m, 0x50, 0x9c, 0, 3, 2);
	m.facts.exception.access = DT_ACCESS_READ;
	made_module(&m, "CSAgent.sys", 0x4a0000);
	m.modules[0].microsoft = DT_FALSE;
	frame("CSAgent.sys", NULL, DT_TRUST_CONTEXT);
	expect("CSAgent.sys", "AV_R_(null)_CSAgent!unknown_function", "{0a7d0180-2167-fed0-1865-46fb6bb26816}");
	m.modules[0].microsoft = DT_NOT_KNOWN;
	expect("CSAgent.sys", NULL, NULL);
	m.modules[0].microsoft = DT_TRUE;
	expect("CSAgent.sys", NULL, NULL);

	made_kernel(&m, 0x7e, 0xffffffffc0000005, 1, 2, 3);
	m.facts.exception.code = dt_some(0xc0000005);
	made_module(&m, "csagent.sys", 0x4a0000);
	m.modules[0].microsoft = DT_FALSE;
	frame("csagent.sys", NULL, DT_TRUST_CONTEXT);
	expect("csagent.sys", "AV_csagent!unknown_function", "{c80e8f48-4a43-ac3e-d2c6-3713194a4c5f}");
	m.facts.exception.code = dt_some(0x80000003);
	expect("csagent.sys", NULL, NULL);
}

static void who_stopped_the_system(void **state)
{
	(void)state;
	made_kernel(&m, 0x133, 0, 0x501, 0x500, 0);
	frame("ntoskrnl.exe", "KeBugCheckEx", DT_TRUST_CONTEXT);
	frame("ntoskrnl.exe", "KeAccumulateTicks", DT_TRUST_UNWIND);
	expect("bad.sys", "0x133_DPC_nt!KeAccumulateTicks", NULL);
	m.parameters[0] = 1;
	expect("bad.sys", "0x133_ISR_nt!KeAccumulateTicks", NULL);
	m.frames[1].trust = DT_TRUST_SCAN;
	expect("bad.sys", NULL, NULL);
}

/* Everything that makes a function no more than likely leaves the id null. */
static void what_is_not_proved(void **state)
{
	(void)state;
	made_kernel(&m, 0xd1, 8, 2, 0, 4);
	frame("tcpip.sys", "Work", DT_TRUST_CONTEXT);
	frame("a-b.sys", "Begin", DT_TRUST_UNWIND);
	expect("a-b.sys", "AV_a_b!Begin", NULL);
	m.frames[1].symbol_from = DT_SYMBOL_EXPORT;
	expect("a-b.sys", NULL, NULL);
	m.frames[1].symbol_from = DT_SYMBOL_OF_PDB;
	m.frames[1].trust = DT_TRUST_CALL_SITE;
	expect("a-b.sys", NULL, NULL);
	m.frames[1].trust = DT_TRUST_UNWIND;
	m.frames[0].trust = DT_TRUST_SCAN;
	expect("a-b.sys", NULL, NULL);
	m.frames[0].trust = DT_TRUST_CONTEXT;
	expect(NULL, NULL, NULL);
	expect("other.sys", NULL, NULL);
	made_module(&m, "VerifierExt.sys", 0x1000);
	expect("a-b.sys", NULL, NULL);
}

static void codes_with_reasons(void **state)
{
	(void)state;
	made_kernel(&m, 0x139, 0x1d, 2, 0, 4);
	frame("Driver.sys", "F", DT_TRUST_CONTEXT);
	expect("Driver.sys", "0x139_1d_INVALID_BALANCED_TREE_Driver!F", NULL);
	m.parameters[0] = 0x1e;
	expect("Driver.sys", NULL, NULL);
	made_kernel(&m, 0x1a, 0x41792, 2, 4, 4);
	expect(NULL, NULL, NULL);
	made_anomaly(&m, DT_ANOMALY_ONE_BIT_PTE, "");
	expect(NULL, "MEMORY_CORRUPTION_ONE_BIT", NULL);
}

static void programs(void **state)
{
	(void)state;
	made_user(&m, 0xc0000005);
	m.facts.exception.access = DT_ACCESS_WRITE;
	m.facts.exception.address = dt_some(0x12345678);
	frame("app.exe", "main", DT_TRUST_CONTEXT);
	expect("app.exe", "INVALID_POINTER_WRITE_c0000005_app.exe!main", NULL);
	/* WinDbg tells a class's members from a null pointer by the code that reads them. */
	m.facts.exception.address = dt_some(0x18);
	expect("app.exe", NULL, NULL);
	m.facts.exception.address = (struct dt_opt){ 0 };
	expect("app.exe", NULL, NULL);
	m.facts.exception.address = dt_some(0x12345678);
	m.facts.exception.code = dt_some(0xc0000094);
	expect("app.exe", NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(published_pairs_are_derived, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(published_pairs_that_are_not_derived, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(a_vendors_module_has_an_unknown_function, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(who_stopped_the_system, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_proved, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(codes_with_reasons, arena_setup, arena_teardown),
		cmocka_unit_test_setup_teardown(programs, arena_setup, arena_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
