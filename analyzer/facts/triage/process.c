/*
 * Process, thread, processor, and the subject of the stop code.
 *
 * Offsets in EPROCESS come from the debugger block's own OffsetEprocessParentCID: the
 * image name stands 0x68 behind it (0x70 on 17763), the process id 0x100 before it (0xF0 up
 * to 9600). Both are believed only when they look like what they should be. Verified on
 * builds 9600, 17763, 19041, 26100 (x64) and 22000 (ARM64).
 */
#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "facts/triage/pass.h"

enum { NAME_SIZE = 15 };

/* EPROCESS.ImageFileName minus ParentCID, EPROCESS.UniqueProcessId's distance before it. */
static const uint16_t name_distances[] = { 0x68, 0x70, 0x2c /* x86, Windows 7 */ };
enum { PID_DISTANCE = 0x100, OLD_PID_DISTANCE = 0xf0, X86_PID_DISTANCE = 0x8c };

/* ETHREAD.Cid by first build that has it (x64). */
static const struct {
	uint32_t build;
	uint16_t cid;
} thread_cids[] = {
	{ 9600, 0x620 }, { 10240, 0x628 }, { 14393, 0x630 }, { 15063, 0x638 }, { 18362, 0x648 },
	{ 19041, 0x478 }, { 20348, 0x478 }, { 22000, 0x4c8 }, { 26100, 0x508 },
};

static bool is_id(uint64_t id)
{
	return id != 0 && id % 4 == 0 && id < UINT64_C(0x10000000);
}

/* An image name: printable, ended by NUL within its 15 bytes. */
static bool is_name(struct dt_bytes name)
{
	size_t len = 0;

	while (len < name.len && name.data[len] >= 0x20 && name.data[len] < 0x7f)
		len++;
	return len > 0 && len < name.len && name.data[len] == 0;
}

static const char *name_in(struct dt_bytes process, uint64_t parent_cid, struct dt_arena *arena)
{
	struct dt_bytes name;

	for (size_t i = 0; i < sizeof(name_distances) / sizeof(name_distances[0]); i++)
		if (dt_bytes_sub(process, parent_cid + name_distances[i], NAME_SIZE, &name) && is_name(name))
			return dt_text_from_utf8(arena, name);
	return NULL;
}

static bool word_in(const struct dt_dump *dump, struct dt_bytes bytes, uint64_t off, uint64_t *out)
{
	uint32_t narrow;

	if (dump->machine != DT_MACHINE_X86)
		return dt_bytes_u64(bytes, off, out);
	if (!dt_bytes_u32(bytes, off, &narrow))
		return false;
	*out = narrow;
	return true;
}

static struct dt_opt pid_in(const struct dt_dump *dump, struct dt_bytes process)
{
	uint64_t pid, parent_cid = dump->kdbg.off_eprocess_parent_cid, distance = PID_DISTANCE;

	if (dump->machine == DT_MACHINE_X86)
		distance = X86_PID_DISTANCE;
	else if (dump->build.value && dump->build.value <= 9600)
		distance = OLD_PID_DISTANCE;
	if (parent_cid >= distance && word_in(dump, process, parent_cid - distance, &pid) && is_id(pid))
		return dt_some(pid);
	return (struct dt_opt){ 0 };
}

bool dt_process_at(const struct dt_dump *dump, uint64_t va, struct dt_arena *arena, const char **name,
                   struct dt_opt *pid)
{
	uint8_t bytes[0x1000];
	size_t want = dump->kdbg.off_eprocess_parent_cid + 0x90u;

	if (dump->kdbg.off_eprocess_parent_cid == 0 || want > sizeof(bytes))
		return false;
	struct dt_bytes process = { bytes, dt_memory_read(&dump->memory, va, bytes, want) };
	*name = name_in(process, dump->kdbg.off_eprocess_parent_cid, arena);
	*pid = pid_in(dump, process);
	return *name != NULL;
}

static bool cid_at(const struct dt_dump *dump, uint64_t off, uint64_t pid, uint64_t *tid)
{
	unsigned width = dump->machine == DT_MACHINE_X86 ? 4 : 8;
	uint64_t owner;

	return word_in(dump, dump->thread.bytes, off, &owner) && owner == pid && word_in(dump, dump->thread.bytes, off + width, tid) &&
	       is_id(*tid);
}

/* By the table's row where it proves itself; else the one place that looks like a client id. */
static struct dt_opt thread_id(const struct dt_dump *dump, uint64_t pid)
{
	struct dt_bytes thread = dump->thread.bytes;
	uint64_t tid = 0, found = 0;
	uint16_t row = 0;
	unsigned places = 0;

	for (size_t i = 0; i < sizeof(thread_cids) / sizeof(thread_cids[0]); i++)
		if (dump->machine == DT_MACHINE_X64 && thread_cids[i].build <= dump->build.value)
			row = thread_cids[i].cid;
	if (row && cid_at(dump, row, pid, &tid))
		return dt_some(tid);
	for (uint64_t off = 0; off + 8 <= thread.len; off += dump->machine == DT_MACHINE_X86 ? 4 : 8)
		if (cid_at(dump, off, pid, &tid)) {
			found = tid;
			places++;
		}
	return places == 1 ? dt_some(found) : (struct dt_opt){ 0 };
}

static void kernel_process(struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_process *out = &pass->facts->process;
	uint32_t number;

	if (dump->kdbg.off_eprocess_parent_cid) {
		out->name = name_in(dump->process.bytes, dump->kdbg.off_eprocess_parent_cid, pass->arena);
		out->pid = pid_in(dump, dump->process.bytes);
		if (out->pid.known)
			out->thread_id = thread_id(dump, out->pid.value);
	}
	if (dump->kdbg.off_prcb_number &&
	    dt_bytes_u32(dump->prcb.bytes, dump->kdbg.off_prcb_number, &number) && number < 4096)
		pass->facts->cpu.number = dt_some(number);
}

/* The process or thread that the stop code is about, named as far as memory has it. */
static void subject(struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_subject found = { 0 };
	uint64_t va;

	if (dt_pass_role(pass, DT_ROLE_PROCESS, &va))
		found.kind = "process";
	else if (dt_pass_role(pass, DT_ROLE_THREAD, &va))
		found.kind = "thread";
	if (!found.kind || !pass->facts->bugcheck)
		return;
	if (!strcmp(found.kind, "process") && !dt_process_at(dump, va, pass->arena, &found.name, &found.pid) &&
	    va == dump->process.va && va) {
		found.name = pass->facts->process.name;
		found.pid = pass->facts->process.pid;
	}
	struct dt_subject *out = DT_ARENA_NEW(pass->arena, struct dt_subject);
	if (out)
		*out = found;
	pass->facts->bugcheck->subject = out;
}

static const struct dt_dump_thread *crashing_thread(const struct dt_dump *dump)
{
	for (size_t i = 0; dump->has_exception_thread && i < dump->thread_count; i++)
		if (dump->threads[i].id == dump->exception_thread)
			return &dump->threads[i];
	return NULL;
}

static void user_process(struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	const struct dt_dump_thread *thread = crashing_thread(dump);
	struct dt_process *out = &pass->facts->process;

	/* The program is the first module of the list, in every writer's dumps. */
	if (dump->module_count)
		out->name = dump->modules[0].name;
	out->pid = dump->process_id;
	if (dump->has_exception_thread)
		out->thread_id = dt_some(dump->exception_thread);
	if (thread) {
		out->thread_name = thread->name;
		if (thread->start)
			out->thread_start = dt_some(thread->start);
	}
	out->threads = dt_some(dump->thread_count);
	if (dump->process_created.known)
		out->created = dt_time_from_unix(dump->process_created.value);
	if (dump->process_user.known)
		out->user_s = dt_some(dump->process_user.value * 1000);
	if (dump->process_kernel.known)
		out->kernel_s = dt_some(dump->process_kernel.value * 1000);
	out->wow64 = dump->wow64;
	out->integrity = dump->integrity;
	out->handles = dump->handle_count;
	out->private_bytes = dump->private_bytes;
}

void dt_pass_process(struct dt_pass *pass)
{
	uint64_t irql;

	if (pass->dump->format == DT_FORMAT_USER) {
		user_process(pass);
		return;
	}
	kernel_process(pass);
	subject(pass);
	if (dt_pass_role(pass, DT_ROLE_IRQL, &irql) && irql <= 15)
		pass->facts->cpu.irql = dt_some(irql);
}
