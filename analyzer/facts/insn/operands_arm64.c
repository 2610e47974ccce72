/* Memory operands and flow of ARM64 instructions. Capstone tells no access there: loads and stores are told by their names. */
#include <string.h>

#include "core/tables/machines.h"
#include "facts/insn/decoder.h"

static int register_number(arm64_reg from, bool *opaque)
{
	if (from == ARM64_REG_INVALID)
		return DT_INSN_NO_REG;
	if (from >= ARM64_REG_X0 && from <= ARM64_REG_X28)
		return (int)(from - ARM64_REG_X0);
	if (from == ARM64_REG_X29)
		return DT_ARM64_FP;
	if (from == ARM64_REG_X30)
		return DT_ARM64_LR;
	if (from == ARM64_REG_SP)
		return DT_ARM64_SP;
	*opaque = true;
	return DT_INSN_NO_REG;
}

/* Bytes that a load or store of one register moves, by the suffix of its name; pairs and vectors are not told. */
static unsigned access_size(const char *mnemonic, const cs_arm64 *arm64)
{
	size_t len = strlen(mnemonic);

	if (len < 3 || mnemonic[2] == 'p')
		return 0;
	if (mnemonic[len - 1] == 'b')
		return 1;
	if (mnemonic[len - 1] == 'h')
		return 2;
	if (len >= 2 && !strcmp(mnemonic + len - 2, "sw"))
		return 4;
	arm64_reg first = arm64->op_count && arm64->operands[0].type == ARM64_OP_REG ? arm64->operands[0].reg : ARM64_REG_INVALID;
	if (first >= ARM64_REG_W0 && first <= ARM64_REG_W30)
		return 4;
	return (first >= ARM64_REG_X0 && first <= ARM64_REG_X28) || first == ARM64_REG_X29 || first == ARM64_REG_X30 ? 8 : 0;
}

static void memory_operand(const cs_insn *from, const cs_arm64 *arm64, const cs_arm64_op *op, struct dt_insn *out)
{
	struct dt_insn_mem mem = { .scale = 1, .disp = op->mem.disp, .size = access_size(from->mnemonic, arm64) };

	mem.base = register_number(op->mem.base, &mem.opaque);
	mem.index = register_number(op->mem.index, &mem.opaque);
	mem.opaque |= op->ext != ARM64_EXT_INVALID || op->shift.type != ARM64_SFT_INVALID;
	mem.reads = !strncmp(from->mnemonic, "ld", 2) || !strncmp(from->mnemonic, "cas", 3) || !strncmp(from->mnemonic, "swp", 3);
	mem.writes = !strncmp(from->mnemonic, "st", 2) || !strncmp(from->mnemonic, "cas", 3) || !strncmp(from->mnemonic, "swp", 3);
	if ((mem.reads || mem.writes) && out->mem_count < DT_INSN_MAX_MEM)
		out->mem[out->mem_count++] = mem;
}

void dt_operands_arm64(const struct dt_decoder *decoder, const cs_insn *from, struct dt_insn *out)
{
	static const struct {
		uint16_t id;
		enum dt_insn_flow flow;
	} flows[] = {
		{ ARM64_INS_BL, DT_FLOW_CALL },  { ARM64_INS_BLR, DT_FLOW_CALL },  { ARM64_INS_BR, DT_FLOW_JUMP },
		{ ARM64_INS_RET, DT_FLOW_RETURN }, { ARM64_INS_CBZ, DT_FLOW_BRANCH }, { ARM64_INS_CBNZ, DT_FLOW_BRANCH },
		{ ARM64_INS_TBZ, DT_FLOW_BRANCH }, { ARM64_INS_TBNZ, DT_FLOW_BRANCH }, { ARM64_INS_BRK, DT_FLOW_STOP },
		{ ARM64_INS_HLT, DT_FLOW_STOP },
	};
	const cs_arm64 *arm64 = &from->detail->arm64;

	(void)decoder;
	if (from->id == ARM64_INS_B)
		out->flow = arm64->cc == ARM64_CC_INVALID ? DT_FLOW_JUMP : DT_FLOW_BRANCH;
	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++)
		if (flows[i].id == from->id)
			out->flow = flows[i].flow;
	for (size_t i = 0; i < arm64->op_count; i++) {
		const cs_arm64_op *op = &arm64->operands[i];
		if (op->type == ARM64_OP_MEM)
			memory_operand(from, arm64, op, out);
		if (op->type == ARM64_OP_IMM && (out->flow == DT_FLOW_CALL || out->flow == DT_FLOW_JUMP || out->flow == DT_FLOW_BRANCH)) {
			out->has_target = true;
			out->target = (uint64_t)op->imm;
		}
	}
}
