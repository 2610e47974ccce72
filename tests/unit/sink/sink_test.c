/* Which receivers there are, and what is refused before anything is sent. What they do with receivers is in tests/e2e/check_feed.py. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fleet/sink/sink.h"

static void refused(const char *url, const char *secret, const char *why)
{
	const struct dt_sink_options options = { .url = url, .secret = secret, .timeout_s = 1 };
	struct dt_error err = { 0 };
	struct dt_sink *sink;

	assert_int_equal(dt_sink_open(&sink, &options, &err), DT_ERR_USAGE);
	assert_null(sink);
	if (!strstr(err.text, why))
		fail_msg("'%s' is not in '%s'", why, err.text);
}

static void wrong_receivers_are_refused(void **state)
{
	(void)state;
	refused("ftp://host/", NULL, "a receiver is");
	refused("file", NULL, "a receiver is");
	refused("-x", NULL, "a receiver is");
	refused("file:", NULL, "a path");
	refused("https://user:secret@host/", NULL, "does not belong into a URL");
	refused("syslog+tls://user@host:1", NULL, "does not belong into a URL");
	refused("splunk+https://host/", NULL, "token");
	refused("splunk+https://host/", "a\nb", "more than one line");
	refused("syslog+tcp://", NULL, "HOST:PORT");
	refused("syslog+tcp://host:", NULL, "HOST:PORT");
	refused("syslog+tcp://host:123456", NULL, "HOST:PORT");
	refused("syslog+udp://host:12x", NULL, "HOST:PORT");
	refused("syslog+udp://[::1:5", NULL, "HOST:PORT");
	refused("syslog+tcp://host:5/path", NULL, "HOST:PORT");
}

static void right_ones_are_opened_though_they_are_away(void **state)
{
	static const char *const urls[] = { "-", "file:/nonexistent/x", "https://host", "http://host:9200/prefix/", "splunk+http://host:8088/", "syslog+tls://host",
		                            "syslog+tcp://[::1]:514", "syslog+udp://127.0.0.1:514/", "webhook+https://host/a@b" };

	(void)state;
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const struct dt_sink_options options = { .url = urls[i], .secret = "s", .timeout_s = 1 };
		struct dt_sink *sink;
		struct dt_error err;
		if (dt_sink_open(&sink, &options, &err) != DT_OK)
			fail_msg("%s: %s", urls[i], err.text);
		dt_sink_close(sink);
	}
}

static void half_a_line_is_cut_and_lines_are_added(void **state)
{
	char path[] = "/tmp/dumptriage-sink-XXXXXX", url[64], text[64] = "";
	int fd = mkstemp(path);
	struct dt_sink_event events[2] = { { .body = { (const uint8_t *)"one", 3 } }, { .body = { (const uint8_t *)"two", 3 } } };
	struct dt_sink_report report;
	struct dt_sink *sink;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "whole\nhalf", 10), 10);
	snprintf(url, sizeof(url), "file:%s", path);
	assert_int_equal(dt_sink_open(&sink, &(struct dt_sink_options){ .url = url }, NULL), DT_OK);
	dt_sink_send(sink, events, 2, &report);
	assert_int_equal(events[0].result, DT_SINK_ACCEPTED);
	assert_int_equal(events[1].result, DT_SINK_ACCEPTED);
	dt_sink_reopen(sink);
	dt_sink_send(sink, events, 1, &report);
	dt_sink_close(sink);
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	assert_string_equal(text, "whole\none\ntwo\none\n");
	close(fd);
	unlink(path);
}

static void what_cannot_be_written_is_to_be_tried_again(void **state)
{
	struct dt_sink_event event = { .body = { (const uint8_t *)"one", 3 } };
	struct dt_sink_report report;
	struct dt_sink *sink;

	(void)state;
	assert_int_equal(dt_sink_open(&sink, &(struct dt_sink_options){ .url = "file:/nonexistent/x" }, NULL), DT_OK);
	dt_sink_send(sink, &event, 1, &report);
	assert_int_equal(event.result, DT_SINK_RETRY);
	assert_non_null(strstr(report.problem, "/nonexistent/x"));
	dt_sink_close(sink);
	assert_int_equal(dt_sink_open(&sink, &(struct dt_sink_options){ .url = "http://127.0.0.1:1/", .timeout_s = 1 }, NULL), DT_OK);
	event.id = "x";
	dt_sink_send(sink, &event, 1, &report);
	assert_int_equal(event.result, DT_SINK_RETRY);
	assert_true(report.problem[0] != '\0');
	dt_sink_close(sink);
}

/* ---- a name with two addresses: nobody listens at the first ---------------------- */

static struct sockaddr_in places[2];
static struct addrinfo addresses[2];

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out)
{
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

	if (strcmp(host, "two.example") != 0) {
		*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
		return real(host, port, hints, out);
	}
	for (int i = 0; i < 2; i++)
		addresses[i] = (struct addrinfo){ .ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_addr = (struct sockaddr *)&places[i], .ai_addrlen = sizeof(places[i]), .ai_next = i ? NULL : &addresses[1] };
	*out = addresses;
	return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
	void (*real)(struct addrinfo *);

	if (list == addresses)
		return;
	*(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
	real(list);
}

static int bound(struct sockaddr_in *place)
{
	socklen_t len = sizeof(*place);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*place = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)place, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)place, &len), 0);
	return fd;
}

/* Reads one connection to its end. */
static void *receiver(void *listener)
{
	char byte[256];
	int fd = accept(*(int *)listener, NULL, NULL);

	while (fd >= 0 && read(fd, byte, sizeof(byte)) > 0)
		;
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void an_address_that_refuses_is_no_problem_where_another_takes_it(void **state)
{
	int away = bound(&places[0]), here = bound(&places[1]);
	struct dt_sink_event event = { .body = { (const uint8_t *)"one", 3 } };
	struct dt_sink_report report;
	struct dt_sink *sink;
	pthread_t thread;

	(void)state;
	assert_int_equal(dt_sink_open(&sink, &(struct dt_sink_options){ .url = "syslog+tcp://two.example:514", .timeout_s = 60 }, NULL), DT_OK);
	dt_sink_send(sink, &event, 1, &report);
	assert_int_equal(event.result, DT_SINK_RETRY);
	assert_non_null(strstr(report.problem, "refused"));
	assert_int_equal(listen(here, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, receiver, &here), 0);
	dt_sink_send(sink, &event, 1, &report);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(event.result, DT_SINK_ACCEPTED);
	assert_string_equal(report.problem, "");
	dt_sink_close(sink);
	close(away);
	close(here);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_receivers_are_refused),
		cmocka_unit_test(right_ones_are_opened_though_they_are_away),
		cmocka_unit_test(half_a_line_is_cut_and_lines_are_added),
		cmocka_unit_test(what_cannot_be_written_is_to_be_tried_again),
		cmocka_unit_test(an_address_that_refuses_is_no_problem_where_another_takes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
