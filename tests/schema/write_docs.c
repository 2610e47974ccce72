/*
 * write_docs - rewrites what is made from fields.def and enums.def:
 * docs/crash.schema.json, docs/crash-record.md, tests/unit/model/fields.order.
 *
 * usage: write-docs SOURCE_DIR
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/model/schema.h"
#include "support/fields_order.h"

static int write_file(const char *root, const char *name, void (*write)(struct dt_buf *))
{
	char path[4096];
	struct dt_buf text;
	(void)snprintf(path, sizeof path, "%s/%s", root, name);
	dt_buf_init(&text, 1 << 20);
	write(&text);
	FILE *f = dt_buf_ok(&text) ? fopen(path, "wb") : NULL;
	bool ok = f && fwrite(dt_buf_text(&text), 1, text.len, f) == text.len;
	ok = f && fclose(f) == 0 && ok;
	dt_buf_deinit(&text);
	if (!ok)
		perror(path);
	return !ok;
}

/* New rows are pinned; a changed order is not, because stored records would be misread. */
static int pin_order(const char *root)
{
	char path[4096];
	char *pinned = calloc(1, 1 << 20);
	bool added;
	(void)snprintf(path, sizeof path, "%s/tests/unit/model/fields.order", root);
	FILE *f = fopen(path, "rb");
	size_t len = f && pinned ? fread(pinned, 1, (1 << 20) - 1, f) : 0;
	if (f)
		(void)fclose(f);
	const char *broken = len ? fields_order_broken(pinned, &added) : NULL;
	free(pinned);
	if (!broken)
		return write_file(root, "tests/unit/model/fields.order", fields_order_write);
	(void)fprintf(stderr, "new rows go at the end of their object; %s\n", broken);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: write-docs SOURCE_DIR\n");
		return 2;
	}
	return write_file(argv[1], "docs/crash.schema.json", dt_schema_write) |
	       write_file(argv[1], "docs/crash-record.md", dt_fields_doc_write) | pin_order(argv[1]);
}
