/* Any bytes as a PDB: its streams, and the names and frames of addresses all over an image. */
#include "facts/symbol/frame.h"
#include "facts/symbol/pdb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_pdb_symbol symbol;
	struct dt_symbol_frame frame;
	struct dt_arena arena;
	struct dt_error err;
	struct dt_pdb pdb;

	dt_arena_init(&arena, 16u << 20);
	if (dt_pdb_open(&pdb, (struct dt_bytes){ data, len }, &arena, &err) == DT_OK) {
		(void)dt_pdb_is(&pdb, "00000000-0000-0000-0000-0000000000001");
		for (uint32_t rva = 0; rva < 0x4000; rva += 0x3f) {
			(void)dt_pdb_symbol_at(&pdb, rva, &symbol);
			(void)dt_pdb_frame_at(&pdb, rva, &frame);
		}
		(void)dt_pdb_symbol_at(&pdb, UINT32_MAX, &symbol);
	}
	dt_arena_deinit(&arena);
	return 0;
}
