#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/model/codec.h"
#include "core/model/field.h"
#include "support/random_record.h"

static struct dt_arena arena, decoded;
static struct dt_buf first, second;

static void encode_random(uint64_t seed, unsigned null_of, struct dt_crash *crash)
{
	dt_arena_reset(&arena);
	random_record(crash, &arena, &(struct random_options){ .seed = seed, .null_of = null_of, .list_max = 5 });
	assert_false(arena.failed);
	dt_buf_reset(&first);
	dt_crash_encode(crash, &first);
	assert_true(dt_buf_ok(&first));
}

static enum dt_status decode(struct dt_bytes bytes, struct dt_crash *out, struct dt_error *err)
{
	dt_arena_reset(&decoded);
	return dt_crash_decode(bytes, &decoded, out, err);
}

static void round_trips(void **state)
{
	struct dt_crash crash, back;
	struct dt_error err;
	(void)state;
	for (uint64_t seed = 0; seed < 400; seed++) {
		encode_random(seed, (unsigned)(seed % 4), &crash);
		assert_int_equal(decode(dt_buf_bytes(&first), &back, &err), DT_OK);
		assert_null(record_difference(&dt_object_crash, &crash, &back));
		dt_buf_reset(&second);
		dt_crash_encode(&back, &second);
		assert_int_equal(first.len, second.len);
		assert_memory_equal(first.data, second.data, first.len);
	}
}

static void round_trips_the_parts(void **state)
{
	struct dt_crash crash;
	struct dt_facts facts;
	struct dt_judgement judgement;
	struct dt_error err;
	(void)state;
	encode_random(5, 0, &crash);
	dt_buf_reset(&first);
	dt_facts_encode(&crash.facts, &first);
	dt_judgement_encode(&crash.judgement, &second);
	assert_int_equal(dt_facts_decode(dt_buf_bytes(&first), &decoded, &facts, &err), DT_OK);
	assert_null(record_difference(&dt_object_facts, &crash.facts, &facts));
	dt_buf_reset(&second);
	dt_judgement_encode(&crash.judgement, &second);
	assert_int_equal(dt_judgement_decode(dt_buf_bytes(&second), &decoded, &judgement, &err), DT_OK);
	assert_null(record_difference(&dt_object_judgement, &crash.judgement, &judgement));
	/* One is not taken for the other. */
	assert_int_equal(dt_facts_decode(dt_buf_bytes(&second), &decoded, &facts, &err), DT_ERR_FORMAT);
	assert_int_equal(err.off, 4);
}

static void empty_record_stays_empty(void **state)
{
	struct dt_crash crash, back;
	(void)state;
	memset(&crash, 0, sizeof crash);
	dt_buf_reset(&first);
	dt_crash_encode(&crash, &first);
	assert_int_equal(decode(dt_buf_bytes(&first), &back, NULL), DT_OK);
	assert_null(record_difference(&dt_object_crash, &crash, &back));
	assert_int_equal(decoded.used, 0);
}

/* A copy of its own size for each cut, so that reading behind it is seen. */
static void refuses_every_truncation(void **state)
{
	struct dt_crash crash, back;
	struct dt_error err;
	(void)state;
	encode_random(7, 0, &crash);
	for (size_t len = 0; len < first.len; len++) {
		uint8_t *cut = malloc(len ? len : 1);
		assert_non_null(cut);
		memcpy(cut, first.data, len);
		memset(&err, 0, sizeof err);
		enum dt_status status = decode((struct dt_bytes){ cut, len }, &back, &err);
		assert_int_equal(status, DT_ERR_TRUNCATED);
		assert_true(err.has_off && err.off <= len);
		free(cut);
	}
}

/* A changed byte is refused, or gives a record that can be written and read again. */
static void survives_every_changed_byte(void **state)
{
	static const uint8_t masks[] = { 0x01, 0x02, 0x04, 0x80, 0xFF };
	struct dt_crash crash, back, again;
	unsigned refused = 0, taken = 0;
	(void)state;
	encode_random(11, 6, &crash);
	uint8_t *copy = malloc(first.len);
	assert_non_null(copy);
	for (size_t i = 0; i < first.len; i++)
		for (size_t k = 0; k < sizeof masks; k++) {
			memcpy(copy, first.data, first.len);
			copy[i] ^= masks[k];
			if (decode((struct dt_bytes){ copy, first.len }, &back, NULL)) {
				refused++;
				continue;
			}
			taken++;
			dt_buf_reset(&second);
			dt_crash_encode(&back, &second);
			assert_int_equal(decode(dt_buf_bytes(&second), &again, NULL), DT_OK);
			assert_null(record_difference(&dt_object_crash, &back, &again));
		}
	free(copy);
	assert_true(refused > 1000 && taken > 1000);
}

static void survives_noise(void **state)
{
	struct dt_crash back;
	uint8_t noise[300];
	uint64_t seed = 1;
	(void)state;
	for (unsigned round = 0; round < 30000; round++) {
		memcpy(noise, "DTR1\3", 5);
		for (size_t i = 5; i < sizeof noise; i++) {
			seed = seed * 6364136223846793005 + 1442695040888963407;
			noise[i] = (uint8_t)(seed >> 60 ? (seed >> 40) % 6 : seed >> 40);
		}
		assert_int_not_equal(decode((struct dt_bytes){ noise, sizeof noise }, &back, NULL), DT_OK);
	}
}

struct bytes_case {
	const char *bytes;
	size_t len;
	enum dt_status status;
	uint64_t off;
	const char *word; /* in the message */
};
#define CASE(bytes, status, off, word) { bytes, sizeof(bytes) - 1, status, off, word }

/* Facts: 0 schema (text), 1 producer {version, facts}, 2 crash_id (text), 3 file {path, name, size, mtime ...}. */
static void says_where_and_what(void **state)
{
	static const struct bytes_case cases[] = {
		CASE("", DT_ERR_TRUNCATED, 0, "header"),
		CASE("DTR", DT_ERR_TRUNCATED, 0, "header"),
		CASE("DTR2\1\0", DT_ERR_FORMAT, 0, "DTR1"),
		CASE("DTR1\3\0", DT_ERR_FORMAT, 4, "type 1, found 3"),
		CASE("DTR1\1", DT_ERR_TRUNCATED, 5, "ends"),
		CASE("DTR1\1\0\0", DT_ERR_FORMAT, 6, "1 more bytes"),
		CASE("DTR1\1\2\0", DT_ERR_TRUNCATED, 5, "promises"),
		CASE("DTR1\1\1\1\1", DT_ERR_FORMAT, 6, "facts.schema: a value of another type"),
		CASE("DTR1\1\1\7", DT_ERR_FORMAT, 6, "another type"),
		CASE("DTR1\1\1\2\4abc", DT_ERR_TRUNCATED, 7, "promises"),
		CASE("DTR1\1\1\2\3abc", DT_ERR_TRUNCATED, 8, "NUL"),
		CASE("DTR1\1\1\2\3abcd", DT_ERR_FORMAT, 11, "no NUL"),
		CASE("DTR1\1\1\2\3a\tc\0", DT_ERR_FORMAT, 7, "escaped"),
		CASE("DTR1\1\1\2\3a\0c\0", DT_ERR_FORMAT, 7, "escaped"),
		CASE("DTR1\1\1\2\3a\x92" "c\0", DT_ERR_FORMAT, 7, "escaped"),
		CASE("DTR1\1\1\2\x81\x80\2", DT_ERR_LIMIT, 7, "limit 32768"),
		CASE("DTR1\1\2\0\4\2\0\1\x80\0", DT_ERR_FORMAT, 11, "producer.facts: a number is not in its shortest form"),
		CASE("DTR1\1\2\0\4\2\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\2", DT_ERR_FORMAT, 11, "64 bits"),
		CASE("DTR1\1\2\0\4\2\0\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\1", DT_ERR_FORMAT, 11, "out of range"),
		CASE("DTR1\1\2\0\4\2\0\1\x80", DT_ERR_TRUNCATED, 12, "ends"),
		CASE("DTR1\1\4\0\0\0\4\4\0\0\0\1\0", DT_ERR_FORMAT, 15, "file.mtime: a number is out of range"),
		CASE("DTR1\1\5\0\0\0\0\4\2\0\1\0", DT_ERR_FORMAT, 14, "host.source: a word"),
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dt_facts facts;
		struct dt_error err;
		memset(&err, 0, sizeof err);
		struct dt_bytes bytes = { (const uint8_t *)cases[i].bytes, cases[i].len };
		assert_int_equal(dt_facts_decode(bytes, &decoded, &facts, &err), cases[i].status);
		assert_true(err.has_off);
		assert_int_equal(err.off, cases[i].off);
		if (!strstr(err.text, cases[i].word))
			fail_msg("\"%s\" is not in \"%s\"", cases[i].word, err.text);
	}
}

/* What a newer version writes: more fields at the end of objects, words that are not known here; what an older one
 * wrote: fewer fields. */
static void reads_other_versions(void **state)
{
	struct dt_facts facts;
	struct dt_error err;
	static const char newer[] = "DTR1\1\5"
				    "\2\1s\0"                                     /* schema */
				    "\4\6\2\1v\0\1\5" "\1\7" "\2\1\xFF\0" "\3\2\0\4\0" "\4\1\3\0" /* producer, and four fields more */
				    "\0"                                          /* crash_id */
				    "\4\1\2\1p\0"                                 /* file, of one field */
				    "\4\2\0\1\x7F";                               /* host, from an unknown source */
	(void)state;
	struct dt_bytes bytes = { (const uint8_t *)newer, sizeof newer - 1 };
	assert_int_equal(dt_facts_decode(bytes, &decoded, &facts, &err), DT_OK);
	assert_string_equal(facts.schema, "s");
	assert_string_equal(facts.producer.version, "v");
	assert_true(dt_opt_is(facts.producer.facts, 5));
	assert_null(facts.crash_id);
	assert_string_equal(facts.file.path, "p");
	assert_null(facts.file.name);
	assert_int_equal(facts.host.source, 0);
	assert_null(facts.bugcheck);
	assert_int_equal(facts.modules_count, 0);
}

static struct dt_bytes with_extra_field(const char *extra, size_t len)
{
	dt_buf_reset(&second);
	dt_buf_append(&second, "DTR1\1\2\0\4\3\0\0", 11);
	dt_buf_append(&second, extra, len);
	return dt_buf_bytes(&second);
}

static void refuses_unknown_fields_that_are_wrong(void **state)
{
	struct dt_facts facts;
	struct dt_error err;
	char deep[200];
	(void)state;
	for (size_t i = 0; i + 2 < sizeof deep; i += 2)
		memcpy(deep + i, "\3\1", 2);
	assert_int_equal(dt_facts_decode(with_extra_field(deep, 100), &decoded, &facts, &err), DT_ERR_LIMIT);
	assert_non_null(strstr(err.text, "too deep"));
	assert_int_equal(dt_facts_decode(with_extra_field("\5", 1), &decoded, &facts, &err), DT_ERR_FORMAT);
	assert_int_equal(err.off, 11);
	assert_int_equal(dt_facts_decode(with_extra_field("\3\xff\xff\xff\x7f", 5), &decoded, &facts, &err), DT_ERR_TRUNCATED);
	assert_int_equal(dt_facts_decode(with_extra_field("\2\5abc", 5), &decoded, &facts, &err), DT_ERR_TRUNCATED);
	assert_int_equal(dt_facts_decode(with_extra_field("\0", 1), &decoded, &facts, &err), DT_OK);
}

static struct dt_bytes with_registers(const char *list, size_t len)
{
	dt_buf_reset(&second);
	dt_buf_append(&second, "DTR1\1\12\0\0\0\0\0\0\0\0\0", 15);
	dt_buf_append(&second, list, len);
	return dt_buf_bytes(&second);
}
#define REGISTERS(list) with_registers(list, sizeof(list) - 1)

static void reads_registers(void **state)
{
	struct dt_facts facts;
	struct dt_error err;
	(void)state;
	assert_int_equal(dt_facts_decode(REGISTERS("\3\2\4\2\2\3rax\0\1\0\4\2\2\2r8\0\0"), &decoded, &facts, &err), DT_OK);
	assert_int_equal(facts.registers_count, 2);
	assert_string_equal(facts.registers[0].name, "rax");
	assert_true(dt_opt_is(facts.registers[0].value, 0));
	assert_string_equal(facts.registers[1].name, "r8");
	assert_false(facts.registers[1].value.known);
	assert_int_equal(dt_facts_decode(REGISTERS("\3\2\4\2\2\2r8\0\0\4\2\2\2r8\0\0"), &decoded, &facts, &err), DT_ERR_FORMAT);
	assert_non_null(strstr(err.text, "twice"));
	assert_int_equal(dt_facts_decode(REGISTERS("\3\1\4\2\2\2R8\0\0"), &decoded, &facts, &err), DT_ERR_FORMAT);
	assert_int_equal(dt_facts_decode(REGISTERS("\3\1\4\2\2\0\0\0"), &decoded, &facts, &err), DT_ERR_FORMAT);
	assert_int_equal(dt_facts_decode(REGISTERS("\3\1\4\1\2\2r8\0"), &decoded, &facts, &err), DT_ERR_FORMAT);
	assert_int_equal(dt_facts_decode(REGISTERS("\3\1\4\2\2\2r8\0\4\0"), &decoded, &facts, &err), DT_ERR_FORMAT);
	assert_int_equal(dt_facts_decode(REGISTERS("\3\x29"), &decoded, &facts, &err), DT_ERR_LIMIT);
}

static void stops_at_the_arena(void **state)
{
	struct dt_arena small;
	struct dt_crash crash, back;
	struct dt_error err;
	(void)state;
	enum dt_status status = DT_ERR_NOMEM;
	size_t max = 0;
	encode_random(3, 0, &crash);
	for (; status == DT_ERR_NOMEM; max += 64) {
		dt_arena_init(&small, max);
		status = dt_crash_decode(dt_buf_bytes(&first), &small, &back, &err);
		assert_true(small.used <= max);
		dt_arena_deinit(&small);
	}
	assert_int_equal(status, DT_OK);
	assert_true(max > 1000 && max < 65536);
}

/* What a record cannot hold is written as null or cut, so that what is written can always be read. */
static void writes_what_it_can_read(void **state)
{
	struct dt_crash crash, back;
	char *big = malloc(DT_MAX_TEXT + 100);
	static uint8_t hex[DT_MAX_HEXBYTES + 10];
	(void)state;
	assert_non_null(big);
	memset(big, 'x', DT_MAX_TEXT + 99);
	big[DT_MAX_TEXT + 99] = 0;
	memcpy(big + DT_MAX_TEXT - 1, "\xC3\xA4", 2);
	memset(&crash, 0, sizeof crash);
	dt_arena_reset(&arena);
	crash.facts.fault.bytes = (struct dt_bytes){ hex, sizeof hex };
	crash.facts.fault.instruction = big;
	crash.facts.file.size = dt_some(UINT64_MAX);
	crash.facts.file.mtime = UINT64_MAX;
	crash.facts.dump.uptime_s = dt_some(UINT64_MAX);
	crash.facts.dump.kind = (enum dt_kind)DT_kind_COUNT;
	crash.facts.suspects_count = DT_MAX_SUSPECTS + 3;
	crash.facts.suspects = DT_ARENA_ARRAY(&arena, DT_MAX_SUSPECTS + 3, struct dt_suspect);
	dt_buf_reset(&first);
	dt_crash_encode(&crash, &first);
	assert_int_equal(decode(dt_buf_bytes(&first), &back, NULL), DT_OK);
	assert_int_equal(back.facts.fault.bytes.len, DT_MAX_HEXBYTES);
	assert_int_equal(strlen(back.facts.fault.instruction), DT_MAX_TEXT - 1);
	assert_false(back.facts.file.size.known);
	assert_int_equal(back.facts.file.mtime, 0);
	assert_false(back.facts.dump.uptime_s.known);
	assert_int_equal(back.facts.dump.kind, 0);
	assert_int_equal(back.facts.suspects_count, DT_MAX_SUSPECTS);
	free(big);
}

static double microseconds(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* The aim is 15 us, the limit 30 us, of a release build on an idle machine; here only a gross error fails. */
static void decodes_fast(void **state)
{
	struct dt_crash crash, back;
	double best = 1e9;
	(void)state;
	dt_arena_reset(&arena);
	usual_record(&crash, &arena);
	dt_buf_reset(&first);
	dt_crash_encode(&crash, &first);
	for (unsigned i = 0; i < 500; i++) {
		double begin = microseconds();
		assert_int_equal(decode(dt_buf_bytes(&first), &back, NULL), DT_OK);
		double took = microseconds() - begin;
		best = took < best ? took : best;
	}
	print_message("decoding %zu modules, %zu bytes: %.1f us\n", back.facts.modules_count, first.len, best);
	assert_int_equal(back.facts.modules_count, 200);
	assert_true(best < 2000);
}

static int setup(void **state)
{
	(void)state;
	dt_arena_init(&arena, DT_MAX_ARENA);
	dt_arena_init(&decoded, DT_MAX_ARENA);
	dt_buf_init(&first, DT_MAX_RECORD);
	dt_buf_init(&second, DT_MAX_RECORD);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dt_arena_deinit(&arena);
	dt_arena_deinit(&decoded);
	dt_buf_deinit(&first);
	dt_buf_deinit(&second);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_record_stays_empty),
		cmocka_unit_test(round_trips),
		cmocka_unit_test(round_trips_the_parts),
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(survives_every_changed_byte),
		cmocka_unit_test(survives_noise),
		cmocka_unit_test(says_where_and_what),
		cmocka_unit_test(reads_other_versions),
		cmocka_unit_test(refuses_unknown_fields_that_are_wrong),
		cmocka_unit_test(reads_registers),
		cmocka_unit_test(stops_at_the_arena),
		cmocka_unit_test(writes_what_it_can_read),
		cmocka_unit_test(decodes_fast),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
