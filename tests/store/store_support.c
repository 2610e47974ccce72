#include "store_support.h"

const char *store_urls[4];
size_t store_url_count;
const char *store_scratch;

void make(const struct sample *in, struct made *out)
{
	memset(out, 0, sizeof(*out));
	out->facts.schema = DT_CRASH_SCHEMA;
	out->facts.producer.facts = dt_some(in->version ? in->version : 1);
	if (in->identity) {
		snprintf(out->id, sizeof(out->id), "%08x%024x", in->identity * 2654435761u, in->identity);
		out->facts.crash_id = out->id;
	}
	snprintf(out->sha, sizeof(out->sha), "%064x", in->sha);
	out->facts.file.path = in->path;
	out->facts.file.size = dt_some(1000 + in->sha);
	out->facts.file.mtime = dt_time_from_unix((uint64_t)T0);
	out->facts.file.sha256 = out->sha;
	out->facts.host.name = in->host;
	out->facts.host.source = in->host ? DT_HOST_PATH : DT_host_source_NULL;
	out->facts.dump.kind = in->kind ? in->kind : DT_KIND_TRIAGE;
	out->facts.dump.machine = DT_MACHINE_X64;
	out->facts.dump.complete = in->partial ? DT_FALSE : DT_TRUE;
	out->facts.dump.time = in->time ? dt_time_from_unix((uint64_t)in->time) : 0;
	out->facts.dump.time_trust = in->implausible ? DT_TIME_IMPLAUSIBLE : DT_TIME_OK;
	out->facts.dump.build = dt_some(in->build ? in->build : 19041);
	out->judgement.judged.rules = "0123456789abcdef";
	if (in->unreadable) {
		out->failure.kind = DT_FAILURE_NOT_A_DUMP;
		out->failure.text = "no signature";
		out->facts.failure = &out->failure;
		out->judgement.verdict.class = DT_CLASS_UNREADABLE;
		return;
	}
	out->bugcheck.code = dt_some(0x50);
	out->facts.bugcheck = &out->bugcheck;
	out->facts.fault.module = in->module;
	out->judgement.blame.module = in->module;
	snprintf(out->own, sizeof(out->own), "av:read|%s+0x10|0x%x", in->module, in->build);
	snprintf(out->family, sizeof(out->family), "av:read|%s", in->module);
	out->judgement.bucket.own = out->own;
	out->judgement.bucket.family = out->family;
	out->judgement.verdict.class = in->signature ? DT_CLASS_KNOWN_INCIDENT : DT_CLASS_DRIVER;
	out->judgement.verdict.confidence = dt_some(80);
	if (in->signature) {
		out->match = (struct dt_match){ .signature = in->signature, .title = "A title", .version = "1", .grade = DT_GRADE_CONFIRMED };
		out->judgement.matches = &out->match;
		out->judgement.matches_count = 1;
	}
}

void put(struct dt_store *store, const struct sample *sample)
{
	struct made made;
	struct dt_error err = { 0 };

	make(sample, &made);
	if (dt_store_put(store, &(struct dt_store_entry){ .facts = &made.facts, .judgement = &made.judgement }, &err) != DT_OK)
		fail_msg("%s", err.text);
}

struct dt_store_counts commit(struct dt_store *store)
{
	struct dt_store_counts counts = { 0 };
	struct dt_error err = { 0 };

	if (dt_store_commit(store, &counts, &err) != DT_OK)
		fail_msg("%s", err.text);
	return counts;
}

struct dt_store *open_store(const char *url, enum dt_store_mode mode)
{
	struct dt_store *store = NULL;
	struct dt_error err = { 0 };

	if (dt_store_open(&store, url, mode, &err) != DT_OK)
		fail_msg("%s: %s", url, err.text);
	return store;
}

static bool print_crash(void *context, const struct dt_stored *row)
{
	struct dt_buf *out = context;
	char time[DT_TIME_TEXT_MAX] = "-";

	if (row->time)
		dt_time_format(row->time, time);
	dt_buf_printf(out, "%s %s %s class %d code %llx build %llu %s %s %s|%s|%s %s files %llu\n", row->key, time, row->host ? row->host : "-",
	              (int)row->class, (unsigned long long)row->code.value, (unsigned long long)row->build.value, row->blame ? row->blame : "-",
	              row->module_build ? row->module_build : "-", row->own ? row->own : "-", row->family ? row->family : "-",
	              row->signatures ? row->signatures : "-", row->path, (unsigned long long)row->files);
	return true;
}

struct listing {
	struct dt_store *store;
	struct dt_buf *out;
	uint64_t ids[4096];
	size_t count;
};

static bool print_incident(void *context, const struct dt_stored_incident *row)
{
	struct listing *listing = context;

	dt_buf_printf(listing->out, "%d %s hosts %llu crashes %llu unknown %llu untimed %llu %lld..%lld\n", (int)row->kind, row->key,
	              (unsigned long long)row->hosts, (unsigned long long)row->crashes, (unsigned long long)row->unknown_hosts,
	              (unsigned long long)row->untimed, (long long)row->first, (long long)row->last);
	assert_true(listing->count < 4096);
	listing->ids[listing->count++] = row->id;
	return true;
}

static bool print_detail(void *context, const struct dt_stored_detail *row)
{
	dt_buf_printf(context, "   %s %lld %lld %lld\n", row->text ? row->text : "-", (long long)row->a, (long long)row->b, (long long)row->c);
	return true;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Ids are a matter of order; the listing is by what stands in it. */
static void sort_lines(struct dt_buf *text)
{
	char *lines[16384], *copy = strdup(text->len ? text->data : ""), *save = NULL;
	size_t count = 0;

	for (char *line = strtok_r(copy, "\n", &save); line && count < 16384; line = strtok_r(NULL, "\n", &save))
		lines[count++] = line;
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	dt_buf_reset(text);
	for (size_t i = 0; i < count; i++)
		dt_buf_printf(text, "%s\n", lines[i]);
	free(copy);
}

char *dump_store(struct dt_store *store)
{
	struct dt_buf crashes, incidents, all;
	struct listing listing = { .store = store, .out = &incidents };
	struct dt_error err = { 0 };

	dt_buf_init(&crashes, 64u << 20);
	dt_buf_init(&incidents, 64u << 20);
	dt_buf_init(&all, 64u << 20);
	assert_int_equal(dt_store_each(store, &(struct dt_store_query){ .count_files = true }, print_crash, &crashes, &err), DT_OK);
	assert_int_equal(dt_store_incidents(store, &(struct dt_store_incident_query){ .fleet = true }, print_incident, &listing, &err), DT_OK);
	assert_int_equal(dt_store_incidents(store, &(struct dt_store_incident_query){ 0 }, print_incident, &listing, &err), DT_OK);
	for (size_t i = 0; i < listing.count; i++) {
		struct dt_buf details;
		dt_buf_init(&details, 64u << 20);
		for (int what = DT_STORE_HOURS; what <= DT_STORE_FAMILIES; what++)
			assert_int_equal(dt_store_detail(store, listing.ids[i], (enum dt_store_detail)what, 0, print_detail, &details, &err), DT_OK);
		assert_int_equal(dt_store_detail(store, listing.ids[i], DT_STORE_HOSTS, 0, print_detail, &details, &err), DT_OK);
		/* one line for each incident, so that lines can be sorted */
		for (char *c = details.data; details.len && *c; c++)
			*c = *c == '\n' ? ';' : *c;
		size_t at = 0, line = 0;
		for (; line < i && incidents.data[at]; at++)
			line += incidents.data[at] == '\n';
		dt_buf_printf(&all, "%.*s %s\n", (int)strcspn(incidents.data + at, "\n"), incidents.data + at, details.len ? details.data : "");
		dt_buf_deinit(&details);
	}
	dt_buf_append(&all, crashes.data ? crashes.data : "", crashes.len);
	sort_lines(&all);
	assert_true(dt_buf_ok(&all));
	char *text = strdup(dt_buf_text(&all));
	dt_buf_deinit(&crashes);
	dt_buf_deinit(&incidents);
	dt_buf_deinit(&all);
	return text;
}

void assert_healthy(struct dt_store *store)
{
	struct dt_store_health health;
	struct dt_error err = { 0 };

	if (dt_store_check(store, true, &health, &err) != DT_OK)
		fail_msg("%s", err.text);
	if (health.problems)
		fail_msg("%s", health.problem);
}

void fresh_url(char out[512], const char *url, const char *name)
{
	if (strncmp(url, "postgresql:", 11)) {
		snprintf(out, 512, "sqlite:%s/%s.db", store_scratch, name);
		for (const char *const *suffix = (const char *const[]){ "", "-wal", "-shm", NULL }; *suffix; suffix++) {
			char path[600];
			snprintf(path, sizeof(path), "%s%s", out + 7, *suffix);
			remove(path);
		}
	} else {
		char command[700];
		snprintf(command, sizeof(command), "psql -q '%s' -c 'DROP SCHEMA IF EXISTS %s CASCADE' -c 'CREATE SCHEMA %s' 2>/dev/null", url, name, name);
		assert_int_equal(system(command), 0);
		snprintf(out, 512, "%s%soptions=-csearch_path%%3D%s", url, strchr(url, '?') ? "&" : "?", name);
	}
}

bool store_arguments(int argc, char **argv)
{
	if (argc < 2)
		return false;
	store_scratch = argv[1];
	store_urls[store_url_count++] = "sqlite:";
	for (int i = 2; i < argc && store_url_count < 4; i++)
		store_urls[store_url_count++] = argv[i];
	return true;
}
