/*
 * What memory a program ran in where no module is: code that a just-in-time compiler made, data, nothing. From the
 * dump's list of memory regions (MINIDUMP_MEMORY_INFO: winnt.h's states, protections and types).
 */
#include "core/base/text.h"
#include "facts/triage/pass.h"

enum {
	R_BASE = 0x00,
	R_SIZE = 0x18,
	R_STATE = 0x20,
	R_PROTECT = 0x24,
	R_TYPE = 0x28,
	STATE_COMMIT = 0x1000,
	STATE_FREE = 0x10000,
	PROTECT_EXECUTE = 0xf0, /* any of PAGE_EXECUTE… */
	TYPE_PRIVATE = 0x20000,
	MOST_REGIONS = 1 << 20,
};

/* The entry that holds va; false where none does. */
static bool find(const struct dt_dump *dump, uint64_t va, struct dt_bytes *out)
{
	uint32_t stride = dump->memory_info_stride;

	for (uint64_t i = 0; stride && i < MOST_REGIONS && dt_bytes_sub(dump->memory_info, i * stride, stride, out); i++)
		if (va - dt_bytes_u64_or(*out, R_BASE, 0) < dt_bytes_u64_or(*out, R_SIZE, 0))
			return true;
	return false;
}

/* The runtimes whose compilers make code while a program runs. */
static const char *runtime_of(const struct dt_dump *dump)
{
	static const struct {
		const char *module, *name;
	} runtimes[] = { { "clr.dll", ".NET Framework" }, { "coreclr.dll", ".NET" }, { "mscorwks.dll", ".NET Framework 2" }, { "jvm.dll", "Java" },
		         { "chakra.dll", "Chakra" },      { "v8.dll", "V8" },          { "node.exe", "Node.js" } };

	for (size_t i = 0; i < dump->module_count; i++)
		for (size_t r = 0; r < sizeof(runtimes) / sizeof(runtimes[0]); r++)
			if (dt_text_equal_fold(dump->modules[i].name, runtimes[r].module))
				return runtimes[r].name;
	return NULL;
}

const char *dt_region_in_words(const struct dt_dump *dump, uint64_t va, struct dt_arena *arena)
{
	struct dt_bytes region;

	if (dump->format != DT_FORMAT_USER || !find(dump, va, &region))
		return NULL;
	uint32_t state = dt_bytes_u32_or(region, R_STATE, 0), protect = dt_bytes_u32_or(region, R_PROTECT, 0);
	const char *runtime = runtime_of(dump);
	if (state == STATE_FREE)
		return "free: nothing is there";
	if (state != STATE_COMMIT)
		return "reserved, not backed by memory";
	if (!(protect & PROTECT_EXECUTE))
		return "data: it cannot be executed";
	if (dt_bytes_u32_or(region, R_TYPE, 0) != TYPE_PRIVATE)
		return "executable, of no module";
	return runtime ? dt_arena_printf(arena, "code made at run time; %s is loaded, whose compiler makes such code", runtime)
	               : "code made at run time, as just-in-time compilers and injected code are";
}
