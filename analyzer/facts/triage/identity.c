/*
 * crash_id: equal for all files of one crash (a MEMORY.DMP and its minidump),
 * different for different crashes. docs/crash-id.md has the definition byte by byte.
 */
#include <string.h>

#include "core/base/time.h"
#include "core/hash/hash.h"
#include "facts/triage/pass.h"

/* Machine numbers as in the PE header: what the format itself calls the machine. */
static const uint16_t machine_numbers[DT_machine_COUNT] = {
	[DT_MACHINE_X64] = 0x8664,
	[DT_MACHINE_X86] = 0x14c,
	[DT_MACHINE_ARM64] = 0xaa64,
};

static void put(struct dt_buf *buf, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		dt_buf_putc(buf, (char)(value >> 8 * i & 0xff));
}

static bool kernel_identity(const struct dt_pass *pass, struct dt_buf *buf)
{
	const struct dt_dump *dump = pass->dump;
	bool flag;

	if (!dump->has_bugcheck || dump->time == 0 || !dump->uptime.known || dump->machine == DT_machine_NULL)
		return false;
	dt_buf_puts(buf, "dumptriage.crash_id/1|k|");
	put(buf, machine_numbers[dump->machine], 2);
	put(buf, dt_bugcheck_unflag(dump->bugcheck_code, &flag), 4);
	for (size_t i = 0; i < 4; i++)
		put(buf, dump->bugcheck_parameter[i], 8);
	put(buf, dump->time, 8);
	put(buf, dump->uptime.value, 8);
	return true;
}

/* The time is the dump's TimeDateStamp: Unix seconds. */
static bool user_identity(const struct dt_pass *pass, struct dt_buf *buf)
{
	const struct dt_dump *dump = pass->dump;
	const struct dt_module *program = dump->module_count ? &dump->modules[0] : NULL;

	if (dump->time == 0 || dump->machine == DT_machine_NULL || !program || !dump->exception.present)
		return false;
	dt_buf_puts(buf, "dumptriage.crash_id/1|u|");
	put(buf, (dump->time - DT_TIME_UNIX_EPOCH) / DT_TIME_SECOND, 4);
	put(buf, dump->process_id.value, 4);
	put(buf, dump->process_created.value, 4);
	put(buf, dump->exception_thread, 4);
	put(buf, dump->exception.code, 4);
	put(buf, dump->exception.address, 8);
	dt_buf_puts(buf, program->name ? program->name : "");
	put(buf, 0, 1);
	put(buf, program->timestamp.value, 4);
	return true;
}

const char *dt_crash_id(const struct dt_pass *pass)
{
	bool kernel = dt_dump_is_kernel(pass->dump);
	char text[2 * DT_SHA256_SIZE + 1];
	struct dt_buf buf;

	dt_buf_init(&buf, 65536);
	bool enough = kernel ? kernel_identity(pass, &buf) : user_identity(pass, &buf);
	if (enough && dt_buf_ok(&buf))
		dt_sha256_text(dt_buf_bytes(&buf), text);
	enough = enough && dt_buf_ok(&buf);
	/* Without its identity the crash would be another one the next time. */
	dt_arena_refused(pass->arena, buf.no_memory);
	dt_buf_deinit(&buf);
	return enough ? dt_arena_strndup(pass->arena, text, 32) : NULL;
}

void dt_pass_identity(struct dt_pass *pass)
{
	pass->facts->crash_id = dt_crash_id(pass);
}
