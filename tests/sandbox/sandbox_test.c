/* The sandbox, tried from inside: every attempt of attempts.def is denied, and the parent hears of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/protocol/protocol.h"
#include "fleet/pool/pool.h"

enum how { DENIED, KILLED };
enum { DEADLINE_MS = 2000, SLOW_MS = 120000, SKIPPED = 77 };

static const struct attempt {
	const char *name;
	enum how how;
} attempts[] = {
#define ATTEMPT(name, how, code) { #name, how },
#include "attempts.def"
#undef ATTEMPT
};

static struct dt_error err;

static struct dt_pool *captive(unsigned deadline_ms)
{
	struct dt_pool_options options = { .workers = 1, .deadline_ms = deadline_ms, .worker_path = DT_CAPTIVE };
	struct dt_pool *pool = NULL;

	if (dt_pool_create(&pool, &options, &err) != DT_OK)
		fail_msg("%s", err.text);
	return pool;
}

/* What the parent knows of it in the end; valid until the next one. */
static struct dt_pool_result let(struct dt_pool *pool, const char *what)
{
	struct dt_pool_job job = { .id = 1, .path = what, .fd = memfd_create("empty", MFD_CLOEXEC) };
	struct dt_pool_result result, end;

	assert_int_equal(dt_pool_submit(pool, &job, &err), DT_OK);
	assert_int_equal(dt_pool_wait(pool, -1, &result, &err), DT_OK);
	assert_non_null(result.facts.failure);
	if (!result.last) {
		static char text[256];
		static struct dt_failure kept;
		snprintf(text, sizeof(text), "%s", result.facts.failure->text);
		kept = (struct dt_failure){ .kind = result.facts.failure->kind, .text = text };
		assert_int_equal(dt_pool_wait(pool, -1, &end, &err), DT_OK);
		assert_true(end.last);
		result.facts.failure = &kept;
	}
	return result;
}

static void every_attempt_is_denied_and_reported(void **state)
{
	struct dt_pool *pool = captive(SLOW_MS);
	unsigned broken = 0;

	(void)state;
	if (!(dt_pool_mechanisms(pool) & DT_SANDBOX_SECCOMP)) {
		dt_pool_destroy(pool);
		print_message("skipped: this kernel has no seccomp\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		struct dt_pool_result result = let(pool, attempts[i].name);
		const char *text = result.facts.failure->text;
		bool right = attempts[i].how == KILLED ? result.died && result.facts.failure->kind == DT_FAILURE_SIGNAL && strstr(text, "signal 31")
		                                       : !result.died && !strcmp(text, "denied: EPERM");
		if (!right)
			print_error("%s: %s\n", attempts[i].name, text);
		broken += !right;
	}
	print_message("%zu attempts, %u of them not denied as they should be\n", sizeof(attempts) / sizeof(attempts[0]), broken);
	assert_int_equal(broken, 0);
	dt_pool_destroy(pool);
}

static void memory_ends_at_its_limit(void **state)
{
	struct dt_pool *pool = captive(SLOW_MS);

	(void)state;
	if (!(dt_pool_mechanisms(pool) & DT_SANDBOX_RLIMITS)) {
		dt_pool_destroy(pool);
		skip();
	}
	struct dt_pool_result result = let(pool, "take_memory");
	long mib = result.died ? -1 : strtol(result.facts.failure->text, NULL, 10);
	print_message("%ld MiB of 256\n", mib);
	assert_in_range(mib, 128, 256);
	assert_string_equal(let(pool, "fill_the_disk").facts.failure->text, "denied: EFBIG");
	dt_pool_destroy(pool);
}

static void time_ends_at_the_deadline(void **state)
{
	struct dt_pool *pool = captive(DEADLINE_MS);
	struct dt_pool_result result = let(pool, "spin");

	(void)state;
	assert_true(result.died);
	assert_int_equal(result.facts.failure->kind, DT_FAILURE_DEADLINE);
	assert_non_null(strstr(result.facts.failure->text, "2000 ms"));
	assert_int_equal(dt_pool_counts(pool)->deadlines, 1);
	dt_pool_destroy(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_attempt_is_denied_and_reported),
		cmocka_unit_test(memory_ends_at_its_limit),
		cmocka_unit_test(time_ends_at_the_deadline),
	};

#ifdef DT_SANITIZED
	puts("skipped: a sanitizer's report dies under seccomp; the release build tests the sandbox");
	return SKIPPED;
#endif
	return cmocka_run_group_tests(tests, NULL, NULL);
}
