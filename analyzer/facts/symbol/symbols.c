#include "facts/symbol/symbols.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mapping.h"
#include "core/base/text.h"

struct dt_symbols_module {
	bool asked;
	bool has_image, has_map;
	struct dt_image image;
	struct dt_memory memory; /* the file, laid out */
	struct dt_mapping map;
};

void dt_symbols_open(struct dt_symbols *symbols, const struct dt_dump *dump, const struct dt_symbol_source *source,
                     struct dt_arena *arena, struct dt_notes *notes)
{
	*symbols = (struct dt_symbols){ .dump = dump, .source = source, .arena = arena, .notes = notes };
}

void dt_symbols_close(struct dt_symbols *symbols)
{
	for (size_t i = 0; symbols->modules && i < symbols->dump->module_count; i++)
		if (symbols->modules[i].has_map)
			dt_mapping_close(&symbols->modules[i].map);
	symbols->modules = NULL;
}

/* ---- a file ---------------------------------------------------------------------- */

/* Windows' own names of processors, as PE headers have them. */
static bool is_machine(enum dt_machine machine, uint16_t pe)
{
	return (machine == DT_MACHINE_X64 && pe == 0x8664) || (machine == DT_MACHINE_X86 && pe == 0x14c) ||
	       (machine == DT_MACHINE_ARM64 && pe == 0xaa64);
}

/* Why the file is not the module's image; NULL when it is. */
static const char *difference(const struct dt_symbols *symbols, const struct dt_module *module, const struct dt_image *image)
{
	const char *id = module->debug_id ? dt_image_debug_id(image, symbols->arena) : NULL;

	if (!is_machine(symbols->dump->machine, image->machine))
		return dt_arena_printf(symbols->arena, "it is for another processor (0x%x)", image->machine);
	if (!module->size.known || image->size != module->size.value)
		return dt_arena_printf(symbols->arena, "its size is 0x%x, the dump has 0x%" PRIx64, image->size, module->size.value);
	if (module->timestamp.known && image->timestamp != module->timestamp.value)
		return dt_arena_printf(symbols->arena, "its time stamp is 0x%x, the dump has 0x%" PRIx64, image->timestamp, module->timestamp.value);
	if (id && module->debug_id && !dt_text_equal_fold(id, module->debug_id))
		return dt_arena_printf(symbols->arena, "its debug identity is %s, the dump has %s", id, module->debug_id);
	if (!module->timestamp.known && !id)
		return "the dump has neither a time stamp nor a debug identity to know it by";
	return NULL;
}

static void refuse(struct dt_symbols *symbols, const struct dt_module *module, const char *why)
{
	dt_note_add(symbols->notes, DT_NOTE_WARNING, "symbols", "the file at hand for %s is not used: %s", module->name, why ? why : "no memory");
}

static bool take_file(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_module *slot)
{
	struct dt_error err;

	if (dt_image_lay_out(&slot->memory, symbols->arena, slot->map.bytes, module->base.value, &err) != DT_OK) {
		refuse(symbols, module, err.text);
		return false;
	}
	if (!dt_image_open(&slot->image, &slot->memory, module->base.value)) {
		refuse(symbols, module, "it has no header of an image");
		return false;
	}
	const char *why = difference(symbols, module, &slot->image);
	if (why)
		refuse(symbols, module, why);
	return !why;
}

static bool from_file(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_module *slot)
{
	struct dt_symbol_request request = { .kind = DT_SYMBOL_IMAGE, .name = module->name, .timestamp = (uint32_t)module->timestamp.value,
		                             .size = (uint32_t)module->size.value, .debug_id = module->debug_id };
	struct dt_error err;
	int fd;

	if (!symbols->source || !module->name || symbols->files == DT_MAX_SYMBOL_FILES || (fd = symbols->source->ask(symbols->source->self, &request)) < 0)
		return false;
	enum dt_status status = dt_mapping_open_fd(&slot->map, fd, &err);
	(void)close(fd);
	if (status != DT_OK) {
		refuse(symbols, module, err.text);
		return false;
	}
	slot->has_map = true;
	symbols->files++;
	return take_file(symbols, module, slot);
}

/* ---- a module -------------------------------------------------------------------- */

static struct dt_symbols_module *slot_of(struct dt_symbols *symbols, const struct dt_module *module)
{
	size_t index = (size_t)(module - symbols->dump->modules);

	if (!symbols->modules)
		symbols->modules = DT_ARENA_ARRAY(symbols->arena, symbols->dump->module_count, struct dt_symbols_module);
	return symbols->modules && index < symbols->dump->module_count ? &symbols->modules[index] : NULL;
}

const struct dt_image *dt_symbols_image(struct dt_symbols *symbols, const struct dt_module *module)
{
	struct dt_symbols_module *slot = symbols && module ? slot_of(symbols, module) : NULL;

	if (!slot)
		return NULL;
	if (!slot->asked) {
		slot->asked = true;
		slot->has_image = from_file(symbols, module, slot) ||
		                  (dt_image_open(&slot->image, &symbols->dump->memory, module->base.value) &&
		                   is_machine(symbols->dump->machine, slot->image.machine));
	}
	return slot->has_image ? &slot->image : NULL;
}

size_t dt_symbols_code(struct dt_symbols *symbols, uint64_t va, void *out, size_t len)
{
	const struct dt_image *image = symbols ? dt_symbols_image(symbols, dt_dump_module_at(symbols->dump, va)) : NULL;

	return image && image->memory != &symbols->dump->memory ? dt_memory_read(image->memory, va, out, len) : 0;
}
