/*
 * formats.c - the registry: which reader opens these bytes.
 */
#include <string.h>

#include "facts/dump/reader.h"

#define DT_DUMP_FORMAT(id, title, signature, is_read, not_read)                                          \
	static const struct dt_dump_format format_##id = { #id,           title,    signature,           \
		                                           is_read,       not_read, dt_##id##_recognise, \
		                                           dt_##id##_open };
#include "facts/dump/formats.def"

#define DT_DUMP_FORMAT(id, title, signature, is_read, not_read) &format_##id,
const struct dt_dump_format *const dt_dump_formats[] = {
#include "facts/dump/formats.def"
};
const size_t dt_dump_format_count = sizeof(dt_dump_formats) / sizeof(dt_dump_formats[0]);

static const struct dt_dump_format *reader_of(struct dt_bytes file)
{
	for (size_t i = 0; i < dt_dump_format_count; i++)
		if (dt_dump_formats[i]->recognise(file))
			return dt_dump_formats[i];
	return NULL;
}

enum dt_status dt_dump_open(struct dt_dump *dump, struct dt_bytes file, struct dt_arena *arena,
                            struct dt_notes *notes, struct dt_error *err)
{
	memset(dump, 0, sizeof(*dump));
	dump->file = file;
	dump->arena = arena;
	dump->notes = notes;
	dt_memory_init(&dump->memory, arena);
	dt_physical_init(&dump->physical, file, arena);
	dump->reader = reader_of(file);
	if (!dump->reader)
		return dt_dump_describe(file, err);
	enum dt_status status = dump->reader->open(dump, err);
	if (status != DT_OK) {
		if (dump->complete == DT_TRUE)
			dump->complete = DT_NOT_KNOWN; /* nothing was found missing before reading stopped, which
			                                  says little */
		return status;
	}
	dt_dump_index_modules(dump);
	if (arena->failed)
		return dt_fail(err, DT_ERR_NOMEM,
		               "the dump asks for more than the %zu bytes of memory it may have", arena->max);
	return DT_OK;
}
