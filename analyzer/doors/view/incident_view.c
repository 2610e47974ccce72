#include "doors/view/incident_view.h"

#include <string.h>

#include "core/base/text.h"

enum { MAX_VALUES = 4096 };

static const char *const kinds[DT_INCIDENT_KINDS] = { "fleet", "signature", "own", "family" };

const char *dt_view_kind(enum dt_incident_kind kind)
{
	return kinds[kind];
}

bool dt_view_kind_parse(const char *word, enum dt_incident_kind *out)
{
	for (int i = DT_INCIDENT_SIGNATURE; i < DT_INCIDENT_KINDS; i++)
		if (!strcmp(kinds[i], word)) {
			*out = (enum dt_incident_kind)i;
			return true;
		}
	return false;
}

bool dt_view_is_state(const char *word)
{
	bool found = !strcmp(word, "outbreak");

	for (int i = DT_STATE_NEW; i <= DT_STATE_OVER; i++)
		found |= !strcmp(dt_incident_state_words[i], word);
	return found;
}

void dt_view_incident(const struct dt_review_incident *in, struct dt_report_incident *out)
{
	memset(out, 0, sizeof(*out));
	out->id = in->stored.id;
	out->kind = kinds[in->stored.kind];
	out->key = in->stored.key;
	out->title = in->stored.title;
	out->state = dt_incident_state_words[in->status.state];
	out->reason = in->status.reason;
	out->outbreak = in->outbreak;
	out->hosts = in->stored.hosts;
	out->crashes = in->stored.crashes;
	out->unknown_hosts = in->stored.unknown_hosts;
	out->untimed = in->stored.untimed;
	out->suspect_hosts = in->suspect_hosts;
	out->first = in->stored.first;
	out->last = in->stored.last;
}

void dt_view_burst(const struct dt_burst *burst, struct dt_buf *out)
{
	long long hours = burst->end - burst->begin;

	dt_buf_printf(out, "%u %s began within %lld %s, %.2g expected (1 in 10^%.0f)", burst->hosts, dt_text_plural(burst->hosts, "host", "hosts"), hours,
	              dt_text_plural((uint64_t)hours, "hour", "hours"), burst->expected, -burst->log10_p);
}

/* ---- details -------------------------------------------------------------------- */

struct counts {
	struct dt_arena *arena;
	struct dt_report_count items[MAX_VALUES];
	size_t count;
};

static bool take_count(void *context, const struct dt_stored_detail *row)
{
	struct counts *counts = context;

	counts->items[counts->count++] = (struct dt_report_count){ dt_arena_strdup(counts->arena, row->text ? row->text : ""), (uint64_t)row->b };
	return counts->count < MAX_VALUES;
}

static enum dt_status details(struct dt_store *store, uint64_t id, enum dt_store_detail what, struct dt_arena *arena,
                              const struct dt_report_count **out, size_t *count, struct dt_error *err)
{
	struct counts *counts = DT_ARENA_NEW(arena, struct counts);

	if (!counts)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	counts->arena = arena;
	enum dt_status status = dt_store_detail(store, id, what, 0, take_count, counts, err);
	*out = counts->items;
	*count = counts->count;
	return status;
}

enum dt_status dt_view_bars(struct dt_store *store, uint64_t incident, int64_t from, struct dt_arena *arena, const struct dt_report_bar **out,
                            size_t *count, struct dt_error *err)
{
	struct dt_series series;
	enum dt_status status = dt_review_series(store, incident, arena, &series, err);

	if (status != DT_OK)
		return status;
	struct dt_report_bar *bars = DT_ARENA_ARRAY(arena, series.count + 1, struct dt_report_bar);
	if (!bars)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	*count = 0;
	for (size_t i = 0; i < series.count; i++)
		if (series.hours[i].hour >= from)
			bars[(*count)++] = (struct dt_report_bar){ series.hours[i].hour, series.hours[i].crashes, series.hours[i].onsets };
	*out = bars;
	return DT_OK;
}

enum dt_status dt_view_incident_details(struct dt_store *store, uint64_t id, struct dt_arena *arena, struct dt_report_incident *out,
                                        const struct dt_incident_status **now, struct dt_error *err)
{
	struct dt_review review;
	enum dt_status status = dt_review_make(store, &(struct dt_review_options){ .id = id }, arena, &review, err);

	if (status != DT_OK)
		return status;
	if (!review.count)
		return dt_fail(err, DT_ERR_NOT_FOUND, "There is no such incident.");
	if (now)
		*now = &review.incidents[0].status;
	dt_view_incident(&review.incidents[0], out);
	if ((status = details(store, id, DT_STORE_BUILDS, arena, &out->builds, &out->build_count, err)) != DT_OK ||
	    (status = details(store, id, DT_STORE_MODULE_BUILDS, arena, &out->module_builds, &out->module_build_count, err)) != DT_OK ||
	    (status = details(store, id, DT_STORE_FAMILIES, arena, &out->families, &out->family_count, err)) != DT_OK ||
	    (status = details(store, id, DT_STORE_HOSTS, arena, &out->host_names, &out->host_count, err)) != DT_OK)
		return status;
	return dt_view_bars(store, id, INT64_MIN, arena, &out->bars, &out->bar_count, err);
}
