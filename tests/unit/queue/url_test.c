#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fleet/queue/queue.h"

static void urls(void **state)
{
	struct dt_queue_url url;
	(void)state;

	assert_int_equal(dt_queue_url_parse("amqp://broker", &url, NULL), DT_OK);
	assert_string_equal(url.host, "broker");
	assert_string_equal(url.user, "guest");
	assert_string_equal(url.vhost, "/");
	assert_string_equal(url.name, "dumptriage");
	assert_int_equal(url.port, 5672);
	assert_int_equal(dt_queue_url_parse("amqp://u:p%40ss@h.example:5673/my%2Fhost?queue=crash.in", &url, NULL), DT_OK);
	assert_string_equal(url.user, "u");
	assert_string_equal(url.password, "p@ss");
	assert_string_equal(url.host, "h.example");
	assert_int_equal(url.port, 5673);
	assert_string_equal(url.vhost, "my/host");
	assert_string_equal(url.name, "crash.in");
}

static void what_is_no_url(void **state)
{
	static const char *const bad[] = { "", "http://h", "amqp://", "amqp://h:0/", "amqp://h:99999/", "amqp://h:x/", "amqp://@h", "amqp://h?queue=",
		                           "amqp://h?queue=a b", "amqp://h?name=a", "amqp://h?queue=a&x=1", "amqp://u:secret@", "amqp://h/%00" };
	struct dt_queue_url url;
	struct dt_error err;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (dt_queue_url_parse(bad[i], &url, &err) != DT_ERR_USAGE)
			fail_msg("'%s' was taken", bad[i]);
		assert_null(strstr(err.text, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(urls), cmocka_unit_test(what_is_no_url) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
