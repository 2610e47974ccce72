/* Any text as a record in JSON: what is read is judged and written in every form, and what is written can be read. */
#include <stdlib.h>

#include "core/model/json.h"
#include "judgement/verdict/verdict.h"
#include "report/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void write_all(struct dt_crash *crash, struct dt_arena *arena)
{
	static const char *const formats[] = { "text", "markdown", "ticket", "ecs", "ocsf", "cef" };
	const struct dt_report_style style = { 0 };
	struct dt_error err;
	struct dt_buf out;

	dt_buf_init(&out, DT_MAX_JSON);
	dt_json_write_crash(crash, DT_JSON_LINE, &out);
	if (dt_buf_ok(&out) && dt_json_read_crash(dt_buf_text(&out), out.len, arena, crash, &err) != DT_OK)
		abort();
	if (dt_judge(&crash->facts, NULL, 0, arena, &crash->judgement, &err) == DT_OK)
		for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
			dt_buf_reset(&out);
			dt_report_format(formats[i])->write(crash, &style, &out);
		}
	dt_buf_deinit(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct dt_crash crash;
	struct dt_arena arena;
	struct dt_error err;

	dt_arena_init(&arena, DT_MAX_ARENA);
	if (dt_json_read_crash((const char *)data, len, &arena, &crash, &err) == DT_OK && !arena.failed)
		write_all(&crash, &arena);
	dt_arena_deinit(&arena);
	return 0;
}
