#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "fleet/metrics/metrics.h"

static void text_format(void **state)
{
	struct dt_buf out;
	(void)state;

	dt_buf_init(&out, 1u << 20);
	dt_metric_set(DT_METRIC_INPUTS, 42);
	dt_metric_set(DT_METRIC_LOST_DEADLINE, 7);
	dt_metrics_write(&out);
	assert_non_null(strstr(dt_buf_text(&out), "# TYPE dumptriage_inputs_total counter\ndumptriage_inputs_total 42\n"));
	assert_non_null(strstr(dt_buf_text(&out), "dumptriage_workers_lost_total{reason=\"deadline\"} 7\n"));
	/* help and type stand once for all rows of a name */
	const char *first = strstr(dt_buf_text(&out), "# HELP dumptriage_workers_lost_total");
	assert_non_null(first);
	assert_null(strstr(first + 1, "# HELP dumptriage_workers_lost_total"));
	if (system("command -v promtool >/dev/null 2>&1") == 0) {
		FILE *check = popen("promtool check metrics", "w");
		fputs(dt_buf_text(&out), check);
		assert_int_equal(pclose(check), 0);
	}
	dt_buf_deinit(&out);
}

static void a_file(void **state)
{
	char path[] = "/tmp/dumptriage-metrics-XXXXXX", name[64], line[4096] = "";
	struct dt_metrics_out *out = NULL;
	(void)state;

	close(mkstemp(path));
	snprintf(name, sizeof(name), "%s.prom", path);
	assert_int_equal(dt_metrics_open(&out, name, NULL), DT_OK);
	dt_metric_set(DT_METRIC_KNOWN, 99);
	dt_metrics_tick(out, true);
	FILE *file = fopen(name, "r");
	assert_non_null(file);
	size_t n = fread(line, 1, sizeof(line) - 1, file);
	line[n] = '\0';
	fclose(file);
	assert_non_null(strstr(line, "dumptriage_known_incidents_total 99\n"));
	dt_metrics_close(out);
	remove(name);
	remove(path);
}

static void fetch(uint16_t port, const char *path, char *answer, size_t room)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
	char request[128];
	size_t at = 0;
	ssize_t n;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	snprintf(request, sizeof(request), "GET %s HTTP/1.0\r\n\r\n", path);
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (at + 1 < room && (n = read(fd, answer + at, room - 1 - at)) > 0)
		at += (size_t)n;
	answer[at] = '\0';
	close(fd);
}

static void an_address(void **state)
{
	struct dt_metrics_out *out = NULL, *second = NULL;
	struct dt_error err;
	char target[32], answer[8192];
	uint16_t port = 0;
	(void)state;

	for (unsigned i = 0; i < 50 && !out; i++) {
		port = (uint16_t)(20000 + (getpid() * 7 + (int)i * 131) % 30000);
		snprintf(target, sizeof(target), ":%u", port);
		if (dt_metrics_open(&out, target, &err) != DT_OK)
			out = NULL;
	}
	assert_non_null(out);
	fetch(port, "/metrics", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 200 "));
	assert_non_null(strstr(answer, "text/plain; version=0.0.4"));
	assert_non_null(strstr(answer, "dumptriage_start_time_seconds "));
	fetch(port, "/other", answer, sizeof(answer));
	assert_non_null(strstr(answer, " 404 "));
	/* the address is taken */
	assert_int_equal(dt_metrics_open(&second, target, &err), DT_ERR_IO);
	dt_metrics_close(out);
}

static void targets_that_are_none(void **state)
{
	static const char *const bad[] = { "x", "host.example:9100", "1.2.3.4", ":0", ":99999", "[::1:9100", "256.1.1.1:80" };
	struct dt_metrics_out *out;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(dt_metrics_open(&out, bad[i], NULL), DT_ERR_USAGE);
	assert_int_equal(dt_metrics_open(&out, "/nowhere/at/all.prom", NULL), DT_ERR_IO);
	assert_int_equal(dt_metrics_open(&out, NULL, NULL), DT_OK);
	assert_null(out);
	dt_metrics_tick(out, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(text_format), cmocka_unit_test(a_file), cmocka_unit_test(an_address),
		                            cmocka_unit_test(targets_that_are_none) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
