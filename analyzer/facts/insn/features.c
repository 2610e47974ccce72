/* Which processor feature an instruction needs: rows by encoding first, capstone's groups for the rest. */
#include "facts/insn/decoder.h"

enum encoding { LEGACY, VEX, EVEX };
enum prefix { NP, P66, PF3, PF2, ANY };
enum modrm_kind { M_ANY, M_MEM, M_RR, M_BYTE, M_WIDE };

/* An instruction's bytes taken apart as far as its opcode. */
struct opcode {
	enum encoding encoding;
	enum prefix prefix;
	unsigned map;
	uint8_t opcode;
	bool has_modrm, wide;
	uint8_t modrm;
};

struct feature_row {
	enum encoding encoding;
	unsigned map;
	enum prefix prefix;
	uint8_t first, last;
	enum modrm_kind kind;
	uint8_t value;
	const char *feature, *cpuid;
};

#define ANYRM M_ANY, 0
#define MEM(n) M_MEM, n
#define RR(n) M_RR, n
#define BYTE(b) M_BYTE, b
#define WIDE(n) M_WIDE, n
static const struct feature_row rows[] = {
#define DT_FEATURE(encoding, map, prefix, first, last, modrm, feature, cpuid) \
	{ encoding, map, prefix, first, last, modrm, feature, cpuid },
#include "facts/insn/features.def"
};

/* Capstone's groups, for what it decodes and no row names. */
static const struct {
	uint8_t group;
	const char *feature, *cpuid;
} groups[] = {
	{ X86_GRP_AVX2, "AVX2", "leaf 7 ebx bit 5" },      { X86_GRP_AVX512, "AVX512F", "leaf 7 ebx bit 16" },
	{ X86_GRP_AVX, "AVX", "leaf 1 ecx bit 28" },       { X86_GRP_BMI, "BMI1", "leaf 7 ebx bit 3" },
	{ X86_GRP_BMI2, "BMI2", "leaf 7 ebx bit 8" },      { X86_GRP_F16C, "F16C", "leaf 1 ecx bit 29" },
	{ X86_GRP_FMA, "FMA", "leaf 1 ecx bit 12" },       { X86_GRP_FMA4, "FMA4", "leaf 0x80000001 ecx bit 16" },
	{ X86_GRP_RTM, "RTM", "leaf 7 ebx bit 11" },       { X86_GRP_SSE4A, "SSE4A", "leaf 0x80000001 ecx bit 6" },
	{ X86_GRP_TBM, "TBM", "leaf 0x80000001 ecx bit 21" }, { X86_GRP_XOP, "XOP", "leaf 0x80000001 ecx bit 11" },
	{ X86_GRP_3DNOW, "3DNow!", "leaf 0x80000001 edx bit 31" }, { X86_GRP_CDI, "AVX512CD", "leaf 7 ebx bit 28" },
	{ X86_GRP_ERI, "AVX512ER", "leaf 7 ebx bit 27" },  { X86_GRP_PFI, "AVX512PF", "leaf 7 ebx bit 26" },
	{ X86_GRP_SHA, "SHA", "leaf 7 ebx bit 29" },       { X86_GRP_ADX, "ADX", "leaf 7 ebx bit 19" },
};

static const enum prefix vector_prefixes[4] = { NP, P66, PF3, PF2 };

static bool parse_vex(struct dt_bytes b, uint64_t at, struct opcode *out)
{
	uint8_t first = b.data[at], p1, p2;
	uint64_t opcode_at;

	if (!dt_bytes_u8(b, at + 1, &p1) || !dt_bytes_u8(b, at + 2, &p2))
		return false;
	if (first == 0xc5) {
		*out = (struct opcode){ .encoding = VEX, .map = 1, .prefix = vector_prefixes[p1 & 3] };
		opcode_at = at + 2;
	} else if (first == 0xc4) {
		*out = (struct opcode){ .encoding = VEX, .map = p1 & 31, .prefix = vector_prefixes[p2 & 3], .wide = p2 >> 7 };
		opcode_at = at + 3;
	} else {
		*out = (struct opcode){ .encoding = EVEX, .map = p1 & 7, .prefix = vector_prefixes[p2 & 3], .wide = p2 >> 7 };
		opcode_at = at + 4;
	}
	out->has_modrm = dt_bytes_u8(b, opcode_at + 1, &out->modrm);
	return dt_bytes_u8(b, opcode_at, &out->opcode);
}

static bool parse_legacy(struct dt_bytes b, uint64_t at, enum prefix prefix, bool wide, struct opcode *out)
{
	uint8_t byte;

	*out = (struct opcode){ .encoding = LEGACY, .map = 1, .prefix = prefix, .wide = wide };
	if (!dt_bytes_u8(b, at, &byte) || byte != 0x0f || !dt_bytes_u8(b, ++at, &byte))
		return false;
	if (byte == 0x38 || byte == 0x3a) {
		out->map = byte == 0x38 ? 2 : 3;
		if (!dt_bytes_u8(b, ++at, &byte))
			return false;
	}
	out->opcode = byte;
	out->has_modrm = dt_bytes_u8(b, at + 1, &out->modrm);
	return true;
}

/* Only instructions of the 0F maps and vector encodings; x64 (C4, C5 and 62 have other meanings on x86 in some forms,
 * told apart by the top bits behind them). */
static bool parse(struct dt_bytes b, struct opcode *out)
{
	enum prefix prefix = NP;
	uint8_t byte = 0, rex = 0;
	uint64_t at = 0;

	for (; dt_bytes_u8(b, at, &byte) && at < 14; at++) {
		if (byte == 0xf3 || byte == 0xf2)
			prefix = byte == 0xf3 ? PF3 : PF2;
		else if (byte == 0x66)
			prefix = prefix == NP ? P66 : prefix;
		else if (byte != 0x67 && byte != 0x2e && byte != 0x3e && byte != 0x26 && byte != 0x36 && byte != 0x64 && byte != 0x65 &&
		         byte != 0xf0)
			break;
	}
	if ((byte & 0xf0) == 0x40) {
		rex = byte;
		if (!dt_bytes_u8(b, ++at, &byte))
			return false;
	}
	if (!rex && (byte == 0xc4 || byte == 0xc5 || byte == 0x62))
		return parse_vex(b, at, out);
	return parse_legacy(b, at, prefix, (rex & 8) != 0, out);
}

static bool modrm_fits(const struct feature_row *row, const struct opcode *op)
{
	unsigned reg = op->modrm >> 3 & 7;
	bool memory = op->modrm >> 6 != 3;

	if (row->kind == M_ANY)
		return true;
	if (!op->has_modrm)
		return false;
	switch (row->kind) {
	case M_MEM:
		return memory && reg == row->value;
	case M_RR:
		return !memory && reg == row->value;
	case M_BYTE:
		return op->modrm == row->value;
	default:
		return memory && op->wide && reg == row->value;
	}
}

static const struct feature_row *row_of(const struct opcode *op)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].encoding == op->encoding && rows[i].map == op->map &&
		    (rows[i].prefix == ANY || rows[i].prefix == op->prefix) && op->opcode >= rows[i].first &&
		    op->opcode <= rows[i].last && modrm_fits(&rows[i], op))
			return &rows[i];
	return NULL;
}

void dt_feature_find(struct dt_bytes bytes, const cs_insn *from, struct dt_insn *out)
{
	const struct feature_row *row;
	struct opcode op;

	if (parse(bytes, &op) && (row = row_of(&op))) {
		out->feature = row->feature;
		out->feature_cpuid = row->cpuid;
		return;
	}
	/* Older processors run these two as BSF and BSR: they are never refused. */
	if (from && (from->id == X86_INS_TZCNT || from->id == X86_INS_LZCNT))
		return;
	for (size_t i = 0; from && i < sizeof(groups) / sizeof(groups[0]); i++)
		for (size_t g = 0; g < from->detail->groups_count; g++)
			if (from->detail->groups[g] == groups[i].group) {
				out->feature = groups[i].feature;
				out->feature_cpuid = groups[i].cpuid;
				return;
			}
}
