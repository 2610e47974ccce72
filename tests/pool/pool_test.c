/* The pool: results from the real worker; every kind of bad worker costs one input and says why. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/protocol/protocol.h"
#include "fleet/pool/pool.h"
#include "sample.h"

static char folder[] = "/tmp/dumptriage-pool-XXXXXX";
static struct sample sample;
static struct dt_error err;

static int dump_fd(void)
{
	int fd = memfd_create("dump", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, sample.data, sample.len), sample.len);
	return fd;
}

static struct dt_pool *pool_of(const char *worker, unsigned workers, unsigned deadline_ms)
{
	struct dt_pool_options options = { .workers = workers, .deadline_ms = deadline_ms, .worker_path = worker };
	struct dt_pool *pool = NULL;

	if (dt_pool_create(&pool, &options, &err) != DT_OK)
		fail_msg("%s", err.text);
	return pool;
}

static struct dt_pool *bad_pool(const char *how)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, how);
	if (access(path, F_OK))
		assert_int_equal(symlink(DT_BAD_WORKER, path), 0);
	return pool_of(path, 1, 500);
}

static void submit(struct dt_pool *pool, uint64_t id, const char *path)
{
	struct dt_pool_job job = { .id = id, .path = path, .fd = dump_fd(), .hash = true };

	if (dt_pool_submit(pool, &job, &err) != DT_OK)
		fail_msg("%s", err.text);
}

static void results_are_those_of_the_dump(void **state)
{
	struct dt_pool *pool = pool_of(DT_WORKER, 2, 0);
	struct dt_pool_result result;

	(void)state;
	submit(pool, 5, "/share/host/a.dmp");
	assert_int_equal(dt_pool_busy(pool), 1);
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
	assert_int_equal(result.id, 5);
	assert_false(result.died);
	if (result.facts.failure)
		fail_msg("%s", result.facts.failure->text);
	assert_int_equal(result.facts.bugcheck->code.value, 0x50);
	assert_string_equal(result.facts.fault.module, "csagent.sys");
	assert_string_equal(result.facts.file.path, "/share/host/a.dmp");
	assert_string_equal(result.facts.file.name, "a.dmp");
	assert_int_equal(strlen(result.facts.file.sha256), 64);
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
	assert_true(result.last);
	assert_int_equal(dt_pool_busy(pool), 0);
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_ERR_NOT_FOUND);
	dt_pool_destroy(pool);
}

static void many_jobs_over_few_workers(void **state)
{
	enum { JOBS = 200 };
	struct dt_pool *pool = pool_of(DT_WORKER, 3, 0);
	struct dt_pool_result result;
	unsigned seen[JOBS] = { 0 }, next = 0, done = 0;

	(void)state;
	while (done < JOBS) {
		while (next < JOBS && dt_pool_free(pool))
			submit(pool, next++, "x.dmp");
		assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
		if (result.last)
			done++;
		else
			seen[result.id]++;
	}
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(seen[i], 1);
	assert_int_equal(dt_pool_counts(pool)->spawned, 3);
	dt_pool_destroy(pool);
}

static void sandbox_is_in_force_or_said_to_be_missing(void **state)
{
	struct dt_pool *pool = pool_of(DT_WORKER, 1, 0);

	(void)state;
#ifdef DT_SANITIZED
	assert_int_equal(dt_pool_mechanisms(pool), 0);
#else
	assert_true(dt_pool_mechanisms(pool) & DT_SANDBOX_SECCOMP);
	assert_true(dt_pool_mechanisms(pool) & DT_SANDBOX_RLIMITS);
#endif
	assert_int_equal(dt_pool_mechanisms(pool) == DT_SANDBOX_ALL, dt_pool_missing(pool)[0] == '\0');
	dt_pool_destroy(pool);
}

static unsigned asked;

static int no_file(void *self, const struct dt_ask *ask)
{
	(void)self;
	asked += !strcmp(ask->name, "a.sys");
	return -1;
}

/* A worker may ask where there is somebody to ask, for so much and no more. */
static void questions_have_a_cap(void **state)
{
	static const struct dt_pool_source source = { NULL, no_file };
	static const struct {
		const char *how;
		const struct dt_pool_source *source;
		unsigned asked;
	} rows[] = { { "asks", &source, DT_MAX_ASKS }, { "asks", NULL, 0 }, { "asks-garbage", &source, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct dt_pool_options options = { .workers = 1, .deadline_ms = 60000, .source = rows[i].source };
		struct dt_pool_result result;
		struct dt_pool *pool;
		char path[256];

		dt_pool_destroy(bad_pool(rows[i].how)); /* makes the link */
		snprintf(path, sizeof(path), "%s/%s", folder, rows[i].how);
		options.worker_path = path;
		asked = 0;
		assert_int_equal(dt_pool_create(&pool, &options, &err), DT_OK);
		submit(pool, 1, "a.dmp");
		assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
		assert_true(result.died && result.last);
		assert_non_null(strstr(result.facts.failure->text, "question for symbols"));
		assert_int_equal(asked, rows[i].asked);
		dt_pool_destroy(pool);
	}
}

static int slow_no(void *self, const struct dt_ask *ask)
{
	const struct timespec second = { .tv_nsec = 30000000 };

	(void)nanosleep(&second, NULL);
	return no_file(self, ask);
}

/* A search that takes long is ended for its input, and the record of each dump that it lacks something says so. */
static void questions_have_a_time(void **state)
{
	static const struct dt_pool_source source = { NULL, slow_no };
	struct dt_pool_options options = { .workers = 1, .ask_ms = 100, .source = &source };
	struct dt_pool_result result;
	struct dt_pool *pool;
	char path[256];

	(void)state;
	dt_pool_destroy(bad_pool("asks-members")); /* makes the link */
	snprintf(path, sizeof(path), "%s/asks-members", folder);
	options.worker_path = path;
	assert_int_equal(dt_pool_create(&pool, &options, &err), DT_OK);
	for (uint64_t id = 1; id <= 2; id++) {
		/* each input anew: three questions take at least 90 ms, the fourth at least 120 */
		asked = 0;
		submit(pool, id, "a.zip");
		assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
		unsigned before = asked;
		size_t notes = result.facts.notes_count;
		assert_int_equal(notes, before < 3);
		assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
		assert_true(asked <= 4);
		assert_int_equal(result.facts.notes_count, 1);
		assert_string_equal(result.facts.notes[0].where, "symbols");
		assert_non_null(strstr(result.facts.notes[0].text, "was not asked for"));
		assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
		assert_true(result.last && !result.died);
	}
	dt_pool_destroy(pool);
}

static void every_bad_worker_costs_one_input(void **state)
{
	static const struct {
		const char *how;
		enum dt_failure_kind kind;
		const char *says;
	} cases[] = {
		{ "dies", DT_FAILURE_SIGNAL, "signal 9" },       { "exits", DT_FAILURE_SIGNAL, "status 3" },
		{ "hangs", DT_FAILURE_DEADLINE, "500 ms" },      { "half", DT_FAILURE_DEADLINE, "500 ms" },
		{ "garbage", DT_FAILURE_SIGNAL, "protocol" },    { "other-job", DT_FAILURE_SIGNAL, "protocol" },
		{ "lies", DT_FAILURE_SIGNAL, "outside its module" },
	};
	struct dt_pool_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct dt_pool *pool = bad_pool(cases[i].how);
		/* twice: the lost worker is replaced */
		for (uint64_t id = 1; id <= 2; id++) {
			submit(pool, id, "the.dmp");
			assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
			assert_int_equal(result.id, id);
			assert_true(result.died && result.last);
			assert_int_equal(result.facts.failure->kind, cases[i].kind);
			if (!strstr(result.facts.failure->text, cases[i].says))
				fail_msg("%s: %s", cases[i].how, result.facts.failure->text);
			assert_string_equal(result.facts.file.path, "the.dmp");
		}
		assert_int_equal(dt_pool_counts(pool)->spawned, 2);
		dt_pool_destroy(pool);
	}
}

/* The member that kills costs itself; a new worker goes on behind it. */
static void an_archive_loses_one_member(void **state)
{
	static const char *const members[] = { "m0.dmp", "m1.dmp", "m2.dmp", "m3.dmp" };
	struct dt_pool *pool = bad_pool("archive");
	struct dt_pool_result result;

	(void)state;
	submit(pool, 3, "/share/a.zip");
	for (int i = 0; i < 4; i++) {
		char path[64];
		assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
		snprintf(path, sizeof(path), "/share/a.zip!/%s", members[i]);
		assert_string_equal(result.facts.file.path, path);
		assert_string_equal(result.facts.file.name, members[i]);
		assert_string_equal(result.facts.file.container->member, members[i]);
		assert_int_equal(result.died, i == 1);
		assert_false(result.last);
		if (i == 1)
			assert_int_equal(result.facts.failure->kind, DT_FAILURE_SIGNAL);
	}
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
	assert_true(result.last);
	assert_int_equal(dt_pool_counts(pool)->spawned, 2);
	assert_int_equal(dt_pool_busy(pool), 0);
	dt_pool_destroy(pool);
}

static void an_archive_that_only_kills_is_given_up(void **state)
{
	struct dt_pool *pool = bad_pool("archive-dies");
	struct dt_pool_result result;
	unsigned results = 0;

	(void)state;
	submit(pool, 3, "/share/a.zip");
	do {
		assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
		assert_true(result.died);
		results++;
	} while (!result.last);
	assert_int_equal(results, 16);
	dt_pool_destroy(pool);
}

static void put(uint8_t *file, size_t off, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		file[off + i] = (uint8_t)(value >> 8 * i);
}

/* A user dump with 520 modules of one name: a thousand surrogates without their other half, each of which becomes an escape. */
static struct sample dump_of_escapes(void)
{
	enum { MODULES = 520, LIST = 44, ONE = 108, NAME = LIST + 4 + MODULES * ONE, CHARS = 1000 };
	struct sample out = { .data = calloc(1, NAME + 4 + 2 * CHARS), .len = NAME + 4 + 2 * CHARS };

	assert_non_null(out.data);
	memcpy(out.data, "MDMP", 4);
	put(out.data, 4, 0xa793, 4);
	put(out.data, 8, 1, 4);
	put(out.data, 12, 32, 4);
	put(out.data, 32, 4, 4); /* module list */
	put(out.data, 36, 4 + MODULES * ONE, 4);
	put(out.data, 40, LIST, 4);
	put(out.data, LIST, MODULES, 4);
	for (size_t i = 0; i < MODULES; i++)
		put(out.data, LIST + 4 + i * ONE + 0x14, NAME, 4);
	put(out.data, NAME, 2 * CHARS, 4);
	put(out.data, NAME + 4, '\\', 2);
	for (size_t i = 1; i < CHARS; i++)
		put(out.data, NAME + 4 + 2 * i, 0xd800, 2);
	return out;
}

/* It costs its own record, and not the worker. */
static void a_record_that_would_be_too_large(void **state)
{
	struct dt_pool *pool = pool_of(DT_WORKER, 1, 0);
	struct sample good = sample;
	struct dt_pool_result result;

	(void)state;
	sample = dump_of_escapes();
	submit(pool, 1, "/share/names.dmp");
	free(sample.data);
	sample = good;
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
	assert_false(result.died);
	assert_non_null(result.facts.failure);
	assert_int_equal(result.facts.failure->kind, DT_FAILURE_LIMIT);
	assert_string_equal(result.facts.failure->text, "the record would be over 8 MiB");
	assert_string_equal(result.facts.file.path, "/share/names.dmp");
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
	assert_true(result.last);
	submit(pool, 2, "/share/a.dmp");
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
	assert_null(result.facts.failure);
	dt_pool_destroy(pool);
}

static void a_worker_cannot_rename_its_input(void **state)
{
	struct dt_pool *pool = bad_pool("renames");
	struct dt_pool_result result;

	(void)state;
	submit(pool, 1, "/real/name.dmp");
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
	assert_string_equal(result.facts.file.path, "/real/name.dmp");
	assert_string_equal(result.facts.file.name, "name.dmp");
	dt_pool_destroy(pool);
}

static void workers_that_do_not_start_are_told(void **state)
{
	struct dt_pool_options options = { .workers = 1, .worker_path = "/nonexistent/worker" };
	struct dt_pool *pool;
	char path[256];

	(void)state;
	assert_int_equal(dt_pool_create(&pool, &options, &err), DT_ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "/nonexistent/worker"));
	snprintf(path, sizeof(path), "%s/other-version", folder);
	assert_int_equal(symlink(DT_BAD_WORKER, path), 0);
	options.worker_path = path;
	assert_int_equal(dt_pool_create(&pool, &options, &err), DT_ERR_FORMAT);
	assert_non_null(strstr(err.text, "version"));
}

static void no_descriptor_is_left_open(void **state)
{
	struct dt_pool *pool = pool_of(DT_WORKER, 1, 0);
	struct dt_pool_result result;
	int before, after;

	(void)state;
	before = dup(0);
	close(before);
	for (int i = 0; i < 20; i++) {
		submit(pool, 1, "x.dmp");
		do
			assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
		while (!result.last);
	}
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
	dt_pool_destroy(pool);
}

static int setup(void **state)
{
	(void)state;
	if (sample_build_file(&sample, DT_SOURCE_DIR "/samples/recipes/csagent-50.recipe"))
		return -1;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[256];

	(void)state;
	sample_free(&sample);
	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(results_are_those_of_the_dump),
		cmocka_unit_test(many_jobs_over_few_workers),
		cmocka_unit_test(sandbox_is_in_force_or_said_to_be_missing),
		cmocka_unit_test(every_bad_worker_costs_one_input),
		cmocka_unit_test(questions_have_a_cap),
		cmocka_unit_test(questions_have_a_time),
		cmocka_unit_test(an_archive_loses_one_member),
		cmocka_unit_test(an_archive_that_only_kills_is_given_up),
		cmocka_unit_test(a_record_that_would_be_too_large),
		cmocka_unit_test(a_worker_cannot_rename_its_input),
		cmocka_unit_test(workers_that_do_not_start_are_told),
		cmocka_unit_test(no_descriptor_is_left_open),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
