#include "fixture.h"

static struct opened o;

struct row {
	const char *bytes;
	size_t len;
	const char *text;
};

#define ROW(bytes, text)                       \
	{                                      \
		bytes, sizeof(bytes) - 1, text \
	}
static const struct row rows[] = {
	ROW("PK\x03\x04rest",
	    "expected PAGEDU64, PAGEDUMP or MDMP, found 50 4b 03 04 72 65 73 74 (zip archive; unpack it first)"),
	ROW("MSCF\0\0\0\0", "cabinet file; unpack it first"),
	ROW("7z\xbc\xaf\x27\x1c\0\4", "7z archive; unpack"),
	ROW("\x1f\x8b\x08\0", "gzip file; unpack"),
	ROW("\xfd"
	    "7zXZ\0",
	    "xz file; unpack"),
	ROW("\x28\xb5\x2f\xfd\x04", "zstd file; unpack"),
	ROW("MZ\x90\0\x03", "Windows program"),
	ROW("\x7f\x45LF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0",
	    "ELF program or library, not a core file"),
	ROW("hibr\0\0\0\0", "hibernation file"),
	ROW("Hello, here is the dump you asked for\r\n", "found 48 65 6c 6c 6f 2c 20 68 (text)"),
	ROW("\xff\xfeH\0e\0", "text in UTF-16"),
	ROW("\x01\x02\x03", "expected PAGEDU64, PAGEDUMP or MDMP, found 01 02 03"),
	ROW("", "the file is empty"),
	ROW("\0", "all 0x1 bytes are zero"),
	ROW("\0\0\0\0\0\0\0\0\0\0\0\0",
	    "all 0xc bytes are zero: the dump's space was set aside and never written"),
	ROW("MDM", "found 4d 44 4d (text)"),
};

static void says_what_it_is(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		open_bytes(&o, (const uint8_t *)rows[i].bytes, rows[i].len);
		expect_failure(&o, DT_ERR_NOT_A_DUMP, 0, rows[i].text);
		assert_null(o.dump.reader);
		assert_false(o.dump.has_bugcheck);
		close_opened(&o);
	}
}

static void a_half_written_signature_is_named(void **state)
{
	(void)state;
	open_bytes(&o, (const uint8_t *)"PAGE\0\0\0\0", 8);
	expect_failure(&o, DT_ERR_NOT_A_DUMP, 4, "a kernel dump whose writing was interrupted");
	close_opened(&o);
}

static void one_byte_that_is_not_zero_counts(void **state)
{
	static uint8_t bytes[100000];

	(void)state;
	bytes[99999] = 1;
	open_bytes(&o, bytes, sizeof(bytes));
	expect_failure(&o, DT_ERR_NOT_A_DUMP, 0, "found 00 00 00 00 00 00 00 00");
	close_opened(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_what_it_is),
		cmocka_unit_test(a_half_written_signature_is_named),
		cmocka_unit_test(one_byte_that_is_not_zero_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
