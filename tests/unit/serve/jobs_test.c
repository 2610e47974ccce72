/* Uploads under way: the table, what the spool keeps, hosts in names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "doors/serve/jobs.h"

static struct dt_job *sample(void)
{
	struct dt_job *job = dt_job_create();

	assert_non_null(job);
	job->host = dt_arena_strdup(&job->arena, "pc-1");
	job->note = dt_arena_strdup(&job->arena, "blue \"screen\"\\");
	job->who = dt_arena_strdup(&job->arena, "desk");
	struct dt_job_file *file = dt_job_add_file(job, "PC-7_2024.zip");
	memset(file->sha256, 'a', 64);
	file->size = 123;
	return job;
}

static void a_description_comes_back(void **state)
{
	struct dt_job *job = sample(), *back = NULL;
	struct dt_buf text;
	(void)state;

	dt_buf_init(&text, 1u << 16);
	dt_job_describe(job, &text);
	assert_int_equal(dt_job_restore(&back, job->id, dt_buf_bytes(&text), NULL), DT_OK);
	assert_string_equal(back->id, job->id);
	assert_int_equal(back->at, job->at);
	assert_string_equal(back->host, "pc-1");
	assert_string_equal(back->note, "blue \"screen\"\\");
	assert_null(back->ticket);
	assert_int_equal(back->file_count, 1);
	assert_int_equal(back->files[0].size, 123);
	assert_string_equal(back->files[0].host, "pc-7");
	dt_job_free(back);
	dt_job_free(job);
	dt_buf_deinit(&text);
}

static void a_damaged_description_is_refused(void **state)
{
	static const char *const bad[] = { "", "{", "[]", "{\"at\":\"1\"}", "{\"at\":\"1\",\"files\":[]}", "{\"at\":1,\"files\":[{\"name\":\"a\",\"sha256\":\"b\",\"size\":1}]}",
		                           "{\"at\":\"1\",\"files\":[{\"name\":\"a\",\"sha256\":\"short\",\"size\":1}]}" };
	struct dt_error err;
	struct dt_job *job;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(dt_job_restore(&job, "00", (struct dt_bytes){ (const uint8_t *)bad[i], strlen(bad[i]) }, &err), DT_ERR_FORMAT);
		assert_non_null(strstr(err.text, "not the description"));
	}
}

static void hosts_in_names(void **state)
{
	static const struct { const char *name, *host; } names[] = {
		{ "PC-0042_20240719.zip", "pc-0042" }, { "DESKTOP-AB12_dumps.7z", "desktop-ab12" }, { "srv01_a_b.tar.gz", "srv01" }, { "x1_y.CAB", "x1" },
		/* no host: what collectors write in front, dates, no archive, no separator, no name */
		{ "MEMORY_20240719.zip", NULL }, { "minidump_1.zip", NULL }, { "20240719_dumps.zip", NULL }, { "2024-07-19_dumps.zip", NULL },
		{ "PC-0042_1.dmp", NULL }, { "PC-0042.zip", NULL }, { "_x.zip", NULL }, { "a_x.zip", NULL }, { "bad name_x.zip", NULL }, { "-pc_x.zip", NULL },
		{ "<script>_x.zip", NULL }, { "", NULL },
	};
	struct dt_arena arena;
	(void)state;

	dt_arena_init(&arena, 1u << 16);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *host = dt_job_host_of_name(names[i].name, &arena);
		if (!names[i].host)
			assert_null(host);
		else
			assert_string_equal(host, names[i].host);
	}
	dt_arena_deinit(&arena);
}

static void count(void *context)
{
	++*(unsigned *)context;
}

static void look(void *context, const struct dt_job *job)
{
	*(struct dt_job *)context = *job;
}

static void changes_wake_who_waits(void **state)
{
	struct dt_jobs *jobs = dt_jobs_create();
	struct dt_job *job = sample(), seen;
	unsigned woken = 0, others = 0;
	struct dt_job_watch watch = { .changed = count, .context = &woken }, other = { .changed = count, .context = &others };
	char id[40];
	(void)state;

	memcpy(id, job->id, sizeof(job->id));
	dt_jobs_add(jobs, job);
	dt_jobs_watch(jobs, id, &watch);
	dt_jobs_watch(jobs, "00", &other);
	assert_int_equal(dt_jobs_open(jobs), 1);
	dt_jobs_set_state(jobs, job, DT_JOB_READING, NULL);
	assert_int_equal(woken, 1);
	dt_jobs_set_state(jobs, job, DT_JOB_READING, NULL); /* nothing new */
	assert_int_equal(woken, 1);
	dt_jobs_set_state(jobs, job, DT_JOB_QUEUED, "the store is away");
	dt_jobs_add_item(jobs, job, &(struct dt_job_item){ .name = "a", .summary = "b" });
	assert_int_equal(woken, 3);
	assert_true(dt_jobs_look(jobs, id, look, &seen));
	assert_string_equal(seen.waiting, "the store is away");
	assert_int_equal(seen.item_count, 1);
	dt_jobs_restart(jobs, job);
	assert_true(dt_jobs_look(jobs, id, look, &seen));
	assert_int_equal(seen.item_count, 0);
	dt_jobs_set_state(jobs, job, DT_JOB_DONE, NULL);
	assert_int_equal(dt_jobs_open(jobs), 0);
	dt_jobs_unwatch(jobs, &watch);
	assert_true(dt_jobs_look(jobs, id, look, &seen));
	assert_null(seen.waiting);
	assert_int_equal(others, 0);
	assert_false(dt_jobs_look(jobs, "00", look, &seen));
	dt_jobs_unwatch(jobs, &other);
	dt_jobs_destroy(jobs);
}

/* The table holds the last thousand that are done: it does not grow. */
static void old_ones_leave(void **state)
{
	struct dt_jobs *jobs = dt_jobs_create();
	char first[40] = "";
	struct dt_job seen;
	(void)state;

	for (int i = 0; i < 1001; i++) {
		struct dt_job *job = dt_job_create();
		if (!*first)
			memcpy(first, job->id, sizeof(job->id));
		dt_jobs_add(jobs, job);
		dt_jobs_set_state(jobs, job, DT_JOB_DONE, NULL);
		if (i == 999)
			assert_true(dt_jobs_look(jobs, first, look, &seen));
	}
	assert_false(dt_jobs_look(jobs, first, look, &seen));
	dt_jobs_destroy(jobs);
}

static void files_of_one_upload_are_counted(void **state)
{
	struct dt_job *job = dt_job_create();
	(void)state;

	for (int i = 0; i < DT_JOB_FILES; i++)
		assert_non_null(dt_job_add_file(job, "a"));
	assert_null(dt_job_add_file(job, "a"));
	dt_job_free(job);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_description_comes_back), cmocka_unit_test(a_damaged_description_is_refused), cmocka_unit_test(hosts_in_names),
		cmocka_unit_test(changes_wake_who_waits), cmocka_unit_test(old_ones_leave), cmocka_unit_test(files_of_one_upload_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
