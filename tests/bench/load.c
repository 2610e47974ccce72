/*
 * Uploads from many clients at once, each timed from its first byte to its verdict.
 *
 * usage: load PORT DUMP COUNT CLIENTS
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { SYSTEM_TIME = 0xFA8 };

static char *dump;
static size_t size;
static unsigned port, count, clients;
static atomic_uint next_one, lost;
static double *times;

static double now(void)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static int dial(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return connect(fd, (struct sockaddr *)&address, sizeof(address)) ? (close(fd), -1) : fd;
}

static int send_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return 0;
		data += n;
		len -= (size_t)n;
	}
	return 1;
}

/* One answer with a Content-Length; whether it is a verdict. */
static int hear(int fd)
{
	static const char mark[] = "Content-Length: ";
	char answer[65536];
	size_t len = 0;

	for (;;) {
		ssize_t n = recv(fd, answer + len, sizeof(answer) - 1 - len, 0);
		if (n <= 0)
			return 0;
		len += (size_t)n;
		answer[len] = '\0';
		const char *gap = strstr(answer, "\r\n\r\n"), *length = strstr(answer, mark);
		if (gap && length && len >= (size_t)(gap + 4 - answer) + strtoul(length + sizeof(mark) - 1, NULL, 10))
			return !strncmp(answer, "HTTP/1.1 200", 12) && strstr(gap, "\"state\":\"done\"");
	}
}

static void *client(void *context)
{
	char *body = malloc(size), head[256];
	int fd = -1;
	(void)context;

	memcpy(body, dump, size);
	for (unsigned i; (i = atomic_fetch_add(&next_one, 1)) < count;) {
		uint64_t when = UINT64_C(133658244000000000) + (uint64_t)getpid() * 1000003 + i * UINT64_C(7000000000);
		memcpy(body + SYSTEM_TIME, &when, 8);
		snprintf(head, sizeof(head), "POST /api/v1/dumps?wait=30&name=%u.dmp&host=pc-%u HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n", i, i % 500, size);
		double begin = now();
		fd = fd < 0 ? dial() : fd;
		int ok = fd >= 0 && send_all(fd, head, strlen(head)) && send_all(fd, body, size) && hear(fd);
		times[i] = now() - begin;
		if (ok)
			continue;
		atomic_fetch_add(&lost, 1);
		close(fd);
		fd = -1;
	}
	free(body);
	return NULL;
}

static int by_time(const void *left, const void *right)
{
	const double *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

int main(int argc, char **argv)
{
	FILE *file = argc == 5 ? fopen(argv[2], "rb") : NULL;

	if (!file)
		return 2;
	port = (unsigned)atoi(argv[1]);
	count = (unsigned)atoi(argv[3]);
	clients = (unsigned)atoi(argv[4]);
	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	rewind(file);
	dump = malloc(size);
	times = calloc(count, sizeof(*times));
	pthread_t *threads = calloc(clients, sizeof(*threads));
	if (!dump || !times || !threads || fread(dump, 1, size, file) != size)
		return 2;
	fclose(file);
	double begin = now();
	for (unsigned i = 0; i < clients; i++)
		pthread_create(&threads[i], NULL, client, NULL);
	for (unsigned i = 0; i < clients; i++)
		pthread_join(threads[i], NULL);
	double took = now() - begin;
	qsort(times, count, sizeof(*times), by_time);
	printf("%u uploads of %zu bytes from %u clients: %.0f a second; p50 %.1f ms, p90 %.1f ms, p99 %.1f ms, the slowest %.1f ms; %u lost\n", count, size, clients,
	       count / took, times[count / 2] * 1e3, times[count * 9 / 10] * 1e3, times[count * 99 / 100] * 1e3, times[count - 1] * 1e3, atomic_load(&lost));
	return atomic_load(&lost) ? 1 : 0;
}
