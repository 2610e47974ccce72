/* Where the processor was: instruction pointer, module, bytes of code. */
#include "facts/triage/pass.h"

enum { CODE_BEFORE = 64, CODE_FROM = 32, INSTRUCTION_BYTES = 16 };

/* The context says it best; else a parameter; else the exception record. */
static void find_ip(struct dt_pass *pass)
{
	struct dt_fault *out = &pass->facts->fault;
	struct dt_opt ip = dt_context_ip(&pass->context);
	uint64_t named;
	bool has_named = dt_pass_role(pass, DT_ROLE_IP, &named) && named != 0;

	if (ip.known) {
		out->ip = ip;
		out->source = pass->context.source;
		if (has_named && named != ip.value)
			dt_note_add(pass->notes, DT_NOTE_WARNING, "fault context",
			            "its instruction pointer is 0x%llx, the stop code's parameter says 0x%llx",
			            (unsigned long long)ip.value, (unsigned long long)named);
	} else if (has_named) {
		out->ip = dt_some(named);
		out->source = DT_FAULT_PARAMETERS;
	} else if (pass->record.present && pass->record.address) {
		out->ip = dt_some(pass->record.address);
		out->source = DT_FAULT_EXCEPTION_RECORD;
	}
}

static struct dt_bytes copy(struct dt_pass *pass, uint64_t va, size_t len)
{
	uint8_t *bytes = len ? dt_arena_alloc(pass->arena, len) : NULL;

	if (!bytes)
		return (struct dt_bytes){ 0 };
	return (struct dt_bytes){ bytes, dt_memory_read(&pass->dump->memory, va, bytes, len) };
}

static void code_around(struct dt_pass *pass, uint64_t ip)
{
	const struct dt_memory *memory = &pass->dump->memory;
	size_t before = dt_memory_span_before(memory, ip, CODE_BEFORE), from = dt_memory_span(memory, ip, CODE_FROM);
	struct dt_code *code;

	if (before + from == 0 || !(code = DT_ARENA_NEW(pass->arena, struct dt_code)))
		return;
	code->start = dt_some(ip - before);
	code->hex = copy(pass, ip - before, before + from);
	pass->facts->fault.code = code;
}

void dt_pass_fault(struct dt_pass *pass)
{
	struct dt_fault *out = &pass->facts->fault;
	const struct dt_unloaded *gone;

	find_ip(pass);
	if (!out->ip.known)
		return;
	if (!dt_pass_locate(pass, out->ip.value, &out->module, &out->offset)) {
		if ((gone = dt_dump_unloaded_at(pass->dump, out->ip.value)))
			out->unloaded = gone->name;
		out->memory = dt_region_in_words(pass->dump, out->ip.value, pass->arena);
	}
	out->bytes = copy(pass, out->ip.value, dt_memory_span(&pass->dump->memory, out->ip.value, INSTRUCTION_BYTES));
	if (out->bytes.len == 0 && pass->dump->memory.space)
		dt_note_add(pass->notes, DT_NOTE_INFO, "code", "the code at 0x%llx is not in the dump%s", (unsigned long long)out->ip.value,
		            dt_pass_absence(pass, out->ip.value));
	code_around(pass, out->ip.value);
}
