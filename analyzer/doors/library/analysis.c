/* An analysis: kept, asked, printed. */
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/model/codec.h"
#include "core/model/field.h"
#include "doors/library/parts.h"
#include "report/report.h"

#define ALL_FLAGS ((unsigned)(DT_PRINT_VERBOSE | DT_PRINT_COLOUR | DT_PRINT_UNMASKED))

const char *dt_version(void)
{
	return DT_VERSION;
}

const char *dt_result_name(enum dt_result result)
{
	static const char *const names[] = {
		[DT_RESULT_OK] = "ok",           [DT_RESULT_MEMORY] = "memory", [DT_RESULT_ARGUMENT] = "argument", [DT_RESULT_IO] = "io",
		[DT_RESULT_INVALID] = "invalid", [DT_RESULT_LIMIT] = "limit",
	};

	return (unsigned)result < sizeof(names) / sizeof(names[0]) ? names[result] : "unknown";
}

/* Encoded and decoded again: what another reader of the record would get. */
static enum dt_status fill(struct dt_analysis *analysis, const struct dt_crash *crash, struct dt_error *err)
{
	dt_buf_init(&analysis->encoded, DT_MAX_RECORD);
	dt_arena_init(&analysis->arena, DT_MAX_ARENA);
	dt_crash_encode(crash, &analysis->encoded);
	if (!dt_buf_ok(&analysis->encoded))
		return dt_fail(err, DT_ERR_LIMIT, "the record is over %u MiB, or memory ran out", DT_MAX_RECORD >> 20);
	return dt_crash_decode(dt_buf_bytes(&analysis->encoded), &analysis->arena, &analysis->crash, err);
}

enum dt_status dt_library_keep(const struct dt_crash *crash, struct dt_analysis **out, struct dt_error *err)
{
	struct dt_analysis *analysis = calloc(1, sizeof(*analysis));
	enum dt_status status;

	if (!analysis)
		return dt_fail(err, DT_ERR_NOMEM, "no memory for the analysis");
	status = fill(analysis, crash, err);
	if (status == DT_OK)
		*out = analysis;
	else
		dt_analysis_free(analysis);
	return status;
}

void dt_analysis_free(struct dt_analysis *analysis)
{
	if (!analysis)
		return;
	dt_buf_deinit(&analysis->encoded);
	dt_arena_deinit(&analysis->arena);
	free(analysis);
}

size_t dt_match_count(const struct dt_analysis *analysis)
{
	return dt_count(analysis, "matches");
}

const char *dt_verdict(const struct dt_analysis *analysis)
{
	return analysis ? dt_word(&dt_words_verdict_class, analysis->crash.judgement.verdict.class) : NULL;
}

static bool is_list(const struct dt_value *value)
{
	return value->kind == DT_FIELD_LIST || value->kind == DT_FIELD_TEXTS || value->kind == DT_FIELD_HEXES ||
	       value->kind == DT_FIELD_REGISTERS;
}

static bool is_object(const struct dt_value *value)
{
	return value->kind == DT_FIELD_HAS || value->kind == DT_FIELD_MAY || value->kind == DT_FIELD_INLINE;
}

/* Resolved at every call: a path is a few comparisons of names. */
static bool find(const struct dt_analysis *analysis, const char *text, struct dt_value *out)
{
	struct dt_path path;

	if (!analysis || !text || dt_path_parse(&path, &dt_object_crash, text, NULL) != DT_OK)
		return false;
	*out = dt_path_get(&path, &analysis->crash);
	return true;
}

size_t dt_count(const struct dt_analysis *analysis, const char *path)
{
	struct dt_value value;

	return find(analysis, path, &value) && value.known && is_list(&value) ? value.as.list.count : 0;
}

/* The buffer's text becomes the caller's, who gives it back with dt_free. */
static enum dt_result hand_over(struct dt_buf *buf, char **out, size_t *size)
{
	if (!dt_buf_ok(buf)) {
		dt_buf_deinit(buf);
		return DT_RESULT_LIMIT;
	}
	*out = buf->data ? buf->data : strdup("");
	if (size)
		*size = buf->len;
	return *out ? DT_RESULT_OK : DT_RESULT_MEMORY;
}

enum dt_result dt_value(const struct dt_analysis *analysis, const char *path, char **out)
{
	struct dt_value value;
	struct dt_buf buf;

	if (!out)
		return DT_RESULT_ARGUMENT;
	*out = NULL;
	if (!find(analysis, path, &value) || is_list(&value) || is_object(&value))
		return DT_RESULT_ARGUMENT;
	if (!value.known)
		return DT_RESULT_OK;
	dt_buf_init(&buf, DT_MAX_JSON);
	dt_value_print(&value, &buf);
	return hand_over(&buf, out, NULL);
}

enum dt_result dt_print(const struct dt_analysis *analysis, const char *format, unsigned flags, char **out, size_t *size)
{
	const struct dt_report_format *found = format ? dt_report_format(format) : NULL;
	struct dt_report_style style = { .colour = flags & DT_PRINT_COLOUR,
		                         .verbose = flags & DT_PRINT_VERBOSE,
		                         .unmasked = flags & DT_PRINT_UNMASKED };
	struct dt_buf buf;

	if (out)
		*out = NULL;
	if (size)
		*size = 0;
	if (!analysis || !found || !out || flags & ~ALL_FLAGS)
		return DT_RESULT_ARGUMENT;
	dt_buf_init(&buf, DT_MAX_JSON);
	found->write(&analysis->crash, &style, &buf);
	return hand_over(&buf, out, size);
}

void dt_free(char *text)
{
	free(text);
}
