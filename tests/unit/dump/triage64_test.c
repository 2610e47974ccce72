#include "fixture.h"

static struct fixture f;
static struct opened o;

#define KERNEL_BASE UINT64_C(0xfffff80000000000)
#define STACK_VA UINT64_C(0xfffff50012340000)
#define THREAD_VA UINT64_C(0xffffab0000111080)
#define PROCESS_VA UINT64_C(0xffffab0000222080)
#define PRCB_VA UINT64_C(0xffffab0000333180)
#define DATA_VA UINT64_C(0xfffff80000a01000)

static void put_driver(unsigned index, uint32_t name, uint64_t base, uint32_t size, uint32_t stamp)
{
	size_t at = 0x2100 + index * 0x90;

	put32(&f, at, name);
	put64(&f, at + 8 + 0x30, base);
	put32(&f, at + 8 + 0x40, size);
	put32(&f, at + 8 + 0x78, stamp ? stamp + 1 : 0);
	put32(&f, at + 8 + 0x80, stamp);
}

static void put_dump_string(size_t at, const char *text)
{
	put32(&f, at, (uint32_t)strlen(text));
	put_wide(&f, at + 4, text);
}

static void make_parts(void)
{
	put32(&f, 0x2014, 0x2080);
	put32(&f, 0x2018, 0x2600);
	put32(&f, 0x201c, 0x2c00);
	put32(&f, 0x2020, 0x3200);
	put32(&f, 0x2024, 0x2e00);
	put32(&f, 0x2028, 0x4000);
	put32(&f, 0x202c, 0x400);
	put32(&f, 0x2030, 0x2100);
	put32(&f, 0x2034, 3);
	put32(&f, 0x2038, 0x2400);
	put32(&f, 0x203c, 0x200);
	put32(&f, 0x2044, UINT32_MAX);
	put64(&f, 0x2048, STACK_VA);
	put32(&f, 0x2070, 0x2800);
	put32(&f, 0x2074, 0x380);
	put32(&f, 0x2078, 0x3600);
	put32(&f, 0x207c, 3);
	put32(&f, 0x2080, 1);
	put32(&f, 0x2084, 0x50);
}

static void make_drivers(void)
{
	put_dump_string(0x2400, "\\SystemRoot\\system32\\ntoskrnl.exe");
	put_dump_string(0x2450, "hal.dll");
	put_dump_string(0x2470, "bad.sys");
	put_driver(0, 0x2400, KERNEL_BASE, 0x1046000, 0x5d0);
	put_driver(1, 0x2450, KERNEL_BASE + 0x2000000, 0x6000, 0);
	put_driver(2, 0x2470, KERNEL_BASE + 0x3000000, 0x8000, 0x600);
	put64(&f, 0x2600, 2);
	put16(&f, 0x2608, 18);
	put_wide(&f, 0x2618, "dump_storpor");
	put64(&f, 0x2630, UINT64_C(0xfffff80040000000));
	put64(&f, 0x2638, UINT64_C(0xfffff80040010000));
	put16(&f, 0x2640, 200);
	put_wide(&f, 0x2650, "Network");
	put64(&f, 0x2668, UINT64_C(0xfffff80050000000));
	put64(&f, 0x2670, UINT64_C(0xfffff80050020000));
}

/* Each 16-bit field of the debugger block gets a value of its own. */
static void make_kdbg(void)
{
	put_text(&f, 0x2810, "KDBG");
	put32(&f, 0x2814, 0x380);
	put64(&f, 0x2818, KERNEL_BASE);
	put64(&f, 0x2800 + 0x208, DATA_VA + 0x40);
	put64(&f, 0x2800 + 0x218, DATA_VA);
	put16(&f, 0x2800 + 0x29a, 0xf0);
	put16(&f, 0x2800 + 0x29c, 0x58);
	put16(&f, 0x2800 + 0x29e, 0x28);
	put16(&f, 0x2800 + 0x2a0, 0xb8);
	put16(&f, 0x2800 + 0x2a8, 0x300);
	put16(&f, 0x2800 + 0x2aa, 0x2e0);
	put16(&f, 0x2800 + 0x2ac, 0x2d0);
	put16(&f, 0x2800 + 0x2b0, 0x200);
	put16(&f, 0x2800 + 0x2b4, 0x08);
	put16(&f, 0x2800 + 0x2b6, 0x44);
	put16(&f, 0x2800 + 0x2ba, 0x60);
	put16(&f, 0x2800 + 0x2be, 0x24);
	put16(&f, 0x2800 + 0x2c0, 0x310);
	put16(&f, 0x2800 + 0x2e6, 0x180);
	put16(&f, 0x2800 + 0x2f2, 0x100);
	put16(&f, 0x2800 + 0x37c, 0); /* the last field of a block of this size */
	put64(&f, 0x2c08, THREAD_VA);
	put32(&f, 0x2c24, 1);
	put64(&f, 0x2e00 + 0xb8, PROCESS_VA);
	put8(&f, 0x3200, 3);
}

static void put_block(unsigned index, uint64_t va, uint32_t off, uint32_t size)
{
	put64(&f, 0x3600 + 16 * index, va);
	put32(&f, 0x3608 + 16 * index, off);
	put32(&f, 0x360c + 16 * index, size);
}

static void make_memory(void)
{
	put_block(0, DATA_VA, 0x3700, 0x80);
	put64(&f, 0x3708, PRCB_VA); /* KiProcessorBlock[1] */
	put_text(&f, 0x3740, "19041.1.amd64fre.vb_release");
	put_block(1, STACK_VA - 0x10, 0x3800, 0x10); /* ends where the stack begins */
	put_block(2, STACK_VA + 0x10, 0x3900, 0x10); /* lies upon the stack, with other bytes */
	put_text(&f, 0x3900, "other bytes here");
	for (unsigned i = 0; i < 0x400; i += 8)
		put64(&f, 0x4000 + i, 0x1111 * i);
	put_text(&f, 0x3800, "in front of it..");
}

static void make_secondary(void)
{
	static const uint8_t smbios[] = { 0x8f, 0x00, 0x5c, 0xbc, 0x3a, 0x1e, 0xd7, 0x44,
		                          0x98, 0x8d, 0x86, 0xf6, 0x88, 0x4c, 0x67, 0x58 };

	put_text(&f, 0x4404, "DumpBlob");
	put32(&f, 0x440c, 0x10);
	put32(&f, 0x4410, 0xf0004a61);
	put32(&f, 0x4414, 0x20); /* a blob of another kind */
	put32(&f, 0x4414 + 0x14, 4);
	put32(&f, 0x4414 + 0x1c, 4);
	put32(&f, 0x443c, 0x20);
	for (unsigned i = 0; i < 16; i++)
		put8(&f, 0x4440 + i, smbios[i]);
	put32(&f, 0x4450, 6);
	put32(&f, 0x4454, 2);
	put32(&f, 0x4458, 0);
	put_text(&f, 0x445e, "SMBIOS");
}

static void make_triage(void)
{
	make_header64(&f, 4);
	put32(&f, 0x1038, 0xcff);
	for (size_t at = 0x2000; at < 0x4400; at++)
		put8(&f, at, 0);
	make_parts();
	make_drivers();
	make_kdbg();
	make_memory();
	put32(&f, 0x2004, 0x4404);
	put32(&f, 0x2008, 0x4400);
	put_text(&f, 0x4400, "TRGD");
	make_secondary();
	assert_int_equal(f.len, 0x4464);
}

static void open_triage(void)
{
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
}

static void reads_drivers(void **state)
{
	(void)state;
	make_triage();
	open_triage();
	assert_int_equal(o.dump.kind, DT_KIND_TRIAGE);
	assert_int_equal(o.dump.module_count, 3);
	const struct dt_module *nt = &o.dump.modules[0], *hal = &o.dump.modules[1];
	assert_string_equal(nt->name, "ntoskrnl.exe");
	assert_string_equal(nt->path, "\\SystemRoot\\system32\\ntoskrnl.exe");
	assert_true(dt_opt_is(nt->base, KERNEL_BASE) && dt_opt_is(nt->size, 0x1046000));
	assert_true(dt_opt_is(nt->timestamp, 0x5d0) && dt_opt_is(nt->checksum, 0x5d1));
	assert_string_equal(hal->name, "hal.dll");
	assert_null(hal->path);
	assert_false(hal->timestamp.known || hal->checksum.known);
	assert_ptr_equal(dt_dump_module_at(&o.dump, KERNEL_BASE + 0x3000010), &o.dump.modules[2]);
	assert_int_equal(o.dump.unloaded_count, 2);
	assert_string_equal(o.dump.unloaded[0].name, "dump_stor"); /* 18 bytes are 9 characters */
	assert_string_equal(o.dump.unloaded[1].name, "Network");
	assert_ptr_equal(dt_dump_unloaded_at(&o.dump, UINT64_C(0xfffff8005001ffff)), &o.dump.unloaded[1]);
	assert_null(dt_dump_unloaded_at(&o.dump, UINT64_C(0xfffff80050020000)));
	close_opened(&o);
}

static void reads_the_debugger_block_and_the_copies(void **state)
{
	(void)state;
	make_triage();
	open_triage();
	const struct dt_kdbg *kdbg = &o.dump.kdbg;
	assert_true(kdbg->valid && kdbg->size == 0x380 && kdbg->kern_base == KERNEL_BASE);
	assert_int_equal(kdbg->off_kthread_teb, 0xf0);
	assert_int_equal(kdbg->off_kthread_kernel_stack, 0x58);
	assert_int_equal(kdbg->off_kthread_initial_stack, 0x28);
	assert_int_equal(kdbg->off_kthread_apc_process, 0xb8);
	assert_int_equal(kdbg->size_eprocess, 0x300);
	assert_int_equal(kdbg->off_eprocess_peb, 0x2e0);
	assert_int_equal(kdbg->off_eprocess_parent_cid, 0x2d0);
	assert_int_equal(kdbg->size_prcb, 0x200);
	assert_int_equal(kdbg->off_prcb_current_thread, 0x08);
	assert_int_equal(kdbg->off_prcb_mhz, 0x44);
	assert_int_equal(kdbg->off_prcb_vendor, 0x60);
	assert_int_equal(kdbg->off_prcb_number, 0x24);
	assert_int_equal(kdbg->size_ethread, 0x310);
	assert_int_equal(kdbg->off_pcr_contained_prcb, 0x180);
	assert_int_equal(kdbg->off_prcb_special_registers, 0x100);
	assert_int_equal(o.dump.prcb.va, PRCB_VA);
	assert_int_equal(o.dump.prcb.bytes.len, 0x200);
	assert_int_equal(o.dump.thread.va, THREAD_VA);
	assert_int_equal(o.dump.thread.bytes.len, 0x310);
	assert_int_equal(o.dump.process.va, PROCESS_VA);
	assert_ptr_equal(o.dump.process.bytes.data, o.copy + 0x3200);
	assert_int_equal(o.dump.mm_storage.bytes.len, 0x50);
	assert_int_equal(o.dump.kdbg_raw.va, UINT64_C(0xfffff80000a00000));
	assert_string_equal(o.dump.build_lab, "19041.1.amd64fre.vb_release");
	assert_int_equal(o.dump.smbios.len, 6);
	assert_memory_equal(o.dump.smbios.data, "SMBIOS", 6);
	close_opened(&o);
}

static void memory_joins_blocks_stack_and_copies(void **state)
{
	uint64_t word;
	uint8_t text[16];

	(void)state;
	make_triage();
	open_triage();
	assert_int_equal(o.dump.stack_va, STACK_VA);
	assert_int_equal(o.dump.stack_len, 0x400);
	assert_true(dt_memory_u64(&o.dump.memory, STACK_VA + 0x10, &word));
	assert_int_equal(word, 0x11110); /* the stack's, not the block's */
	assert_true(has_note(&o, "memory",
	                     "1 overlapping ranges have different bytes, the first at 0xfffff50012340010"));
	assert_int_equal(dt_memory_span(&o.dump.memory, STACK_VA - 0x10, 0x1000), 0x410);
	assert_true(dt_memory_read_all(&o.dump.memory, STACK_VA - 0x10, text, 16));
	assert_memory_equal(text, "in front of it..", 16);
	assert_true(dt_memory_u64(&o.dump.memory, THREAD_VA + 0xb8, &word) && word == PROCESS_VA);
	assert_true(dt_memory_u64(&o.dump.memory, PRCB_VA + 8, &word) && word == THREAD_VA);
	assert_true(dt_memory_u64(&o.dump.memory, UINT64_C(0xfffff80000a00018), &word) && word == KERNEL_BASE);
	assert_true(dt_memory_read_all(&o.dump.memory, PROCESS_VA, text, 1) && text[0] == 3);
	close_opened(&o);
}

static void tells_writers_and_completeness(void **state)
{
	(void)state;
	make_triage();
	open_triage();
	assert_int_equal(o.dump.writer, DT_WRITER_OFFLINE);
	assert_int_equal(o.dump.complete, DT_TRUE);
	assert_int_equal(o.dump.missing_count, 0);
	close_opened(&o);
	put32(&f, 0x1050, 0x8);
	put32(&f, 0x2044, 0x41);
	put64(&f, 0xfa0, 0x5000); /* the kernel writes the file's size here */
	open_triage();
	assert_int_equal(o.dump.writer, DT_WRITER_KERNEL);
	assert_int_equal(o.dump.live, DT_FALSE);
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(is_missing(&o, "end of the file: 0x4464 of 0x5000 bytes are there (85 %)"));
	close_opened(&o);
	put64(&f, 0xfa0, 0x4464);
	open_triage();
	assert_int_equal(o.dump.complete, DT_TRUE);
	close_opened(&o);
}

static void a_missing_end_mark_is_said(void **state)
{
	(void)state;
	make_triage();
	put_text(&f, 0x4400, "TRIA");
	open_triage();
	assert_int_equal(o.dump.complete, DT_FALSE);
	assert_true(has_note(&o, "triage block", "no end mark TRGD at 0x4400"));
	close_opened(&o);
}

/* DumpType says another kind, the bytes behind the header say this one. */
static void the_block_is_believed_before_the_type(void **state)
{
	(void)state;
	make_triage();
	put32(&f, 0xf98, 6);
	open_fixture(&o, &f);
	assert_int_equal(o.status, DT_OK);
	assert_int_equal(o.dump.kind, DT_KIND_TRIAGE);
	assert_int_equal(o.dump.module_count, 3);
	assert_true(has_note(&o, "body", "DumpType 6 does not go with the triage block at 0x2000"));
	close_opened(&o);
	/* without its end mark nothing says so */
	put_text(&f, 0x4400, "TRIA");
	open_fixture(&o, &f);
	assert_int_equal(o.dump.module_count, 0);
	close_opened(&o);
}

static void an_encrypted_dump_is_not_guessed_at(void **state)
{
	(void)state;
	make_triage();
	put32(&f, 0x1050, 1 << 8);
	open_triage();
	assert_int_equal(o.dump.module_count, 0);
	assert_true(o.dump.has_bugcheck);
	assert_true(is_missing(&o, "encrypted"));
	assert_true(has_note(&o, "header", "encrypted"));
	close_opened(&o);
}

static void counts_that_lie_are_cut(void **state)
{
	(void)state;
	make_triage();
	put32(&f, 0x2034, 4096);
	open_triage();
	assert_int_equal(o.dump.module_count, (0x4464 - 0x2100) / 0x90);
	assert_true(has_note(&o, "driver list",
	                     "4096 entries at 0x2100 would end at 0x92100, the file ends at 0x4464"));
	assert_true(is_missing(&o, "driver list: 62 of 4096 entries are there"));
	assert_int_equal(o.dump.complete, DT_FALSE);
	close_opened(&o);

	make_triage();
	put32(&f, 0x2034, UINT32_MAX);
	put32(&f, 0x207c, UINT32_MAX);
	put64(&f, 0x2600, UINT64_MAX);
	put32(&f, 0x202c, UINT32_MAX);
	put32(&f, 0x2074, UINT32_MAX);
	open_triage();
	assert_true(has_note(&o, "data blocks", "4294967295 entries at 0x3600 would end at 0x10000035f0"));
	assert_true(has_note(&o, "unloaded drivers",
	                     "18446744073709551615 entries at 0x2608 would end beyond any file"));
	assert_true(has_note(&o, "call stack",
	                     "0xffffffff bytes at 0x4000 would end at 0x100003fff, the file ends at 0x4464"));
	assert_true(is_missing(&o, "call stack: 0x464 of 0xffffffff bytes are there"));
	close_opened(&o);
}

static void offsets_behind_the_end_are_named(void **state)
{
	(void)state;
	make_triage();
	put32(&f, 0x2030, 0x9000);
	put32(&f, 0x2018, 0xfffffff0);
	put32(&f, 0x2028, 0x4464);
	put_block(0, DATA_VA, 0x7fffffff, 0x80);
	open_triage();
	assert_int_equal(o.dump.module_count + o.dump.unloaded_count + o.dump.stack_len, 0);
	assert_true(
		has_note(&o, "driver list", "3 entries at 0x9000 would end at 0x91b0, the file ends at 0x4464"));
	assert_true(has_note(&o, "driver list", "the dump has none"));
	assert_true(has_note(&o, "unloaded drivers", "0x8 bytes at 0xfffffff0"));
	assert_true(has_note(&o, "call stack", "0x400 bytes at 0x4464 would end at 0x4864"));
	assert_true(has_note(&o, "data blocks",
	                     "1 of 3 reach behind the end of the file, the first is described at 0x3600"));
	close_opened(&o);
}

static void names_are_bounded_by_the_file(void **state)
{
	(void)state;
	make_triage();
	put32(&f, 0x2450, 0x7fffffff);
	put32(&f, 0x2100 + 2 * 0x90, 0xffffffff);
	open_triage();
	assert_null(o.dump.modules[1].name);
	assert_null(o.dump.modules[2].name);
	assert_true(has_note(&o, "driver list",
	                     "2 of 3 drivers have no name in the file, the first is described at 0x2190"));
	close_opened(&o);
}

static void a_block_that_is_no_kdbg_is_not_used(void **state)
{
	(void)state;
	make_triage();
	put_text(&f, 0x2810, "KDBX");
	open_triage();
	assert_false(o.dump.kdbg.valid);
	assert_int_equal(o.dump.thread.va + o.dump.process.va + o.dump.prcb.va + o.dump.prcb.bytes.len, 0);
	assert_true(has_note(&o, "debugger data", "0x380 bytes at 0x2800 are no KDBG block"));
	close_opened(&o);
	make_triage();
	put64(&f, 0x2818, KERNEL_BASE + 0x1000);
	open_triage();
	assert_true(has_note(&o, "debugger data", "is the base of no driver"));
	close_opened(&o);
	make_triage();
	put64(&f, 0x2c08, THREAD_VA + 1); /* no thread stands at an odd address */
	open_triage();
	assert_int_equal(o.dump.thread.va, 0);
	assert_int_equal(o.dump.process.va, PROCESS_VA);
	close_opened(&o);
}

/* Whether nothing shows that the file is cut at len: the triage part is whole, and the cut lies between two blobs
 * (or where none has begun). */
static bool is_whole(size_t len)
{
	return (len >= 0x4404 && len <= 0x4414) || (len >= 0x4438 && len <= 0x443c);
}

static void a_cut_file_gives_what_it_has(void **state)
{
	(void)state;
	make_triage();
	for (size_t len = 0; len < f.len; len++) {
		open_bytes(&o, f.data, len);
		check_any(&o);
		if (len < 8) {
			assert_int_equal(o.status, DT_ERR_NOT_A_DUMP);
		} else if (len < 0x2080) {
			assert_int_equal(o.status, DT_ERR_TRUNCATED);
			assert_int_equal(o.err.off, len);
		} else {
			assert_int_equal(o.status, DT_OK);
			assert_true(o.dump.has_bugcheck);
			assert_int_equal(o.dump.complete, is_whole(len) ? DT_TRUE : DT_FALSE);
			if (len < 0x4404)
				assert_true(is_missing(&o, "end of the file"));
			assert_int_equal(o.dump.module_count, len < 0x2100   ? 0
			                                      : len < 0x22b0 ? (len - 0x2100) / 0x90
			                                                     : 3);
		}
		close_opened(&o);
	}
}

static void no_flipped_byte_is_fatal(void **state)
{
	static const uint8_t masks[] = { 0xff, 0x01, 0x80 };

	(void)state;
	make_triage();
	for (size_t at = 0; at < f.len; at += at == 0x100 ? 0x1e00 : 1) {
		for (size_t i = 0; i < sizeof(masks); i++) {
			f.data[at] ^= masks[i];
			open_fixture(&o, &f);
			check_any(&o);
			close_opened(&o);
			f.data[at] ^= masks[i];
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_drivers),
		cmocka_unit_test(reads_the_debugger_block_and_the_copies),
		cmocka_unit_test(memory_joins_blocks_stack_and_copies),
		cmocka_unit_test(tells_writers_and_completeness),
		cmocka_unit_test(a_missing_end_mark_is_said),
		cmocka_unit_test(the_block_is_believed_before_the_type),
		cmocka_unit_test(an_encrypted_dump_is_not_guessed_at),
		cmocka_unit_test(counts_that_lie_are_cut),
		cmocka_unit_test(offsets_behind_the_end_are_named),
		cmocka_unit_test(names_are_bounded_by_the_file),
		cmocka_unit_test(a_block_that_is_no_kdbg_is_not_used),
		cmocka_unit_test(a_cut_file_gives_what_it_has),
		cmocka_unit_test(no_flipped_byte_is_fatal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
