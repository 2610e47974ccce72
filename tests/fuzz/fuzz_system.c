/* Any bytes as raw SMBIOS tables. */
#include "facts/triage/pass.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_dump dump = { .smbios = { data, len }, .format = DT_FORMAT_KERNEL, .machine = DT_MACHINE_X64 };
	struct dt_facts facts = { .schema = DT_CRASH_SCHEMA };
	struct dt_triage_options options = { 0 };
	struct dt_arena arena;
	struct dt_notes notes;

	dt_arena_init(&arena, 4u << 20);
	dt_notes_init(&notes, &arena);
	dt_memory_init(&dump.memory, &arena);
	struct dt_pass pass = { .dump = &dump, .facts = &facts, .arena = &arena, .notes = &notes, .options = &options };
	dt_pass_system(&pass);
	dt_arena_deinit(&arena);
	return 0;
}
