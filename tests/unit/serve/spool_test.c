/* The spool: names of its own, nothing readable by others, nothing lost and nothing left. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "doors/serve/spool.h"

#define ID "00112233445566778899aabbccddeeff"
#define SHA "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char folder[] = "/tmp/dumptriage-spool-XXXXXX";
static char path[200];

static struct dt_spool *open_spool(void)
{
	struct dt_spool *spool = NULL;
	struct dt_error err = { 0 };

	if (dt_spool_open(&spool, path, 0, &err) != DT_OK)
		fail_msg("%s", err.text);
	return spool;
}

static bool there(const char *name)
{
	char full[300];
	struct stat info;

	snprintf(full, sizeof(full), "%s/%s", path, name);
	return stat(full, &info) == 0;
}

static void receive(struct dt_spool *spool, unsigned number, const char *text)
{
	int fd;

	assert_int_equal(dt_spool_receive(spool, ID, number, &fd, NULL), DT_OK);
	assert_int_equal(dt_spool_write(fd, (struct dt_bytes){ (const uint8_t *)text, strlen(text) }, NULL), DT_OK);
	close(fd);
}

static void count(void *context, const char *id, struct dt_bytes description)
{
	assert_string_equal(id, ID);
	assert_int_equal(description.len, 2);
	++*(unsigned *)context;
}

static void an_upload_passes_through(void **state)
{
	struct dt_spool *spool = open_spool();
	unsigned found = 0;
	char text[8] = "";
	uint64_t size;
	struct stat info;
	int fd;
	(void)state;

	receive(spool, 0, "one");
	receive(spool, 1, "two");
	assert_int_equal(dt_spool_queue(spool, ID, 0, NULL), DT_OK);
	assert_int_equal(dt_spool_queue(spool, ID, 1, NULL), DT_OK);
	assert_int_equal(dt_spool_each(spool, count, &found, NULL), DT_OK);
	assert_int_equal(found, 0); /* not accepted yet */
	assert_int_equal(dt_spool_accept(spool, ID, (struct dt_bytes){ (const uint8_t *)"{}", 2 }, NULL), DT_OK);
	assert_int_equal(dt_spool_each(spool, count, &found, NULL), DT_OK);
	assert_int_equal(found, 1);
	assert_int_equal(dt_spool_read(spool, ID, 1, &fd, NULL), DT_OK);
	assert_int_equal(read(fd, text, 8), 3);
	assert_int_equal(fstat(fd, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	close(fd);
	dt_spool_keep(spool, ID, 1, SHA);
	dt_spool_forget(spool, ID, 2);
	assert_int_equal(dt_spool_each(spool, count, &found, NULL), DT_OK);
	assert_int_equal(found, 1);
	assert_false(there("queued/" ID "-0"));
	assert_int_equal(dt_spool_kept(spool, SHA, &fd, &size, NULL), DT_OK);
	assert_int_equal(size, 3);
	close(fd);
	assert_int_equal(dt_spool_expire(spool, 3600), 0);
	assert_int_equal(dt_spool_expire(spool, 0), 1);
	assert_int_equal(dt_spool_kept(spool, SHA, &fd, &size, NULL), DT_ERR_NOT_FOUND);
	dt_spool_close(spool);
}

static void what_was_cut_off_is_gone_at_the_next_start(void **state)
{
	struct dt_spool *spool = open_spool();
	(void)state;

	receive(spool, 0, "half");
	assert_true(there("incoming/" ID "-0"));
	dt_spool_close(spool);
	spool = open_spool();
	assert_false(there("incoming/" ID "-0"));
	dt_spool_close(spool);
}

static void names_from_outside_lead_nowhere(void **state)
{
	static const char *const ids[] = { "../../../../etc/passwd", "", "zz112233445566778899aabbccddeeff", "00112233445566778899aabbccddeef/", ID "0" };
	struct dt_spool *spool = open_spool();
	uint64_t size;
	int fd;
	(void)state;

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_int_not_equal(dt_spool_receive(spool, ids[i], 0, &fd, NULL), DT_OK);
		assert_int_not_equal(dt_spool_read(spool, ids[i], 0, &fd, NULL), DT_OK);
		assert_int_not_equal(dt_spool_accept(spool, ids[i], (struct dt_bytes){ (const uint8_t *)"{}", 2 }, NULL), DT_OK);
		assert_int_equal(dt_spool_kept(spool, ids[i], &fd, &size, NULL), DT_ERR_NOT_FOUND);
		dt_spool_forget(spool, ids[i], 1);
	}
	dt_spool_close(spool);
}

static void one_server_and_no_strangers(void **state)
{
	struct dt_spool *spool = open_spool(), *second = NULL;
	struct dt_error err;
	(void)state;

	assert_int_equal(dt_spool_open(&second, path, 0, &err), DT_ERR_IO);
	assert_non_null(strstr(err.text, "another server"));
	dt_spool_close(spool);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(dt_spool_open(&second, path, 0, &err), DT_ERR_IO);
	assert_non_null(strstr(err.text, "read by others"));
	assert_int_equal(chmod(path, 0700), 0);
	assert_int_not_equal(dt_spool_open(&second, "/proc/no/such", 0, &err), DT_OK);
}

static void a_full_disk_is_said(void **state)
{
	struct dt_spool *spool = NULL;
	struct dt_error err;
	int fd;
	(void)state;

	/* more is to stay free than any disk has */
	assert_int_equal(dt_spool_open(&spool, path, UINT64_MAX, &err), DT_OK);
	assert_int_equal(dt_spool_receive(spool, ID, 0, &fd, &err), DT_ERR_LIMIT);
	dt_spool_close(spool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upload_passes_through), cmocka_unit_test(what_was_cut_off_is_gone_at_the_next_start),
		cmocka_unit_test(names_from_outside_lead_nowhere), cmocka_unit_test(one_server_and_no_strangers), cmocka_unit_test(a_full_disk_is_said),
	};

	if (!mkdtemp(folder))
		return 2;
	snprintf(path, sizeof(path), "%s/spool", folder);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
