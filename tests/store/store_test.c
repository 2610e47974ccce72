/*
 * What every store must do, run on each of the stores named on the command line (URLs), and the same
 * random operations on all of them, whose listings must be equal.
 */
#include <fcntl.h>
#include <unistd.h>

#include "store_support.h"

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
		fresh_url(own, strncmp(url, "postgresql:", 11) ? url : store_urls[1], "orders");
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

/* Only who writes makes a store. */
EACH_STORE(a_store_that_is_not_there_is_not_made)
{
	static const enum dt_store_mode modes[] = { DT_STORE_READ, DT_STORE_UPGRADE, DT_STORE_ANY };
	bool sqlite = !strncmp(url, "sqlite:", 7);
	struct dt_store *store = NULL;
	struct dt_error err = { 0 };

	for (int there = 0; there < (sqlite ? 2 : 1); there++) {
		/* an empty database is no store either */
		if (there)
			assert_int_equal(close(open(url + 7, O_CREAT | O_RDWR, 0600)), 0);
		for (size_t i = 0; i < 3; i++) {
			assert_int_equal(dt_store_open(&store, url, modes[i], &err), DT_ERR_NOT_FOUND);
			assert_non_null(strstr(err.text, sqlite && !there ? "there is no store at" : "holds no store"));
			if (sqlite && !there)
				assert_int_equal(access(url + 7, F_OK), -1);
		}
	}
	dt_store_close(open_store(url, DT_STORE_WRITE));
	dt_store_close(open_store(url, DT_STORE_UPGRADE));
}

/* A store of the first version, as it was before uploads. */
EACH_STORE(an_older_store_is_upgraded_when_asked)
{
	static const char back[] = "DROP INDEX crashes_host; DROP TABLE uploads; DROP TABLE upload_items; DROP TABLE tokens; DROP TABLE audit;"
	                           " DROP TABLE feeds; DROP TABLE feed_done; DROP TABLE feed_sent; DROP TABLE feed_incidents; DROP TABLE feed_dead;"
	                           " DROP INDEX outbox_order; ALTER TABLE outbox DROP COLUMN xid; UPDATE meta SET value = '1';";
	bool sqlite = !strncmp(url, "sqlite:", 7);
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct dt_error err = { 0 };
	char command[900];

	put(store, &(struct sample){ .identity = 1, .path = "/s/pc1/a.dmp", .host = "pc1", .module = "a.sys", .time = T0 });
	commit(store);
	dt_store_close(store);
	if (sqlite && system("command -v sqlite3 >/dev/null"))
		return;
	snprintf(command, sizeof(command), sqlite ? "sqlite3 '%s' \"%s\"" : "psql -q '%s' -c \"%s DROP FUNCTION dumptriage_outbox_told CASCADE\"",
	         sqlite ? url + 7 : url, back);
	assert_int_equal(system(command), 0);
	for (int mode = DT_STORE_READ; mode <= DT_STORE_WRITE; mode++) {
		assert_int_equal(dt_store_open(&store, url, (enum dt_store_mode)mode, &err), DT_ERR_UNSUPPORTED);
		assert_non_null(strstr(err.text, "type 'dumptriage store upgrade --db "));
	}
	store = open_store(url, DT_STORE_UPGRADE);
	assert_healthy(store);
	char *text = dump_store(store);
	assert_non_null(strstr(text, "pc1"));
	free(text);
	dt_store_close(store);
	dt_store_close(open_store(url, DT_STORE_WRITE));
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

	for (size_t i = 0; i < store_url_count; i++) {
		char url[512];
		fresh_url(url, store_urls[i], "randoms");
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
			fail_msg("%s differs:\n%.300s\n%.300s", store_urls[i], first + at, text + at);
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
		cmocka_unit_test(a_store_that_is_not_there_is_not_made),
		cmocka_unit_test(an_older_store_is_upgraded_when_asked),
		cmocka_unit_test(random_operations_are_equal_on_all),
	};

	if (!store_arguments(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
