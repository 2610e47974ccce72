/* Any bytes as a Breakpad .sym file; and as a decorated name. */
#include "facts/symbol/breakpad.h"
#include "facts/symbol/frame.h"
#include "facts/symbol/pdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_breakpad_symbol symbol;
	struct dt_symbol_frame frame;
	struct dt_symbol_cfi cfi;
	struct dt_breakpad sym;
	struct dt_arena arena;
	struct dt_error err;

	dt_arena_init(&arena, 16u << 20);
	if (dt_breakpad_open(&sym, (struct dt_bytes){ data, len }, &arena, &err) == DT_OK)
		for (uint32_t rva = 0; rva < 0x4000; rva += 0x3f) {
			(void)dt_breakpad_symbol_at(&sym, rva, &symbol);
			(void)dt_breakpad_frame_at(&sym, rva, &frame);
			(void)dt_breakpad_cfi_at(&sym, rva, &cfi);
		}
	const char *name = dt_arena_strndup(&arena, (const char *)data, len < 4096 ? len : 4096);
	if (name)
		(void)dt_undecorate(&arena, name);
	dt_arena_deinit(&arena);
	return 0;
}
