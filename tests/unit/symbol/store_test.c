/* Paths of symbols, and the folders they lead to: each layout with a file that is there and one that is not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "facts/symbol/store.h"

static struct dt_arena arena;
static struct dt_symbol_store store;
static char root[] = "/tmp/store_test.XXXXXX";

static int setup(void **state)
{
	(void)state;
	dt_arena_init(&arena, 1u << 20);
	strcpy(root + strlen(root) - 6, "XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[100];

	(void)state;
	dt_arena_deinit(&arena);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

/* A file with a text of its own, and the folders above it. */
static void file(const char *path, const char *text)
{
	char full[400];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	for (char *at = strchr(full + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		(void)mkdir(full, 0700);
		*at = '/';
	}
	FILE *out = fopen(full, "w");
	assert_non_null(out);
	fputs(text, out);
	fclose(out);
}

/* Where %s stands the path has the test's folder. */
static void open_store(const char *format)
{
	struct dt_error err;
	char path[600];

	snprintf(path, sizeof(path), format, root, root); // NOLINT
	assert_int_equal(dt_symbol_store_open(&store, path, &arena, &err), DT_OK);
}

static const char *answer(struct dt_symbol_request request)
{
	static char text[64];
	int fd = store.source.ask(store.source.self, &request);

	if (fd < 0)
		return "no";
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return text;
}

static const struct dt_symbol_request driver = { .name = "Driver.sys", .timestamp = 0x0A1B2C3D, .size = 0x1c000 };
static const struct dt_symbol_request symbols = { .kind = DT_SYMBOL_PDB, .name = "driver.pdb", .debug_id = "00112233445566778899AABBCCDDEEFF1" };

static void a_store_of_two_tiers(void **state)
{
	(void)state;
	file("Driver.sys/0A1B2C3D1c000/Driver.sys", "image");
	file("driver.pdb/00112233445566778899AABBCCDDEEFF1/driver.pdb", "pdb");
	open_store("srv*%s*https://symbols.example.com/download");
	assert_string_equal(answer(driver), "image");
	assert_string_equal(answer(symbols), "pdb");
	assert_int_equal(store.place_count, 2);
	assert_int_equal(store.places[1].kind, DT_PLACE_SERVER);
	assert_string_equal(store.places[1].where, "https://symbols.example.com/download");
	assert_string_equal(store.places[1].cache, root);
	struct dt_symbol_request other = driver;
	other.size++;
	assert_string_equal(answer(other), "no");
	other = driver;
	other.timestamp = 0;
	assert_string_equal(answer(other), "no");
}

static void three_tiers_and_other_capitals(void **state)
{
	(void)state;
	file("dr/driver.sys/0a1b2c3d1c000/driver.sys", "image");
	open_store("cache*%s");
	assert_string_equal(answer(driver), "image");
}

static void compressed_files(void **state)
{
	(void)state;
	file("driver.pdb/00112233445566778899AABBCCDDEEFF1/driver.pd_", "packed");
	open_store("symsrv*symsrv.dll*%s");
	assert_string_equal(answer(symbols), "packed");
}

static void pointers(void **state)
{
	char text[200];

	(void)state;
	file("else/where.pdb", "far");
	snprintf(text, sizeof(text), "PATH:%s/else/where.pdb\r\n", root);
	file("driver.pdb/00112233445566778899AABBCCDDEEFF1/file.ptr", text);
	open_store("srv*%s");
	assert_string_equal(answer(symbols), "far");
	file("driver.pdb/00112233445566778899AABBCCDDEEFF1/file.ptr", "else\\where.pdb");
	assert_string_equal(answer(symbols), "far");
	file("driver.pdb/00112233445566778899AABBCCDDEEFF1/file.ptr", "MSG: not here");
	assert_string_equal(answer(symbols), "no");
	file("driver.pdb/00112233445566778899AABBCCDDEEFF1/file.ptr", "/dev/zero");
	assert_string_equal(answer(symbols), "no");
}

/* A plain folder may hold another build: the next place is asked. */
static void plain_folders_in_their_order(void **state)
{
	struct dt_symbol_request again = driver;

	(void)state;
	file("old/DRIVER.SYS", "old");
	file("new/symbols/sys/driver.sys", "new");
	open_store("%s/old;;%s/new");
	assert_string_equal(answer(again), "old");
	again.attempt = 1;
	assert_string_equal(answer(again), "new");
	again.attempt = 2;
	assert_string_equal(answer(again), "no");
	open_store("srv*%s/old");
	assert_string_equal(answer(driver), "no");
}

/* Names come from dumps. */
static void names_that_lead_elsewhere(void **state)
{
	static const char *const names[] = { "", ".", "..", "../x.sys", "a/b.sys", "a\\b.sys", "c:x", NULL };
	struct dt_symbol_request request = symbols;

	(void)state;
	file("x.sys", "secret");
	file("a/b.sys", "secret");
	file("folder.sys/x", "");
	open_store("%s/a;%s");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		request.name = names[i];
		assert_string_equal(answer(request), "no");
	}
	request.name = "folder.sys";
	assert_string_equal(answer(request), "no");
	request.name = "driver.pdb";
	request.debug_id = "../../a";
	assert_string_equal(answer(request), "no");
}

static void paths_that_are_wrong(void **state)
{
	struct dt_error err;
	char many[400] = "";

	(void)state;
	assert_int_equal(dt_symbol_store_open(&store, "svr*/x*/y", &arena, &err), DT_ERR_USAGE);
	assert_non_null(strstr(err.text, "svr*"));
	for (size_t i = 0; i < DT_MAX_STORE_PLACES + 1; i++)
		strcat(many, "/a;");
	assert_int_equal(dt_symbol_store_open(&store, many, &arena, &err), DT_ERR_USAGE);
	assert_int_equal(dt_symbol_store_open(&store, "", &arena, &err), DT_OK);
	assert_string_equal(answer(driver), "no");
}

/* Who keeps what a server gives: the nearest store of its element, else the cache* before it, else nobody is named. */
static void caches_of_servers(void **state)
{
	static const struct {
		const char *path, *cache;
	} rows[] = {
		{ "srv*/near*/far*http://a/", "/near" },
		{ "cache*/c;srv*http://a/", "/c" },
		{ "cache*/c;srv*/near*http://a/", "/near" },
		{ "/folder;srv**http://a/", NULL },
		{ "http://a/", NULL },
	};
	struct dt_error err;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(dt_symbol_store_open(&store, rows[i].path, &arena, &err), DT_OK);
		assert_true(store.has_servers);
		const struct dt_symbol_place *last = &store.places[store.place_count - 1];
		assert_int_equal(last->kind, DT_PLACE_SERVER);
		if (rows[i].cache)
			assert_string_equal(last->cache, rows[i].cache);
		else
			assert_null(last->cache);
	}
}

static unsigned fetches;
static char fetched_key[80];

static int fetch(void *self, const struct dt_symbol_place *server, const struct dt_symbol_request *request, const char *key)
{
	char path[400];

	(void)self;
	assert_string_equal(server->cache, root);
	fetches++;
	snprintf(fetched_key, sizeof(fetched_key), "%s", key);
	if (request->size != driver.size)
		return -1;
	file("Driver.sys/0A1B2C3D1c000/Driver.sys", "downloaded");
	snprintf(path, sizeof(path), "%s/Driver.sys/0A1B2C3D1c000/Driver.sys", root);
	return open(path, O_RDONLY);
}

/* A server is asked when the places before it have nothing, and not for what it has given already. */
static void servers_are_asked_last(void **state)
{
	static const struct dt_symbol_fetcher fetcher = { NULL, fetch };
	struct dt_symbol_request again = driver, other = driver;

	(void)state;
	fetches = 0;
	open_store("srv*%s*http://a/");
	assert_string_equal(answer(driver), "no");
	store.fetcher = &fetcher;
	assert_string_equal(answer(driver), "downloaded");
	assert_string_equal(fetched_key, "0A1B2C3D1c000");
	assert_string_equal(answer(driver), "downloaded");
	assert_int_equal(fetches, 1);
	other.size++;
	assert_string_equal(answer(other), "no");
	assert_int_equal(fetches, 2);
	/* What cannot be asked for by its identity is not asked for. */
	other.timestamp = 0;
	assert_string_equal(answer(other), "no");
	other = driver;
	other.name = "../x.sys";
	assert_string_equal(answer(other), "no");
	assert_int_equal(fetches, 2);
	/* The file was refused by the reader: its cache has it, the server is asked once more, and says no. */
	again.attempt = 1;
	again.size++;
	file("Driver.sys/0A1B2C3D1c001/Driver.sys", "old");
	assert_string_equal(answer(again), "no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_store_of_two_tiers, setup, teardown),
		cmocka_unit_test_setup_teardown(three_tiers_and_other_capitals, setup, teardown),
		cmocka_unit_test_setup_teardown(compressed_files, setup, teardown),
		cmocka_unit_test_setup_teardown(pointers, setup, teardown),
		cmocka_unit_test_setup_teardown(plain_folders_in_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(names_that_lead_elsewhere, setup, teardown),
		cmocka_unit_test_setup_teardown(caches_of_servers, setup, teardown),
		cmocka_unit_test_setup_teardown(servers_are_asked_last, setup, teardown),
		cmocka_unit_test_setup_teardown(paths_that_are_wrong, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
