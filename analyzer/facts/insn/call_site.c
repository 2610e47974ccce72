/*
 * Whether a call ends right before a return address, read from the bytes alone.
 *
 * x86 and x64: E8 rel32; FF /2 in all its forms, with a REX prefix on x64; ARM64: BL, BLR and BLRAA and their like.
 * Encodings: Intel SDM volume 2, CALL; Arm ARM, A64.
 */
#include "facts/insn/decoder.h"

/* Bytes that ModRM, SIB and displacement take after the opcode FF; 0 when it is not /2. */
static unsigned indirect_length(struct dt_bytes at)
{
	uint8_t modrm, sib;

	if (!dt_bytes_u8(at, 1, &modrm) || (modrm >> 3 & 7) != 2)
		return 0;
	unsigned mod = modrm >> 6, rm = modrm & 7, len = 2;
	if (mod == 3)
		return len;
	if (rm == 4) {
		if (!dt_bytes_u8(at, 2, &sib))
			return 0;
		len++;
		if (mod == 0 && (sib & 7) == 5)
			return len + 4;
	} else if (mod == 0 && rm == 5) {
		return len + 4;
	}
	return mod == 1 ? len + 1 : mod == 2 ? len + 4 : len;
}

static bool direct(enum dt_machine machine, struct dt_bytes before, uint64_t return_address, struct dt_call_site *out)
{
	uint32_t rel;

	if (before.len < 5 || before.data[before.len - 5] != 0xe8 || !dt_bytes_u32(before, before.len - 4, &rel))
		return false;
	uint64_t target = return_address + (uint64_t)(int64_t)(int32_t)rel;
	*out = (struct dt_call_site){ true, machine == DT_MACHINE_X86 ? target & UINT32_MAX : target, 5 };
	return true;
}

static bool indirect(enum dt_machine machine, struct dt_bytes before, struct dt_call_site *out)
{
	for (unsigned len = 2; len <= 7 && len <= before.len; len++) {
		struct dt_bytes at = dt_bytes_clip(before, before.len - len, len);
		if (at.data[0] != 0xff || indirect_length(at) != len)
			continue;
		bool rex = machine == DT_MACHINE_X64 && len < before.len && (before.data[before.len - len - 1] & 0xf0) == 0x40;
		*out = (struct dt_call_site){ false, 0, len + rex };
		return true;
	}
	return false;
}

static bool arm64(struct dt_bytes before, uint64_t return_address, struct dt_call_site *out)
{
	uint32_t word;

	if (return_address % 4 || before.len < 4 || !dt_bytes_u32(before, before.len - 4, &word))
		return false;
	if (word >> 26 == 0x25) {
		int64_t rel = (int64_t)((uint64_t)word << 38) >> 36;
		*out = (struct dt_call_site){ true, return_address - 4 + (uint64_t)rel, 4 };
		return true;
	}
	*out = (struct dt_call_site){ false, 0, 4 };
	/* BLR Xn; BLRAA, BLRAB, BLRAAZ, BLRABZ. */
	return (word & 0xfffffc1f) == 0xd63f0000 || (word & 0xfefff800) == 0xd63f0800;
}

bool dt_insn_call_before(enum dt_machine machine, struct dt_bytes before, uint64_t return_address, struct dt_call_site *out)
{
	struct dt_call_site found;
	bool yes;

	if (machine == DT_MACHINE_ARM64)
		yes = arm64(before, return_address, &found);
	else
		yes = direct(machine, before, return_address, &found) || indirect(machine, before, &found);
	if (yes && out)
		*out = found;
	return yes;
}
