#include "facts/symbol/identity.h"

#include <string.h>

#include "core/base/text.h"
#include "facts/image/image.h"
#include "facts/symbol/breakpad.h"
#include "facts/symbol/pdb.h"

enum { SHOWN = 24 };

static const char *const words[DT_SYMBOL_KIND_COUNT] = { "an image", "a PDB", "a Breakpad file" };

static enum dt_status identify_image(struct dt_bytes file, struct dt_arena *arena, struct dt_symbol_identity *out, struct dt_error *err)
{
	struct dt_memory memory;
	struct dt_image image;
	enum dt_status status = dt_image_lay_out(&memory, arena, file, 0, err);

	if (status != DT_OK)
		return status;
	if (!dt_image_open(&image, &memory, 0))
		return dt_fail_at(err, DT_ERR_FORMAT, 0, "PE file: no header of an image");
	*out = (struct dt_symbol_identity){ .kind = DT_SYMBOL_IMAGE, .timestamp = image.timestamp, .size = image.size,
		                            .debug_id = dt_image_debug_id(&image, arena), .pdb_name = dt_image_pdb_name(&image, arena) };
	return DT_OK;
}

static enum dt_status identify_pdb(struct dt_bytes file, struct dt_arena *arena, struct dt_symbol_identity *out, struct dt_error *err)
{
	struct dt_pdb pdb;
	enum dt_status status = dt_pdb_open(&pdb, file, arena, err);

	if (status == DT_OK)
		*out = (struct dt_symbol_identity){ .kind = DT_SYMBOL_PDB, .debug_id = dt_pdb_debug_id(&pdb, arena) };
	return status;
}

/* Its first line says all: "MODULE windows x86_64 ID name.pdb". */
static enum dt_status identify_sym(struct dt_bytes file, struct dt_arena *arena, struct dt_symbol_identity *out, struct dt_error *err)
{
	const uint8_t *end = memchr(file.data, '\n', file.len);
	struct dt_breakpad sym;
	enum dt_status status = dt_breakpad_open(&sym, dt_bytes_clip(file, 0, end ? (size_t)(end - file.data) : file.len), arena, err);

	if (status == DT_OK)
		*out = (struct dt_symbol_identity){ .kind = DT_SYMBOL_BREAKPAD, .debug_id = dt_arena_strdup(arena, sym.debug_id) };
	return status;
}

static enum dt_status identify_nothing(struct dt_bytes file, struct dt_arena *arena, struct dt_error *err)
{
	size_t len = 0;

	while (len < SHOWN && len < file.len && file.data[len] >= 0x20 && file.data[len] < 0x7f)
		len++;
	const char *shown = dt_text_from_utf8(arena, dt_bytes_clip(file, 0, len));

	if (file.len == 0)
		return dt_fail_at(err, DT_ERR_UNSUPPORTED, 0, "it is empty");
	return dt_fail_at(err, DT_ERR_UNSUPPORTED, 0, "it is no image, PDB or Breakpad file: it begins with '%s'", shown ? shown : "");
}

enum dt_status dt_symbol_identify(struct dt_bytes file, struct dt_arena *arena, struct dt_symbol_identity *out, struct dt_error *err)
{
	if (dt_bytes_match(file, 0, "MZ", 2))
		return identify_image(file, arena, out, err);
	if (dt_bytes_match(file, 0, "Microsoft C/C++ MSF", 19))
		return identify_pdb(file, arena, out, err);
	if (dt_bytes_match(file, 0, "MODULE ", 7))
		return identify_sym(file, arena, out, err);
	return identify_nothing(file, arena, err);
}

static enum dt_status check_image(const struct dt_symbol_identity *found, const struct dt_symbol_request *request, struct dt_error *err)
{
	if (found->timestamp != request->timestamp)
		return dt_fail(err, DT_ERR_NOT_FOUND, "its time stamp is 0x%x, the one asked for has 0x%x", found->timestamp, request->timestamp);
	if (found->size != request->size)
		return dt_fail(err, DT_ERR_NOT_FOUND, "its size is 0x%x, the one asked for has 0x%x", found->size, request->size);
	if (found->debug_id && request->debug_id && !dt_text_equal_fold(found->debug_id, request->debug_id))
		return dt_fail(err, DT_ERR_NOT_FOUND, "its debug identity is %s, the one asked for has %s", found->debug_id, request->debug_id);
	return DT_OK;
}

static enum dt_status check_symbols(const struct dt_symbol_identity *found, const struct dt_symbol_request *request, struct dt_bytes file,
                                    struct dt_arena *arena, struct dt_error *err)
{
	struct dt_pdb pdb;

	if (dt_text_equal_fold(found->debug_id, request->debug_id))
		return DT_OK;
	/* Two ages stand in a PDB, and linkers write either into the image. */
	if (found->kind == DT_SYMBOL_PDB && dt_pdb_open(&pdb, file, arena, err) == DT_OK && dt_pdb_is(&pdb, request->debug_id))
		return DT_OK;
	return dt_fail(err, DT_ERR_NOT_FOUND, "its identity is %s, the one asked for has %s", found->debug_id ? found->debug_id : "not known",
	               request->debug_id);
}

enum dt_status dt_symbol_check(struct dt_bytes file, const struct dt_symbol_request *request, struct dt_arena *arena, struct dt_error *err)
{
	struct dt_symbol_identity found;
	enum dt_status status = dt_symbol_identify(file, arena, &found, err);

	if (status != DT_OK)
		return status;
	if (found.kind != request->kind)
		return dt_fail(err, DT_ERR_NOT_FOUND, "it is %s, not %s", words[found.kind], words[request->kind]);
	return found.kind == DT_SYMBOL_IMAGE ? check_image(&found, request, err) : check_symbols(&found, request, file, arena, err);
}
