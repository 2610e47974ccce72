/*
 * host.c - the computer's name, from the environment of a process.
 *
 * Programs get the name as COMPUTERNAME. The environment is memory of a process, which only complete and active dumps hold; any
 * process will do. Offsets of PEB and RTL_USER_PROCESS_PARAMETERS (64-bit): the same from Windows 7 to 11.
 */
#include <string.h>

#include "core/base/names.h"
#include "facts/kernel/walk.h"

enum {
	MOST_PROCESSES = 64,
	MOST_ENVIRONMENT = 32 << 10,
	PEB_PARAMETERS = 0x20,
	PARAMETERS_ENVIRONMENT = 0x80,
	OLD_BUILD = 9600, /* up to it UniqueProcessId stands 0xf0 before ParentCID, later 0x100 */
};

static const char variable[] = "COMPUTERNAME=";

/* The value behind the variable's name; text is UTF-16, variables end in NUL, the last one in two. */
static const char *find_name(struct dt_bytes text, struct dt_arena *arena)
{
	char name[64];
	size_t at = 0, len = 0;

	while (dt_bytes_u16_or(text, 2 * at, 0)) {
		size_t n = 0;
		while (n < sizeof(variable) - 1 && dt_bytes_u16_or(text, 2 * (at + n), 0) == (uint8_t)variable[n])
			n++;
		if (n == sizeof(variable) - 1) {
			uint16_t c;
			for (at += n; len + 1 < sizeof(name) && (c = dt_bytes_u16_or(text, 2 * at, 0)) > 0x20 && c < 0x7f; at++)
				name[len++] = (char)c;
			name[len] = '\0';
			return len ? dt_host_fold(arena, name) : NULL;
		}
		while (dt_bytes_u16_or(text, 2 * at, 0))
			at++;
		at++;
	}
	return NULL;
}

/* In the process's own address space. */
static const char *name_in(const struct dt_kernel_walk *walk, struct dt_memory *memory, uint64_t peb)
{
	uint64_t parameters, environment;

	if (!dt_memory_u64(memory, peb + PEB_PARAMETERS, &parameters) ||
	    !dt_memory_u64(memory, parameters + PARAMETERS_ENVIRONMENT, &environment))
		return NULL;
	return find_name(dt_memory_copy(memory, environment, MOST_ENVIRONMENT), walk->dump->arena);
}

static const char *name_of_process(const struct dt_kernel_walk *walk, uint64_t process)
{
	const struct dt_kdbg *kdbg = &walk->dump->kdbg;
	enum dt_paging paging = walk->dump->machine == DT_MACHINE_ARM64 ? DT_PAGING_ARM64 : DT_PAGING_X64_4;
	struct dt_memory memory;
	struct dt_error err;
	const char *name;
	uint64_t root, peb;

	if (!dt_walk_pointer(walk, process + kdbg->off_eprocess_directory_table, &root) ||
	    !dt_walk_pointer(walk, process + kdbg->off_eprocess_peb, &peb) || !root || !peb || dt_address_is_kernel(walk->dump->machine, peb))
		return NULL;
	dt_memory_init(&memory, walk->dump->arena);
	if (dt_space_open(&memory.space, &walk->dump->physical, paging, root, &err) != DT_OK)
		return NULL;
	name = name_in(walk, &memory, peb);
	dt_space_close(memory.space);
	return name;
}

void dt_walk_host(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	const struct dt_kdbg *kdbg = &dump->kdbg;
	uint32_t links = kdbg->off_eprocess_parent_cid + 8u - (dump->build.value <= OLD_BUILD ? 0xf0u : 0x100u);
	uint64_t at = walk->process_list, back;

	if (walk->width != 8 || !kdbg->off_eprocess_parent_cid || !kdbg->off_eprocess_peb || !kdbg->off_eprocess_directory_table ||
	    links > UINT16_MAX || !dt_walk_is_list(walk, at))
		return;
	for (unsigned i = 0; i < MOST_PROCESSES && !dump->host; i++) {
		uint64_t before = at;
		if (!dt_walk_kernel_pointer(walk, at, &at) || at == walk->process_list || !dt_walk_pointer(walk, at + 8, &back) || back != before)
			return;
		dump->host = name_of_process(walk, at - links);
	}
}
