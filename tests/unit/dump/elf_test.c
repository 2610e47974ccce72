#include "fixture.h"

static struct fixture f;
static struct opened o;

/* An ELF core: a note segment at 0x200, two pages of memory. */
static void make(void)
{
	f.len = 0;
	put_text(&f, 0, "\x7f\x45LF\2\1\1");
	put16(&f, 0x10, 4);
	put16(&f, 0x12, 62);
	put64(&f, 0x20, 0x40);
	put16(&f, 0x36, 56);
	put16(&f, 0x38, 3);
	put32(&f, 0x40, 4);
	put64(&f, 0x48, 0x200);
	put64(&f, 0x60, 12 + 8 + 440);
	put32(&f, 0x78, 1);
	put64(&f, 0x80, 0x1000);
	put64(&f, 0x90, 0x5000);
	put64(&f, 0x98, 0x1000);
	put32(&f, 0xb0, 1);
	put64(&f, 0xb8, 0x2000);
	put64(&f, 0xc8, 0x100000);
	put64(&f, 0xd0, 0x1000);
	/* The note: name QEMU, 440 bytes. */
	put32(&f, 0x200, 5);
	put32(&f, 0x204, 440);
	put_text(&f, 0x20c, "QEMU");
	put64(&f, 0x214 + 136, UINT64_C(0xfffff80012345678)); /* rip */
	put64(&f, 0x214 + 56, UINT64_C(0xffffa00000001000));  /* rsp */
	put32(&f, 0x214 + 152, 0x10);                         /* cs */
	put64(&f, 0x214 + 264, UINT64_C(0xfffff80000100000)); /* gs base */
	put64(&f, 0x214 + 384, UINT64_C(0xfffff80000200000)); /* idt base */
	put64(&f, 0x214 + 408, 0x9c);                         /* cr2 */
	put64(&f, 0x214 + 416, 0x1ad002);                     /* cr3 */
	put64(&f, 0x214 + 424, 0x350ef8);                     /* cr4 */
	put64(&f, 0x214 + 432, 0x1234);                       /* kernel gs base */
	put8(&f, 0x1000, 0x51);
	put8(&f, 0x2000, 0x61);
	put8(&f, 0x2fff, 0);
}

static int byte_at(uint64_t pa)
{
	struct dt_bytes bytes = dt_physical_at(&o.dump.physical, pa);

	return bytes.len ? bytes.data[0] : -1;
}

static void segments_and_processors(void **state)
{
	(void)state;
	make();
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_int_equal(o.notes.count, 0);
	assert_int_equal(o.dump.format, DT_FORMAT_CAPTURE);
	assert_int_equal(o.dump.kind, DT_KIND_ELF);
	assert_int_equal(o.dump.complete, DT_TRUE);
	assert_int_equal(byte_at(0x5000), 0x51);
	assert_int_equal(byte_at(0x100000), 0x61);
	assert_int_equal(byte_at(0x6000), -1);
	assert_int_equal(o.dump.cpu_count, 1);
	const struct dt_cpu_state *cpu = &o.dump.cpus[0];
	assert_true(dt_opt_is(dt_context_ip(&cpu->context), UINT64_C(0xfffff80012345678)));
	assert_true(dt_opt_is(dt_context_sp(&cpu->context), UINT64_C(0xffffa00000001000)));
	assert_false(cpu->context.user_mode);
	assert_true(cpu->kpcr == UINT64_C(0xfffff80000100000) && cpu->idt == UINT64_C(0xfffff80000200000));
	assert_true(cpu->cr2 == 0x9c && cpu->cr3 == 0x1ad002 && cpu->cr4 == 0x350ef8);
	close_opened(&o);
	/* In a program the kernel's base of GS is kept aside. */
	put32(&f, 0x214 + 152, 0x33);
	put64(&f, 0x214 + 432, UINT64_C(0xfffff80000300000));
	open_fixture(&o, &f);
	assert_true(o.dump.cpus[0].context.user_mode && o.dump.cpus[0].kpcr == UINT64_C(0xfffff80000300000));
	close_opened(&o);
}

static void what_is_refused(void **state)
{
	(void)state;
	make();
	put8(&f, 5, 2);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_UNSUPPORTED, 4, "class 2 and byte order 2");
	close_opened(&o);
	make();
	put16(&f, 0x12, 243);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_UNSUPPORTED, 0x12, "machine 243, expected 62");
	close_opened(&o);
	make();
	open_bytes(&o, f.data, 0x30);
	expect_failure(&o, DT_ERR_TRUNCATED, 0x30, "ELF header: 0x40 bytes expected");
	close_opened(&o);
	/* A program's core: no physical addresses, no processors. */
	make();
	put64(&f, 0x90, 0);
	put64(&f, 0xc8, 0);
	put_text(&f, 0x20c, "CORE");
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_UNSUPPORTED, 0, "of a program, not of a virtual machine");
	close_opened(&o);
}

static void tables_that_lie(void **state)
{
	(void)state;
	make();
	put16(&f, 0x38, 0xffff);
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_true(has_note(&o, "program headers", "65535 entries at 0x40 would end at 0x380008"));
	assert_int_equal(byte_at(0x5000), 0x51);
	close_opened(&o);
	make();
	put16(&f, 0x36, 8);
	open_fixture(&o, &f);
	expect_failure(&o, DT_ERR_UNSUPPORTED, 0, "of a program");
	assert_true(has_note(&o, "ELF header", "program headers have 8 bytes each, expected 56"));
	close_opened(&o);
	make();
	put64(&f, 0x98, UINT64_C(1) << 45); /* a segment of 32 TiB */
	open_fixture(&o, &f);
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(is_missing(&o, "pages of memory are there"));
	assert_int_equal(byte_at(0x5000), 0x51);
	close_opened(&o);
	make();
	put32(&f, 0x204, 0xfffffff0); /* a note longer than all */
	open_fixture(&o, &f);
	assert_int_equal(o.dump.cpu_count, 1);
	close_opened(&o);
}

/* The note that QEMU writes of an ARM64 processor, for Linux; QEMU's own is of other machines. */
static void processors_of_arm64(void **state)
{
	(void)state;
	make();
	put16(&f, 0x12, 183);
	open_fixture(&o, &f);
	assert_int_equal(o.dump.machine, DT_MACHINE_ARM64);
	assert_int_equal(o.dump.cpu_count, 0);
	close_opened(&o);
	uint64_t note = dt_bytes_u64_or((struct dt_bytes){ f.data, f.len }, 0x48, 0);
	put64(&f, 0x60, 20 + 392);
	put32(&f, note, 5);
	put32(&f, note + 4, 392);
	put32(&f, note + 8, 1);
	put_text(&f, note + 12, "CORE");
	put32(&f, note + 16, 0);
	for (unsigned i = 0; i < 34; i++)
		put64(&f, note + 20 + 112 + 8 * i, UINT64_C(0xfffff80000000000) + i);
	open_fixture(&o, &f);
	assert_int_equal(o.dump.cpu_count, 1);
	assert_int_equal(o.dump.cpus[0].context.reg[DT_ARM64_PC], UINT64_C(0xfffff80000000020));
	assert_int_equal(o.dump.cpus[0].context.reg[DT_ARM64_SP], UINT64_C(0xfffff8000000001f));
	assert_int_equal(o.dump.cpus[0].kpcr, UINT64_C(0xfffff80000000012));
	assert_false(o.dump.cpus[0].context.user_mode);
	close_opened(&o);
	put32(&f, note + 4, 391); /* a note too short */
	open_fixture(&o, &f);
	assert_int_equal(o.dump.cpu_count, 0);
	close_opened(&o);
}

/* 65,535 segments that all lie upon each other, in one file. */
static void segments_without_number(void **state)
{
	size_t count = 65535, len = 0x40 + 56 * count;
	uint8_t *file = calloc(1, len);

	(void)state;
	assert_non_null(file);
	make();
	memcpy(file, f.data, 0x40);
	file[0x38] = 0xff;
	file[0x39] = 0xff;
	for (size_t i = 0; i < count; i++) {
		uint8_t *segment = file + 0x40 + 56 * i;
		segment[0] = 1;
		segment[25] = (uint8_t)(i * 16);
		segment[26] = (uint8_t)(i >> 4);
		segment[33] = 0xff;
		segment[34] = (uint8_t)i;
	}
	open_bytes(&o, file, len);
	assert_int_equal(o.status, DT_OK);
	assert_true(has_note(&o, "physical memory", "runs overlap others"));
	for (uint64_t pa = 0; pa < 1 << 24; pa += 0x777)
		(void)byte_at(pa);
	check_any(&o);
	close_opened(&o);
	free(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_and_processors),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(tables_that_lie),
		cmocka_unit_test(processors_of_arm64),
		cmocka_unit_test(segments_without_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
