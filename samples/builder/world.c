#include "world.h"

#include <stdlib.h>
#include <string.h>

/* Bits of an address that index each level, from the top one. */
struct paging {
	const char *name;
	unsigned levels, bits[5], entry;
	uint64_t table; /* flags of an entry that leads to a table */
	uint64_t page;  /* of one that maps a page */
};
static const struct paging pagings[] = {
	{ "4", 4, { 9, 9, 9, 9 }, 8, 0x63, 0x63 },        { "5", 5, { 9, 9, 9, 9, 9 }, 8, 0x63, 0x63 },
	{ "pae", 3, { 2, 9, 9 }, 8, 0x63, 0x63 },         { "x86", 2, { 10, 10 }, 4, 0x63, 0x63 },
	{ "arm64", 4, { 9, 9, 9, 9 }, 8, 0x3, 0x703 },
};
/* A large page is mapped one level above the last: PS on x86 and x64. */
enum { LARGE = 0x80, DEFAULT_ROOT = 0x1ad002, DEFAULT_ROOT32 = 0x185020 };

static struct frame *frame_at(const struct world *world, uint64_t pfn)
{
	for (size_t i = 0; i < world->frame_count; i++)
		if (world->frames[i].pfn == pfn)
			return &world->frames[i];
	return NULL;
}

static struct frame *new_frame(struct world *world, uint64_t pfn)
{
	if (world->frame_count == world->frame_cap) {
		world->frame_cap = world->frame_cap ? 2 * world->frame_cap : 64;
		world->frames = realloc(world->frames, world->frame_cap * sizeof(*world->frames));
		if (!world->frames)
			abort();
	}
	struct frame *frame = &world->frames[world->frame_count++];
	*frame = (struct frame){ .pfn = pfn, .data = calloc(1, PAGE) };
	if (!frame->data)
		abort();
	return frame;
}

static uint64_t take_pfn(struct world *world)
{
	while (world->next_pfn == world->root >> 12)
		world->next_pfn++;
	return world->next_pfn++;
}

static const char *default_paging(const char *machine)
{
	return !strcmp(machine, "arm64") ? "arm64" : !strcmp(machine, "x86") ? "pae" : "4";
}

void world_init(struct world *world, struct recipe *recipe)
{
	const char *name = recipe_word(recipe, "paging", default_paging(recipe_word(recipe, "machine", "x64")));

	*world = (struct world){ .recipe = recipe };
	for (size_t i = 0; i < sizeof(pagings) / sizeof(pagings[0]); i++)
		if (!strcmp(pagings[i].name, name))
			world->paging = &pagings[i];
	if (!world->paging) {
		recipe_fail(recipe, recipe_last(recipe, "paging"), "paging is 4, 5, pae, x86 or arm64");
		world->paging = &pagings[0];
	}
	world->root = recipe_setting(recipe, "dtb", world->paging->levels < 4 ? DEFAULT_ROOT32 : DEFAULT_ROOT);
	world->next_pfn = recipe_setting(recipe, "frames", 0x100);
	new_frame(world, world->root >> 12);
}

void world_free(struct world *world)
{
	for (size_t i = 0; i < world->frame_count; i++)
		free(world->frames[i].data);
	free(world->frames);
	free(world->pages);
}

static struct mapped *page_at(const struct world *world, uint64_t va)
{
	for (size_t i = 0; i < world->page_count; i++)
		if (world->pages[i].va == (va & ~(uint64_t)(PAGE - 1)))
			return &world->pages[i];
	return NULL;
}

/* Lines `large VA`: the 2 MiB around it are one page, whose frames follow each other. */
static const struct line *large_line(const struct world *world, uint64_t va)
{
	const struct line *line = NULL;

	while ((line = recipe_next(world->recipe, "large", line)))
		if (recipe_number(world->recipe, line, 1) >> 21 == va >> 21)
			return line;
	return NULL;
}

static uint64_t pfn_for(struct world *world, uint64_t va)
{
	if (!large_line(world, va))
		return take_pfn(world);
	for (size_t i = 0; i < world->page_count; i++)
		if (world->pages[i].va >> 21 == va >> 21)
			return (world->pages[i].pfn & ~UINT64_C(0x1ff)) | (va >> 12 & 0x1ff);
	world->next_pfn = ((world->next_pfn + 0x1ff) & ~UINT64_C(0x1ff)) + 0x200;
	return (world->next_pfn - 0x200) | (va >> 12 & 0x1ff);
}

static struct mapped *new_page(struct world *world, uint64_t va)
{
	if (world->page_count == world->page_cap) {
		world->page_cap = world->page_cap ? 2 * world->page_cap : 64;
		world->pages = realloc(world->pages, world->page_cap * sizeof(*world->pages));
		if (!world->pages)
			abort();
	}
	uint64_t pfn = pfn_for(world, va);
	struct mapped *page = &world->pages[world->page_count++];
	*page = (struct mapped){ va & ~(uint64_t)(PAGE - 1), pfn, MAP_PRESENT };
	new_frame(world, pfn);
	return page;
}

void world_poke(struct world *world, uint64_t va, const void *data, size_t len)
{
	const uint8_t *from = data;

	while (len) {
		struct mapped *page = page_at(world, va);
		size_t inside = va & (PAGE - 1), n = PAGE - inside < len ? PAGE - inside : len;

		if (!page)
			page = new_page(world, va);
		memcpy(frame_at(world, page->pfn)->data + inside, from, n);
		va += n;
		from += n;
		len -= n;
	}
}

void world_number(struct world *world, uint64_t va, uint64_t value, size_t size)
{
	uint8_t bytes[8];

	put_number(bytes, value, size);
	world_poke(world, va, bytes, size);
}

uint64_t world_read(const struct world *world, uint64_t va, size_t size)
{
	uint64_t value = 0;

	for (size_t i = size; i-- > 0;) {
		const struct mapped *page = page_at(world, va + i);
		value = value << 8 | (page ? frame_at(world, page->pfn)->data[(va + i) & (PAGE - 1)] : 0);
	}
	return value;
}

void world_map(struct world *world, uint64_t va, enum mapping how)
{
	struct mapped *page = page_at(world, va);

	if (!page)
		page = new_page(world, va);
	page->how = how;
	frame_at(world, page->pfn)->left_out = how == MAP_LEFT_OUT || (how != MAP_PRESENT && how != MAP_TRANSITION);
}

/* What the last level's entry says. */
static uint64_t leaf(const struct world *world, const struct mapped *page)
{
	switch (page->how) {
	case MAP_PRESENT:
	case MAP_LEFT_OUT: return page->pfn << 12 | world->paging->page;
	case MAP_TRANSITION: return page->pfn << 12 | 0x800 | 0x80;
	case MAP_PROTOTYPE: return world->paging->entry == 8 ? 0x8a00012345670400u : 0x12345400;
	case MAP_ZERO: return 0x80;
	case MAP_PAGE_FILE: return world->paging->entry == 8 ? 0x0001234500000084u : 0x12345084;
	}
	return 0;
}

/* The table that an entry leads to; made where there is none. */
static uint64_t descend(struct world *world, uint64_t table, uint64_t index, bool top)
{
	uint8_t *entry = frame_at(world, table)->data + index * world->paging->entry;
	uint64_t value = 0;

	for (unsigned i = world->paging->entry; i-- > 0;)
		value = value << 8 | entry[i];
	if (value)
		return (value & 0x000ffffffffff000) >> 12;
	uint64_t pfn = take_pfn(world), flags = top && world->paging->levels == 3 ? 1 : world->paging->table;
	new_frame(world, pfn);
	put_number(frame_at(world, table)->data + index * world->paging->entry, pfn << 12 | flags, world->paging->entry);
	return pfn;
}

static void map(struct world *world, const struct mapped *page)
{
	const struct paging *paging = world->paging;
	uint64_t table = world->root >> 12, index = 0;
	unsigned shift = 12;
	bool large = large_line(world, page->va) != NULL;

	for (unsigned i = 0; i < paging->levels; i++)
		shift += paging->bits[i];
	for (unsigned i = 0; i < paging->levels; i++) {
		shift -= paging->bits[i];
		index = page->va >> shift & ((1u << paging->bits[i]) - 1);
		/* The root of PAE stands anywhere in its page. */
		if (i == 0 && paging->levels == 3)
			index += (world->root & 0xfe0) / 8;
		if (large && i + 2 == paging->levels) {
			put_number(frame_at(world, table)->data + index * paging->entry,
			           (page->pfn & ~UINT64_C(0x1ff)) << 12 | paging->page | LARGE, paging->entry);
			return;
		}
		if (i + 1 < paging->levels)
			table = descend(world, table, index, i == 0);
	}
	put_number(frame_at(world, table)->data + index * paging->entry, leaf(world, page), paging->entry);
}

static int by_pfn(const void *a, const void *b)
{
	const struct frame *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

/* The top table of 64-bit machines, in itself, as Windows has it; `self-map none`: not. */
static void map_itself(struct world *world)
{
	enum { SLOT = 0x1ed };
	struct frame *root = frame_at(world, world->root >> 12);

	if (!recipe_last(world->recipe, "self-map") && world->paging->levels > 3 && root && !root->data[8 * SLOT])
		put_number(root->data + 8 * SLOT, world->root >> 12 << 12 | world->paging->table, 8);
}

void world_finish(struct world *world)
{
	for (size_t i = 0; i < world->page_count; i++)
		map(world, &world->pages[i]);
	map_itself(world);
	qsort(world->frames, world->frame_count, sizeof(*world->frames), by_pfn);
}

size_t world_runs(const struct world *world, uint64_t (*runs)[2], size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < world->frame_count; i++) {
		const struct frame *frame = &world->frames[i];

		if (frame->left_out)
			continue;
		if (count && runs[count - 1][0] + runs[count - 1][1] == frame->pfn) {
			runs[count - 1][1]++;
			continue;
		}
		if (count == max) {
			recipe_fail(world->recipe, NULL, "the machine's memory has more than %zu runs", max);
			return count;
		}
		runs[count][0] = frame->pfn;
		runs[count++][1] = 1;
	}
	return count;
}
