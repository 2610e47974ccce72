/* dumptriage formats, schema: what the program can, in its own words. */
#include <stdio.h>
#include <string.h>

#include "core/model/schema.h"
#include "doors/cli/cli.h"
#include "facts/dump/formats.h"

static int finish(const struct dt_command *self, struct dt_buf *buf)
{
	(void)self;
	int status = dt_door_write(buf) && dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;

	dt_buf_deinit(buf);
	return status;
}

static const char *state_of(const struct dt_dump_format *format)
{
	return format->is_read ? "read" : "named";
}

static void print_table(struct dt_buf *buf)
{
	dt_buf_puts(buf, "Input\n");
	for (size_t i = 0; i < dt_dump_format_count; i++) {
		const struct dt_dump_format *format = dt_dump_formats[i];
		dt_buf_printf(buf, "  %-18s %-9s %s%s%s\n", format->name, state_of(format), format->title,
		              format->not_read ? "; not read: " : "", format->not_read ? format->not_read : "");
	}
	dt_buf_puts(buf, "\nOutput\n");
	for (size_t i = 0; i < dt_report_format_count; i++)
		dt_buf_printf(buf, "  %-18s           %s\n", dt_report_formats[i]->name, dt_report_formats[i]->title);
}

/* The table of the README. */
static void print_markdown(struct dt_buf *buf)
{
	dt_buf_puts(buf, "| name | input | state |\n|---|---|---|\n");
	for (size_t i = 0; i < dt_dump_format_count; i++) {
		const struct dt_dump_format *format = dt_dump_formats[i];
		dt_buf_printf(buf, "| `%s` | %s | %s%s%s |\n", format->name, format->title, state_of(format), format->not_read ? "; not read: " : "",
		              format->not_read ? format->not_read : "");
	}
}

int dt_cli_formats(const struct dt_command *self, int argc, char **argv)
{
	bool markdown = argc == 2 && !strcmp(argv[1], "--markdown");
	struct dt_buf buf;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	if (argc > 1 && !markdown)
		return dt_door_usage(self, "formats takes --markdown or nothing");
	dt_buf_init(&buf, 1u << 20);
	if (markdown)
		print_markdown(&buf);
	else
		print_table(&buf);
	return finish(self, &buf);
}

int dt_cli_schema(const struct dt_command *self, int argc, char **argv)
{
	struct dt_buf buf;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--fields")))
		return dt_door_usage(self, "schema takes --fields or nothing");
	dt_buf_init(&buf, 1u << 20);
	if (argc == 2)
		dt_fields_doc_write(&buf);
	else
		dt_schema_write(&buf);
	return finish(self, &buf);
}
