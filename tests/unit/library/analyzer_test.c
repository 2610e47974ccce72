/* An analyzer: each way in, its options, and what it refuses. */
#include "unit/library/sample_dump.h"

#include <fcntl.h>
#include <pthread.h>

static void assert_csagent(struct dt_analysis *analysis, const char *name)
{
	assert_string_equal(dt_verdict(analysis), "known-incident");
	assert_int_equal(dt_match_count(analysis), 1);
	assert_value(analysis, "matches.0.signature", "crowdstrike-channel-file-291");
	assert_value(analysis, "file.name", name);
	dt_analysis_free(analysis);
}

static void the_three_ways_in(void **state)
{
	struct dt_analysis *analysis;
	int fd = open(dump_path, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(dt_analyse_path(analyzer, dump_path, &analysis), DT_RESULT_OK);
	assert_csagent(analysis, "a.dmp");
	assert_int_equal(lseek(fd, 7, SEEK_SET), 7);
	assert_int_equal(dt_analyse_fd(analyzer, fd, NULL, &analysis), DT_RESULT_OK);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 7);
	assert_csagent(analysis, "fd");
	assert_int_equal(close(fd), 0);
	assert_csagent(of_memory(), "memory");
	assert_string_equal(dt_message(analyzer), "");
}

static void what_cannot_be_read_has_a_record(void **state)
{
	struct dt_analysis *analysis;

	(void)state;
	assert_int_equal(dt_analyse_path(analyzer, folder, &analysis), DT_RESULT_OK);
	assert_string_equal(dt_verdict(analysis), "unreadable");
	assert_value(analysis, "failure.kind", "unsupported");
	dt_analysis_free(analysis);
	assert_int_equal(dt_analyse_path(analyzer, "/there/is/nothing", &analysis), DT_RESULT_OK);
	assert_value(analysis, "failure.kind", "io");
	dt_analysis_free(analysis);
	assert_int_equal(dt_analyse_memory(analyzer, "not a dump", 10, "x", &analysis), DT_RESULT_OK);
	assert_value(analysis, "failure.kind", "not-a-dump");
	dt_analysis_free(analysis);
	assert_int_equal(dt_analyse_memory(analyzer, NULL, 0, "x", &analysis), DT_RESULT_OK);
	assert_string_equal(dt_verdict(analysis), "unreadable");
	dt_analysis_free(analysis);
}

static void wrong_arguments(void **state)
{
	struct dt_analysis *analysis = (void *)1;

	(void)state;
	assert_int_equal(dt_open(NULL), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_analyse_path(NULL, dump_path, &analysis), DT_RESULT_ARGUMENT);
	assert_null(analysis);
	assert_int_equal(dt_analyse_path(analyzer, NULL, &analysis), DT_RESULT_ARGUMENT);
	assert_non_null(strstr(dt_message(analyzer), "one of them is NULL"));
	assert_int_equal(dt_analyse_fd(analyzer, -1, "x", &analysis), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_analyse_memory(analyzer, NULL, 1, "x", &analysis), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_set_hashing(analyzer, (enum dt_hashing)3), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_match(analyzer, NULL), DT_RESULT_ARGUMENT);
	assert_int_equal(dt_use_signatures(NULL, NULL), DT_RESULT_ARGUMENT);
	assert_string_equal(dt_message(NULL), "");
	dt_close(NULL);
}

static void host_and_hash(void **state)
{
	struct dt_analysis *analysis;

	(void)state;
	assert_int_equal(dt_set_host(analyzer, "PC-0042"), DT_RESULT_OK);
	assert_int_equal(dt_set_hashing(analyzer, DT_HASHING_NEVER), DT_RESULT_OK);
	analysis = of_memory();
	assert_value(analysis, "host.name", "pc-0042");
	assert_value(analysis, "file.sha256", NULL);
	dt_analysis_free(analysis);
	assert_int_equal(dt_set_host(analyzer, NULL), DT_RESULT_OK);
	assert_int_equal(dt_set_hashing(analyzer, DT_HASHING_AUTO), DT_RESULT_OK);
	analysis = of_memory();
	assert_value(analysis, "host.name", NULL);
	char *hash;
	assert_int_equal(dt_value(analysis, "file.sha256", &hash), DT_RESULT_OK);
	assert_int_equal(strlen(hash), 64);
	dt_free(hash);
	dt_analysis_free(analysis);
}

static void other_signatures_and_back(void **state)
{
	struct dt_analysis *analysis = of_memory();
	char path[96];

	(void)state;
	assert_int_equal(dt_use_signatures(analyzer, DT_SOURCE_DIR "/signatures/there-is-none.yml"), DT_RESULT_IO);
	snprintf(path, sizeof(path), "%s/bad.yml", folder);
	write_file(path, "id: [\n", 6);
	assert_int_equal(dt_use_signatures(analyzer, path), DT_RESULT_INVALID);
	assert_non_null(strstr(dt_message(analyzer), "bad.yml:"));
	unlink(path);
	/* What was in force is still there. */
	assert_int_equal(dt_match(analyzer, analysis), DT_RESULT_OK);
	assert_int_equal(dt_match_count(analysis), 1);
	assert_int_equal(dt_use_signatures(analyzer, DT_SOURCE_DIR "/signatures/crowdstrike-channel-file-291.yml"), DT_RESULT_OK);
	assert_int_equal(dt_match(analyzer, analysis), DT_RESULT_OK);
	assert_string_equal(dt_verdict(analysis), "known-incident");
	assert_int_equal(dt_use_signatures(analyzer, NULL), DT_RESULT_OK);
	dt_analysis_free(analysis);
}

static void symbols(void **state)
{
	struct dt_analysis *analysis;

	(void)state;
	assert_int_equal(dt_use_symbols(analyzer, "what*/a"), DT_RESULT_ARGUMENT);
	assert_true(*dt_message(analyzer) != '\0');
	assert_int_equal(dt_use_symbols(analyzer, folder), DT_RESULT_OK);
	analysis = of_memory();
	assert_string_equal(dt_verdict(analysis), "known-incident");
	dt_analysis_free(analysis);
	assert_int_equal(dt_use_symbols(analyzer, NULL), DT_RESULT_OK);
}

/* A record that went through JSON is judged to the same verdict without its dump. */
static void record_read_and_matched(void **state)
{
	struct dt_analysis *analysis = of_memory(), *again;
	char *json, *judged;
	size_t size;

	(void)state;
	assert_int_equal(dt_print(analysis, "jsonl", 0, &json, &size), DT_RESULT_OK);
	assert_int_equal(dt_read_record(analyzer, json, size, &again), DT_RESULT_OK);
	assert_int_equal(dt_print(again, "jsonl", 0, &judged, NULL), DT_RESULT_OK);
	assert_string_equal(json, judged);
	dt_free(judged);
	assert_int_equal(dt_match(analyzer, again), DT_RESULT_OK);
	assert_csagent(again, "memory");
	assert_int_equal(dt_read_record(analyzer, json, size / 2, &again), DT_RESULT_INVALID);
	assert_null(again);
	assert_int_equal(dt_read_record(analyzer, "{\"schema\":\"other/1\"}", 20, &again), DT_RESULT_INVALID);
	assert_non_null(strstr(dt_message(analyzer), "schema"));
	dt_free(json);
	dt_analysis_free(analysis);
}

static void an_analysis_outlives_its_analyzer(void **state)
{
	struct dt_analyzer *short_lived;
	struct dt_analysis *analysis;

	(void)state;
	assert_int_equal(dt_open(&short_lived), DT_RESULT_OK);
	assert_int_equal(dt_analyse_memory(short_lived, dump.data, dump.len, NULL, &analysis), DT_RESULT_OK);
	dt_close(short_lived);
	assert_csagent(analysis, "memory");
}

static void *in_a_thread(void *unused)
{
	struct dt_analyzer *own;
	struct dt_analysis *analysis;
	size_t right = 0;

	(void)unused;
	if (dt_open(&own) != DT_RESULT_OK)
		return NULL;
	for (int i = 0; i < 20; i++) {
		if (dt_analyse_path(own, dump_path, &analysis) != DT_RESULT_OK)
			break;
		right += !strcmp(dt_verdict(analysis), "known-incident");
		dt_analysis_free(analysis);
	}
	dt_close(own);
	return (void *)right;
}

static void each_thread_its_analyzer(void **state)
{
	pthread_t threads[4];
	void *right;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, in_a_thread, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &right), 0);
		assert_int_equal((size_t)right, 20);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_three_ways_in),
		cmocka_unit_test(what_cannot_be_read_has_a_record),
		cmocka_unit_test(wrong_arguments),
		cmocka_unit_test(host_and_hash),
		cmocka_unit_test(other_signatures_and_back),
		cmocka_unit_test(symbols),
		cmocka_unit_test(record_read_and_matched),
		cmocka_unit_test(an_analysis_outlives_its_analyzer),
		cmocka_unit_test(each_thread_its_analyzer),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
