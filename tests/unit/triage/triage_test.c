/* Inputs that are no dumps, files, hashes, hosts; and that one dump leaves nothing for the next. */
#include "unit/triage/recipe_facts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/dumptriage-test-XXXXXX";
static struct dt_triage_options options;

static const struct dt_facts *facts_of_path(const char *path)
{
	return dt_triage_path(test_triage, path, &options);
}

static void path_in(char *out, size_t size, const char *name)
{
	snprintf(out, size, "%s/%s", folder, name);
}

static void write_sample(const char *path)
{
	FILE *out = fopen(path, "wbe");

	assert_non_null(out);
	assert_int_equal(fwrite(test_sample.data, 1, test_sample.len, out), test_sample.len);
	fclose(out);
}

static void missing_file_directory_and_pipe(void **state)
{
	char path[256];

	(void)state;
	path_in(path, sizeof(path), "missing");
	assert_int_equal(facts_of_path(path)->failure->kind, DT_FAILURE_IO);
	assert_int_equal(facts_of_path(folder)->failure->kind, DT_FAILURE_UNSUPPORTED);
	path_in(path, sizeof(path), "pipe");
	assert_int_equal(mkfifo(path, 0600), 0);
	const struct dt_facts *facts = facts_of_path(path);
	assert_int_equal(facts->failure->kind, DT_FAILURE_UNSUPPORTED);
	assert_non_null(strstr(facts->failure->text, "pipe"));
	assert_string_equal(facts->file.name, "pipe");
	unlink(path);
}

static void big(uint8_t *at, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> 8 * (7 - i));
}

static void little(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* A flattened capture whose bitmap of 52 MiB is to be put together from two records: there is no room, and that is what is said. */
static void facts_that_need_too_much_room(void **state)
{
	enum { HALF = 52 << 20, FILE_SIZE = 60 << 20, FIRST = 0x1000, SECOND = FIRST + 16 + 0x2000 };
	uint8_t *file = calloc(1, FILE_SIZE);
	struct dt_error err;

	(void)state;
	assert_non_null(file);
	memcpy(file, "makedumpfile", 12);
	file[23] = file[31] = 1;
	big(file + FIRST + 8, 0x2000);
	memcpy(file + FIRST + 16, "KDUMP   ", 8);
	little(file + FIRST + 16 + 428, 4096);
	little(file + FIRST + 16 + 432, 1);
	little(file + FIRST + 16 + 436, 2 * HALF / 4096);
	big(file + SECOND, 0x2000 + UINT64_C(2) * HALF);
	big(file + SECOND + 8, 1);
	memset(file + SECOND + 17, 0xff, 16);
	if (!test_triage)
		assert_int_equal(dt_triage_create(&test_triage, &err), DT_OK);
	const struct dt_facts *facts = dt_triage_bytes(test_triage, (struct dt_bytes){ file, FILE_SIZE }, "big.dmp", &options);
	assert_int_equal(facts->failure->kind, DT_FAILURE_LIMIT);
	assert_string_equal(facts->failure->text, "the facts of this dump need more than 48 MiB");
	free(file);
}

static void file_has_size_time_and_hash(void **state)
{
	char path[256];

	(void)state;
	path_in(path, sizeof(path), "sample.dmp");
	write_sample(path);
	options.hash = true;
	const struct dt_facts *facts = facts_of_path(path);
	assert_null(facts->failure);
	assert_hex(facts->file.size, test_sample.len);
	assert_true(facts->file.mtime > 0);
	assert_int_equal(strlen(facts->file.sha256), 64);
	options.hash = false;
	assert_null(facts_of_path(path)->file.sha256);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	facts = dt_triage_fd(test_triage, fd, "other name", &options);
	assert_string_equal(facts->file.path, "other name");
	assert_non_null(facts->bugcheck);
	close(fd);
	unlink(path);
}

static void host_is_folded(void **state)
{
	(void)state;
	options.host = "PC-1.Example.org";
	const struct dt_facts *facts = dt_triage_bytes(test_triage, (struct dt_bytes){ test_sample.data, test_sample.len }, "a", &options);
	assert_string_equal(facts->host.name, "pc-1");
	assert_int_equal(facts->host.source, DT_HOST_GIVEN);
	options.host = NULL;
	facts = dt_triage_bytes(test_triage, (struct dt_bytes){ test_sample.data, test_sample.len }, "a", &options);
	assert_null(facts->host.name);
}

static void raw_path_where_it_is_not_utf8(void **state)
{
	(void)state;
	const struct dt_facts *facts = facts_of_path("/caf\xe9/x");
	assert_string_equal(facts->file.path_raw, "L2NhZukveA==");
	assert_null(facts_of_path("/caf\xc3\xa9/x")->file.path_raw);
}

static void nothing_is_left_of_the_dump_before(void **state)
{
	struct dt_bytes bytes = { test_sample.data, test_sample.len };

	(void)state;
	assert_true(dt_triage_bytes(test_triage, bytes, "a", &options)->modules_count > 0);
	const struct dt_facts *facts = dt_triage_bytes(test_triage, (struct dt_bytes){ NULL, 0 }, "b", &options);
	assert_int_equal(facts->failure->kind, DT_FAILURE_NOT_A_DUMP);
	assert_int_equal(facts->modules_count, 0);
	assert_null(facts->bugcheck);
	assert_null(facts->crash_id);
	assert_int_equal(facts->dump.format, DT_format_NULL);
}

static int setup(void **state)
{
	(void)state;
	(void)facts_of(KERNEL_DUMP "bugcheck 0xd1 0x8 0x2 0x0 0xfffff80010001000\n");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	rmdir(folder);
	return free_facts(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(missing_file_directory_and_pipe),
		cmocka_unit_test(facts_that_need_too_much_room), cmocka_unit_test(file_has_size_time_and_hash),
		cmocka_unit_test(host_is_folded),
		cmocka_unit_test(raw_path_where_it_is_not_utf8),
		cmocka_unit_test(nothing_is_left_of_the_dump_before),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
