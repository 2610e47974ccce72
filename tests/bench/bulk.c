/*
 * A receiver of _bulk on loopback that answers 201 for every item and keeps nothing: for the bench of the feed, which is to measure the feed.
 * Prints its port. One connection at a time.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ROOM = 96 << 20 };

static char request[ROOM], answer[ROOM];

/* Reads one request; its length, with *body where that begins; 0: no more. */
static size_t take(int fd, size_t *body)
{
	size_t len = 0, want = SIZE_MAX;

	while (len < want && len < ROOM - 1) {
		ssize_t n = read(fd, request + len, ROOM - 1 - len);
		if (n <= 0)
			return 0;
		len += (size_t)n;
		request[len] = '\0';
		char *end = want == SIZE_MAX ? strstr(request, "\r\n\r\n") : NULL, *length = end ? strcasestr(request, "content-length: ") : NULL;
		if (end && length) {
			*body = (size_t)(end + 4 - request);
			want = *body + strtoul(length + 16, NULL, 10);
		}
	}
	return len;
}

static void serve(int fd)
{
	size_t body = 0, len;

	while ((len = take(fd, &body))) {
		size_t lines = 0;
		for (const char *at = request + body; (at = memchr(at, '\n', len - (size_t)(at - request))); at++)
			lines++;
		char *out = answer + 128, *begin = out;
		out += sprintf(out, "{\"errors\":false,\"items\":[");
		for (size_t i = 0; i < lines / 2; i++)
			out += sprintf(out, "%s{\"create\":{\"status\":201}}", i ? "," : "");
		out += sprintf(out, "]}");
		char head[128];
		int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n", (size_t)(out - begin));
		memcpy(begin - n, head, (size_t)n);
		for (const char *at = begin - n; at < out;) {
			ssize_t sent = write(fd, at, (size_t)(out - at));
			if (sent <= 0)
				return;
			at += sent;
		}
	}
}

int main(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 8) ||
	    getsockname(listener, (struct sockaddr *)&address, &size))
		return 1;
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	for (;;) {
		int fd = accept(listener, NULL, NULL), on = 1;
		if (fd < 0)
			return 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		serve(fd);
		close(fd);
	}
}
