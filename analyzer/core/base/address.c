#include "core/base/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"

static bool parse_v4(const char *host, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	const char *name = !*host || !strcmp(host, "localhost") ? "127.0.0.1" : host;

	if (inet_pton(AF_INET, name, &address.sin_addr) != 1)
		return false;
	memcpy(out, &address, sizeof(address));
	return true;
}

static bool parse_v6(char *host, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	host[strlen(host) - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &address.sin6_addr) != 1)
		return false;
	memcpy(out, &address, sizeof(address));
	return true;
}

bool dt_address_parse(const char *text, struct sockaddr_storage *out)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	uint64_t port;

	memset(out, 0, sizeof(*out));
	if (!colon || (size_t)(colon - text) >= sizeof(host) || !dt_text_parse_u64(colon + 1, false, &port) || port > 65535)
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	size_t len = strlen(host);
	if (len > 2 && host[0] == '[' && host[len - 1] == ']')
		return parse_v6(host, (uint16_t)port, out);
	return parse_v4(host, (uint16_t)port, out);
}

unsigned dt_address_port(const struct sockaddr_storage *address)
{
	struct sockaddr_in v4; /* the port stands at the same place in both families */

	memcpy(&v4, address, sizeof(v4));
	return ntohs(v4.sin_port);
}

/* An IPv4 address that came over an IPv6 socket, or NULL. */
static const uint8_t *mapped(const struct sockaddr_in6 *v6)
{
	return IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) ? v6->sin6_addr.s6_addr + 12 : NULL;
}

bool dt_address_is_loopback(const struct sockaddr *address)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		return ntohl(v4.sin_addr.s_addr) >> 24 == 127;
	}
	if (address->sa_family != AF_INET6)
		return false;
	memcpy(&v6, address, sizeof(v6));
	const uint8_t *inner = mapped(&v6);
	return inner ? inner[0] == 127 : IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
}

void dt_address_host(const struct sockaddr *address, char out[DT_ADDRESS_TEXT_MAX])
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	snprintf(out, DT_ADDRESS_TEXT_MAX, "unknown");
	if (address && address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		inet_ntop(AF_INET, &v4.sin_addr, out, DT_ADDRESS_TEXT_MAX);
	} else if (address && address->sa_family == AF_INET6) {
		memcpy(&v6, address, sizeof(v6));
		const uint8_t *inner = mapped(&v6);
		inet_ntop(inner ? AF_INET : AF_INET6, inner ? (const void *)inner : (const void *)&v6.sin6_addr, out, DT_ADDRESS_TEXT_MAX);
	}
}
