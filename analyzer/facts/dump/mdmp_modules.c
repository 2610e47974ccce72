/*
 * mdmp_modules.c - ModuleList and UnloadedModuleList.
 */
#include <inttypes.h>

#include "core/base/text.h"
#include "facts/dump/mdmp.h"

enum {
	MODULE_STRIDE = 108,
	MODULE_BASE = 0x00,
	MODULE_SIZE = 0x08,
	MODULE_CHECKSUM = 0x0c,
	MODULE_TIMESTAMP = 0x10,
	MODULE_NAME = 0x14,
	MODULE_VERSION_SIGNATURE = 0x18,
	MODULE_VERSION_HIGH = 0x20,
	MODULE_VERSION_LOW = 0x24,
	MODULE_CODEVIEW = 0x4c,
};
enum { UNLOADED_STRIDE = 24, UNLOADED_SIZE = 0x08, UNLOADED_NAME = 0x14 };

#define VERSION_SIGNATURE 0xfeef04bdu
#define CODEVIEW_ELF 0x4270454cu
#define MAX_BUILD_ID 64

/* A GUID and an age as symbol servers write them: the first three parts are numbers, the rest bytes. */
static const char *rsds_id(struct dt_dump *dump, struct dt_bytes cv)
{
	struct dt_bytes rest;
	uint32_t age;

	if (!dt_bytes_u32(cv, 0x14, &age) || !dt_bytes_sub(cv, 0x0c, 8, &rest))
		return NULL;
	const uint8_t *d = rest.data;
	uint32_t a = dt_bytes_u32_or(cv, 4, 0);
	uint16_t b = dt_bytes_u16_or(cv, 8, 0), c = dt_bytes_u16_or(cv, 10, 0);
	if (!a && !b && !c && !dt_bytes_u64_or(rest, 0, 0))
		return NULL;
	return dt_arena_printf(dump->arena, "%08" PRIX32 "%04X%04X%02X%02X%02X%02X%02X%02X%02X%02X%" PRIX32, a, b,
	                       c, d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], age);
}

static const char *nb10_id(struct dt_dump *dump, struct dt_bytes cv)
{
	uint32_t age;

	if (!dt_bytes_u32(cv, 0x0c, &age))
		return NULL;
	return dt_arena_printf(dump->arena, "%08" PRIX32 "%" PRIX32, dt_bytes_u32_or(cv, 8, 0), age);
}

/* ELF build ids are written in lower case everywhere. */
static const char *elf_id(struct dt_dump *dump, struct dt_bytes cv)
{
	struct dt_bytes id = dt_bytes_clip(cv, 4, MAX_BUILD_ID);
	char text[2 * MAX_BUILD_ID + 1];
	static const char digits[] = "0123456789abcdef";

	if (id.len == 0)
		return NULL;
	for (size_t i = 0; i < id.len; i++) {
		text[2 * i] = digits[id.data[i] >> 4];
		text[2 * i + 1] = digits[id.data[i] & 0xf];
	}
	return dt_arena_strndup(dump->arena, text, 2 * id.len);
}

static const char *debug_id(struct dt_dump *dump, struct dt_bytes cv)
{
	if (dt_bytes_match(cv, 0, "RSDS", 4))
		return rsds_id(dump, cv);
	if (dt_bytes_match(cv, 0, "NB10", 4))
		return nb10_id(dump, cv);
	if (dt_bytes_u32_or(cv, 0, 0) == CODEVIEW_ELF)
		return elf_id(dump, cv);
	return NULL;
}

static const char *version(struct dt_dump *dump, struct dt_bytes entry)
{
	uint32_t high = dt_bytes_u32_or(entry, MODULE_VERSION_HIGH, 0),
		 low = dt_bytes_u32_or(entry, MODULE_VERSION_LOW, 0);

	if (dt_bytes_u32_or(entry, MODULE_VERSION_SIGNATURE, 0) != VERSION_SIGNATURE)
		return NULL;
	return dt_arena_printf(dump->arena, "%" PRIu32 ".%" PRIu32 ".%" PRIu32 ".%" PRIu32, high >> 16,
	                       high & 0xffff, low >> 16, low & 0xffff);
}

static void read_module(struct mdmp *m, struct dt_bytes entry, struct dt_module *out)
{
	const char *text = mdmp_string(m, dt_bytes_u32_or(entry, MODULE_NAME, 0));

	out->name = dt_text_basename(text);
	out->path = out->name != text ? text : NULL;
	out->base = dt_some(mdmp_va(m, dt_bytes_u64_or(entry, MODULE_BASE, 0)));
	out->size = dt_some(dt_bytes_u32_or(entry, MODULE_SIZE, 0));
	out->checksum = dt_some_unless_zero(dt_bytes_u32_or(entry, MODULE_CHECKSUM, 0));
	out->timestamp = dt_some_unless_zero(dt_bytes_u32_or(entry, MODULE_TIMESTAMP, 0));
	out->version = version(m->dump, entry);
	out->debug_id = debug_id(m->dump, mdmp_location(m, entry, MODULE_CODEVIEW));
}

/* A 32-bit process on 64-bit Windows shows in its 64-bit dump by the emulation's modules. */
static void tell_wow64(struct mdmp *m)
{
	struct dt_dump *dump = m->dump;

	if (dump->machine != DT_MACHINE_X64 || !dt_dump_is_windows(dump) || !m->has_system)
		return;
	dump->wow64 = DT_FALSE;
	for (size_t i = 0; i < dump->module_count; i++) {
		const char *name = dump->modules[i].name;

		if (!dt_text_equal_fold(name, "wow64cpu.dll") && !dt_text_equal_fold(name, "wow64.dll"))
			continue;
		dump->wow64 = DT_TRUE;
		dt_note_add(dump->notes, DT_NOTE_INFO, "module list",
		            "a 32-bit process, dumped from its 64-bit side (wow64 modules are loaded): the "
		            "registers are those of the "
		            "64-bit side");
		dt_dump_missing(dump, "32-bit registers of the process");
		return;
	}
}

void mdmp_module_list(struct mdmp *m, const struct mdmp_stream *stream)
{
	struct dt_dump *dump = m->dump;
	uint64_t off = 0;
	size_t count = mdmp_list(m, stream, MODULE_STRIDE, DT_MAX_MODULES, &off), nameless = 0;

	dump->modules = DT_ARENA_ARRAY(dump->arena, count, struct dt_module);
	dump->module_count = dump->modules ? count : 0;
	for (size_t i = 0; i < dump->module_count; i++) {
		read_module(m, dt_bytes_clip(stream->bytes, off + i * MODULE_STRIDE, MODULE_STRIDE),
		            &dump->modules[i]);
		nameless += !dump->modules[i].name;
	}
	if (nameless) {
		dt_dump_cut(dump, stream->name, "%zu of %zu modules have no name in the file", nameless, count);
		dt_dump_missing(dump, "names of some modules");
	}
	tell_wow64(m);
}

void mdmp_unloaded_list(struct mdmp *m, const struct mdmp_stream *stream)
{
	struct dt_dump *dump = m->dump;
	uint64_t off = 0;
	uint32_t stride = UNLOADED_STRIDE;
	size_t count = mdmp_table(m, stream, UNLOADED_STRIDE, false, DT_MAX_UNLOADED, &off, &stride);

	dump->unloaded = DT_ARENA_ARRAY(dump->arena, count, struct dt_unloaded);
	dump->unloaded_count = dump->unloaded ? count : 0;
	for (size_t i = 0; i < dump->unloaded_count; i++, off += stride) {
		uint64_t base = mdmp_va(m, dt_bytes_u64_or(stream->bytes, off, 0));
		uint32_t size = dt_bytes_u32_or(stream->bytes, off + UNLOADED_SIZE, 0);
		const char *text = mdmp_string(m, dt_bytes_u32_or(stream->bytes, off + UNLOADED_NAME, 0));

		dump->unloaded[i].name = dt_text_basename(text);
		dump->unloaded[i].start = dt_some(base);
		dump->unloaded[i].end = dt_some(base <= UINT64_MAX - size ? base + size : UINT64_MAX);
	}
}
