/* The bodies of dumps that hold pages: their descriptions, and empty pages. */
#include <string.h>

#include "kernel.h"

enum { PAGE_SIZE = 0x1000, MOST_PAGES = 1024 };

/* SUMMARY_DUMP of Windows 8 and later: "SDMP" or "FDMP", then a bit for each page. */
static void bitmap(struct recipe *recipe, const struct line *line, struct image *image, size_t at)
{
	const char *signature = recipe_value(line, "signature");
	uint64_t bits = recipe_value_number(recipe, line, "bits", 64),
		 present = recipe_value_number(recipe, line, "present", 8);

	if (bits > 8 * MOST_PAGES || present > bits || present > MOST_PAGES) {
		recipe_fail(recipe, line, "at most %d bits and %d pages", 8 * MOST_PAGES, MOST_PAGES);
		return;
	}
	size_t first = (at + 0x38 + (size_t)(bits + 7) / 8 + PAGE_SIZE - 1) / PAGE_SIZE * PAGE_SIZE;
	image_put(image, at, signature ? signature : "SDMP", 4);
	image_put(image, at + 4, "DUMP", 4);
	image_u64(image, at + 0x20, recipe_value_number(recipe, line, "first", first));
	image_u64(image, at + 0x28, present);
	image_u64(image, at + 0x30, bits);
	for (size_t i = 0; i < present; i++)
		image_u8(image, at + 0x38 + i / 8,
		         (uint8_t)(i % 8 == 7 || i + 1 == present ? (2u << i % 8) - 1 : 0));
	image_extend(image, first + PAGE_SIZE * (size_t)present);
}

/* SUMMARY_DUMP up to Windows 7. */
static void summary(struct recipe *recipe, const struct line *line, struct image *image, size_t at)
{
	bool wide = at == HEADER64;
	uint64_t pages = recipe_value_number(recipe, line, "present", 8);

	if (pages > 8) {
		recipe_fail(recipe, line, "at most 8 pages");
		return;
	}
	image_put(image, at, "SDMPDUMP", 8);
	image_u32(image, at + 0x08, 1);
	image_u32(image, at + 0x0c, (uint32_t)at + PAGE_SIZE);
	image_u32(image, at + 0x10, 64);
	image_u32(image, at + 0x14, (uint32_t)pages);
	image_u32(image, at + 0x18, 64);
	image_u8(image, at + (wide ? 0x28 : 0x20), (uint8_t)((1u << pages) - 1));
	image_extend(image, at + PAGE_SIZE + PAGE_SIZE * (size_t)pages);
}

/* RDMP: ranges of pages. */
static void ranges(struct recipe *recipe, const struct line *line, struct image *image, size_t at)
{
	uint64_t pages = recipe_value_number(recipe, line, "present", 8);

	if (pages > MOST_PAGES) {
		recipe_fail(recipe, line, "at most %d pages", MOST_PAGES);
		return;
	}
	image_u32(image, at, 0x40);
	image_put(image, at + 4, "RDMPDUMP", 8);
	image_u64(image, at + 0x10, PAGE_SIZE - 0x20);
	image_u64(image, at + 0x18, at + PAGE_SIZE);
	image_u32(image, at + 0x20, 1);
	image_u64(image, at + 0x28, pages);
	image_u64(image, at + 0x30, 0x100);
	image_u64(image, at + 0x38, pages);
	image_extend(image, at + PAGE_SIZE + PAGE_SIZE * (size_t)pages);
}

/* The pages of all runs, one behind the other. */
static void full(struct recipe *recipe, const struct line *line, struct image *image, size_t at)
{
	uint64_t pages = recipe_value_number(recipe, line, "present", 8);

	if (pages > MOST_PAGES)
		recipe_fail(recipe, line, "at most %d pages", MOST_PAGES);
	else
		image_extend(image, at + PAGE_SIZE * (size_t)pages);
}

void build_body(struct recipe *recipe, struct image *image, size_t header)
{
	static const struct {
		const char *name;
		void (*build)(struct recipe *recipe, const struct line *line, struct image *image, size_t at);
	} bodies[] = { { "bitmap", bitmap }, { "summary", summary }, { "ranges", ranges }, { "full", full } };
	const struct line *line = recipe_last(recipe, "body");

	if (!line)
		return;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++)
		if (!strcmp(bodies[i].name, recipe_name(recipe, line, 1))) {
			bodies[i].build(recipe, line, image, header);
			return;
		}
	recipe_fail(recipe, line, "body is bitmap, summary, ranges or full");
}
