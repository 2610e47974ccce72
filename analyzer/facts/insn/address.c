/* The address that a memory operand has. */
#include "core/tables/machines.h"
#include "facts/insn/decoder.h"

static bool known_register(int number, uint64_t known)
{
	return number == DT_INSN_NO_REG || (known >> number & 1) != 0;
}

bool dt_insn_address(const struct dt_insn_mem *mem, const struct dt_insn *insn, uint64_t ip, enum dt_machine machine,
                     const uint64_t values[], uint64_t known, uint64_t *address)
{
	if (mem->opaque || !known_register(mem->base, known) || !known_register(mem->index, known))
		return false;
	uint64_t sum = (uint64_t)mem->disp;
	if (mem->base != DT_INSN_NO_REG)
		sum += values[mem->base];
	if (mem->index != DT_INSN_NO_REG)
		sum += values[mem->index] * mem->scale;
	if (mem->rip_relative)
		sum += ip + insn->len;
	*address = machine == DT_MACHINE_X86 ? sum & UINT32_MAX : sum;
	return true;
}
