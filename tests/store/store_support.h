/* store_support.h - what the tests of the store share: crashes as a test describes them, stores of each kind, their listings. */
#ifndef DT_TESTS_STORE_SUPPORT_H
#define DT_TESTS_STORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/base/time.h"
#include "fleet/store/store.h"

#define DAY (INT64_C(86400))
#define T0 (INT64_C(1721365200)) /* 2024-07-19 05:00 UTC */

/* A crash as a test describes it. */
struct sample {
	unsigned identity; /* 0: crash_id null */
	const char *path, *host, *module, *signature;
	int64_t time; /* 0 unknown */
	bool implausible, partial, unreadable;
	enum dt_kind kind;
	unsigned build, sha;
	uint64_t version;
};

struct made {
	struct dt_facts facts;
	struct dt_judgement judgement;
	struct dt_bugcheck bugcheck;
	struct dt_match match;
	struct dt_failure failure;
	char id[33], sha[65], own[128], family[128];
};

extern const char *store_urls[4]; /* of each kind */
extern size_t store_url_count;
extern const char *store_scratch; /* folder for SQLite's files */

void make(const struct sample *in, struct made *out);
/* These fail the test when the store does. */
void put(struct dt_store *store, const struct sample *sample);
struct dt_store_counts commit(struct dt_store *store);
struct dt_store *open_store(const char *url, enum dt_store_mode mode);
void assert_healthy(struct dt_store *store);
/* Everything that can be listed, independent of the order of arrival; the caller frees it. */
char *dump_store(struct dt_store *store);
/* Each test has a store of its own: a file, or a schema of the server. */
void fresh_url(char out[512], const char *url, const char *name);
/* The arguments of a test program: a folder, URLs of more stores. */
bool store_arguments(int argc, char **argv);

#define EACH_STORE(name)                                                                                 \
	static void name##_on(const char *url);                                                          \
	static void name(void **state)                                                                   \
	{                                                                                                \
		(void)state;                                                                             \
		for (size_t i = 0; i < store_url_count; i++) {                                                 \
			char url[512];                                                                   \
			fresh_url(url, store_urls[i], #name);                                                  \
			name##_on(url);                                                                  \
		}                                                                                        \
	}                                                                                                \
	static void name##_on(const char *url)

#endif
