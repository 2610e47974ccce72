#include "../arena.h"
#include "../facts.h"

#include "judgement/bucket/bucket.h"

static struct made m;
static struct dt_bucket bucket;

static void made_read(uint32_t code)
{
	made_kernel(&m, code, 1, 0, 2, 3);
	made_fault(&m, "CSAgent.sys", 0xe14ed);
	m.facts.exception.access = DT_ACCESS_READ;
	made_module(&m, "csagent.sys", 0x4a0000);
}

static void keys(const char *module, const char *own, const char *family)
{
	struct dt_blame blame = { .module = module, .offset = module ? dt_some(0xe14ed) : (struct dt_opt){ 0 } };

	dt_bucket(&m.facts, &blame, &arena, &bucket);
	if (own)
		assert_string_equal(bucket.own, own);
	else
		assert_null(bucket.own);
	if (family)
		assert_string_equal(bucket.family, family);
	else
		assert_null(bucket.family);
}

static void one_fault_in_many_codes(void **state)
{
	(void)state;
	static const uint32_t codes[] = { 0x50, 0xa, 0xd1, 0x7e, 0x3b, 0x1e };

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		made_read(codes[i]);
		if (i >= 3)
			m.facts.exception.code = dt_some(0xc0000005);
		keys("CSAgent.sys", "av:read|csagent.sys+0xe14ed|0x4a0000", "av:read|csagent.sys");
		assert_null(bucket.id);
		assert_null(bucket.hash);
	}
}

static void build_of_windows_changes_nothing(void **state)
{
	(void)state;
	made_read(0x50);
	m.facts.dump.build = dt_some(26100);
	keys("CSAgent.sys", "av:read|csagent.sys+0xe14ed|0x4a0000", "av:read|csagent.sys");
	/* another build of the driver does */
	m.modules[0].size = dt_some(0x4b0000);
	keys("CSAgent.sys", "av:read|csagent.sys+0xe14ed|0x4b0000", "av:read|csagent.sys");
	m.facts.modules_count = 0;
	keys("CSAgent.sys", "av:read|csagent.sys+0xe14ed|?", "av:read|csagent.sys");
	m.facts.exception.access = DT_access_NULL;
	keys("CSAgent.sys", "av|csagent.sys+0xe14ed|?", "av|csagent.sys");
}

static void other_codes(void **state)
{
	(void)state;
	made_read(0x7e);
	m.facts.exception.code = dt_some(0xc0000094);
	m.facts.exception.access = DT_access_NULL;
	keys("CSAgent.sys", "exc:0xc0000094|csagent.sys+0xe14ed|0x4a0000", "exc:0xc0000094|csagent.sys");
	made_kernel(&m, 0x9f, 3, 0, 0, 0);
	keys("CSAgent.sys", "0x9f/0x3|csagent.sys+0xe14ed|?", "0x9f/0x3|csagent.sys");
	made_kernel(&m, 0x139, 3, 0, 0, 0);
	keys("CSAgent.sys", "0x139/0x3|csagent.sys+0xe14ed|?", "0x139/0x3|csagent.sys");
	made_kernel(&m, 0xa0000001, 5, 0, 0, 0);
	keys("CSAgent.sys", "0xa0000001|csagent.sys+0xe14ed|?", "0xa0000001|csagent.sys");
}

static void nobody_blamed(void **state)
{
	(void)state;
	made_read(0x50);
	keys(NULL, "av:read|?csagent.sys+0xe14ed|0x4a0000", "av:read|?csagent.sys");
	made_kernel(&m, 0x1c7, 0, 0, 0, 0);
	m.facts.exception.access = DT_access_NULL;
	keys(NULL, "0x1c7/0x0|?", "0x1c7/0x0|?");
	memset(&m, 0, sizeof(m));
	keys(NULL, NULL, NULL);
}

static void processes(void **state)
{
	(void)state;
	made_user(&m, 0xc0000005);
	m.facts.exception.access = DT_ACCESS_WRITE;
	made_fault(&m, "app.exe", 0x10);
	keys("App.exe", "u:av:write|app.exe+0xe14ed|?", "u:av:write|app.exe");
	m.facts.exception.code = dt_some(0xc0000409);
	keys("App.exe", "u:exc:0xc0000409|app.exe+0xe14ed|?", "u:exc:0xc0000409|app.exe");
	/* nobody blamed: the same place of Windows in two programs is not one crash */
	made_fault(&m, "ntdll.dll", 0x10);
	m.facts.process.name = "Other.exe";
	keys(NULL, "u:exc:0xc0000409|?ntdll.dll+0x10|?|@other.exe", "u:exc:0xc0000409|?ntdll.dll|@other.exe");
	keys("App.exe", "u:exc:0xc0000409|app.exe+0xe14ed|?", "u:exc:0xc0000409|app.exe");
	/* the process that ran when the kernel stopped is no part of what happened */
	made_read(0x50);
	m.facts.process.name = "Other.exe";
	keys(NULL, "av:read|?csagent.sys+0xe14ed|0x4a0000", "av:read|?csagent.sys");
}

/* Published pairs of id and hash. */
static void hashes_are_windbgs(void **state)
{
	(void)state;
	assert_string_equal(dt_bucket_hash("0x116_IMAGE_nvlddmkm.sys", true, &arena), "{c89bfe8c-ed39-f658-ef27-f2898997fdbd}");
	assert_string_equal(dt_bucket_hash("0x116_IMAGE_igdkmdnd64.sys", true, &arena), "{7eb0cc99-c85b-4092-6430-8f1db059b7c1}");
	assert_string_equal(dt_bucket_hash("0x9F_3_RtsPer_IMAGE_pci.sys", true, &arena), "{ce555a86-e2a6-4bdd-cc96-f64b1a03e85a}");
	assert_string_equal(dt_bucket_hash("AV_R_(null)_win32kbase!WmsgpConnect", true, &arena),
	                    "{ece26be9-101a-e2cf-72a9-a92359219248}");
	assert_string_not_equal(dt_bucket_hash("0x116_IMAGE_nvlddmkm.sys", false, &arena),
	                        "{c89bfe8c-ed39-f658-ef27-f2898997fdbd}");
}

static void image_form(void **state)
{
	(void)state;
	made_kernel(&m, 0x116, 1, 2, UINT64_C(0xffffffffc0000001), 4);
	made_suspect(&m, "nvlddmkm.sys", 0x10, "parameter-2");
	struct dt_blame blame = { .module = "nvlddmkm.sys" };
	dt_bucket(&m.facts, &blame, &arena, &bucket);
	assert_string_equal(bucket.id, "0x116_IMAGE_nvlddmkm.sys");
	assert_string_equal(bucket.hash, "{c89bfe8c-ed39-f658-ef27-f2898997fdbd}");
	/* named by anything else it is not exact */
	m.suspects[0].from = "device-object";
	dt_bucket(&m.facts, &blame, &arena, &bucket);
	assert_null(bucket.id);
	assert_null(bucket.hash);
	m.suspects[0].from = "parameter-2";
	m.bugcheck.code = dt_some(0x119);
	dt_bucket(&m.facts, &blame, &arena, &bucket);
	assert_null(bucket.id);
}

static void names_that_repeat(void **state)
{
	(void)state;
	made_read(0x50);
	m.modules[0].size = dt_some(0x1000); /* too small for the offset: not this one */
	made_module(&m, "CSAGENT.SYS", 0x4c0000);
	keys("csagent.sys", "av:read|csagent.sys+0xe14ed|0x4c0000", "av:read|csagent.sys");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, arena_setup, arena_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(one_fault_in_many_codes), CASE(build_of_windows_changes_nothing), CASE(other_codes), CASE(nobody_blamed),
		CASE(processes),               CASE(hashes_are_windbgs),               CASE(image_form),  CASE(names_that_repeat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
