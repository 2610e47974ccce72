/* Instructions: text, memory operands, flow, features. Expected values: Intel SDM volume 2, Arm ARM. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/tables/machines.h"
#include "facts/insn/insn.h"

enum { R = 1, W = 2, RW = 3, NONE = -1, RIP = -2 };

struct expected {
	const char *hex, *text;
	unsigned len;
	enum dt_insn_flow flow;
	int base, index, scale; /* of the first memory operand; base NONE and no access: there is none */
	int64_t disp;
	unsigned size, access;
	const char *feature;
};

#define NO_MEM NONE, NONE, 0, 0, 0, 0
static const struct expected x64[] = {
	{ "458b08", "mov r9d, dword ptr [r8]", 3, DT_FLOW_NEXT, DT_X64_R8, NONE, 1, 0, 4, R, NULL },
	{ "448908", "mov dword ptr [rax], r9d", 3, DT_FLOW_NEXT, DT_X64_RAX, NONE, 1, 0, 4, W, NULL },
	{ "488b4128", "mov rax, qword ptr [rcx + 0x28]", 4, DT_FLOW_NEXT, DT_X64_RCX, NONE, 1, 0x28, 8, R, NULL },
	{ "4e8b04d8", "mov r8, qword ptr [rax + r11*8]", 4, DT_FLOW_NEXT, DT_X64_RAX, DT_X64_R11, 8, 0, 8, R, NULL },
	{ "450fb708", "movzx r9d, word ptr [r8]", 4, DT_FLOW_NEXT, DT_X64_R8, NONE, 1, 0, 2, R, NULL },
	{ "807929 05", "cmp byte ptr [rcx + 0x29], 5", 4, DT_FLOW_NEXT, DT_X64_RCX, NONE, 1, 0x29, 1, R, NULL },
	{ "48833a00", "cmp qword ptr [rdx], 0", 4, DT_FLOW_NEXT, DT_X64_RDX, NONE, 1, 0, 8, R, NULL },
	{ "f60001", "test byte ptr [rax], 1", 3, DT_FLOW_NEXT, DT_X64_RAX, NONE, 1, 0, 1, R, NULL },
	{ "0fa310", "bt dword ptr [rax], edx", 3, DT_FLOW_NEXT, DT_X64_RAX, NONE, 1, 0, 4, R, NULL },
	{ "02408 4", "add al, byte ptr [rax - 0x7c]", 3, DT_FLOW_NEXT, DT_X64_RAX, NONE, 1, -0x7c, 1, R, NULL },
	{ "0108", "add dword ptr [rax], ecx", 2, DT_FLOW_NEXT, DT_X64_RAX, NONE, 1, 0, 4, RW, NULL },
	{ "ff00", "inc dword ptr [rax]", 2, DT_FLOW_NEXT, DT_X64_RAX, NONE, 1, 0, 4, RW, NULL },
	{ "488708", "xchg qword ptr [rax], rcx", 3, DT_FLOW_NEXT, DT_X64_RAX, NONE, 1, 0, 8, RW, NULL },
	{ "f0480fb108", "lock cmpxchg qword ptr [rax], rcx", 5, DT_FLOW_NEXT, DT_X64_RAX, NONE, 1, 0, 8, RW, NULL },
	{ "488d4108", "lea rax, [rcx + 8]", 4, DT_FLOW_NEXT, NO_MEM, NULL },
	{ "0f1f4000", "nop dword ptr [rax]", 4, DT_FLOW_NEXT, NO_MEM, NULL },
	{ "0f1808", "prefetcht0 byte ptr [rax]", 3, DT_FLOW_NEXT, NO_MEM, NULL },
	{ "89c8", "mov eax, ecx", 2, DT_FLOW_NEXT, NO_MEM, NULL },
	{ "90", "nop", 1, DT_FLOW_NEXT, NO_MEM, NULL },
	{ "488b0510000000", "mov rax, qword ptr [rip + 0x10]", 7, DT_FLOW_NEXT, RIP, NONE, 1, 0x10, 8, R, NULL },
	{ "50", "push rax", 1, DT_FLOW_NEXT, DT_X64_RSP, NONE, 1, -8, 8, W, NULL },
	{ "58", "pop rax", 1, DT_FLOW_NEXT, DT_X64_RSP, NONE, 1, 0, 8, R, NULL },
	{ "c3", "ret", 1, DT_FLOW_RETURN, DT_X64_RSP, NONE, 1, 0, 8, R, NULL },
	{ "ffd0", "call rax", 2, DT_FLOW_CALL, DT_X64_RSP, NONE, 1, -8, 8, W, NULL },
	{ "ffe0", "jmp rax", 2, DT_FLOW_JUMP, NO_MEM, NULL },
	{ "7405", "je 0x140001007", 2, DT_FLOW_BRANCH, NO_MEM, NULL },
	{ "cc", "int3", 1, DT_FLOW_STOP, NO_MEM, NULL },
	{ "cd29", "int 0x29", 2, DT_FLOW_STOP, NO_MEM, NULL },
	{ "0f0b", "ud2", 2, DT_FLOW_STOP, NO_MEM, NULL },
	{ "0f2901", "movaps xmmword ptr [rcx], xmm0", 3, DT_FLOW_NEXT, DT_X64_RCX, NONE, 1, 0, 16, W, NULL },
	{ "0f2801", "movaps xmm0, xmmword ptr [rcx]", 3, DT_FLOW_NEXT, DT_X64_RCX, NONE, 1, 0, 16, R, NULL },
	{ "f30fb8c1", "popcnt eax, ecx", 4, DT_FLOW_NEXT, NO_MEM, "POPCNT" },
	{ "480fc70e", "cmpxchg16b xmmword ptr [rsi]", 4, DT_FLOW_NEXT, DT_X64_RSI, NONE, 1, 0, 16, RW, "CMPXCHG16B" },
	{ "0fc7f0", "rdrand eax", 3, DT_FLOW_NEXT, NO_MEM, "RDRAND" },
	{ "c5fc2801", "vmovaps ymm0, ymmword ptr [rcx]", 4, DT_FLOW_NEXT, DT_X64_RCX, NONE, 1, 0, 32, R, "AVX" },
	{ "f30fbcc1", "tzcnt eax, ecx", 4, DT_FLOW_NEXT, NO_MEM, NULL },
	{ "f30fbdc1", "lzcnt eax, ecx", 4, DT_FLOW_NEXT, NO_MEM, NULL },
};

static const struct expected x86[] = {
	{ "8b01", "mov eax, dword ptr [ecx]", 2, DT_FLOW_NEXT, DT_X86_ECX, NONE, 1, 0, 4, R, NULL },
	{ "c70001000000", "mov dword ptr [eax], 1", 6, DT_FLOW_NEXT, DT_X86_EAX, NONE, 1, 0, 4, W, NULL },
	{ "8b4c2404", "mov ecx, dword ptr [esp + 4]", 4, DT_FLOW_NEXT, DT_X86_ESP, NONE, 1, 4, 4, R, NULL },
	{ "50", "push eax", 1, DT_FLOW_NEXT, DT_X86_ESP, NONE, 1, -4, 4, W, NULL },
	{ "c3", "ret", 1, DT_FLOW_RETURN, DT_X86_ESP, NONE, 1, 0, 4, R, NULL },
};

static const struct expected arm64[] = {
	{ "000c40f9", "ldr x0, [x0, #0x18]", 4, DT_FLOW_NEXT, 0, NONE, 1, 0x18, 8, R, NULL },
	{ "200800f9", "str x0, [x1, #0x10]", 4, DT_FLOW_NEXT, 1, NONE, 1, 0x10, 8, W, NULL },
	{ "200040b9", "ldr w0, [x1]", 4, DT_FLOW_NEXT, 1, NONE, 1, 0, 4, R, NULL },
	{ "20004039", "ldrb w0, [x1]", 4, DT_FLOW_NEXT, 1, NONE, 1, 0, 1, R, NULL },
	{ "c0035fd6", "ret", 4, DT_FLOW_RETURN, NO_MEM, NULL },
	{ "00013fd6", "blr x8", 4, DT_FLOW_CALL, NO_MEM, NULL },
	{ "000020d4", "brk #0", 4, DT_FLOW_STOP, NO_MEM, NULL },
};

static size_t bytes_of(const char *hex, uint8_t out[16])
{
	size_t n = 0;
	int high = -1;

	for (; *hex && n < 16; hex++) {
		if (*hex == ' ')
			continue;
		int digit = *hex <= '9' ? *hex - '0' : *hex - 'a' + 10;
		if (high < 0) {
			high = digit;
		} else {
			out[n++] = (uint8_t)(high << 4 | digit);
			high = -1;
		}
	}
	return n;
}

static void check(enum dt_machine machine, const struct expected *rows, size_t count)
{
	struct dt_decoder *decoder;
	struct dt_error err;

	assert_int_equal(dt_decoder_open(&decoder, machine, &err), DT_OK);
	for (size_t i = 0; i < count; i++) {
		const struct expected *e = &rows[i];
		struct dt_insn insn;
		uint8_t code[16];
		size_t len = bytes_of(e->hex, code);
		if (!dt_insn_decode(decoder, (struct dt_bytes){ code, len }, 0x140001000, &insn))
			fail_msg("%s: not decoded", e->text);
		if (strcmp(insn.text, e->text))
			fail_msg("'%s' for '%s'", insn.text, e->text);
		if (insn.len != e->len || insn.flow != e->flow)
			fail_msg("%s: length %u, flow %d", e->text, insn.len, insn.flow);
		if ((insn.feature == NULL) != (e->feature == NULL) || (e->feature && strcmp(insn.feature, e->feature)))
			fail_msg("%s: feature %s", e->text, insn.feature ? insn.feature : "none");
		if (e->access == 0) {
			if (insn.mem_count)
				fail_msg("%s: %u memory operands", e->text, insn.mem_count);
			continue;
		}
		const struct dt_insn_mem *mem = &insn.mem[0];
		unsigned access = (mem->reads ? R : 0u) | (mem->writes ? W : 0u);
		if (insn.mem_count < 1 || mem->opaque || mem->rip_relative != (e->base == RIP) || (e->base >= 0 && mem->base != e->base) ||
		    mem->index != e->index || (e->index >= 0 && mem->scale != (unsigned)e->scale) || mem->disp != e->disp ||
		    mem->size != e->size || access != e->access)
			fail_msg("%s: count %u base %d index %d scale %u disp %lld size %u access %u", e->text, insn.mem_count, mem->base,
			         mem->index, mem->scale, (long long)mem->disp, mem->size, access);
	}
	dt_decoder_close(decoder);
}

static void instructions_of_x64(void **state)
{
	(void)state;
	check(DT_MACHINE_X64, x64, sizeof(x64) / sizeof(x64[0]));
}

static void instructions_of_x86(void **state)
{
	(void)state;
	check(DT_MACHINE_X86, x86, sizeof(x86) / sizeof(x86[0]));
}

static void instructions_of_arm64(void **state)
{
	(void)state;
	check(DT_MACHINE_ARM64, arm64, sizeof(arm64) / sizeof(arm64[0]));
}

static void what_cannot_be_decoded(void **state)
{
	/* vpdpbusd: newer than the decoder; its feature is known all the same */
	static const uint8_t vnni[] = { 0x62, 0xf2, 0x75, 0x48, 0x50, 0xc2 }, cut[] = { 0x48, 0x8b };
	struct dt_decoder *decoder;
	struct dt_error err;
	struct dt_insn insn;

	(void)state;
	assert_int_equal(dt_decoder_open(&decoder, DT_machine_NULL, &err), DT_ERR_UNSUPPORTED);
	assert_int_equal(dt_decoder_open(&decoder, DT_MACHINE_X64, &err), DT_OK);
	assert_false(dt_insn_decode(decoder, (struct dt_bytes){ vnni, sizeof(vnni) }, 0, &insn));
	assert_string_equal(insn.feature, "AVX512_VNNI");
	assert_false(dt_insn_decode(decoder, (struct dt_bytes){ cut, sizeof(cut) }, 0, &insn));
	assert_null(insn.feature);
	assert_false(dt_insn_decode(decoder, (struct dt_bytes){ NULL, 0 }, 0, &insn));
	dt_decoder_close(decoder);
}

static void addresses_need_every_register(void **state)
{
	static const uint8_t code[] = { 0x4e, 0x8b, 0x44, 0xd8, 0x10 }, rip[] = { 0x48, 0x8b, 0x05, 0x10, 0, 0, 0 }, gs[] = { 0x65, 0x48, 0x8b, 0x04, 0x25, 0x88, 1, 0, 0 };
	uint64_t values[DT_ARM64_COUNT] = { [DT_X64_RAX] = 0x1000, [DT_X64_R11] = 0x14 }, address;
	uint64_t both = 1u << DT_X64_RAX | 1u << DT_X64_R11;
	struct dt_decoder *decoder;
	struct dt_error err;
	struct dt_insn insn;

	(void)state;
	assert_int_equal(dt_decoder_open(&decoder, DT_MACHINE_X64, &err), DT_OK);
	assert_true(dt_insn_decode(decoder, (struct dt_bytes){ code, sizeof(code) }, 0x2000, &insn));
	assert_true(dt_insn_address(&insn.mem[0], &insn, 0x2000, DT_MACHINE_X64, values, both, &address));
	assert_int_equal(address, 0x1000 + 0x14 * 8 + 0x10);
	assert_false(dt_insn_address(&insn.mem[0], &insn, 0x2000, DT_MACHINE_X64, values, 1u << DT_X64_RAX, &address));
	assert_true(dt_insn_decode(decoder, (struct dt_bytes){ rip, sizeof(rip) }, 0x2000, &insn));
	assert_true(dt_insn_address(&insn.mem[0], &insn, 0x2000, DT_MACHINE_X64, values, 0, &address));
	assert_int_equal(address, 0x2017);
	/* gs has a base that no dump record holds */
	assert_true(dt_insn_decode(decoder, (struct dt_bytes){ gs, sizeof(gs) }, 0x2000, &insn));
	assert_false(dt_insn_address(&insn.mem[0], &insn, 0x2000, DT_MACHINE_X64, values, both, &address));
	dt_decoder_close(decoder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instructions_of_x64),   cmocka_unit_test(instructions_of_x86),
		cmocka_unit_test(instructions_of_arm64), cmocka_unit_test(what_cannot_be_decoded),
		cmocka_unit_test(addresses_need_every_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
