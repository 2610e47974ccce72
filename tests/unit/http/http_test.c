/* The server, asked over real sockets: what it answers, what it refuses, whom it cuts off. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "doors/serve/http/http.h"

static struct dt_http_server *server;
static struct dt_http_request *sleeper;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned ended, steps;
static _Atomic uint16_t visited; /* the port */

/* ---- an app ------------------------------------------------------------------------------- */

static void say(struct dt_http_request *request, unsigned status, const char *text)
{
	struct dt_buf body;

	dt_buf_init(&body, 1u << 20);
	dt_buf_puts(&body, text);
	dt_http_answer(request, status, "text/plain", &body);
	dt_buf_deinit(&body);
}

static void hello(struct dt_http_request *request)
{
	dt_http_add_header(request, "X-Good", "yes");
	dt_http_add_header(request, "X-Bad", "a\r\nSet-Cookie: evil=1");
	say(request, 200, dt_arena_printf(dt_http_arena(request), "%s|%s|%s|%s", dt_http_parameter(request, "name"),
	                                  dt_http_query(request, "q") ? dt_http_query(request, "q") : "-",
	                                  dt_http_cookie(request, "c") ? dt_http_cookie(request, "c") : "-", dt_http_peer(request)));
}

static void form(struct dt_http_request *request)
{
	const char *a = dt_http_field(request, "a");

	say(request, 200, a ? a : "nothing");
}

struct taken {
	size_t files, bytes;
	char names[256];
};

static bool begin(struct dt_http_request *request)
{
	dt_http_set_state(request, DT_ARENA_NEW(dt_http_arena(request), struct taken));
	return true;
}

static bool take_file(struct dt_http_request *request, const char *field, const char *name, struct dt_bytes bytes, bool begins)
{
	struct taken *taken = dt_http_state(request);

	if (begins) {
		taken->files++;
		snprintf(taken->names + strlen(taken->names), sizeof(taken->names) - strlen(taken->names), "%s=%s;", field, name);
	}
	taken->bytes += bytes.len;
	if (taken->bytes <= 3000000)
		return true;
	say(request, 413, "too much");
	return false;
}

static bool take_raw(struct dt_http_request *request, struct dt_bytes bytes)
{
	return take_file(request, "raw", "raw", bytes, ((struct taken *)dt_http_state(request))->files == 0);
}

static void taken(struct dt_http_request *request)
{
	const struct taken *taken = dt_http_state(request);

	say(request, 200, dt_arena_printf(dt_http_arena(request), "%zu files %zu bytes %s note %s", taken->files, taken->bytes, taken->names,
	                                  dt_http_field(request, "note") ? dt_http_field(request, "note") : "-"));
}

static void sleepy(struct dt_http_request *request)
{
	pthread_mutex_lock(&lock);
	bool first = !sleeper;
	sleeper = request;
	bool over = steps > 0;
	pthread_mutex_unlock(&lock);
	if (over || dt_http_stopping(request))
		say(request, over ? 200 : 503, over ? "awake" : "stopping");
	else
		dt_http_sleep(request);
	(void)first;
}

static bool more(struct dt_http_request *request, struct dt_buf *out)
{
	static unsigned told;

	if (dt_http_stopping(request))
		return false;
	pthread_mutex_lock(&lock);
	sleeper = request;
	unsigned now = steps;
	pthread_mutex_unlock(&lock);
	if (told == now)
		return now < 3;
	told = now;
	dt_buf_printf(out, "step %u\n", now);
	return true;
}

static void stream(struct dt_http_request *request)
{
	dt_http_answer_stream(request, 200, "text/event-stream", more);
}

static bool before(struct dt_http_request *request)
{
	if (!dt_http_query(request, "forbidden"))
		return true;
	say(request, 403, "forbidden");
	return false;
}

static void refuse(struct dt_http_request *request, unsigned status, const char *why)
{
	say(request, status, why);
}

static void after(struct dt_http_request *request, unsigned status, bool complete)
{
	(void)status;
	(void)complete;
	pthread_mutex_lock(&lock);
	if (sleeper == request)
		sleeper = NULL;
	ended++;
	pthread_mutex_unlock(&lock);
}

static const struct dt_http_intake intake = { begin, take_file, take_raw };
static const struct dt_http_route routes[] = {
	{ "GET", "/hello/{name}", 0, hello, NULL },    { "POST", "/form", 0, form, NULL },  { "POST", "/take", 0, taken, &intake },
	{ "GET", "/sleep", 0, sleepy, NULL },          { "GET", "/stream", 0, stream, NULL }, { "DELETE", "/hello/{name}", 0, hello, NULL },
};
static const struct dt_http_app app = { routes, sizeof(routes) / sizeof(routes[0]), NULL, before, refuse, after };

/* ---- a client ------------------------------------------------------------------------------- */

static int dial(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)dt_http_port(server)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval limit = { 20, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void send_text(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static char answer[1 << 16];

/* Until the other side closes. */
static const char *hear(int fd)
{
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(answer) - 1 && (n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0)) > 0)
		len += (size_t)n;
	answer[len] = '\0';
	close(fd);
	return answer;
}

static const char *ask(const char *head, const char *body)
{
	char text[8192];
	int fd = dial();

	snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", head, *body ? "" : "\r\n");
	send_text(fd, text, strlen(text));
	send_text(fd, body, strlen(body));
	return hear(fd);
}

static const char *post(const char *path, const char *type, const char *body)
{
	char text[70000];

	snprintf(text, sizeof(text), "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n%s", type, strlen(body), body);
	return ask(path, text);
}

static bool is(const char *text, const char *status, const char *body)
{
	const char *gap = strstr(text, "\r\n\r\n");

	bool same = strlen(text) > 12 && !strncmp(text + 9, status, 3) && gap && !strcmp(gap + 4, body);
	if (!same)
		print_message("expected %s %s, heard: %s\n", status, body, text);
	return same;
}

/* ---- cases ------------------------------------------------------------------------------------- */

static void routes_and_what_is_asked(void **state)
{
	(void)state;
	assert_true(is(ask("GET /hello/you?q=1%202", ""), "200", "you|1 2|-|127.0.0.1"));
	assert_non_null(strstr(answer, "X-Good: yes"));
	/* no header of an answer holds a line break */
	assert_null(strstr(answer, "evil"));
	assert_true(is(ask("GET /hello/a", "Cookie: c=7\r\n\r\n"), "200", "a|-|7|127.0.0.1"));
	assert_true(is(ask("GET /hello/a%2Fb", ""), "404", "there is nothing at this address"));
	assert_true(is(ask("HEAD /hello/you", ""), "200", ""));
	assert_true(is(ask("DELETE /hello/you", ""), "200", "you|-|-|127.0.0.1"));
	assert_true(is(ask("GET /hello/", ""), "404", "there is nothing at this address"));
	assert_true(is(ask("GET /hello/a/b", ""), "404", "there is nothing at this address"));
	assert_true(is(ask("GET /", ""), "404", "there is nothing at this address"));
	assert_true(is(ask("POST /hello/x", "Content-Length: 0\r\n\r\n"), "405", "this address takes another method"));
	assert_true(is(ask("GET /hello/x?forbidden=1", ""), "403", "forbidden"));
}

static void forms(void **state)
{
	static char large[66000];
	(void)state;

	assert_true(is(post("POST /form", "application/x-www-form-urlencoded", "a=1%2B1&b=2"), "200", "1+1"));
	assert_true(is(post("POST /form", "application/x-www-form-urlencoded", "b=2"), "200", "nothing"));
	assert_true(is(post("POST /form", "multipart/form-data; boundary=XYZ", "--XYZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nfive\r\n--XYZ--\r\n"), "200", "five"));
	assert_true(is(post("POST /form", "multipart/form-data; boundary=XYZ",
	                    "--XYZ\r\nContent-Disposition: form-data; name=\"a\"; filename=\"f\"\r\n\r\nfive\r\n--XYZ--\r\n"), "400", "this form takes no files"));
	assert_true(is(post("POST /form", "multipart/form-data", "--XYZ\r\n"), "400", "the form's Content-Type has no usable boundary"));
	/* text in front of the first boundary is nobody's; without a boundary that is all there is */
	assert_true(is(post("POST /form", "multipart/form-data; boundary=XYZ", "no boundary at all"), "200", "nothing"));
	assert_true(is(post("POST /form", "multipart/form-data; boundary=XYZ", "--XYZ\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nfi"), "400",
	               "the form ends in the middle"));
	assert_true(is(post("POST /form", "multipart/form-data; boundary=XYZ", "--XYZ\r\nContent-Disposition: form-data; name=\"a\""), "400",
	               "the form ends in the middle"));
	memset(large, 'a', sizeof(large) - 1);
	memcpy(large, "a=", 2);
	assert_true(is(post("POST /form", "application/x-www-form-urlencoded", large), "413", "the fields of the form are longer than 64 KiB together"));
	assert_true(is(post("POST /form", "text/plain", large), "413", "the body is longer than 64 KiB"));
	assert_true(is(post("POST /form?forbidden=1", "application/x-www-form-urlencoded", "a=1"), "403", "forbidden"));
}

static void files(void **state)
{
	(void)state;
	assert_true(is(post("POST /take", "multipart/form-data; boundary=XYZ",
	                    "--XYZ\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhi\r\n"
	                    "--XYZ\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.dmp\"\r\nContent-Type: x/y\r\n\r\n12345\r\n"
	                    "--XYZ\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../b\"\r\n\r\n678\r\n"
	                    "--XYZ\r\nContent-Disposition: form-data; name=\"g\"; filename=\"\"\r\n\r\n\r\n--XYZ--\r\n"),
	               "200", "2 files 8 bytes f=a.dmp;f=../b; note hi"));
	assert_true(is(post("POST /take", "application/octet-stream", "123456"), "200", "1 files 6 bytes raw=raw; note -"));
	assert_true(is(post("POST /take", "application/octet-stream", ""), "200", "0 files 0 bytes  note -"));
}

static void a_large_body_is_refused_in_the_middle(void **state)
{
	static char part[100000];
	char head[200];
	int fd = dial();
	(void)state;

	snprintf(head, sizeof(head), "POST /take HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 4000000\r\n\r\n");
	send_text(fd, head, strlen(head));
	for (int i = 0; i < 40; i++)
		send_text(fd, part, sizeof(part));
	assert_true(is(hear(fd), "413", "too much"));
}

/* What is no HTTP must be answered or cut, and must not stop the server. */
static void noise(void **state)
{
	static const char *const texts[] = { "\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "\x16\x03\x01\x02", "POST /take HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
		                             "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		                             "POST /take HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n" };
	(void)state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int fd = dial();
		send_text(fd, texts[i], strlen(texts[i]));
		shutdown(fd, SHUT_WR);
		(void)hear(fd);
	}
	assert_true(is(ask("GET /hello/you", ""), "200", "you|-|-|127.0.0.1"));
}

static void slow_heads_and_bodies_are_cut(void **state)
{
	static const char head[] = "GET /hello/you HTTP/1.1\r\nHost: localhost\r\n", body[] = "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc";
	int slow_head = dial(), slow_body = dial();
	struct timespec start, end;
	(void)state;

	clock_gettime(CLOCK_MONOTONIC, &start);
	send_text(slow_head, head, strlen(head));
	send_text(slow_body, body, strlen(body));
	assert_string_equal(hear(slow_head), "");
	assert_string_equal(hear(slow_body), "");
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec < 15); /* the options say 1 and 2 seconds */
	assert_true(is(ask("GET /hello/you", ""), "200", "you|-|-|127.0.0.1"));
}

static void *wake_later(void *context)
{
	unsigned until = *(unsigned *)context;

	for (;;) {
		nanosleep(&(struct timespec){ 0, 30000000 }, NULL);
		pthread_mutex_lock(&lock);
		bool there = sleeper != NULL;
		if (there) {
			steps++;
			dt_http_wake(sleeper);
		}
		bool over = steps >= until;
		pthread_mutex_unlock(&lock);
		if (over)
			return NULL;
	}
}

static void sleepers_are_woken(void **state)
{
	unsigned once = 1;
	pthread_t thread;
	(void)state;

	steps = 0;
	pthread_create(&thread, NULL, wake_later, &once);
	assert_true(is(ask("GET /sleep", ""), "200", "awake"));
	pthread_join(thread, NULL);
}

static void streams_tell_what_there_is(void **state)
{
	unsigned times = 3;
	pthread_t thread;
	(void)state;

	steps = 0;
	pthread_create(&thread, NULL, wake_later, &times);
	ask("GET /stream", "");
	pthread_join(thread, NULL);
	assert_non_null(strstr(answer, "text/event-stream"));
	assert_non_null(strstr(answer, "step 3"));
	assert_null(strstr(answer, "step 4"));
}

static int start(void **state)
{
	struct dt_http_options options = { .threads = 2, .header_seconds = 1, .body_seconds = 2, .body_rate = 1000 };
	struct dt_error err = { 0 };
	(void)state;

	if (!dt_address_parse("127.0.0.1:0", &options.address) || dt_http_start(&server, &app, &options, &err) != DT_OK) {
		print_error("%s\n", err.text);
		return 1;
	}
	return 0;
}

/* Ends while somebody sleeps and somebody is in the middle of a body. */
static void the_end_comes_for_all(void **state)
{
	static const char body[] = "POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\nabc", sleep[] = "GET /sleep HTTP/1.1\r\nHost: a\r\n\r\n";
	int half = dial(), asleep = dial();
	(void)state;

	steps = 0;
	send_text(half, body, strlen(body));
	send_text(asleep, sleep, strlen(sleep));
	while (dt_http_active(server) < 2)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
	dt_http_quiesce(server);
	dt_http_stop(server);
	server = NULL;
	(void)hear(half);
	(void)hear(asleep);
	assert_true(ended > 10);
}

/* Connects as fast as it can until told to stop. */
static void *visitor(void *stop)
{
	while (!atomic_load((atomic_bool *)stop)) {
		struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(atomic_load(&visited)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		(void)!connect(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
	}
	return NULL;
}

/* Where connections come in while it stops listening. */
static void ends_while_visitors_come(void **state)
{
	pthread_t visitors[2];
	atomic_bool stop = false;

	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&visitors[i], NULL, visitor, &stop), 0);
	for (int i = 0; i < 100; i++) {
		assert_int_equal(start(state), 0);
		atomic_store(&visited, (uint16_t)dt_http_port(server));
		nanosleep(&(struct timespec){ 0, 2000000 }, NULL);
		dt_http_quiesce(server);
		dt_http_stop(server);
		server = NULL;
	}
	atomic_store(&stop, true);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_join(visitors[i], NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_and_what_is_asked), cmocka_unit_test(forms), cmocka_unit_test(files), cmocka_unit_test(a_large_body_is_refused_in_the_middle),
		cmocka_unit_test(noise), cmocka_unit_test(slow_heads_and_bodies_are_cut), cmocka_unit_test(sleepers_are_woken),
		cmocka_unit_test(streams_tell_what_there_is), cmocka_unit_test(the_end_comes_for_all), cmocka_unit_test(ends_while_visitors_come),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
