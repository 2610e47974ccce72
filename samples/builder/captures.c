/*
 * What hypervisors write of a machine. Layouts: the System V ABI (ELF cores and notes), QEMU's target/i386/arch_dump.c
 * (the note with the processor's state) and dump.h (kdump), makedumpfile (the flattened form, the flags of pages).
 * Pages are "compressed" as each method stores what it cannot make smaller.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

enum { MOST_RUNS = 512, STATE = 440, ARM_STATE = 392, NOTE_HEAD = 12, HEADERS = 0x1000 };

/* ---- the notes ------------------------------------------------------------------------ */

static const char *const registers[] = { "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8",
	                                  "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "rip", "rflags" };

static size_t note(struct image *image, size_t off, const char *name, uint32_t type, const uint8_t *data, size_t len)
{
	size_t name_len = strlen(name) + 1, at = off + NOTE_HEAD + (name_len + 3) / 4 * 4;

	image_u32(image, off, (uint32_t)name_len);
	image_u32(image, off + 4, (uint32_t)len);
	image_u32(image, off + 8, type);
	image_put(image, off + NOTE_HEAD, name, name_len);
	image_put(image, at, data, len);
	return at + (len + 3) / 4 * 4;
}

static void state(struct world *world, uint8_t out[STATE], bool crashed)
{
	const struct line *line = recipe_last(world->recipe, "context"), *cpu = recipe_last(world->recipe, "cpu");

	memset(out, 0, STATE);
	put_number(out, 1, 4);
	put_number(out + 4, STATE, 4);
	for (size_t i = 0; crashed && line && i < sizeof(registers) / sizeof(registers[0]); i++)
		put_number(out + 8 + 8 * i, recipe_value_number(world->recipe, line, registers[i], 0), 8);
	put_number(out + 152, crashed ? 0x10 : 0x33, 4);
	put_number(out + 264, crashed ? machine_kpcr(world) : 0x7ff600002000, 8);
	put_number(out + 384, machine_idt(world), 8);
	put_number(out + 392, 0x80050033, 8);
	put_number(out + 408, crashed && cpu ? recipe_value_number(world->recipe, cpu, "cr2", 0) : 0, 8);
	put_number(out + 416, world->root, 8);
	put_number(out + 424, recipe_last(world->recipe, "paging") && !strcmp(recipe_word(world->recipe, "paging", "4"), "5") ? 0x351ef8 : 0x350ef8, 8);
	put_number(out + 432, crashed ? 0 : machine_kpcr(world) + 0x100000, 8);
}

static bool is_arm(const struct world *world)
{
	return !strcmp(recipe_word(world->recipe, "machine", "x64"), "arm64");
}

/* NT_PRSTATUS of ARM64 (target/arm/arch_dump.c): the registers, and x18 as the kernel uses it. */
static void arm_state(struct world *world, uint8_t out[ARM_STATE], bool crashed)
{
	const struct line *line = recipe_last(world->recipe, "context");
	char name[8];

	memset(out, 0, ARM_STATE);
	for (unsigned i = 0; crashed && line && i < 34; i++) {
		static const char *const last[] = { "fp", "lr", "sp", "pc", "cpsr" };
		snprintf(name, sizeof(name), "x%u", i);
		put_number(out + 112 + 8 * i, recipe_value_number(world->recipe, line, i < 29 ? name : last[i - 29], i == 33 ? 0x60000005 : 0), 8);
	}
	if (crashed)
		put_number(out + 112 + 8 * 18, machine_kpcr(world), 8);
}

/* CORE and QEMU for each processor; gives where they end. */
static size_t notes(struct world *world, struct image *image, size_t off)
{
	uint64_t count = recipe_setting(world->recipe, "processors", 4);
	const struct line *cpu = recipe_last(world->recipe, "cpu");
	uint64_t crashed = cpu ? recipe_value_number(world->recipe, cpu, "number", 0) : 0;
	uint8_t core[336] = { 0 }, bytes[STATE];

	for (uint64_t i = 0; is_arm(world) && i < count && i < 16; i++) {
		arm_state(world, bytes, i == crashed);
		off = note(image, off, "CORE", 1, bytes, ARM_STATE);
	}
	if (is_arm(world))
		return off;
	for (uint64_t i = 0; i < count && i < 16; i++)
		off = note(image, off, "CORE", 1, core, sizeof(core));
	for (uint64_t i = 0; i < count && i < 16; i++) {
		state(world, bytes, i == crashed);
		off = note(image, off, "QEMU", 0, bytes, STATE);
	}
	return off;
}

static void begin(struct recipe *recipe, struct world *world)
{
	world_init(world, recipe);
	machine_build(world, build_row(recipe_setting(recipe, "build", 19041), recipe_word(recipe, "machine", "x64")));
}

/* ---- ELF ------------------------------------------------------------------------------- */

static void segment(struct image *image, size_t at, uint32_t type, uint64_t off, uint64_t pa, uint64_t len)
{
	image_u32(image, at, type);
	image_u64(image, at + 8, off);
	image_u64(image, at + 24, pa);
	image_u64(image, at + 32, len);
	image_u64(image, at + 40, len);
}

void build_elf(struct recipe *recipe, struct image *image)
{
	uint64_t(*runs)[2] = calloc(MOST_RUNS, sizeof(*runs));
	struct world world;

	if (!runs)
		abort();
	begin(recipe, &world);
	size_t count = world_runs(&world, runs, MOST_RUNS), at = 0x40, frame = 0;
	image_put(image, 0, "\x7f\x45LF\2\1\1", 7);
	image_u16(image, 0x10, 4);
	image_u16(image, 0x12, is_arm(&world) ? 183 : 62);
	image_u32(image, 0x14, 1);
	image_u64(image, 0x20, 0x40);
	image_u16(image, 0x34, 0x40);
	image_u16(image, 0x36, 56);
	image_u16(image, 0x38, (uint16_t)(count + 1));
	size_t text = 0x40 + 56 * (count + 1), end = notes(&world, image, text);
	segment(image, at, 4, text, 0, end - text);
	for (size_t i = 0; i < count; i++) {
		segment(image, at + 56 * (i + 1), 1, end, runs[i][0] * PAGE, runs[i][1] * PAGE);
		for (uint64_t n = 0; n < runs[i][1]; frame++)
			if (!world.frames[frame].left_out) {
				image_page(image, end, world.frames[frame].data);
				end += PAGE;
				n++;
			}
	}
	world_free(&world);
	free(runs);
}

/* ---- kdump ------------------------------------------------------------------------------ */

static uint32_t adler32(const uint8_t *data, size_t len)
{
	uint32_t a = 1, b = 0;

	for (size_t i = 0; i < len; i++) {
		a = (a + data[i]) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

/* Every packer stores the page's begin as it is, and the zeros at its end as what its format has for repeats: `len` bytes of
 * begin, of which the last one is zero. */
static size_t zlib_page(const uint8_t *page, size_t len, uint8_t *out)
{
	uint32_t sum = __builtin_bswap32(adler32(page, PAGE));
	size_t at = 0, bit = 3;

	/* Repeats have 258 bytes each. */
	len = PAGE - (PAGE - len) / 258 * 258;
	memcpy(out, "\x78\x01\x00", 3); /* a stored block, not the last */
	put_number(out + 3, len | (~len & 0xffff) << 16, 4);
	memcpy(out + 7, page, len);
	at = 7 + len;
	/* The last block, of fixed codes: each repeat is 11000101 from the left, then five zeros for "one byte back"; its end seven zeros. */
	memset(out + at, 0, PAGE);
	out[at] = 3;
	for (size_t i = 0; i < (PAGE - len) / 258; i++, bit += 13)
		for (size_t k = 0; k < 8; k++)
			out[at + (bit + k) / 8] |= (uint8_t)((0xc5u >> (7 - k) & 1) << (bit + k) % 8);
	at += (bit + 7 + 7) / 8;
	memcpy(out + at, &sum, 4);
	return at + 4;
}

/* How LZO says a number above what its first byte has room for. */
static size_t lzo_number(uint8_t *out, size_t number)
{
	size_t at = 0;

	for (; number > 255; number -= 255)
		out[at++] = 0;
	out[at++] = (uint8_t)number;
	return at;
}

/* A run of literals of 18 + n bytes, a repeat of 33 + n bytes one byte back, the end mark. */
static size_t lzo_page(const uint8_t *page, size_t len, uint8_t *out)
{
	size_t at = 0;

	out[at++] = 0;
	at += lzo_number(out + at, len - 18);
	memcpy(out + at, page, len);
	at += len;
	out[at++] = 0x20;
	at += lzo_number(out + at, PAGE - len - 33);
	memcpy(out + at, "\0\0\x11\0\0", 5);
	return at + 5;
}

/* A literal whose length less one stands in two bytes, repeats of at most 64 bytes one byte back. */
static size_t snappy_page(const uint8_t *page, size_t len, uint8_t *out)
{
	size_t at = 5;

	memcpy(out, "\x80\x20\xf4", 3); /* 4096 bytes in all */
	put_number(out + 3, len - 1, 2);
	memcpy(out + at, page, len);
	at += len;
	for (size_t rest = PAGE - len, n; rest; rest -= n, at += 3) {
		n = rest < 64 ? rest : 64;
		out[at] = (uint8_t)((n - 1) << 2 | 2);
		put_number(out + at + 1, 1, 2);
	}
	return at;
}

/* One segment, its size less 256 in two bytes; a raw block, and the last one, a byte that repeats. */
static size_t zstd_page(const uint8_t *page, size_t len, uint8_t *out)
{
	memcpy(out, "\x28\xb5\x2f\xfd\x60\x00\x0f", 7);
	put_number(out + 7, len << 3, 3);
	memcpy(out + 10, page, len);
	put_number(out + 10 + len, (PAGE - len) << 3 | 1 << 1 | 1, 3);
	out[13 + len] = 0;
	return 14 + len;
}

static const struct method {
	const char *name;
	uint32_t flag;
	size_t (*pack)(const uint8_t *page, size_t len, uint8_t *out);
} packers[] = { { "zlib", 1, zlib_page }, { "lzo", 2, lzo_page }, { "snappy", 4, snappy_page }, { "zstd", 0x20, zstd_page }, { "none", 0, NULL } };

static const struct method *method_of(struct recipe *recipe)
{
	const char *name = recipe_word(recipe, "compression", "zlib");

	for (size_t i = 0; i < sizeof(packers) / sizeof(packers[0]); i++)
		if (!strcmp(packers[i].name, name))
			return &packers[i];
	recipe_fail(recipe, recipe_last(recipe, "compression"), "compression is zlib, lzo, snappy, zstd or none");
	return &packers[0];
}

/* As dump writers do, a page that would not get smaller stays as it is. Gives its flag. */
static uint32_t pack(const struct method *method, const uint8_t *page, uint8_t out[2 * PAGE], size_t *packed)
{
	size_t len = PAGE;

	while (len && !page[len - 1])
		len--;
	len = len + 1 < 32 ? 32 : len + 1;
	*packed = PAGE;
	if (method->pack && len + 300 <= PAGE) {
		*packed = method->pack(page, len, out);
		return method->flag;
	}
	memcpy(out, page, PAGE);
	return 0;
}

static void kdump_pages(struct world *world, struct image *image, size_t bitmaps, size_t half, const struct method *method)
{
	size_t descriptors = bitmaps + 2 * half, count = 0, stored = 0;

	for (size_t i = 0; i < world->frame_count; i++)
		stored += !world->frames[i].left_out;
	size_t at = descriptors + 24 * stored;
	for (size_t i = 0; i < world->frame_count; i++) {
		const struct frame *frame = &world->frames[i];
		uint8_t packed[2 * PAGE];
		if (frame->left_out)
			continue;
		size_t len, descriptor = descriptors + 24 * count++;
		uint32_t flag = pack(method, frame->data, packed, &len);
		for (size_t b = 0; b < 2; b++)
			image->data[bitmaps + b * half + frame->pfn / 8] |= (uint8_t)(1u << frame->pfn % 8);
		image_u64(image, descriptor, at);
		image_u32(image, descriptor + 8, (uint32_t)len);
		image_u32(image, descriptor + 12, flag);
		image_put(image, at, packed, len);
		at += len;
	}
}

/* The stream of records, in pieces that cut structures apart; the header comes last, without the rest of its block. */
static void flatten(struct image *image)
{
	struct image out = { 0 };
	size_t at = 0x1000, piece = 0x1234;

	image_put(&out, 0, "makedumpfile", 12);
	image_u64(&out, 16, __builtin_bswap64(1));
	image_u64(&out, 24, __builtin_bswap64(1));
	image_extend(&out, 0x1000);
	for (size_t off = 0x1000; off <= image->len; off += piece) {
		bool last = off + piece > image->len;
		size_t from = off, len = last ? image->len - off : piece;
		for (unsigned i = 0; i < 1u + last; i++, from = 0, len = 464) {
			image_u64(&out, at, __builtin_bswap64(from));
			image_u64(&out, at + 8, __builtin_bswap64(len));
			image_put(&out, at + 16, image->data + from, len);
			at += 16 + len;
		}
	}
	image_u64(&out, at, UINT64_MAX);
	image_u64(&out, at + 8, UINT64_MAX);
	free(image->data);
	*image = out;
}

void build_kdump(struct recipe *recipe, struct image *image)
{
	const struct method *method = method_of(recipe);
	struct world world;

	begin(recipe, &world);
	uint64_t max_pfn = world.frames[world.frame_count - 1].pfn + 1;
	size_t half = (size_t)((max_pfn + 7) / 8 + PAGE - 1) / PAGE * PAGE;
	image_put(image, 0, "KDUMP   ", 8);
	image_u32(image, 8, 6);
	image_put(image, 12 + 65 * 4, is_arm(&world) ? "aarch64" : "x86_64", is_arm(&world) ? 7 : 6);
	image_u32(image, 428, PAGE);
	image_u32(image, 432, 3); /* the sub header and the notes behind it */
	image_u32(image, 436, (uint32_t)(2 * half / PAGE));
	image_u32(image, 440, (uint32_t)max_pfn);
	image_u32(image, 460, (uint32_t)recipe_setting(recipe, "processors", 4));
	size_t text = 0x1068, end = notes(&world, image, text);
	image_u64(image, 0x1000 + 48, text);
	image_u64(image, 0x1000 + 56, end - text);
	image_u64(image, 0x1000 + 96, max_pfn);
	if (end > 4 * PAGE)
		recipe_fail(recipe, NULL, "the notes of so many processors do not fit");
	image_extend(image, 4 * PAGE + 2 * half);
	kdump_pages(&world, image, 4 * PAGE, half, method);
	if (recipe_last(recipe, "flattened"))
		flatten(image);
	world_free(&world);
}
