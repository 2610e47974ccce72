/*
 * print-records - random records as JSON, one a line: full ones, sparse ones, an
 * empty one and a usual one.
 */
#include <stdio.h>
#include <string.h>

#include "core/model/json.h"
#include "support/random_record.h"

static void print(const struct dt_crash *crash, struct dt_buf *out)
{
	dt_buf_reset(out);
	dt_json_write_crash(crash, DT_JSON_LINE, out);
	(void)puts(dt_buf_text(out));
}

int main(void)
{
	struct dt_arena arena;
	struct dt_buf out;
	struct dt_crash crash;
	dt_arena_init(&arena, DT_MAX_ARENA);
	dt_buf_init(&out, DT_MAX_JSON);
	memset(&crash, 0, sizeof crash);
	crash.facts.schema = DT_CRASH_SCHEMA;
	print(&crash, &out);
	for (uint64_t seed = 0; seed < 12; seed++) {
		dt_arena_reset(&arena);
		random_record(&crash, &arena, &(struct random_options){ seed, (unsigned)(seed % 3) * 2, 3 });
		print(&crash, &out);
	}
	usual_record(&crash, &arena);
	print(&crash, &out);
	bool ok = dt_buf_ok(&out) && !arena.failed;
	dt_buf_deinit(&out);
	dt_arena_deinit(&arena);
	return !ok;
}
