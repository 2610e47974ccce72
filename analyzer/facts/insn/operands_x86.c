/* Memory operands and flow of x64 and x86 instructions, as capstone tells them, with what it leaves out. */
#include <string.h>

#include "core/tables/machines.h"
#include "facts/insn/decoder.h"

/* Capstone's registers and ours, by width. An address takes the low 32 bits only with a 67h prefix or on x86. */
static const struct {
	uint16_t from;
	int8_t number;
} registers[] = {
	{ X86_REG_RAX, 0 },  { X86_REG_RCX, 1 },  { X86_REG_RDX, 2 },  { X86_REG_RBX, 3 },  { X86_REG_RSP, 4 },
	{ X86_REG_RBP, 5 },  { X86_REG_RSI, 6 },  { X86_REG_RDI, 7 },  { X86_REG_R8, 8 },   { X86_REG_R9, 9 },
	{ X86_REG_R10, 10 }, { X86_REG_R11, 11 }, { X86_REG_R12, 12 }, { X86_REG_R13, 13 }, { X86_REG_R14, 14 },
	{ X86_REG_R15, 15 },
	{ X86_REG_EAX, 0 },  { X86_REG_ECX, 1 },  { X86_REG_EDX, 2 },  { X86_REG_EBX, 3 },  { X86_REG_ESP, 4 },
	{ X86_REG_EBP, 5 },  { X86_REG_ESI, 6 },  { X86_REG_EDI, 7 },
};

static int register_number(x86_reg from, enum dt_machine machine, bool *opaque)
{
	size_t first = machine == DT_MACHINE_X86 ? 16 : 0;
	size_t end = machine == DT_MACHINE_X86 ? sizeof(registers) / sizeof(registers[0]) : 16;

	if (from == X86_REG_INVALID)
		return DT_INSN_NO_REG;
	for (size_t i = first; i < end; i++)
		if (registers[i].from == from)
			return registers[i].number;
	*opaque = true;
	return DT_INSN_NO_REG;
}

/* Segments with a base of their own: fs and gs always; on x64 the others have none. */
static bool segment_is_opaque(x86_reg segment, enum dt_machine machine)
{
	if (segment == X86_REG_FS || segment == X86_REG_GS)
		return true;
	return machine == DT_MACHINE_X86 && segment != X86_REG_INVALID && segment != X86_REG_DS && segment != X86_REG_ES &&
	       segment != X86_REG_SS;
}

/* Instructions whose memory operand is only an address, or only a hint: nothing is accessed. */
static const uint16_t no_access[] = {
	X86_INS_LEA, X86_INS_NOP, X86_INS_PREFETCH, X86_INS_PREFETCHW, X86_INS_PREFETCHNTA, X86_INS_PREFETCHT0,
	X86_INS_PREFETCHT1, X86_INS_PREFETCHT2,
};

static bool accesses_nothing(unsigned id)
{
	for (size_t i = 0; i < sizeof(no_access) / sizeof(no_access[0]); i++)
		if (no_access[i] == id)
			return true;
	return false;
}

/* Where capstone 4 tells another access to memory than the manual: these only read, or only write, it. */
static const struct {
	uint16_t id;
	bool reads, writes;
} accesses[] = {
	{ X86_INS_TEST, true, false }, { X86_INS_CMP, true, false },     { X86_INS_BT, true, false },
	{ X86_INS_CALL, true, false }, { X86_INS_JMP, true, false },     { X86_INS_PUSH, true, false },
	{ X86_INS_XCHG, true, true },  { X86_INS_CMPXCHG, true, true },  { X86_INS_CMPXCHG8B, true, true },
	{ X86_INS_XADD, true, true },  { X86_INS_CMPXCHG16B, true, true }, { X86_INS_BTS, true, true },
	{ X86_INS_BTR, true, true },   { X86_INS_BTC, true, true },
};

static void correct_access(unsigned id, struct dt_insn_mem *mem)
{
	for (size_t i = 0; i < sizeof(accesses) / sizeof(accesses[0]); i++)
		if (accesses[i].id == id) {
			mem->reads = accesses[i].reads;
			mem->writes = accesses[i].writes;
		}
}

static void add(struct dt_insn *out, const struct dt_insn_mem *mem)
{
	if (out->mem_count < DT_INSN_MAX_MEM)
		out->mem[out->mem_count++] = *mem;
}

static void explicit_operand(const struct dt_decoder *decoder, const cs_insn *from, const cs_x86_op *op, struct dt_insn *out)
{
	struct dt_insn_mem mem = { .scale = (unsigned)op->mem.scale, .disp = op->mem.disp, .size = op->size };

	mem.rip_relative = op->mem.base == X86_REG_RIP;
	if (!mem.rip_relative)
		mem.base = register_number(op->mem.base, decoder->machine, &mem.opaque);
	else
		mem.base = DT_INSN_NO_REG;
	mem.index = register_number(op->mem.index, decoder->machine, &mem.opaque);
	mem.opaque |= segment_is_opaque(op->mem.segment, decoder->machine);
	mem.reads = (op->access & CS_AC_READ) != 0;
	mem.writes = (op->access & CS_AC_WRITE) != 0;
	correct_access(from->id, &mem);
	add(out, &mem);
}

/* What capstone 4 has no operand for: the stack that push, call and their like touch, the string registers. */
struct implicit_row {
	uint16_t id;
	uint8_t base;   /* register number */
	int8_t words;   /* displacement in machine words */
	uint8_t size;   /* bytes; 0: a machine word */
	bool reads, writes;
};

static const struct implicit_row implicit_rows[] = {
	{ X86_INS_PUSH, DT_X64_RSP, -1, 0, false, true },   { X86_INS_PUSHFQ, DT_X64_RSP, -1, 0, false, true },
	{ X86_INS_PUSHFD, DT_X64_RSP, -1, 0, false, true }, { X86_INS_CALL, DT_X64_RSP, -1, 0, false, true },
	{ X86_INS_POP, DT_X64_RSP, 0, 0, true, false },     { X86_INS_POPFQ, DT_X64_RSP, 0, 0, true, false },
	{ X86_INS_POPFD, DT_X64_RSP, 0, 0, true, false },   { X86_INS_RET, DT_X64_RSP, 0, 0, true, false },
	{ X86_INS_LEAVE, DT_X64_RBP, 0, 0, true, false },
};

static void implicit_operands(const struct dt_decoder *decoder, const cs_insn *from, struct dt_insn *out)
{
	unsigned word = decoder->machine == DT_MACHINE_X86 ? 4 : 8;

	for (size_t i = 0; i < sizeof(implicit_rows) / sizeof(implicit_rows[0]); i++) {
		const struct implicit_row *row = &implicit_rows[i];
		if (row->id != from->id)
			continue;
		struct dt_insn_mem mem = { .base = row->base, .index = DT_INSN_NO_REG, .scale = 1,
			                   .disp = row->words * (int)word, .size = row->size ? row->size : word,
			                   .reads = row->reads, .writes = row->writes };
		add(out, &mem);
	}
}

static bool in_group(const cs_insn *from, uint8_t group)
{
	for (size_t i = 0; i < from->detail->groups_count; i++)
		if (from->detail->groups[i] == group)
			return true;
	return false;
}

static enum dt_insn_flow flow_of(const cs_insn *from)
{
	switch (from->id) {
	case X86_INS_INT3:
	case X86_INS_INT:
	case X86_INS_INT1:
	case X86_INS_UD0:
	case X86_INS_UD2B:
	case X86_INS_UD2:
	case X86_INS_HLT:
		return DT_FLOW_STOP;
	case X86_INS_JMP:
	case X86_INS_LJMP:
		return DT_FLOW_JUMP;
	default:
		break;
	}
	if (in_group(from, CS_GRP_CALL))
		return DT_FLOW_CALL;
	if (in_group(from, CS_GRP_RET) || in_group(from, CS_GRP_IRET))
		return DT_FLOW_RETURN;
	return in_group(from, CS_GRP_JUMP) ? DT_FLOW_BRANCH : DT_FLOW_NEXT;
}

void dt_operands_x86(const struct dt_decoder *decoder, const cs_insn *from, struct dt_insn *out)
{
	const cs_x86 *x86 = &from->detail->x86;

	out->flow = flow_of(from);
	out->repeats = x86->prefix[0] == X86_PREFIX_REP || x86->prefix[0] == X86_PREFIX_REPNE;
	out->privileged = in_group(from, CS_GRP_PRIVILEGE);
	for (size_t i = 0; i < x86->op_count; i++) {
		const cs_x86_op *op = &x86->operands[i];
		if (op->type == X86_OP_MEM && !accesses_nothing(from->id))
			explicit_operand(decoder, from, op, out);
		if (op->type == X86_OP_IMM && (out->flow == DT_FLOW_CALL || out->flow == DT_FLOW_JUMP || out->flow == DT_FLOW_BRANCH)) {
			out->has_target = true;
			out->target = (uint64_t)op->imm;
		}
	}
	implicit_operands(decoder, from, out);
}
