/*
 * What every store must do, run on each of the stores named on the command line (URLs), and the same
 * random operations on all of them, whose listings must be equal.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/time.h"
#include "fleet/store/store.h"

#define DAY (INT64_C(86400))
#define T0 (INT64_C(1721365200)) /* 2024-07-19 05:00 UTC */

static const char *urls[4];
static size_t url_count;
static const char *scratch;

/* A crash as a test describes it. */
struct sample {
	unsigned identity; /* 0: crash_id null */
	const char *path, *host, *module, *signature;
	int64_t time; /* 0 unknown */
	bool implausible, partial, unreadable;
	enum dt_kind kind;
	unsigned build, sha;
	uint64_t version;
};

struct made {
	struct dt_facts facts;
	struct dt_judgement judgement;
	struct dt_bugcheck bugcheck;
	struct dt_match match;
	struct dt_failure failure;
	char id[33], sha[65], own[128], family[128];
};

static void make(const struct sample *in, struct made *out)
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

static void put(struct dt_store *store, const struct sample *sample)
{
	struct made made;
	struct dt_error err = { 0 };

	make(sample, &made);
	if (dt_store_put(store, &(struct dt_store_entry){ .facts = &made.facts, .judgement = &made.judgement }, &err) != DT_OK)
		fail_msg("%s", err.text);
}

static struct dt_store_counts commit(struct dt_store *store)
{
	struct dt_store_counts counts = { 0 };
	struct dt_error err = { 0 };

	if (dt_store_commit(store, &counts, &err) != DT_OK)
		fail_msg("%s", err.text);
	return counts;
}

static struct dt_store *open_store(const char *url, enum dt_store_mode mode)
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

/* Everything that can be listed, independent of the order of arrival. */
static char *dump_store(struct dt_store *store)
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

static void assert_healthy(struct dt_store *store)
{
	struct dt_store_health health;
	struct dt_error err = { 0 };

	if (dt_store_check(store, true, &health, &err) != DT_OK)
		fail_msg("%s", err.text);
	if (health.problems)
		fail_msg("%s", health.problem);
}

/* Each test has a store of its own: a file, or a schema of the server. */
static void fresh_url(char out[512], const char *url, const char *name)
{
	if (strncmp(url, "postgresql:", 11)) {
		snprintf(out, 512, "sqlite:%s/%s.db", scratch, name);
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

#define EACH_STORE(name)                                                                                 \
	static void name##_on(const char *url);                                                          \
	static void name(void **state)                                                                   \
	{                                                                                                \
		(void)state;                                                                             \
		for (size_t i = 0; i < url_count; i++) {                                                 \
			char url[512];                                                                   \
			fresh_url(url, urls[i], #name);                                                  \
			name##_on(url);                                                                  \
		}                                                                                        \
	}                                                                                                \
	static void name##_on(const char *url)

EACH_STORE(one_crash)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct dt_store_counts counts;
	bool seen;

	put(store, &(struct sample){ .identity = 7, .path = "/s/pc1/a.dmp", .host = "pc1", .module = "CSAgent.sys", .time = T0, .signature = "cs" });
	counts = commit(store);
	assert_int_equal(counts.added, 1);
	char *text = dump_store(store);
	assert_non_null(strstr(text, "1 cs hosts 1 crashes 1 unknown 0"));
	assert_non_null(strstr(text, "3 av:read|CSAgent.sys hosts 1"));
	free(text);
	assert_int_equal(dt_store_seen(store, "/s/pc1/a.dmp", 1000, dt_time_from_unix(T0), 1, &seen, NULL), DT_OK);
	assert_true(seen);
	assert_int_equal(dt_store_seen(store, "/s/pc1/a.dmp", 1000, dt_time_from_unix(T0), 2, &seen, NULL), DT_OK);
	assert_false(seen);
	assert_int_equal(dt_store_seen(store, "/s/pc1/a.dmp", 1001, dt_time_from_unix(T0), 1, &seen, NULL), DT_OK);
	assert_false(seen);
	assert_int_equal(dt_store_seen(store, "/s/pc1/b.dmp", 1000, dt_time_from_unix(T0), 1, &seen, NULL), DT_OK);
	assert_false(seen);
	assert_healthy(store);
	dt_store_close(store);
}

static bool keep_record(void *context, const struct dt_stored *row)
{
	struct dt_arena *arena = context;
	struct dt_crash crash;

	assert_int_equal(dt_store_unpack(row, arena, &crash, NULL), DT_OK);
	assert_string_equal(crash.facts.fault.module, "CSAgent.sys");
	assert_string_equal(crash.facts.host.name, "pc1");
	assert_int_equal(crash.judgement.verdict.class, DT_CLASS_KNOWN_INCIDENT);
	return true;
}

EACH_STORE(record_comes_back)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct dt_arena arena;

	dt_arena_init(&arena, 1u << 20);
	put(store, &(struct sample){ .identity = 7, .path = "/s/pc1/a.dmp", .host = "pc1", .module = "CSAgent.sys", .time = T0, .signature = "cs" });
	commit(store);
	assert_int_equal(dt_store_each(store, &(struct dt_store_query){ .records = true }, keep_record, &arena, NULL), DT_OK);
	dt_arena_deinit(&arena);
	dt_store_close(store);
}

/* The same crash as a full dump, its minidump and a cut copy, in all orders: the same store. */
EACH_STORE(order_of_arrival_does_not_matter)
{
	const struct sample files[3] = {
		{ .identity = 9, .path = "/s/MEMORY.DMP", .module = "a.sys", .time = T0, .kind = DT_KIND_FULL, .sha = 5 },
		{ .identity = 9, .path = "/s/mini.dmp", .host = "pc9", .module = "b.sys", .time = T0, .kind = DT_KIND_TRIAGE, .sha = 4 },
		{ .identity = 9, .path = "/s/cut.dmp", .host = "pc10", .module = "c.sys", .time = T0, .kind = DT_KIND_FULL, .partial = true, .sha = 3 },
	};
	static const int orders[6][3] = { { 0, 1, 2 }, { 0, 2, 1 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
	char *first = NULL;

	for (size_t i = 0; i < 12; i++) {
		char own[512];
		fresh_url(own, strncmp(url, "postgresql:", 11) ? url : urls[1], "orders");
		struct dt_store *store = open_store(own, DT_STORE_WRITE);
		for (size_t k = 0; k < 3; k++) {
			put(store, &files[orders[i % 6][k]]);
			if (i < 6) /* each in its own transaction, then all in one */
				commit(store);
		}
		commit(store);
		assert_healthy(store);
		char *text = dump_store(store);
		assert_non_null(strstr(text, "a.sys"));
		assert_null(strstr(text, "b.sys"));
		assert_non_null(strstr(text, "pc10")); /* a host is taken from whichever file knows it: the lower name */
		assert_non_null(strstr(text, "files 3"));
		if (first)
			assert_string_equal(text, first);
		else
			first = strdup(text);
		free(text);
		dt_store_close(store);
	}
	free(first);
}

EACH_STORE(null_identity_never_merges)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	const struct sample a = { .path = "/s/a.dmp", .module = "a.sys", .time = T0 }, b = { .path = "/s/b.dmp", .module = "a.sys", .time = T0 };

	put(store, &a);
	put(store, &b);
	assert_int_equal(commit(store).added, 2);
	put(store, &a);
	assert_int_equal(commit(store).unchanged, 1);
	assert_healthy(store);
	dt_store_close(store);
}

/* A file that could not be read, and later can: its first row does not stay behind. */
EACH_STORE(repaired_file)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct dt_store_health health;

	put(store, &(struct sample){ .path = "/s/a.dmp", .unreadable = true });
	commit(store);
	put(store, &(struct sample){ .identity = 4, .path = "/s/a.dmp", .module = "a.sys", .time = T0 });
	commit(store);
	assert_int_equal(dt_store_check(store, true, &health, NULL), DT_OK);
	assert_int_equal(health.crashes, 1);
	assert_int_equal(health.files, 1);
	assert_int_equal(health.problems, 0);
	dt_store_close(store);
}

EACH_STORE(boot_loop_is_one_host_and_one_onset)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	char path[64];

	for (unsigned i = 0; i < 20; i++) {
		/* against the order of time, across midnight */
		snprintf(path, sizeof(path), "/s/%u.dmp", i);
		put(store, &(struct sample){ .identity = 100 + i, .path = path, .host = "pc1", .module = "a.sys", .time = T0 + 19 * 3600 - 600 * (int64_t)(i * 7 % 20) });
		if (i % 3 == 0)
			commit(store);
	}
	commit(store);
	char *text = dump_store(store);
	assert_non_null(strstr(text, "3 av:read|a.sys hosts 1 crashes 20 unknown 0"));
	long long hour, crashes, onset, onsets = 0;
	const char *at = strstr(text, "3 av:read|a.sys"), *end = strchr(at, '\n');
	for (at = strstr(at, "   - "); at && at < end && sscanf(at, "   - %lld %lld %lld", &hour, &crashes, &onset) == 3; at = strstr(at + 1, "   - "))
		onsets += onset;
	free(text);
	assert_int_equal(onsets, 1);
	assert_healthy(store);
	dt_store_close(store);
}

EACH_STORE(unknown_hosts_and_implausible_times_are_counted_apart)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);

	put(store, &(struct sample){ .identity = 1, .path = "/1", .module = "a.sys", .time = T0 });
	put(store, &(struct sample){ .identity = 2, .path = "/2", .module = "a.sys", .time = T0, .host = "h" });
	put(store, &(struct sample){ .identity = 3, .path = "/3", .module = "a.sys", .time = T0 + 400 * DAY, .implausible = true, .host = "h" });
	put(store, &(struct sample){ .identity = 4, .path = "/4", .module = "a.sys" });
	commit(store);
	char *text = dump_store(store);
	assert_non_null(strstr(text, "3 av:read|a.sys hosts 1 crashes 4 unknown 2 untimed 2 1721365200..1721365200"));
	free(text);
	assert_healthy(store);
	dt_store_close(store);
}

EACH_STORE(deleted_crashes_do_not_come_back)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	const struct sample crash = { .identity = 1, .path = "/1", .module = "a.sys", .time = T0, .host = "h" };
	uint64_t removed = 0;

	put(store, &crash);
	put(store, &(struct sample){ .identity = 2, .path = "/2", .module = "b.sys", .time = T0, .host = "h" });
	commit(store);
	assert_int_equal(dt_store_remove(store, &(struct dt_store_query){ .module = "a.sys" }, true, &removed, NULL), DT_OK);
	assert_int_equal(removed, 1);
	assert_int_equal(dt_store_remove(store, &(struct dt_store_query){ .module = "a.sys" }, false, &removed, NULL), DT_OK);
	char *text = dump_store(store);
	assert_null(strstr(text, "a.sys"));
	assert_non_null(strstr(text, "b.sys"));
	free(text);
	put(store, &crash);
	assert_int_equal(commit(store).deleted, 1);
	text = dump_store(store);
	assert_null(strstr(text, "a.sys"));
	free(text);
	assert_healthy(store);
	dt_store_close(store);
}

struct changes {
	size_t new, changed, removed, incidents;
	uint64_t last;
};

static bool count_change(void *context, const struct dt_store_change *row)
{
	struct changes *changes = context;

	assert_true(row->seq > changes->last);
	changes->last = row->seq;
	changes->incidents += row->incident;
	changes->new += !row->incident && !strcmp(row->change, "new");
	changes->changed += !row->incident && !strcmp(row->change, "changed");
	changes->removed += !row->incident && !strcmp(row->change, "removed");
	return true;
}

EACH_STORE(every_change_is_in_the_outbox)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct sample crash = { .identity = 1, .path = "/1", .module = "a.sys", .time = T0, .host = "h", .sha = 2 };
	struct changes changes = { 0 };
	uint64_t removed;

	put(store, &crash);
	commit(store);
	put(store, &crash); /* nothing new: no change */
	commit(store);
	crash.path = "/0";
	crash.sha = 1;
	crash.kind = DT_KIND_FULL;
	put(store, &crash);
	commit(store);
	for (int i = 0; i < 2; i++)
		assert_int_equal(dt_store_mark(store, &(struct dt_store_state){ 2, "growing" }, 1, NULL), DT_OK);
	assert_int_equal(dt_store_remove(store, &(struct dt_store_query){ 0 }, false, &removed, NULL), DT_OK);
	assert_int_equal(dt_store_outbox(store, 0, 0, count_change, &changes, NULL), DT_OK);
	assert_int_equal(changes.new, 1);
	assert_int_equal(changes.changed, 1);
	assert_int_equal(changes.removed, 1);
	assert_int_equal(changes.incidents, 2 + 1 + 2); /* own and family came, one was marked, both went */
	dt_store_close(store);
}

static uint64_t random_state;

static unsigned pick(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 11) % n;
}

/* Records so large that a batch of the usual number would not fit into memory. */
EACH_STORE(heavy_batches_ask_to_be_committed)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	static char noise[64][8001], paths[600][32];
	unsigned put_in = 0;

	random_state = 7;
	for (; put_in < 600 && dt_store_pending(store) != SIZE_MAX; put_in++) {
		struct made made;
		struct dt_note notes[64] = { 0 };
		snprintf(paths[put_in], sizeof(paths[put_in]), "/h/%u", put_in);
		make(&(struct sample){ .identity = 5000 + put_in, .path = paths[put_in], .module = "a.sys", .time = T0 }, &made);
		for (size_t i = 0; i < 64 * 8000 && !put_in; i++)
			noise[i / 8000][i % 8000] = (char)('!' + pick(90));
		for (size_t i = 0; i < 64; i++)
			notes[i] = (struct dt_note){ .level = DT_NOTE_INFO, .where = "x", .text = noise[i] };
		made.facts.notes = notes;
		made.facts.notes_count = 64;
		assert_int_equal(dt_store_put(store, &(struct dt_store_entry){ .facts = &made.facts, .judgement = &made.judgement }, NULL), DT_OK);
	}
	assert_true(put_in > 20 && put_in < 600);
	assert_int_equal(commit(store).added, put_in);
	assert_int_equal(dt_store_pending(store), 0);
	assert_healthy(store);
	dt_store_close(store);
}

EACH_STORE(versions)
{
	struct dt_store *store = NULL;
	struct dt_error err = { 0 };

	assert_int_not_equal(dt_store_open(&store, url, DT_STORE_READ, &err), DT_OK); /* nothing is there */
	dt_store_close(open_store(url, DT_STORE_WRITE));
	dt_store_close(open_store(url, DT_STORE_READ));
	char command[900];
	bool sqlite = !strncmp(url, "sqlite:", 7);
	snprintf(command, sizeof(command), "%s '%s' \"%sUPDATE meta SET value = '99'\"", sqlite ? "sqlite3" : "psql -q", sqlite ? url + 7 : url,
	         sqlite ? "" : "\" -c \"");
	if (!sqlite)
		snprintf(command, sizeof(command), "psql -q '%s' -c \"UPDATE meta SET value = '99'\"", url);
	if (sqlite && system("command -v sqlite3 >/dev/null"))
		return;
	assert_int_equal(system(command), 0);
	for (int mode = DT_STORE_READ; mode <= DT_STORE_UPGRADE; mode++) {
		assert_int_equal(dt_store_open(&store, url, (enum dt_store_mode)mode, &err), DT_ERR_UNSUPPORTED);
		assert_non_null(strstr(err.text, "newer"));
	}
	dt_store_close(open_store(url, DT_STORE_ANY));
}

/* Random crashes, copies, repairs and deletions. */
static void random_operation(struct dt_store *store)
{
	static const char *const modules[] = { "a.sys", "b.sys", "c.sys", "CSAgent.sys" }, *const hosts[] = { NULL, "h1", "h2", "h3", "h4", "h5" };
	static const enum dt_kind kinds[] = { DT_KIND_TRIAGE, DT_KIND_FULL, DT_KIND_ACTIVE };
	unsigned identity = pick(400), what = pick(200);
	char path[64], key[16];
	uint64_t removed;

	if (what == 0) {
		commit(store);
		snprintf(key, sizeof(key), "%x", pick(16));
		assert_int_equal(dt_store_remove(store, &(struct dt_store_query){ .key = key, .limit = 3 }, false, &removed, NULL), DT_OK);
		return;
	}
	/* what identity a crash has says its time, as in real life; module, host and kind are the file's */
	snprintf(path, sizeof(path), "/s/%u.dmp", identity < 20 ? 1000 + pick(30) : identity * 3 + pick(3));
	bool signature = pick(3) == 0;
	struct sample sample = { .identity = identity < 20 ? 0 : identity, .path = path, .host = hosts[pick(6)], .module = modules[pick(4)],
		                 .signature = signature ? "cs" : NULL, .time = identity % 11 ? T0 + identity % 40 * 7 * 3600 : 0,
		                 .implausible = identity % 13 == 0, .partial = pick(3) == 0, .unreadable = pick(12) == 0,
		                 .kind = kinds[pick(3)], .build = 19041 + pick(3), .sha = pick(1000), .version = 1 + pick(2) };
	if (sample.unreadable)
		sample.identity = 0;
	put(store, &sample);
	if (pick(40) == 0)
		commit(store);
}

static void random_operations_are_equal_on_all(void **state)
{
	unsigned count = getenv("DT_TEST_LONG") ? 50000 : 10000;
	char *first = NULL;
	(void)state;

	for (size_t i = 0; i < url_count; i++) {
		char url[512];
		fresh_url(url, urls[i], "randoms");
		struct dt_store *store = open_store(url, DT_STORE_WRITE);
		random_state = 88172645463325252u;
		for (unsigned k = 0; k < count; k++)
			random_operation(store);
		commit(store);
		assert_healthy(store);
		char *text = dump_store(store);
		assert_true(strlen(text) > 10000);
		if (first && strcmp(first, text) != 0) {
			size_t at = 0;
			while (first[at] == text[at])
				at++;
			while (at && first[at - 1] != '\n')
				at--;
			fail_msg("%s differs:\n%.300s\n%.300s", urls[i], first + at, text + at);
		}
		if (!first)
			first = strdup(text);
		free(text);
		dt_store_close(store);
	}
	free(first);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_crash),
		cmocka_unit_test(record_comes_back),
		cmocka_unit_test(order_of_arrival_does_not_matter),
		cmocka_unit_test(null_identity_never_merges),
		cmocka_unit_test(repaired_file),
		cmocka_unit_test(boot_loop_is_one_host_and_one_onset),
		cmocka_unit_test(unknown_hosts_and_implausible_times_are_counted_apart),
		cmocka_unit_test(deleted_crashes_do_not_come_back),
		cmocka_unit_test(every_change_is_in_the_outbox),
		cmocka_unit_test(heavy_batches_ask_to_be_committed),
		cmocka_unit_test(versions),
		cmocka_unit_test(random_operations_are_equal_on_all),
	};

	if (argc < 2)
		return 2;
	scratch = argv[1];
	urls[url_count++] = "sqlite:";
	for (int i = 2; i < argc && url_count < 4; i++)
		urls[url_count++] = argv[i];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
