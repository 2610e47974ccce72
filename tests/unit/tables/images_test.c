/* Images by name. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/tables/images.h"

static const char *const drivers[] = {
#define DT_KERNEL_CARRIER(name)
#define DT_USER_CARRIER(name)
#define DT_INBOX_DRIVER(name) name,
#define DT_INBOX_DLL(name)
#define DT_PRODUCT(name, product, security)
#define DT_VULNERABLE(name)
#include "core/tables/images.def"
};

static const char *const libraries[] = {
#define DT_KERNEL_CARRIER(name)
#define DT_USER_CARRIER(name)
#define DT_INBOX_DRIVER(name)
#define DT_INBOX_DLL(name) name,
#define DT_PRODUCT(name, product, security)
#define DT_VULNERABLE(name)
#include "core/tables/images.def"
};

static const char *const products[] = {
#define DT_KERNEL_CARRIER(name)
#define DT_USER_CARRIER(name)
#define DT_INBOX_DRIVER(name)
#define DT_INBOX_DLL(name)
#define DT_PRODUCT(name, product, security) name,
#define DT_VULNERABLE(name)
#include "core/tables/images.def"
};

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static void kernel_carriers(void **state)
{
	static const char *const yes[] = { "ntoskrnl.exe", "NTOSKRNL.EXE", "ntkrnlmp.exe", "ntkrnlpa.exe", "ntkrpamp.exe",
		                           "hal.dll",      "FLTMGR.SYS",   "NETIO.SYS",    "ndis.sys",     "Wdf01000.sys",
		                           "WDFLDR.SYS",   "verifier.sys", "VerifierExt.sys", "WppRecorder.sys" };
	static const char *const no[] = { "csagent.sys", "Ntfs.sys",   "tcpip.sys",   "ks.sys",  "win32kfull.sys", "storport.sys",
		                          "USBPORT.SYS", "ntdll.dll",  "ntoskrnl",    "fltmgr",  "",               "myhal.dll",
		                          "ndis.sys.sys", "CLASSPNP.SYS" };

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++)
		assert_true(dt_image_is_carrier(yes[i], true));
	for (size_t i = 0; i < COUNT(no); i++)
		assert_false(dt_image_is_carrier(no[i], true));
	assert_false(dt_image_is_carrier(NULL, true));
}

static void user_carriers(void **state)
{
	static const char *const yes[] = { "ntdll.dll", "KERNEL32.DLL", "KernelBase.dll", "ucrtbase.dll", "ucrtbased.dll", "msvcrt.dll",
		                           "msvcr120.dll", "MSVCR90.dll", "vcruntime140.dll", "VCRUNTIME140_1.dll", "msvcp140.dll",
		                           "wow64.dll", "wow64cpu.dll", "wow64win.dll", "clr.dll", "coreclr.dll", "mscorwks.dll" };
	static const char *const no[] = { "ntoskrnl.exe", "chrome.dll", "combase.dll", "rpcrt4.dll", "shell32.dll", "ucrtbase.exe",
		                          "msvcrt", "crash.exe", "myntdll.dll" };

	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++)
		assert_true(dt_image_is_carrier(yes[i], false));
	for (size_t i = 0; i < COUNT(no); i++)
		assert_false(dt_image_is_carrier(no[i], false));
}

static void the_kernel_itself(void **state)
{
	(void)state;
	assert_true(dt_image_is_kernel("NTOSKRNL.exe"));
	assert_true(dt_image_is_kernel("hal.dll"));
	assert_true(dt_image_is_kernel("halmacpi.dll"));
	assert_false(dt_image_is_kernel("fltmgr.sys"));
	assert_false(dt_image_is_kernel("csagent.sys"));
	assert_false(dt_image_is_kernel(NULL));
}

static void in_box_images(void **state)
{
	(void)state;
	assert_true(dt_image_is_microsoft("Ntfs.sys", true));
	assert_true(dt_image_is_microsoft("tcpip.sys", true));
	assert_true(dt_image_is_microsoft("win32kbase.sys", true));
	assert_true(dt_image_is_microsoft("WdFilter.sys", true));
	assert_true(dt_image_is_microsoft("ntoskrnl.exe", true));
	assert_true(dt_image_is_microsoft("dump_storahci.sys", true));
	assert_true(dt_image_is_microsoft("hiber_stornvme.sys", true));
	assert_true(dt_image_is_microsoft("dump_dumpfve.sys", true));
	assert_false(dt_image_is_microsoft("dump_iaStorAC.sys", true));
	assert_false(dt_image_is_microsoft("dump_", true));
	assert_true(dt_image_is_microsoft("rpcrt4.dll", false));
	assert_true(dt_image_is_microsoft("ntdll.dll", false));
	assert_false(dt_image_is_microsoft("rpcrt4.dll", true));
	assert_false(dt_image_is_microsoft("nvlddmkm.sys", true));
	assert_false(dt_image_is_microsoft("csagent.sys", true));
	assert_false(dt_image_is_microsoft("chrome.dll", false));
	assert_false(dt_image_is_microsoft("", true));
	assert_false(dt_image_is_microsoft(NULL, true));
}

static void products_by_name(void **state)
{
	static const struct {
		const char *name, *product; /* a part of it */
		bool security;
	} rows[] = {
		{ "CSAgent.sys", "CrowdStrike", true },      { "SentinelMonitor.sys", "SentinelOne", true },
		{ "klif.sys", "Kaspersky", true },           { "eamonm.sys", "ESET", true },
		{ "aswSnx.sys", "Avast", true },             { "mfehidk.sys", "McAfee", true },
		{ "SYMEVENT64x86.SYS", "Symantec", true },   { "tmevtmgr.sys", "Trend Micro", true },
		{ "nvlddmkm.sys", "NVIDIA", false },         { "atikmdag.sys", "AMD", false },
		{ "igdkmd64.sys", "Intel graphics", false }, { "Netwtw10.sys", "Intel Wi-Fi", false },
		{ "Netwtw14.sys", "Intel Wi-Fi", false },    { "rt640x64.sys", "Realtek", false },
		{ "iaStorAC.sys", "Intel Rapid", false },    { "dump_iaStorAC.sys", "Intel Rapid", false },
		{ "vgk.sys", "Vanguard", false },            { "myfault.sys", "NotMyFault", false },
		{ "procexp152.sys", "Process Explorer", false }, { "VBoxDrv.sys", "VirtualBox", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *product = dt_image_product(rows[i].name);
		assert_non_null(product);
		assert_non_null(strstr(product, rows[i].product));
		assert_int_equal(dt_image_is_security(rows[i].name), rows[i].security);
	}
	assert_null(dt_image_product("netwtw10.exe"));
	assert_null(dt_image_product("ntoskrnl.exe"));
	assert_null(dt_image_product("nobody.sys"));
	assert_null(dt_image_product(NULL));
	assert_false(dt_image_is_security("nobody.sys"));
	assert_false(dt_image_is_security(NULL));
}

static void check_order(const char *const *names, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (strcasecmp(names[i - 1], names[i]) >= 0)
			fail_msg("'%s' stands before '%s'", names[i - 1], names[i]);
}

static void rows_are_in_order(void **state)
{
	(void)state;
	check_order(drivers, COUNT(drivers));
	check_order(libraries, COUNT(libraries));
	check_order(products, COUNT(products));
	assert_true(COUNT(drivers) > 400 && COUNT(libraries) > 300 && COUNT(products) > 150);
}

static void every_row_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(drivers); i++)
		assert_true(dt_image_is_microsoft(drivers[i], true));
	for (size_t i = 0; i < COUNT(libraries); i++)
		assert_true(dt_image_is_microsoft(libraries[i], false));
}

/* A product is neither Windows' own nor a carrier: both would keep it from being blamed. */
static void no_product_is_windows_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(products); i++)
		if (dt_image_is_microsoft(products[i], true) || dt_image_is_carrier(products[i], true))
			fail_msg("%s is a product and Windows' own", products[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_carriers),   cmocka_unit_test(user_carriers),      cmocka_unit_test(the_kernel_itself),
		cmocka_unit_test(in_box_images),     cmocka_unit_test(products_by_name),   cmocka_unit_test(rows_are_in_order),
		cmocka_unit_test(every_row_is_found), cmocka_unit_test(no_product_is_windows_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
