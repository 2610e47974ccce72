#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "fleet/queue/queue.h"

/* Copies [from, until) with %xx taken as bytes; false when it does not fit or has a NUL. */
static bool decode(const char *from, const char *until, char *out, size_t room)
{
	size_t n = 0;

	while (from < until) {
		char c = *from++;
		if (c == '%' && until - from >= 2 && dt_text_hex_digit(from[0]) >= 0 && dt_text_hex_digit(from[1]) >= 0) {
			c = (char)(dt_text_hex_digit(from[0]) << 4 | dt_text_hex_digit(from[1]));
			from += 2;
		}
		if (n + 1 >= room || !c)
			return false;
		out[n++] = c;
	}
	out[n] = '\0';
	return n > 0;
}

static bool host_and_port(const char *from, const char *until, struct dt_queue_url *out)
{
	const char *colon = NULL;
	char digits[8];
	uint64_t port;

	for (const char *c = from; c < until; c++)
		if (*c == ':')
			colon = c;
	if (colon) {
		if (!decode(colon + 1, until, digits, sizeof(digits)) || !dt_text_parse_u64(digits, false, &port) || port < 1 || port > 65535)
			return false;
		out->port = (int)port;
		until = colon;
	}
	return decode(from, until, out->host, sizeof(out->host));
}

static bool user_and_password(const char *from, const char *until, struct dt_queue_url *out)
{
	const char *colon = memchr(from, ':', (size_t)(until - from));

	if (colon && !decode(colon + 1, until, out->password, sizeof(out->password)))
		return false;
	return decode(from, colon ? colon : until, out->user, sizeof(out->user));
}

static bool query(const char *from, struct dt_queue_url *out)
{
	const char *end = from + strlen(from);

	return strncmp(from, "queue=", 6) == 0 && !strchr(from, '&') && decode(from + 6, end, out->name, sizeof(out->name) - 5) &&
	       strspn(out->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(out->name);
}

enum dt_status dt_queue_url_parse(const char *url, struct dt_queue_url *out, struct dt_error *err)
{
	*out = (struct dt_queue_url){ .user = "guest", .password = "guest", .vhost = "/", .name = "dumptriage", .port = 5672 };
	if (strncmp(url, "amqp://", 7) != 0)
		return dt_fail(err, DT_ERR_USAGE, "a queue is amqp://user:password@host:port/vhost?queue=NAME");
	const char *from = url + 7, *mark = strchr(from, '?'), *end = mark ? mark : from + strlen(from);
	const char *slash = memchr(from, '/', (size_t)(end - from)), *authority = slash ? slash : end, *at = NULL;
	for (const char *c = from; c < authority; c++)
		if (*c == '@')
			at = c;
	if (at && !user_and_password(from, at, out))
		return dt_fail(err, DT_ERR_USAGE, "the queue's URL has no user before its @");
	if (!host_and_port(at ? at + 1 : from, authority, out))
		return dt_fail(err, DT_ERR_USAGE, "the queue's URL has no host, or a port that is none");
	if (slash && slash + 1 < end && !decode(slash + 1, end, out->vhost, sizeof(out->vhost)))
		return dt_fail(err, DT_ERR_USAGE, "the queue's URL has a virtual host that is none");
	if (mark && !query(mark + 1, out))
		return dt_fail(err, DT_ERR_USAGE, "behind the ? of the queue's URL stands queue=NAME; a name is letters, digits, . _ -");
	return DT_OK;
}
