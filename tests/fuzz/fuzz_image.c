/* Any bytes as a PE file: laid out as the loader would, and everything read that is read of an image. */
#include "facts/image/image.h"

enum { MOST_SECTIONS = 96 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void look(const struct dt_image *image, struct dt_arena *arena)
{
	struct dt_image_section section;
	struct dt_image_function function;
	struct dt_image_version version;
	uint64_t va;
	bool known;

	(void)dt_image_debug_id(image, arena);
	(void)dt_image_pdb_name(image, arena);
	(void)dt_image_version(image, arena, &version);
	(void)dt_image_export(image, "KiBugCheckData", &va);
	for (unsigned i = 0; i < MOST_SECTIONS && dt_image_section(image, i, &section); i++)
		if (dt_image_function_at(image, section.rva + section.size / 2, &function, &known))
			(void)dt_image_function_read(image, function.unwind & ~1u, &function);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const uint64_t base = UINT64_C(0x140000000);
	struct dt_memory memory;
	struct dt_image image;
	struct dt_arena arena;
	struct dt_notes notes;
	struct dt_error err;

	dt_arena_init(&arena, 8u << 20);
	dt_notes_init(&notes, &arena);
	dt_memory_init(&memory, &arena);
	if (dt_image_lay_out(&memory, &arena, (struct dt_bytes){ data, len }, base, &err) == DT_OK && dt_image_open(&image, &memory, base))
		look(&image, &arena);
	dt_arena_deinit(&arena);
	return 0;
}
