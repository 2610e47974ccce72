#include "facts/symbol/symbols.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mapping.h"
#include "core/base/text.h"
#include "facts/symbol/breakpad.h"
#include "facts/symbol/cabinet.h"
#include "facts/symbol/pdb.h"

/* A file from the source, unpacked where it was compressed. */
struct file {
	struct dt_mapping map;
	struct dt_bytes bytes;
	bool unpacked;
};

struct dt_symbols_module {
	bool asked;
	bool asked_pdb;
	bool has_image, has_map, has_pdb, has_sym;
	struct dt_image image;
	struct dt_memory memory; /* the file, laid out */
	struct file file, pdb_file, sym_file;
	struct dt_pdb pdb;
	struct dt_breakpad sym;
};
enum { MOST_ATTEMPTS = 8, MOST_CHAINED = 32 };

void dt_symbols_open(struct dt_symbols *symbols, const struct dt_dump *dump, const struct dt_symbol_source *source,
                     struct dt_arena *arena, struct dt_notes *notes)
{
	*symbols = (struct dt_symbols){ .dump = dump, .source = source, .arena = arena, .notes = notes };
	dt_arena_init(&symbols->own, DT_MAX_ARENA);
}

static void close_file(struct file *file)
{
	if (file->unpacked)
		dt_cabinet_free(file->bytes);
	dt_mapping_close(&file->map);
	file->unpacked = false;
}

static void close_module(struct dt_symbols_module *slot)
{
	if (slot->has_map)
		close_file(&slot->file);
	if (slot->has_pdb)
		close_file(&slot->pdb_file);
	if (slot->has_sym)
		close_file(&slot->sym_file);
}

void dt_symbols_close(struct dt_symbols *symbols)
{
	for (size_t i = 0; symbols->modules && i < symbols->dump->module_count; i++)
		if (symbols->modules[i])
			close_module(symbols->modules[i]);
	symbols->modules = NULL;
	symbols->files = symbols->asks = 0;
	dt_arena_deinit(&symbols->own);
}

/* ---- a file ---------------------------------------------------------------------- */

/* Windows' own names of processors, as PE headers have them. */
static bool is_machine(enum dt_machine machine, uint16_t pe)
{
	return (machine == DT_MACHINE_X64 && pe == 0x8664) || (machine == DT_MACHINE_X86 && pe == 0x14c) ||
	       (machine == DT_MACHINE_ARM64 && pe == 0xaa64);
}

/* Why the file is not the module's image; NULL when it is. */
static const char *difference(struct dt_symbols *symbols, const struct dt_module *module, const struct dt_image *image)
{
	const char *id = module->debug_id ? dt_image_debug_id(image, &symbols->own) : NULL;

	if (!is_machine(symbols->dump->machine, image->machine))
		return dt_arena_printf(&symbols->own, "it is for another processor (0x%x)", image->machine);
	if (!module->size.known || image->size != module->size.value)
		return dt_arena_printf(&symbols->own, "its size is 0x%x, the dump has 0x%" PRIx64, image->size, module->size.value);
	if (module->timestamp.known && image->timestamp != module->timestamp.value)
		return dt_arena_printf(&symbols->own, "its time stamp is 0x%x, the dump has 0x%" PRIx64, image->timestamp, module->timestamp.value);
	if (id && module->debug_id && !dt_text_equal_fold(id, module->debug_id))
		return dt_arena_printf(&symbols->own, "its debug identity is %s, the dump has %s", id, module->debug_id);
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

	if (dt_image_lay_out(&slot->memory, &symbols->own, slot->file.bytes, module->base.value, &err) != DT_OK) {
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

/* Whether one more file may be asked for; that it may not is noted. */
static bool may_ask(struct dt_symbols *symbols, const struct dt_module *module, const struct dt_symbol_request *request)
{
	if (!symbols->source || !request->name)
		return false;
	if (strlen(request->name) > DT_MAX_ASK_TEXT || (request->debug_id && strlen(request->debug_id) > DT_MAX_ASK_TEXT)) {
		dt_note_add(symbols->notes, DT_NOTE_WARNING, "symbols", "nothing is asked for %.64s...: a name or an identity of more than %u bytes", module->name,
		            DT_MAX_ASK_TEXT);
		return false;
	}
	if (symbols->files == DT_MAX_SYMBOL_FILES || symbols->asks == DT_MAX_ASKS) {
		dt_note_add(symbols->notes, DT_NOTE_WARNING, "symbols", "more than %u %s; the rest is not asked for",
		            symbols->files == DT_MAX_SYMBOL_FILES ? DT_MAX_SYMBOL_FILES : DT_MAX_ASKS,
		            symbols->files == DT_MAX_SYMBOL_FILES ? "files" : "questions");
		return false;
	}
	symbols->asks++;
	return true;
}

/* Asks for a file and maps it; -1 in the source's answer, and a cap, are a no. */
static bool map_asked(struct dt_symbols *symbols, const struct dt_module *module, const struct dt_symbol_request *request, struct file *file)
{
	struct dt_error err;
	int fd;

	if (!may_ask(symbols, module, request) || (fd = symbols->source->ask(symbols->source->self, request)) < 0)
		return false;
	enum dt_status status = dt_mapping_open_fd(&file->map, fd, &err);
	(void)close(fd);
	file->bytes = status == DT_OK ? file->map.bytes : (struct dt_bytes){ NULL, 0 };
	if (status == DT_OK && dt_cabinet_is(file->bytes)) {
		status = dt_cabinet_unpack(file->map.bytes, &file->bytes, &err);
		file->unpacked = status == DT_OK;
	}
	if (status != DT_OK) {
		refuse(symbols, module, err.text);
		file->bytes = (struct dt_bytes){ NULL, 0 };
	}
	symbols->files++;
	return true;
}

static void give_up(struct dt_symbols *symbols, struct file *file)
{
	close_file(file);
	symbols->files--;
}

/* Folders may hold another build under the same name: the next file is asked for until there is none. */
static bool from_file(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_module *slot)
{
	struct dt_symbol_request request = { .kind = DT_SYMBOL_IMAGE, .name = module->name, .timestamp = (uint32_t)module->timestamp.value,
		                             .size = (uint32_t)module->size.value, .debug_id = module->debug_id };

	for (; request.attempt < MOST_ATTEMPTS && map_asked(symbols, module, &request, &slot->file); request.attempt++) {
		slot->has_map = slot->file.bytes.len && take_file(symbols, module, slot);
		if (slot->has_map)
			return true;
		give_up(symbols, &slot->file);
	}
	return false;
}

static bool take_pdb(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_module *slot, const char *debug_id)
{
	struct dt_error err;
	enum dt_status status = dt_pdb_open(&slot->pdb, slot->pdb_file.bytes, &symbols->own, &err);

	if (status != DT_OK)
		refuse(symbols, module, err.text);
	else if (!dt_pdb_is(&slot->pdb, debug_id))
		refuse(symbols, module, "the PDB is of another build");
	else
		return true;
	return false;
}

/* "driver.pdb" for "driver.sys", where the image does not say. */
static const char *pdb_name(struct dt_symbols *symbols, const struct dt_module *module, const struct dt_image *image)
{
	const char *name = image ? dt_image_pdb_name(image, &symbols->own) : NULL, *dot = module->name ? strrchr(module->name, '.') : NULL;

	if (name || !module->name)
		return name;
	return dt_arena_printf(&symbols->own, "%.*s.pdb", (int)(dot ? dot - module->name : (ptrdiff_t)strlen(module->name)), module->name);
}

static bool take_sym(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_module *slot, const char *debug_id)
{
	struct dt_error err;

	if (dt_breakpad_open(&slot->sym, slot->sym_file.bytes, &symbols->own, &err) != DT_OK)
		refuse(symbols, module, err.text);
	else if (!dt_text_equal_fold(slot->sym.debug_id, debug_id))
		refuse(symbols, module, "the .sym file is of another build");
	else
		return true;
	return false;
}

/* "driver.sym" for "driver.pdb". */
static void find_sym(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_module *slot, const char *pdb, const char *debug_id)
{
	const char *dot = strrchr(pdb, '.');
	struct dt_symbol_request request = { .kind = DT_SYMBOL_BREAKPAD, .debug_id = debug_id };

	request.name = dt_arena_printf(&symbols->own, "%.*s.sym", (int)(dot ? dot - pdb : (ptrdiff_t)strlen(pdb)), pdb);
	for (; !slot->has_sym && request.attempt < MOST_ATTEMPTS && map_asked(symbols, module, &request, &slot->sym_file); request.attempt++) {
		slot->has_sym = slot->sym_file.bytes.len && take_sym(symbols, module, slot, debug_id);
		if (!slot->has_sym)
			give_up(symbols, &slot->sym_file);
	}
}

static void find_pdb(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_module *slot)
{
	const struct dt_image *image = symbols->source ? dt_symbols_image(symbols, module) : NULL;
	struct dt_symbol_request request = { .kind = DT_SYMBOL_PDB, .debug_id = module->debug_id };

	slot->asked_pdb = true;
	if (!request.debug_id && image)
		request.debug_id = dt_image_debug_id(image, &symbols->own);
	if (!request.debug_id || !symbols->source)
		return;
	request.name = pdb_name(symbols, module, image);
	for (; !slot->has_pdb && request.attempt < MOST_ATTEMPTS && map_asked(symbols, module, &request, &slot->pdb_file); request.attempt++) {
		slot->has_pdb = slot->pdb_file.bytes.len && take_pdb(symbols, module, slot, request.debug_id);
		if (!slot->has_pdb)
			give_up(symbols, &slot->pdb_file);
	}
	if (!slot->has_pdb && request.name)
		find_sym(symbols, module, slot, request.name, request.debug_id);
}

/* ---- a module -------------------------------------------------------------------- */

static struct dt_symbols_module *slot_of(struct dt_symbols *symbols, const struct dt_module *module)
{
	size_t index = (size_t)(module - symbols->dump->modules);

	if (!symbols->modules)
		symbols->modules = DT_ARENA_ARRAY(&symbols->own, symbols->dump->module_count, struct dt_symbols_module *);
	if (!symbols->modules || index >= symbols->dump->module_count)
		return NULL;
	if (!symbols->modules[index])
		symbols->modules[index] = DT_ARENA_NEW(&symbols->own, struct dt_symbols_module);
	return symbols->modules[index];
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

void dt_symbols_look(struct dt_symbols *symbols, const struct dt_module *module, struct dt_symbols_state *out)
{
	const struct dt_image *image = dt_symbols_image(symbols, module);
	struct dt_symbols_module *slot = slot_of(symbols, module);

	*out = (struct dt_symbols_state){ .debug_id = module->debug_id };
	if (!slot)
		return;
	if (image)
		out->image = slot->has_map ? DT_IMAGE_IN_FILE : DT_IMAGE_IN_DUMP;
	if (!out->debug_id && image)
		out->debug_id = dt_image_debug_id(image, &symbols->own);
	if (!slot->asked_pdb)
		find_pdb(symbols, module, slot);
	out->pdb = slot->has_pdb;
	out->sym = slot->has_sym;
}

/* ---- names ------------------------------------------------------------------------ */

/* Where the function begins of which rva is a part: the end of the chain. */
static bool function_begin(const struct dt_image *image, uint32_t rva, uint32_t *begin)
{
	enum { HEAD = 4, CHAINED = 4 << 3 };
	struct dt_image_function function;
	uint8_t raw[HEAD];
	bool known;

	if (!dt_image_function_at(image, rva, &function, &known))
		return false;
	for (unsigned depth = 0; image->machine == 0x8664 && depth < MOST_CHAINED; depth++) {
		if (function.unwind & 1) {
			if (!dt_image_function_read(image, function.unwind & ~3u, &function))
				return false;
			continue;
		}
		if (!dt_image_read(image, function.unwind, raw, sizeof(raw)))
			return false;
		if (!(raw[0] & CHAINED))
			break;
		if (function.unwind > UINT32_MAX - 1024 ||
		    !dt_image_function_read(image, function.unwind + HEAD + 2 * ((raw[2] + 1u) & ~1u), &function))
			return false;
	}
	*begin = function.begin;
	return true;
}

/* An export is the name of a function only where the function begins; code behind it may be anybody's. */
static bool by_export(struct dt_symbols *symbols, const struct dt_module *module, uint32_t rva, struct dt_symbol_name *out)
{
	const struct dt_image *image = dt_symbols_image(symbols, module);
	uint32_t begin;
	const char *name;

	if (!image || !function_begin(image, rva, &begin) || !(name = dt_image_export_at(image, begin, symbols->arena)))
		return false;
	*out = (struct dt_symbol_name){ dt_undecorate(symbols->arena, name), module->base.value + begin, DT_SYMBOL_EXPORT };
	return true;
}

bool dt_symbols_name(struct dt_symbols *symbols, uint64_t va, struct dt_symbol_name *out)
{
	const struct dt_module *module = symbols ? dt_dump_module_at(symbols->dump, va) : NULL;
	struct dt_symbols_module *slot = module ? slot_of(symbols, module) : NULL;
	struct dt_breakpad_symbol row;
	struct dt_pdb_symbol found;

	if (!slot || va - module->base.value > UINT32_MAX)
		return false;
	uint32_t rva = (uint32_t)(va - module->base.value);
	if (!slot->asked_pdb)
		find_pdb(symbols, module, slot);
	if (slot->has_pdb && dt_pdb_symbol_at(&slot->pdb, rva, &found)) {
		*out = (struct dt_symbol_name){ dt_arena_strdup(symbols->arena, found.name), module->base.value + found.rva, DT_SYMBOL_OF_PDB };
		return out->name;
	}
	if (slot->has_sym && dt_breakpad_symbol_at(&slot->sym, rva, &row)) {
		*out = (struct dt_symbol_name){ dt_arena_strdup(symbols->arena, row.name), module->base.value + row.rva, DT_SYMBOL_OF_SYM };
		return out->name;
	}
	return !slot->has_pdb && !slot->has_sym && by_export(symbols, module, rva, out);
}

/* The module's files of symbols, asked for once; NULL: va lies in none. */
static struct dt_symbols_module *with_symbols(struct dt_symbols *symbols, uint64_t va, uint32_t *rva)
{
	const struct dt_module *module = symbols ? dt_dump_module_at(symbols->dump, va) : NULL;
	struct dt_symbols_module *slot = module ? slot_of(symbols, module) : NULL;

	if (!slot || va - module->base.value > UINT32_MAX)
		return NULL;
	if (!slot->asked_pdb)
		find_pdb(symbols, module, slot);
	*rva = (uint32_t)(va - module->base.value);
	return slot;
}

bool dt_symbols_frame(struct dt_symbols *symbols, uint64_t va, struct dt_symbol_frame *out)
{
	uint32_t rva;
	struct dt_symbols_module *slot = with_symbols(symbols, va, &rva);

	if (!slot)
		return false;
	return slot->has_pdb ? dt_pdb_frame_at(&slot->pdb, rva, out) : slot->has_sym && dt_breakpad_frame_at(&slot->sym, rva, out);
}

bool dt_symbols_cfi(struct dt_symbols *symbols, uint64_t va, struct dt_symbol_cfi *out)
{
	uint32_t rva;
	struct dt_symbols_module *slot = with_symbols(symbols, va, &rva);

	return slot && slot->has_sym && dt_breakpad_cfi_at(&slot->sym, rva, out);
}
