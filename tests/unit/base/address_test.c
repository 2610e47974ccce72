#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/base/address.h"

static const char *host_of(const char *text, bool *loopback, unsigned *port)
{
	static char host[DT_ADDRESS_TEXT_MAX];
	struct sockaddr_storage address;

	if (!dt_address_parse(text, &address))
		return NULL;
	*port = dt_address_port(&address);
	*loopback = dt_address_is_loopback((const struct sockaddr *)&address);
	dt_address_host((const struct sockaddr *)&address, host);
	return host;
}

static void addresses_are_read(void **state)
{
	static const struct { const char *text, *host; unsigned port; bool loopback; } good[] = {
		{ "127.0.0.1:8080", "127.0.0.1", 8080, true }, { ":9100", "127.0.0.1", 9100, true },     { "localhost:0", "127.0.0.1", 0, true },
		{ "[::1]:80", "::1", 80, true },               { "0.0.0.0:80", "0.0.0.0", 80, false },   { "[::]:80", "::", 80, false },
		{ "10.1.2.3:65535", "10.1.2.3", 65535, false }, { "[::ffff:127.0.0.1]:1", "127.0.0.1", 1, true }, { "127.9.9.9:1", "127.9.9.9", 1, true },
	};
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		bool loopback;
		unsigned port;
		const char *host = host_of(good[i].text, &loopback, &port);
		assert_non_null(host);
		assert_string_equal(host, good[i].host);
		assert_int_equal(port, good[i].port);
		assert_int_equal(loopback, good[i].loopback);
	}
}

static void what_is_no_address_is_refused(void **state)
{
	static const char *const bad[] = { "", "8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "host.example:80",
		                           "[::1:80", "[]:80", "[::g]:80", "::1:80", "1.2.3:80",
		                           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:80" };
	struct sockaddr_storage address;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(dt_address_parse(bad[i], &address));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(addresses_are_read), cmocka_unit_test(what_is_no_address_is_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
