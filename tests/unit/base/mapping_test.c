#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/base/mapping.h"
#include "core/base/time.h"

static char folder[] = "/tmp/dt-mapping-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[64];
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static const char *file_of(const char *name, size_t size)
{
	FILE *f = fopen(path_of(name), "wb");
	assert_non_null(f);
	for (size_t i = 0; i < size; i++)
		assert_int_not_equal(fputc((int)(i % 251 + 1), f), EOF);
	assert_int_equal(fclose(f), 0);
	return path_of(name);
}

static void maps_a_file(void **state)
{
	struct dt_mapping map;
	struct dt_error err;
	(void)state;
	assert_int_equal(dt_mapping_open(&map, file_of("file", 10000), &err), DT_OK);
	assert_int_equal(map.size, 10000);
	assert_int_equal(map.bytes.len, 10000);
	for (size_t i = 0; i < map.bytes.len; i++)
		assert_int_equal(map.bytes.data[i], i % 251 + 1);
	assert_true(map.mtime <= dt_time_now() && map.mtime > dt_time_now() - 600 * DT_TIME_SECOND);
	assert_false(map.shrunk);
	dt_mapping_close(&map);
	assert_int_equal(map.bytes.len, 0);
	dt_mapping_close(&map);
}

static void maps_an_empty_file(void **state)
{
	struct dt_mapping map;
	(void)state;
	assert_int_equal(dt_mapping_open(&map, file_of("empty", 0), NULL), DT_OK);
	assert_int_equal(map.bytes.len, 0);
	dt_mapping_close(&map);
}

static void expect_refused(const char *path, enum dt_status status, const char *word)
{
	struct dt_mapping map;
	struct dt_error err;
	assert_int_equal(dt_mapping_open(&map, path, &err), status);
	assert_int_equal(err.status, status);
	assert_non_null(strstr(err.text, word));
	assert_int_equal(map.bytes.len, 0);
	dt_mapping_close(&map);
}

/* None of these may wait for a writer. */
static void refuses_what_is_no_file(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	(void)state;
	expect_refused(folder, DT_ERR_UNSUPPORTED, "a directory");
	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	expect_refused(path_of("fifo"), DT_ERR_UNSUPPORTED, "a pipe");
	expect_refused("/dev/null", DT_ERR_UNSUPPORTED, "a character device");
	(void)snprintf(addr.sun_path, sizeof addr.sun_path, "%s", path_of("sock"));
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof addr), 0);
	expect_refused(path_of("sock"), DT_ERR_UNSUPPORTED, "a socket");
	assert_int_equal(close(sock), 0);
	expect_refused(path_of("absent"), DT_ERR_IO, "No such file");
}

static void refuses_a_descriptor_that_is_no_file(void **state)
{
	struct dt_mapping map;
	struct dt_error err;
	int fds[2];
	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dt_mapping_open_fd(&map, fds[0], &err), DT_ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "a pipe"));
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_int_equal(dt_mapping_open_fd(&map, fds[0], &err), DT_ERR_IO);
	int fd = open(file_of("by-fd", 5000), O_RDONLY);
	assert_int_equal(dt_mapping_open_fd(&map, fd, &err), DT_OK);
	assert_int_equal(close(fd), 0);
	assert_int_equal(map.bytes.data[4999], 4999 % 251 + 1);
	dt_mapping_close(&map);
}

static void refuses_one_too_many(void **state)
{
	struct dt_mapping maps[DT_MAX_MAPPINGS + 1];
	struct dt_error err;
	const char *path = file_of("many", 100);
	(void)state;
	for (size_t i = 0; i < DT_MAX_MAPPINGS; i++)
		assert_int_equal(dt_mapping_open(&maps[i], path, &err), DT_OK);
	assert_int_equal(dt_mapping_open(&maps[DT_MAX_MAPPINGS], path, &err), DT_ERR_LIMIT);
	dt_mapping_close(&maps[3]);
	assert_int_equal(dt_mapping_open(&maps[DT_MAX_MAPPINGS], path, &err), DT_OK);
	for (size_t i = 0; i < DT_MAX_MAPPINGS + 1; i++)
		dt_mapping_close(&maps[i]);
}

static void reads_zeros_where_a_file_shrank(void **state)
{
	struct dt_mapping map, other;
	unsigned sum = 0;
	(void)state;
	dt_mapping_guard(); /* here: the test library puts its own handler in place before each test */
	dt_mapping_guard();
	assert_int_equal(dt_mapping_open(&other, file_of("other", 20000), NULL), DT_OK);
	const char *path = file_of("shrinks", 100000);
	assert_int_equal(dt_mapping_open(&map, path, NULL), DT_OK);
	assert_int_equal(map.bytes.data[0], 1);
	assert_int_equal(truncate(path, 8192), 0);
	for (size_t i = 8192; i < map.bytes.len; i++)
		sum |= map.bytes.data[i];
	assert_int_equal(sum, 0);
	assert_true(map.shrunk);
	assert_int_equal(map.bytes.data[8191], 8191 % 251 + 1);
	assert_false(other.shrunk);
	assert_int_equal(other.bytes.data[19999], 19999 % 251 + 1);
	/* Once more, deeper: the pages in front of the replaced ones. */
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(map.bytes.data[5000], 0);
	dt_mapping_close(&map);
	dt_mapping_close(&other);
}

static sigjmp_buf back;

static void jump(int sig)
{
	(void)sig;
	siglongjmp(back, 1);
}

static int child_status(void (*child)(void))
{
	int status = 0;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		child();
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* A mapping that is not one of ours, past the end of its file. */
static const volatile uint8_t *foreign_page(void)
{
	int fd = open(path_of("foreign"), O_RDWR | O_CREAT, 0600);
	void *at = ftruncate(fd, 4096) ? MAP_FAILED : mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		_exit(3);
	return (const volatile uint8_t *)at + 4096;
}

static void touch_with_default_action(void)
{
	(void)signal(SIGBUS, SIG_DFL);
	dt_mapping_guard();
	(void)*foreign_page();
}

static void touch_with_handler(void)
{
	(void)signal(SIGBUS, jump);
	dt_mapping_guard();
	if (sigsetjmp(back, 1) == 0)
		(void)*foreign_page();
	else
		_exit(42);
}

static void send_with_default_action(void)
{
	(void)signal(SIGBUS, SIG_DFL);
	dt_mapping_guard();
	(void)kill(getpid(), SIGBUS);
	(void)usleep(1000);
}

/* These run before the guard of this process is installed. */
static void leaves_other_faults_to_others(void **state)
{
	(void)state;
	int status = child_status(touch_with_default_action);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
	status = child_status(touch_with_handler);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	status = child_status(send_with_default_action);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = { "file", "empty",   "fifo",  "sock",   "by-fd",
		                             "many", "shrinks", "other", "foreign" };
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		(void)unlink(path_of(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_a_file),
		cmocka_unit_test(maps_an_empty_file),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(refuses_a_descriptor_that_is_no_file),
		cmocka_unit_test(refuses_one_too_many),
		cmocka_unit_test(leaves_other_faults_to_others),
		cmocka_unit_test(reads_zeros_where_a_file_shrank),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
