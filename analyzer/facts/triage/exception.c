/* Exception code, accessed address, kind of access: from the exception record, else from the parameters. */
#include <stdio.h>

#include "core/tables/codes.h"
#include "facts/triage/pass.h"

static void name_exception(struct dt_pass *pass, uint32_t code)
{
	struct dt_exception *out = &pass->facts->exception;
	bool foreign = pass->dump->format == DT_FORMAT_USER && !dt_dump_is_windows(pass->dump);

	out->code = dt_some(code);
	out->name = foreign ? dt_signal_name(pass->dump->platform_id, code) : dt_exception_name(code);
	if (!out->name && !foreign)
		out->name = dt_ntstatus_name(code);
}

static void take_record(struct dt_pass *pass, const struct dt_exception_record *record, uint64_t va)
{
	struct dt_exception *out = &pass->facts->exception;

	pass->record = *record;
	if (va)
		out->record = dt_some(va);
	out->information = DT_ARENA_ARRAY(pass->arena, 15, uint64_t);
	for (uint32_t i = 0; out->information && i < record->parameter_count && i < 15; i++)
		out->information[out->information_count++] = record->parameter[i];
	if (dt_exception_has_access(record->code) && record->parameter_count >= 2) {
		out->access = dt_role_access(DT_ROLE_ACCESS_RW, record->parameter[0], pass->dump->machine,
		                             (uint32_t)pass->dump->build.value);
		out->access_source = out->access ? DT_ACCESS_FROM_RECORD : DT_access_source_NULL;
		out->address = dt_some(record->parameter[1]);
	}
}

/* 0xC0000409 carries a fast-fail code in its first parameter; so does 0x139. */
static void fast_fail(struct dt_pass *pass, uint64_t code)
{
	const char *name = dt_fast_fail_name(code);

	pass->facts->exception.detail = name ? name : dt_arena_printf(pass->arena, "fast-fail code %llu", (unsigned long long)code);
}

/* A record in memory whose code is not the one the parameters name is somebody else's. */
static void record_of_parameters(struct dt_pass *pass, uint64_t va, bool has_code, uint32_t code)
{
	struct dt_exception_record record;

	if (!dt_dump_exception_at(pass->dump, va, &record)) {
		dt_note_add(pass->notes, DT_NOTE_INFO, "exception record",
		            "the EXCEPTION_RECORD at 0x%llx that the stop code names is not in the dump%s", (unsigned long long)va,
		            dt_pass_absence(pass, va));
		return;
	}
	if (has_code && record.code != code) {
		dt_note_add(pass->notes, DT_NOTE_WARNING, "exception record",
		            "the record at 0x%llx has code 0x%x, the parameters say 0x%x: not used", (unsigned long long)va,
		            record.code, code);
		return;
	}
	if (!has_code)
		name_exception(pass, record.code);
	take_record(pass, &record, va);
	dt_pass_hole(pass, va, 0x98);
}

/* 0x1E and its like: the record's first two words stand in the parameters. */
static void information_of_parameters(struct dt_pass *pass, uint32_t code)
{
	struct dt_exception *out = &pass->facts->exception;
	uint64_t info0, info1;

	if (!dt_exception_has_access(code) || !dt_pass_role(pass, DT_ROLE_EXCEPTION_INFO0, &info0) ||
	    !dt_pass_role(pass, DT_ROLE_EXCEPTION_INFO1, &info1) || out->access)
		return;
	out->access = dt_role_access(DT_ROLE_ACCESS_RW, info0, pass->dump->machine, (uint32_t)pass->dump->build.value);
	out->access_source = out->access ? DT_ACCESS_FROM_PARAMETER : DT_access_source_NULL;
	out->address = dt_some(info1);
}

static void access_of_parameters(struct dt_pass *pass)
{
	static const enum dt_role roles[] = { DT_ROLE_ACCESS_PF, DT_ROLE_ACCESS_IRQL, DT_ROLE_ACCESS_RW };
	struct dt_exception *out = &pass->facts->exception;
	uint64_t value;

	if (dt_pass_role(pass, DT_ROLE_ADDRESS, &value))
		out->address = dt_some(value);
	/* Some codes are about one kind of access only. */
	if (!out->access && pass->facts->bugcheck && (out->access = dt_bugcheck_access((uint32_t)pass->facts->bugcheck->code.value)))
		out->access_source = DT_ACCESS_FROM_PARAMETER;
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]) && !out->access; i++)
		if (dt_pass_role(pass, roles[i], &value)) {
			out->access = dt_role_access(roles[i], value, pass->dump->machine, (uint32_t)pass->dump->build.value);
			out->access_source = out->access ? DT_ACCESS_FROM_PARAMETER : DT_access_source_NULL;
		}
}

static void kernel_exception(struct dt_pass *pass)
{
	uint64_t code = 0, va;
	bool has_code = dt_pass_role(pass, DT_ROLE_EXCEPTION_CODE, &code);

	if (has_code)
		name_exception(pass, (uint32_t)code);
	if (dt_pass_role(pass, DT_ROLE_EXCEPTION_RECORD, &va) && va)
		record_of_parameters(pass, va, has_code, (uint32_t)code);
	if (has_code)
		information_of_parameters(pass, (uint32_t)code);
	access_of_parameters(pass);
	if (dt_pass_role(pass, DT_ROLE_FAST_FAIL, &code))
		fast_fail(pass, code);
}

void dt_pass_exception(struct dt_pass *pass)
{
	const struct dt_exception_record *record = &pass->dump->exception;

	if (dt_dump_is_kernel(pass->dump)) {
		kernel_exception(pass);
		return;
	}
	if (!record->present)
		return;
	name_exception(pass, record->code);
	if (!dt_dump_is_windows(pass->dump)) {
		/* Breakpad keeps the faulting address of a signal where Windows keeps the code's address. */
		pass->record = *record;
		pass->facts->exception.address = dt_some(record->address);
		return;
	}
	take_record(pass, record, 0);
	if (record->code == 0xc0000409 && record->parameter_count > 0)
		fast_fail(pass, record->parameter[0]);
}
