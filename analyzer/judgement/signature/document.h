/*
 * document.h - one YAML document as a tree of nodes with their places.
 *
 * What rules need of YAML and no more: scalars, lists and maps. Anchors, aliases, tags
 * and further documents are refused, keys are plain scalars that do not repeat, size, depth and
 * number of nodes are capped by base/limits.h. Knows nothing of rules.
 */
#ifndef DT_SIGNATURE_DOCUMENT_H
#define DT_SIGNATURE_DOCUMENT_H

#include "core/base/arena.h"
#include "core/base/buf.h"

enum dt_doc_kind { DT_DOC_SCALAR, DT_DOC_LIST, DT_DOC_MAP };

struct dt_doc {
	enum dt_doc_kind kind;
	const char *file;      /* name for messages */
	unsigned line, column; /* from 1; in a map those of the key */
	const char *key;       /* in a map; NULL elsewhere */
	const char *text;      /* SCALAR; NUL-terminated, without NUL inside */
	size_t len;
	bool quoted;           /* SCALAR in quotes or as a block */
	/* SCALAR: where the value itself begins, in the text of the file */
	const char *source;
	unsigned value_line, value_column;
	struct dt_doc *first;  /* LIST, MAP: children in order */
	struct dt_doc *next;   /* the next child of the same parent */
	size_t count;          /* of children */
};

/* Parses text; nodes and texts live in the arena, `file` is borrowed.
 * DT_ERR_FORMAT with file, line and column; DT_ERR_LIMIT; DT_ERR_NOMEM. */
DT_MUST_USE enum dt_status dt_doc_parse(struct dt_doc **out, const char *file, const char *text, size_t len,
                                        struct dt_arena *arena, struct dt_error *err);

/* The child with a key, or NULL. */
const struct dt_doc *dt_doc_get(const struct dt_doc *map, const char *key);
/* "list", "map" or "text", for messages. */
const char *dt_doc_kind_name(const struct dt_doc *node);
/* DT_ERR_FORMAT with the node's place before the text. */
enum dt_status dt_doc_fail(const struct dt_doc *at, struct dt_error *err, const char *fmt, ...) DT_PRINTF(3, 4);
/* The same for the character at an offset of a SCALAR's text: where it stands in the file, whatever quotes or folding made of it. */
enum dt_status dt_doc_fail_inside(const struct dt_doc *at, size_t offset, struct dt_error *err, const char *fmt, ...)
	DT_PRINTF(4, 5);
/* Writes the tree in one form that does not depend on layout, quotes and comments. */
void dt_doc_normal(const struct dt_doc *node, struct dt_buf *out);

#endif
