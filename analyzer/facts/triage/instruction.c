/* The faulting instruction: its text, what it accessed, and what in the dump contradicts it. */
#include "core/base/text.h"
#include "core/tables/codes.h"
#include "facts/triage/pass.h"

/* The operand that the reported access can have been: the one that writes for a write, that reads for a read. */
static bool operand_fits(const struct dt_insn_mem *mem, enum dt_access access)
{
	return access == DT_access_NULL || (access == DT_ACCESS_WRITE ? mem->writes : access == DT_ACCESS_READ && mem->reads);
}

/* A page crossing reports the first byte of the second page: any byte of the operand will do. */
static bool within_operand(uint64_t address, uint64_t operand, unsigned size)
{
	return address - operand < (size ? size : 64);
}

/*
 * Compares the reported address with the operands. Says nothing unless all
 * registers of all operands are known, the address is a real one, and the
 * instruction does not repeat (its registers move while it runs).
 */
static void compare_operands(struct dt_pass *pass)
{
	const struct dt_exception *exception = &pass->facts->exception;
	const struct dt_insn *insn = &pass->insn;
	uint64_t operand, ip = pass->facts->fault.ip.value;
	unsigned computed = 0;
	bool matched = false, has_address = exception->address.known && exception->address.value != UINT64_MAX;

	for (unsigned i = 0; i < insn->mem_count; i++) {
		const struct dt_insn_mem *mem = &insn->mem[i];
		if (!dt_insn_address(mem, insn, ip, pass->context.machine, pass->context.reg, pass->context.known, &operand))
			continue;
		computed++;
		bool hit = has_address && within_operand(exception->address.value, operand, mem->size);
		matched |= hit;
		if (hit || !pass->facts->fault.operand_address.known || operand_fits(mem, exception->access))
			if (!pass->facts->fault.operand_address.known || hit)
				pass->facts->fault.operand_address = dt_some(operand);
	}
	if (matched || !has_address || insn->repeats || exception->access == DT_ACCESS_EXECUTE || insn->mem_count == 0 ||
	    computed < insn->mem_count || !dt_exception_reports_access(pass))
		return;
	dt_pass_anomaly(pass, DT_ANOMALY_OPERAND_MISMATCH,
	                "%s accesses 0x%llx with the registers of the fault, but the reported address is 0x%llx",
	                insn->text, (unsigned long long)pass->facts->fault.operand_address.value,
	                (unsigned long long)exception->address.value);
}

/* Where neither a record nor a parameter says which access it was, an instruction
 * that only reads, or only writes, memory does. */
static void access_of_instruction(struct dt_pass *pass)
{
	struct dt_exception *out = &pass->facts->exception;
	bool reads = false, writes = false;

	if (out->access || !dt_exception_reports_access(pass))
		return;
	for (unsigned i = 0; i < pass->insn.mem_count; i++) {
		reads |= pass->insn.mem[i].reads;
		writes |= pass->insn.mem[i].writes;
	}
	if (reads == writes)
		return;
	out->access = reads ? DT_ACCESS_READ : DT_ACCESS_WRITE;
	out->access_source = DT_ACCESS_FROM_INSTRUCTION;
}

/* Whether the stop is about an access to memory at all. */
bool dt_exception_reports_access(const struct dt_pass *pass)
{
	const struct dt_exception *exception = &pass->facts->exception;
	uint64_t ignored;

	if (exception->code.known)
		return dt_exception_has_access(exception->code.value);
	return dt_pass_role(pass, DT_ROLE_ACCESS_PF, &ignored) || dt_pass_role(pass, DT_ROLE_ACCESS_IRQL, &ignored) ||
	       dt_pass_role(pass, DT_ROLE_ACCESS_RW, &ignored);
}

/* Bytes may be from a page that changed; a boundary that no decoding reaches is the processor's own doing. */
static void boundary(struct dt_pass *pass)
{
	struct dt_fault *fault = &pass->facts->fault;
	struct dt_bytes before;

	if (!fault->module || !fault->ip.known || pass->facts->exception.access == DT_ACCESS_EXECUTE)
		return;
	uint8_t bytes[95];
	size_t len = dt_memory_span_before(&pass->dump->memory, fault->ip.value, sizeof(bytes));
	before = (struct dt_bytes){ bytes, dt_memory_read(&pass->dump->memory, fault->ip.value - len, bytes, len) };
	fault->boundary = dt_insn_boundary(pass->decoder, before, fault->ip.value);
	if (fault->boundary == DT_FALSE)
		dt_pass_anomaly(pass, DT_ANOMALY_MID_INSTRUCTION,
		                "decoding the code before %s+0x%llx never arrives there: the processor ran in the middle of an "
		                "instruction",
		                fault->module, (unsigned long long)fault->offset.value);
}

/* An instruction the processor called illegal. */
static void illegal(struct dt_pass *pass)
{
	const struct dt_insn *insn = &pass->insn;
	const struct dt_fault *fault = &pass->facts->fault;

	if (insn->feature) {
		dt_pass_anomaly(pass, DT_ANOMALY_CPU_FEATURE,
		                "%s needs the processor feature %s (CPUID %s): the processor lacks it, or the system has not "
		                "enabled it",
		                pass->has_insn ? insn->text : "the instruction", insn->feature, insn->feature_cpuid);
		return;
	}
	if (!pass->has_insn) {
		if (fault->bytes.len >= 15)
			dt_note_add(pass->notes, DT_NOTE_INFO, "instruction",
			            "the bytes at 0x%llx are no instruction that %s knows; newer instructions are among them",
			            (unsigned long long)fault->ip.value, dt_decoder_name());
		return;
	}
	/* ud2 and its like are meant to be illegal; a lock prefix can make a legal instruction illegal. */
	if (insn->flow == DT_FLOW_STOP || insn->privileged || (fault->bytes.len && fault->bytes.data[0] == 0xf0))
		return;
	dt_pass_anomaly(pass, DT_ANOMALY_ILLEGAL_BUT_LEGAL,
	                "the processor called %s illegal, which every x64 processor executes: it ran other bytes than the "
	                "dump has",
	                insn->text);
}

static bool is_illegal(const struct dt_pass *pass)
{
	struct dt_opt code = pass->facts->exception.code;

	return pass->dump->machine != DT_MACHINE_ARM64 && code.known && dt_dump_is_windows(pass->dump) &&
	       dt_exception_is_illegal(code.value);
}

/*
 * Bytes that belong to no image are data: an instruction read from them says nothing. In a program they may be code that was made while it ran,
 * unless the processor refused to run them: after a call of nothing some writers (Wine's) put zeros where nothing was.
 */
static bool is_code(const struct dt_pass *pass)
{
	const struct dt_facts *facts = pass->facts;

	return facts->fault.module || (pass->dump->format == DT_FORMAT_USER && facts->exception.access != DT_ACCESS_EXECUTE);
}

void dt_pass_instruction(struct dt_pass *pass)
{
	struct dt_fault *fault = &pass->facts->fault;

	if (!pass->decoder || !fault->ip.known)
		return;
	if (fault->bytes.len)
		pass->has_insn = dt_insn_decode(pass->decoder, fault->bytes, fault->ip.value, &pass->insn);
	if (pass->has_insn && is_code(pass)) {
		fault->instruction = dt_arena_strdup(pass->arena, pass->insn.text);
		fault->decoder = dt_decoder_name();
	} else {
		pass->has_insn = false;
	}
	if (fault->bytes.len && is_illegal(pass))
		illegal(pass);
	if (pass->has_insn && pass->facts->exception.access != DT_ACCESS_EXECUTE) {
		access_of_instruction(pass);
		compare_operands(pass);
	}
	boundary(pass);
}
