/* An analyzer: its options, and from a dump, or from a record, to an analysis. */
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/model/json.h"
#include "doors/library/parts.h"
#include "judgement/verdict/verdict.h"

enum dt_result dt_library_result(enum dt_status status)
{
	static const enum dt_result results[DT_STATUS_COUNT] = {
		[DT_OK] = DT_RESULT_OK,
		[DT_ERR_TRUNCATED] = DT_RESULT_INVALID,
		[DT_ERR_FORMAT] = DT_RESULT_INVALID,
		[DT_ERR_NOT_A_DUMP] = DT_RESULT_INVALID,
		[DT_ERR_UNSUPPORTED] = DT_RESULT_INVALID,
		[DT_ERR_NOT_FOUND] = DT_RESULT_ARGUMENT,
		[DT_ERR_LIMIT] = DT_RESULT_LIMIT,
		[DT_ERR_NOMEM] = DT_RESULT_MEMORY,
		[DT_ERR_IO] = DT_RESULT_IO,
		[DT_ERR_USAGE] = DT_RESULT_ARGUMENT,
	};

	return results[status];
}

static enum dt_result argument(struct dt_analyzer *analyzer, const char *text)
{
	return dt_library_result(dt_fail(analyzer ? &analyzer->err : NULL, DT_ERR_USAGE, "%s", text));
}

enum dt_result dt_open(struct dt_analyzer **out)
{
	struct dt_analyzer *analyzer;

	if (!out)
		return DT_RESULT_ARGUMENT;
	*out = NULL;
	analyzer = calloc(1, sizeof(*analyzer));
	if (!analyzer)
		return DT_RESULT_MEMORY;
	analyzer->options.hash = true;
	dt_arena_init(&analyzer->symbol_places, DT_MAX_ARENA);
	if (dt_triage_create(&analyzer->triage, &analyzer->err) != DT_OK ||
	    dt_rules_load_builtin(&analyzer->rules, &analyzer->err) != DT_OK) {
		enum dt_result result = dt_library_result(analyzer->err.status);
		dt_close(analyzer);
		return result;
	}
	*out = analyzer;
	return DT_RESULT_OK;
}

void dt_close(struct dt_analyzer *analyzer)
{
	if (!analyzer)
		return;
	dt_triage_destroy(analyzer->triage);
	dt_rules_free(analyzer->rules);
	dt_arena_deinit(&analyzer->symbol_places);
	free(analyzer->host);
	free(analyzer);
}

const char *dt_message(const struct dt_analyzer *analyzer)
{
	return analyzer ? analyzer->err.text : "";
}

enum dt_result dt_use_signatures(struct dt_analyzer *analyzer, const char *path)
{
	struct dt_rules *rules = NULL;

	if (!analyzer)
		return DT_RESULT_ARGUMENT;
	if ((path ? dt_rules_load(&rules, path, &analyzer->err) : dt_rules_load_builtin(&rules, &analyzer->err)) != DT_OK)
		return dt_library_result(analyzer->err.status);
	dt_rules_free(analyzer->rules);
	analyzer->rules = rules;
	return DT_RESULT_OK;
}

enum dt_result dt_use_symbols(struct dt_analyzer *analyzer, const char *path)
{
	struct dt_arena arena;
	struct dt_symbol_store store;

	if (!analyzer)
		return DT_RESULT_ARGUMENT;
	dt_arena_init(&arena, DT_MAX_ARENA);
	if (path && dt_symbol_store_open(&store, path, &arena, &analyzer->err) != DT_OK) {
		dt_arena_deinit(&arena);
		return dt_library_result(analyzer->err.status);
	}
	dt_arena_deinit(&analyzer->symbol_places);
	analyzer->symbol_places = arena;
	analyzer->options.symbols = NULL;
	if (path) {
		analyzer->store = store;
		analyzer->store.source.self = &analyzer->store; /* it was another one's address */
		analyzer->options.symbols = &analyzer->store.source;
	}
	return DT_RESULT_OK;
}

enum dt_result dt_set_host(struct dt_analyzer *analyzer, const char *name)
{
	char *copy = NULL;

	if (!analyzer)
		return DT_RESULT_ARGUMENT;
	if (name && !(copy = strdup(name)))
		return dt_library_result(dt_fail(&analyzer->err, DT_ERR_NOMEM, "no memory for the host's name"));
	free(analyzer->host);
	analyzer->options.host = analyzer->host = copy;
	return DT_RESULT_OK;
}

enum dt_result dt_set_hashing(struct dt_analyzer *analyzer, enum dt_hashing hashing)
{
	if (!analyzer)
		return DT_RESULT_ARGUMENT;
	if ((unsigned)hashing > DT_HASHING_NEVER)
		return argument(analyzer, "hashing: expected 0 (auto), 1 (always) or 2 (never)");
	analyzer->options.hash = hashing != DT_HASHING_NEVER;
	analyzer->options.hash_large = hashing == DT_HASHING_ALWAYS;
	return DT_RESULT_OK;
}

void dt_guard_mappings(void)
{
	dt_mapping_guard();
}

/* Facts as they are, judged now, as an analysis of its own. */
static enum dt_result judge(struct dt_analyzer *analyzer, const struct dt_facts *facts, struct dt_analysis **out)
{
	struct dt_crash crash = { .facts = *facts };
	struct dt_arena arena;

	dt_arena_init(&arena, DT_MAX_ARENA);
	enum dt_status status = dt_judge(facts, analyzer->rules, dt_time_now(), &arena, &crash.judgement, &analyzer->err);
	if (status == DT_OK)
		status = dt_library_keep(&crash, out, &analyzer->err);
	dt_arena_deinit(&arena);
	return dt_library_result(status);
}

enum dt_result dt_analyse_path(struct dt_analyzer *analyzer, const char *path, struct dt_analysis **out)
{
	if (out)
		*out = NULL;
	if (!analyzer || !path || !out)
		return argument(analyzer, "expected an analyzer, a path and a place for the analysis, one of them is NULL");
	return judge(analyzer, dt_triage_path(analyzer->triage, path, &analyzer->options), out);
}

enum dt_result dt_analyse_fd(struct dt_analyzer *analyzer, int fd, const char *name, struct dt_analysis **out)
{
	if (out)
		*out = NULL;
	if (!analyzer || fd < 0 || !out)
		return argument(analyzer, "expected an analyzer, a descriptor and a place for the analysis");
	return judge(analyzer, dt_triage_fd(analyzer->triage, fd, name ? name : "fd", &analyzer->options), out);
}

enum dt_result dt_analyse_memory(struct dt_analyzer *analyzer, const void *bytes, size_t size, const char *name, struct dt_analysis **out)
{
	struct dt_bytes view = { bytes, size };

	if (out)
		*out = NULL;
	if (!analyzer || (!bytes && size) || !out)
		return argument(analyzer, "expected an analyzer, bytes and a place for the analysis, one of them is NULL");
	return judge(analyzer, dt_triage_bytes(analyzer->triage, view, name ? name : "memory", &analyzer->options), out);
}

enum dt_result dt_read_record(struct dt_analyzer *analyzer, const char *json, size_t size, struct dt_analysis **out)
{
	struct dt_arena arena;
	struct dt_crash crash;

	if (out)
		*out = NULL;
	if (!analyzer || !json || !out)
		return argument(analyzer, "expected an analyzer, a record and a place for the analysis, one of them is NULL");
	dt_arena_init(&arena, DT_MAX_ARENA);
	enum dt_status status = dt_json_read_crash(json, size, &arena, &crash, &analyzer->err);
	if (status == DT_OK)
		status = dt_library_keep(&crash, out, &analyzer->err);
	dt_arena_deinit(&arena);
	return dt_library_result(status);
}

enum dt_result dt_match(struct dt_analyzer *analyzer, struct dt_analysis *analysis)
{
	struct dt_analysis *again = NULL;

	if (!analyzer || !analysis)
		return argument(analyzer, "expected an analyzer and an analysis, one of them is NULL");
	enum dt_result result = judge(analyzer, &analysis->crash.facts, &again);
	if (result != DT_RESULT_OK)
		return result;
	struct dt_analysis old = *analysis;
	*analysis = *again;
	*again = old;
	dt_analysis_free(again);
	return DT_RESULT_OK;
}
