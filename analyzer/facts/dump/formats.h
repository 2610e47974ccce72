/*
 * formats.h - the formats that are read, or recognised by name, as rows.
 */
#ifndef DT_DUMP_FORMATS_H
#define DT_DUMP_FORMATS_H

#include "core/base/bytes.h"
#include "core/base/status.h"

struct dt_dump;

struct dt_dump_format {
	const char *name;        /* "triage64" */
	const char *title;       /* "kernel minidump, 64-bit (PAGEDU64 type 4)" */
	const char *signature;   /* first bytes, for the formats table */
	bool is_read;            /* false: recognised, header facts only, or nothing */
	const char *not_read;    /* what is not read yet; NULL when all is */
	/* Whether these are the format's first bytes. */
	bool (*recognise)(struct dt_bytes file);
	/* Fills the dump. On failure what was read before stays in it (header facts
	 * of a truncated file), and the caller reports both. */
	enum dt_status (*open)(struct dt_dump *dump, struct dt_error *err);
};

/* The formats, in the order they are tried. */
extern const struct dt_dump_format *const dt_dump_formats[];
extern const size_t dt_dump_format_count;

#endif
