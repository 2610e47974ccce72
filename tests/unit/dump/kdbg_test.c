#include "fixture.h"

#include "facts/dump/reader.h"

static struct fixture f;

static void make(uint32_t size)
{
	memset(&f, 0, sizeof(f));
	f.len = size;
	for (unsigned at = 0x18; at + 8 <= size && at < 0x300; at += 2)
		put16(&f, at, at);
	put_text(&f, 0x10, "KDBG");
	put32(&f, 0x14, size);
	put64(&f, 0x18, UINT64_C(0xfffff80000000000));
}

static bool parse(struct dt_kdbg *kdbg)
{
	return dt_kdbg_parse(kdbg, (struct dt_bytes){ f.data, f.len });
}

static void fields_behind_the_size_are_not_there(void **state)
{
	struct dt_kdbg kdbg;

	(void)state;
	make(0x3a0);
	assert_true(parse(&kdbg));
	assert_int_equal(kdbg.size_prcb, 0x2b0);
	assert_int_equal(kdbg.off_prcb_special_registers, 0x2f2);
	assert_int_equal(kdbg.nt_build_lab, UINT64_C(0x020e020c020a0208));
	assert_int_equal(kdbg.processor_block, UINT64_C(0x021e021c021a0218));
	make(0x290);
	assert_true(parse(&kdbg));
	assert_int_equal(kdbg.size, 0x290);
	assert_int_equal(kdbg.size_prcb + kdbg.off_prcb_special_registers + kdbg.size_eprocess, 0);
	make(0x3a0);
	put32(&f, 0x14, 0x2c2); /* the bytes are there, the block says that they are not its own */
	assert_true(parse(&kdbg));
	assert_int_equal(kdbg.size_ethread, 0x2c0);
	assert_int_equal(kdbg.off_pcr_contained_prcb, 0);
	make(0x3a0);
	f.len = 0x2b0; /* cut */
	assert_true(parse(&kdbg));
	assert_int_equal(kdbg.size, 0x2b0);
	assert_int_equal(kdbg.size_eprocess, 0x2a8);
	assert_int_equal(kdbg.size_prcb, 0);
}

static void refuses_what_is_none(void **state)
{
	struct dt_kdbg kdbg;

	(void)state;
	static const uint32_t sizes[] = { 0, 0x28f, 0x1001, UINT32_MAX };
	for (size_t i = 0; i < 4; i++) {
		make(0x3a0);
		put32(&f, 0x14, sizes[i]);
		assert_false(parse(&kdbg));
		assert_false(kdbg.valid);
	}
	make(0x3a0);
	put_text(&f, 0x10, "KDBF");
	assert_false(parse(&kdbg));
	make(0x3a0);
	put64(&f, 0x18, UINT64_C(0xfffff80000000001));
	assert_false(parse(&kdbg));
	put64(&f, 0x18, 0);
	assert_false(parse(&kdbg));
	f.len = 0;
	assert_false(parse(&kdbg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_behind_the_size_are_not_there),
		cmocka_unit_test(refuses_what_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
