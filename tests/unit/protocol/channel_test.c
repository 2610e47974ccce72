/* Messages cross whole, with their descriptor; what does not keep to the protocol is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/protocol/protocol.h"

static struct dt_channel left, right;
static struct dt_error err;

static int setup(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return -1;
	dt_channel_init(&left, pair[0]);
	dt_channel_init(&right, pair[1]);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_channel_deinit(&left);
	dt_channel_deinit(&right);
	close(left.socket);
	if (right.socket >= 0)
		close(right.socket);
	return 0;
}

static struct dt_message message_of(enum dt_message_type type, const char *body, int fd)
{
	return (struct dt_message){ .type = type, .job = 77, .body = { (const uint8_t *)body, strlen(body) }, .fd = fd };
}

static void messages_come_whole_and_in_order(void **state)
{
	struct dt_message in, out;

	(void)state;
	for (int i = 0; i < 3; i++) {
		out = message_of(DT_MESSAGE_RECORD, i == 1 ? "" : "some bytes", -1);
		assert_int_equal(dt_channel_send(&left, &out, &err), DT_OK);
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dt_channel_receive(&right, &in, &err), DT_OK);
		assert_int_equal(in.type, DT_MESSAGE_RECORD);
		assert_int_equal(in.job, 77);
		assert_int_equal(in.body.len, i == 1 ? 0 : 10);
	}
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_ERR_NOT_FOUND);
}

static void a_descriptor_crosses_with_its_job(void **state)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct dt_message in, out = message_of(DT_MESSAGE_JOB, "job", fd);

	(void)state;
	assert_int_equal(dt_channel_send(&left, &out, &err), DT_OK);
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_OK);
	assert_true(in.fd >= 0 && in.fd != fd);
	assert_true(fcntl(in.fd, F_GETFD) & FD_CLOEXEC);
	close(in.fd);
	close(fd);
}

static void part_of_a_message_is_none(void **state)
{
	static const uint8_t part[] = { 4, 0, 0, 0, DT_MESSAGE_DONE, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 'a' };
	struct dt_message in;

	(void)state;
	assert_int_equal(write(left.socket, part, sizeof(part)), sizeof(part));
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_ERR_NOT_FOUND);
	assert_int_equal(write(left.socket, "bcd", 3), 3);
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_OK);
	assert_memory_equal(in.body.data, "abcd", 4);
}

static void lies_about_length_and_type_are_refused(void **state)
{
	static const uint8_t huge[] = { 0xff, 0xff, 0xff, 0x7f }, unknown[] = { 0, 0, 0, 0, 99, 0, 0, 0 }, zero[] = { 0, 0, 0, 0, 0, 0, 0, 0 };
	struct dt_message in;

	(void)state;
	assert_int_equal(write(left.socket, huge, sizeof(huge)), sizeof(huge));
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_ERR_LIMIT);
	teardown(NULL);
	assert_int_equal(setup(NULL), 0);
	assert_int_equal(write(left.socket, unknown, sizeof(unknown)), sizeof(unknown));
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_ERR_FORMAT);
	teardown(NULL);
	assert_int_equal(setup(NULL), 0);
	assert_int_equal(write(left.socket, zero, sizeof(zero)), sizeof(zero));
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_ERR_FORMAT);
}

static void a_closed_end_is_told(void **state)
{
	struct dt_message in, out = message_of(DT_MESSAGE_DONE, "", -1);

	(void)state;
	close(right.socket);
	right.socket = -1;
	assert_int_equal(dt_channel_receive(&left, &in, &err), DT_ERR_TRUNCATED);
	assert_int_equal(dt_channel_send(&left, &out, &err), DT_ERR_IO);
}

static void a_message_over_the_limit_is_not_sent(void **state)
{
	struct dt_message out = { .type = DT_MESSAGE_RECORD, .body = { (const uint8_t *)"", DT_MESSAGE_MAX + 1 }, .fd = -1 };

	(void)state;
	assert_int_equal(dt_channel_send(&left, &out, &err), DT_ERR_LIMIT);
}

static void bodies_are_read_back_and_checked(void **state)
{
	struct dt_hello hello = { 1, DT_HELLO_SANDBOX, UINT64_C(1) << 40, 30 }, hello_again;
	struct dt_ready ready = { 1, 7 }, ready_again;
	struct dt_job job = { DT_JOB_HASH, 0, "/a/b" }, job_again;
	struct dt_buf buf;

	(void)state;
	dt_buf_init(&buf, 1024);
	dt_hello_write(&hello, &buf);
	assert_true(dt_hello_read(dt_buf_bytes(&buf), &hello_again));
	assert_int_equal(hello_again.memory_limit, hello.memory_limit);
	assert_int_equal(hello_again.cpu_seconds, 30);
	dt_buf_reset(&buf);
	dt_ready_write(&ready, &buf);
	assert_true(dt_ready_read(dt_buf_bytes(&buf), &ready_again));
	assert_int_equal(ready_again.mechanisms, 7);
	assert_false(dt_hello_read(dt_buf_bytes(&buf), &hello_again));
	dt_buf_reset(&buf);
	dt_job_write(&job, &buf);
	assert_true(dt_job_read(dt_buf_bytes(&buf), &job_again));
	assert_string_equal(job_again.path, "/a/b");
	/* without its NUL, and with one in the middle */
	assert_false(dt_job_read((struct dt_bytes){ (const uint8_t *)buf.data, buf.len - 1 }, &job_again));
	buf.data[9] = '\0';
	assert_false(dt_job_read(dt_buf_bytes(&buf), &job_again));
	uint32_t index = 0;
	const char *name;
	dt_buf_reset(&buf);
	dt_member_message_write(7, "x/y.dmp", &buf);
	assert_true(dt_member_message_read(dt_buf_bytes(&buf), &index, &name));
	assert_int_equal(index, 7);
	assert_string_equal(name, "x/y.dmp");
	buf.data[5] = '\n'; /* not clean */
	assert_false(dt_member_message_read(dt_buf_bytes(&buf), &index, &name));
	dt_buf_reset(&buf);
	dt_member_message_write(DT_MAX_MEMBERS, "a", &buf);
	assert_false(dt_member_message_read(dt_buf_bytes(&buf), &index, &name));
	dt_buf_deinit(&buf);
}

static void questions_are_read_back_and_checked(void **state)
{
	struct dt_ask ask = { 1, 0x66aabbcc, 0x6000, 2, "driver.sys", "0123" }, again;
	char longest[DT_MAX_ASK_TEXT + 2];
	struct dt_buf buf;

	(void)state;
	dt_buf_init(&buf, 4096);
	dt_ask_write(&ask, &buf);
	assert_true(dt_ask_read(dt_buf_bytes(&buf), &again));
	assert_int_equal(again.timestamp, 0x66aabbcc);
	assert_int_equal(again.size, 0x6000);
	assert_int_equal(again.attempt, 2);
	assert_string_equal(again.name, "driver.sys");
	assert_string_equal(again.debug_id, "0123");
	for (size_t cut = 1; cut < buf.len; cut++)
		assert_false(dt_ask_read((struct dt_bytes){ (const uint8_t *)buf.data, buf.len - cut }, &again));
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	ask.name = longest;
	dt_buf_reset(&buf);
	dt_ask_write(&ask, &buf);
	assert_false(dt_ask_read(dt_buf_bytes(&buf), &again));
	dt_buf_deinit(&buf);
}

/* A descriptor that comes with an answer belongs to it; one that is not there is -1. */
static void an_answer_may_bring_a_file(void **state)
{
	struct dt_message in, out = message_of(DT_MESSAGE_ANSWER, "", open("/dev/null", O_RDONLY | O_CLOEXEC));

	(void)state;
	assert_int_equal(dt_channel_send(&left, &out, &err), DT_OK);
	close(out.fd);
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_OK);
	assert_true(in.fd >= 0);
	close(in.fd);
	out.fd = -1;
	assert_int_equal(dt_channel_send(&left, &out, &err), DT_OK);
	assert_int_equal(dt_channel_receive(&right, &in, &err), DT_OK);
	assert_int_equal(in.fd, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_come_whole_and_in_order, setup, teardown),
		cmocka_unit_test_setup_teardown(a_descriptor_crosses_with_its_job, setup, teardown),
		cmocka_unit_test_setup_teardown(part_of_a_message_is_none, setup, teardown),
		cmocka_unit_test_setup_teardown(lies_about_length_and_type_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_closed_end_is_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_message_over_the_limit_is_not_sent, setup, teardown),
		cmocka_unit_test(questions_are_read_back_and_checked),
		cmocka_unit_test_setup_teardown(an_answer_may_bring_a_file, setup, teardown),
		cmocka_unit_test(bodies_are_read_back_and_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
