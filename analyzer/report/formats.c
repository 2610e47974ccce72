/* The output formats, as rows. */
#include "report/report.h"

#include <string.h>

#include "core/model/json.h"
#include "report/encodings.h"
#include "report/text.h"

static void write_json(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out)
{
	(void)style;
	dt_json_write_crash(crash, DT_JSON_PRETTY, out);
}

static void write_jsonl(const struct dt_crash *crash, const struct dt_report_style *style, struct dt_buf *out)
{
	(void)style;
	dt_json_write_crash(crash, DT_JSON_LINE, out);
	dt_buf_putc(out, '\n');
}

static const struct dt_report_format text = {
	.name = "text",
	.title = "for a person at a terminal: verdict first, then what to do, then the evidence",
	.write = dt_report_text,
	.between = "\n",
};

static const struct dt_report_format json = {
	.name = "json",
	.title = "the whole crash record, indented; an array when there are several inputs",
	.write = write_json,
	.begin = "[\n",
	.between = ",\n",
	.end = "]\n",
};

static const struct dt_report_format jsonl = {
	.name = "jsonl",
	.title = "the whole crash record, one line each",
	.write = write_jsonl,
};

static const struct dt_report_format markdown = {
	.name = "markdown",
	.title = "for a wiki or a chat: the verdict, what to do, the evidence",
	.write = dt_report_markdown,
	.between = "\n",
};

static const struct dt_report_format ticket = {
	.name = "ticket",
	.title = "for a service desk: short description, impact, urgency, correlation id, description",
	.write = dt_report_ticket,
	.between = "\n",
};

static const struct dt_report_format ecs = {
	.name = "ecs",
	.title = "Elastic Common Schema 9.4.0, one line each",
	.write = dt_report_ecs,
};

static const struct dt_report_format ocsf = {
	.name = "ocsf",
	.title = "OCSF 1.6.0: Detection Finding for a known incident, else Application Error; one line each",
	.write = dt_report_ocsf,
};

static const struct dt_report_format cef = {
	.name = "cef",
	.title = "Common Event Format, one line each, under 8 KiB",
	.write = dt_report_cef,
};

const struct dt_report_format *const dt_report_formats[] = { &text, &json, &jsonl, &markdown, &ticket, &ecs, &ocsf, &cef };
const size_t dt_report_format_count = sizeof(dt_report_formats) / sizeof(dt_report_formats[0]);

const struct dt_report_format *dt_report_format(const char *name)
{
	for (size_t i = 0; i < dt_report_format_count; i++)
		if (!strcmp(dt_report_formats[i]->name, name))
			return dt_report_formats[i];
	return NULL;
}
