/* The bodies of kernel dumps that hold a machine's memory. */
#include <string.h>

#include "machine.h"

enum { MOST_RUNS = 43, MOST_RUNS32 = 86 };

/* A header and what its descriptor says of the memory behind it. */
struct body {
	struct world *world;
	struct image *image;
	size_t header;     /* bytes */
	bool wide;
	uint64_t runs[MOST_RUNS32][2];
	size_t run_count;
};

static void number(const struct body *body, size_t off, uint64_t value)
{
	if (body->wide)
		image_u64(body->image, off, value);
	else
		image_u32(body->image, off, (uint32_t)value);
}

/* The recipe's own runs (a machine with more memory than is written), else what the frames need. */
static void find_runs(struct body *body)
{
	struct recipe *recipe = body->world->recipe;
	const struct line *line = recipe_last(recipe, "runs");

	if (!line) {
		body->run_count = world_runs(body->world, body->runs, body->wide ? MOST_RUNS : MOST_RUNS32);
		return;
	}
	for (size_t i = 1; i < line->words && i <= MOST_RUNS; i++)
		if (recipe_numbers(recipe, line, i, body->runs[body->run_count++], 2) != 2)
			recipe_fail(recipe, line, "a run is PFN,COUNT");
}

static void descriptor(const struct body *body)
{
	size_t off = body->wide ? 0x88 : 0x64, size = body->wide ? 8 : 4;
	uint64_t pages = 0;

	image_u32(body->image, off, (uint32_t)body->run_count);
	for (size_t i = 0; i < body->run_count; i++) {
		number(body, off + 2 * size + 2 * size * i, body->runs[i][0]);
		number(body, off + 3 * size + 2 * size * i, body->runs[i][1]);
		pages += body->runs[i][1];
	}
	number(body, off + size, pages);
}

/* Frames in the order of the runs, from `first` of the file on. */
static void pages(struct body *body, size_t first)
{
	const struct world *world = body->world;
	uint64_t before = 0;

	for (size_t r = 0; r < body->run_count; before += body->runs[r++][1])
		for (size_t i = 0; i < world->frame_count; i++) {
			const struct frame *frame = &world->frames[i];
			if (!frame->left_out && frame->pfn - body->runs[r][0] < body->runs[r][1])
				image_page(body->image, first + PAGE * (before + frame->pfn - body->runs[r][0]), frame->data);
		}
	image_end(body->image, first + PAGE * before);
}

static void full(struct body *body)
{
	descriptor(body);
	pages(body, body->header);
}

static size_t bitmap_bits(struct body *body, size_t at)
{
	uint64_t bits = body->runs[body->run_count - 1][0] + body->runs[body->run_count - 1][1];

	for (size_t r = 0; r < body->run_count; r++)
		for (uint64_t n = body->runs[r][0]; n < body->runs[r][0] + body->runs[r][1]; n++) {
			image_extend(body->image, at + n / 8 + 1);
			body->image->data[at + n / 8] |= (uint8_t)(1u << n % 8);
		}
	return (size_t)bits;
}

static uint64_t page_count(const struct body *body)
{
	uint64_t count = 0;

	for (size_t r = 0; r < body->run_count; r++)
		count += body->runs[r][1];
	return count;
}

static size_t page_align(size_t off)
{
	return (off + PAGE - 1) / PAGE * PAGE;
}

static void bitmap(struct body *body, const char *signature)
{
	size_t at = body->header, bits = bitmap_bits(body, at + 0x38), first = page_align(at + 0x38 + (bits + 7) / 8);

	image_put(body->image, at, signature, 8);
	image_u64(body->image, at + 0x20, first);
	image_u64(body->image, at + 0x28, page_count(body));
	image_u64(body->image, at + 0x30, bits);
	pages(body, first);
}

static void summary(struct body *body)
{
	size_t at = body->header, map = at + (body->wide ? 0x28u : 0x20u), bits = bitmap_bits(body, map),
	       first = page_align(map + (bits + 7) / 8);

	image_put(body->image, at, "SDMPDUMP", 8);
	image_u32(body->image, at + 0x0c, (uint32_t)first);
	image_u32(body->image, at + 0x10, (uint32_t)bits);
	image_u32(body->image, at + 0x14, (uint32_t)page_count(body));
	image_u32(body->image, at + 0x18, (uint32_t)bits);
	pages(body, first);
}

static void ranges(struct body *body, bool complete)
{
	size_t at = body->header, table = at + 0x30, first = page_align(table + 16 * (body->run_count + 1));

	image_u32(body->image, at, 0x40);
	image_put(body->image, at + 4, "RDMPDUMP", 8);
	image_u64(body->image, at + 0x10, first - (at + 0x40) + 0x20);
	image_u64(body->image, at + 0x18, first);
	if (complete) {
		image_u32(body->image, at + 0x20, (uint32_t)body->run_count);
		image_u64(body->image, at + 0x28, page_count(body));
	}
	for (size_t r = 0; r < body->run_count; r++) {
		image_u64(body->image, table + 16 * r, body->runs[r][0]);
		image_u64(body->image, table + 16 * r + 8, body->runs[r][1]);
	}
	image_extend(body->image, table + 16 * (body->run_count + 1));
	pages(body, first);
}

static void write_body(struct body *body, uint64_t type)
{
	switch (type) {
	case 1: full(body); break;
	case 2: summary(body); break;
	case 5: bitmap(body, "FDMPDUMP"); break;
	case 6:
	case 7: bitmap(body, "SDMPDUMP"); break;
	case 8:
	case 9:
	case 10: ranges(body, type == 10); break;
	default: recipe_fail(body->world->recipe, recipe_last(body->world->recipe, "dump-type"), "memory is written in dumps of type 1, 2, 5 to 10"); break;
	}
}

void build_memory(struct recipe *recipe, struct image *image)
{
	const char *machine = recipe_word(recipe, "machine", "x64");
	uint64_t type = recipe_setting(recipe, "dump-type", 1);
	struct world world;
	struct body body = { .world = &world, .image = image, .wide = strcmp(machine, "x86") != 0 };

	world_init(&world, recipe);
	machine_build(&world, build_row(recipe_setting(recipe, "build", body.wide ? 19041 : 7601), machine));
	body.header = body.wide ? HEADER64 : HEADER32;
	if (body.wide)
		build_header64(recipe, image, (uint32_t)type);
	else
		build_header32(recipe, image, (uint32_t)type);
	find_runs(&body);
	if (!recipe->failed && body.run_count)
		write_body(&body, type);
	if (!recipe->failed)
		secondary_behind_pages(recipe, image);
	image_u64(image, 0xfa0, recipe_setting(recipe, "required-space", image_length(image)));
	world_free(&world);
}
