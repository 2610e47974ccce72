/* Any bytes as the body of a form, sent to a server on loopback whose route takes fields and files. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "doors/serve/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void say(struct dt_http_request *request, unsigned status, const char *text)
{
	struct dt_buf body;

	dt_buf_init(&body, 1u << 20);
	dt_buf_puts(&body, text ? text : "");
	dt_http_answer(request, status, "text/plain", &body);
	dt_buf_deinit(&body);
}

static bool file(struct dt_http_request *request, const char *field, const char *name, struct dt_bytes bytes, bool begins)
{
	volatile unsigned sum = begins;

	(void)request;
	for (size_t i = 0; i < bytes.len; i++)
		sum += bytes.data[i];
	return strlen(field) + strlen(name) + sum != SIZE_MAX;
}

static void handle(struct dt_http_request *request)
{
	say(request, 200, dt_http_field(request, "host"));
}

static const struct dt_http_intake intake = { .file = file };
static const struct dt_http_route routes[] = { { "POST", "/form", 0, handle, &intake } };

static unsigned start(void)
{
	static const struct dt_http_app app = { .routes = routes, .route_count = 1, .refuse = say };
	struct dt_http_options options = { .threads = 1 };
	struct sockaddr_in *address = (struct sockaddr_in *)&options.address;
	struct dt_http_server *server;
	struct dt_error err;

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (dt_http_start(&server, &app, &options, &err) != DT_OK)
		abort();
	return dt_http_port(server);
}

static void send_all(int fd, const void *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		data = (const char *)data + n;
		len -= (size_t)n;
	}
}

/* Many connections a second: what is closed must not wait for its address, so each comes from another. -1, errno. */
static int dial(unsigned port)
{
	static unsigned number;
	struct sockaddr_in from = { .sin_family = AF_INET };
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + number++ % 0xfffffd);
	if (fd >= 0 && (bind(fd, (struct sockaddr *)&from, sizeof(from)) || connect(fd, (struct sockaddr *)&to, sizeof(to)))) {
		int error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* The machine may be out of ports or buffers for a moment: that is no finding. */
static int dial_patiently(unsigned port)
{
	enum { TRIES = 100 }; /* in five seconds */
	int fd;

	for (unsigned i = 0; (fd = dial(port)) < 0; i++) {
		if (i == TRIES) {
			perror("no connection to the server");
			abort();
		}
		(void)nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static unsigned port;
	char head[256], answer[1024];

	if (!port)
		port = start();
	int fd = dial_patiently(port);
	int n = snprintf(head, sizeof(head), "POST /form HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: multipart/form-data; boundary=b\r\n"
	                                     "Content-Length: %zu\r\n\r\n", len);
	send_all(fd, head, (size_t)n);
	send_all(fd, data, len);
	while (recv(fd, answer, sizeof(answer), 0) > 0)
		;
	close(fd);
	return 0;
}
