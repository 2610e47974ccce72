/* dumptriage rematch: judgement made again over stored facts. */
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/codec.h"
#include "core/model/field.h"
#include "doors/store/commands.h"
#include "judgement/verdict/verdict.h"

enum { DB = 300, SIGNATURES, CARRIERS, SIGNATURE, DRY, JOBS };
enum { PAGE = 1024, MAX_JOBS = 64, SHOWN = 20 };

/* One crash of a page. */
struct item {
	struct dt_stored row; /* texts and bytes in the page's arena */
	bool changed;
	struct dt_crash crash; /* with the new judgement; in the thread's arena */
	enum dt_verdict_class before;
	enum dt_status status;
	struct dt_error err;
};

/* Two of them: one is read while the other is judged. */
struct page {
	struct dt_arena arena;
	struct item *items;
	size_t count;
};

struct rematch {
	const char *db, *signatures, *carriers, *signature;
	bool dry;
	unsigned jobs;
	struct dt_rules *rules;
	struct dt_store *store;
	struct page pages[2], *filling;
	uint64_t judged, changed, skipped, last;
	uint64_t moves[DT_verdict_class_COUNT][DT_verdict_class_COUNT];
	size_t shown;
};

/* A slice of the page. */
struct slice {
	struct rematch *rematch;
	struct page *page;
	struct dt_arena arena;
	struct dt_buf now, then;
	size_t from, until;
	pthread_t thread;
	bool threaded;
};

/* Equal but for when and by which rules it was made. */
static bool same_judgement(struct slice *slice, struct dt_judgement *now, const struct dt_judgement *then)
{
	struct dt_judgement copy = *now;

	copy.judged = then->judged;
	dt_buf_reset(&slice->now);
	dt_buf_reset(&slice->then);
	dt_judgement_encode(&copy, &slice->now);
	dt_judgement_encode(then, &slice->then);
	return slice->now.len == slice->then.len && !memcmp(slice->now.data, slice->then.data, slice->now.len);
}

static void judge_item(struct slice *slice, struct item *item)
{
	struct dt_judgement judgement;

	item->status = dt_store_unpack(&item->row, &slice->arena, &item->crash, &item->err);
	if (item->status == DT_OK)
		item->status = dt_judge(&item->crash.facts, slice->rematch->rules, dt_time_now(), &slice->arena, &judgement, &item->err);
	if (item->status != DT_OK)
		return;
	item->before = item->crash.judgement.verdict.class;
	item->changed = !same_judgement(slice, &judgement, &item->crash.judgement);
	item->crash.judgement = judgement;
}

static void *judge_slice(void *argument)
{
	struct slice *slice = argument;

	for (size_t i = slice->from; i < slice->until; i++)
		judge_item(slice, &slice->page->items[i]);
	return NULL;
}

static bool take(void *context, const struct dt_stored *row)
{
	struct rematch *rematch = context;
	struct page *page = rematch->filling;
	struct item *item = &page->items[page->count++];

	memset(item, 0, sizeof(*item));
	item->row = dt_stored_keep(row, &page->arena);
	rematch->last = row->id;
	return true;
}

/* What is known of a crash without its record. The signature cannot match the crash when it cannot match this. */
static bool may_claim(const struct rematch *rematch, const struct dt_stored *row)
{
	struct dt_bugcheck bugcheck = { .code = row->code };
	/* The code of a user dump is an exception's. */
	bool kernel = row->code.known && row->own && strncmp(row->own, "u:", 2) != 0;
	struct dt_facts facts = { .fault = { .module = row->fault }, .dump = { .build = row->build }, .bugcheck = kernel ? &bugcheck : NULL };
	char word[160];

	snprintf(word, sizeof(word), " %.120s ", rematch->signature);
	return (row->signatures && strstr(row->signatures, word)) || dt_rule_may_match(rematch->rules, rematch->signature, &facts);
}

struct candidates {
	struct rematch *rematch;
	char (*keys)[40];
	size_t count;
};

static bool take_candidate(void *context, const struct dt_stored *row)
{
	struct candidates *candidates = context;
	struct rematch *rematch = candidates->rematch;

	rematch->last = row->id;
	if (!may_claim(rematch, row)) {
		rematch->skipped++;
		return true;
	}
	snprintf(candidates->keys[candidates->count++], 40, "%s", row->key);
	return candidates->count < PAGE;
}

static enum dt_status load_page(struct rematch *rematch, struct page *page, struct dt_error *err)
{
	struct candidates candidates = { .rematch = rematch };
	enum dt_status status;

	rematch->filling = page;
	page->count = 0;
	dt_arena_reset(&page->arena);
	if (!rematch->signature)
		return dt_store_each(rematch->store, &(struct dt_store_query){ .after = rematch->last, .limit = PAGE, .records = true }, take, rematch, err);
	if (!(candidates.keys = malloc(PAGE * sizeof(*candidates.keys))))
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	status = dt_store_each(rematch->store, &(struct dt_store_query){ .after = rematch->last }, take_candidate, &candidates, err);
	uint64_t last = rematch->last;
	for (size_t i = 0; i < candidates.count && status == DT_OK; i++)
		status = dt_store_each(rematch->store, &(struct dt_store_query){ .key = candidates.keys[i], .records = true, .limit = 1 }, take, rematch, err);
	rematch->last = last;
	free(candidates.keys);
	return status == DT_OK && page->arena.failed ? dt_fail(err, DT_ERR_NOMEM, "no memory") : status;
}

/* Threads that judge a page, while this one may read the next. */
static void begin_page(struct rematch *rematch, struct page *page, struct slice *slices)
{
	size_t each = (page->count + rematch->jobs - 1) / rematch->jobs;

	for (unsigned i = 0; i < rematch->jobs; i++) {
		struct slice *slice = &slices[i];
		slice->page = page;
		slice->from = i * each < page->count ? i * each : page->count;
		slice->until = slice->from + each < page->count ? slice->from + each : page->count;
		dt_arena_reset(&slice->arena);
		slice->threaded = pthread_create(&slice->thread, NULL, judge_slice, slice) == 0;
	}
}

static void end_page(struct rematch *rematch, struct slice *slices)
{
	for (unsigned i = 0; i < rematch->jobs; i++)
		if (slices[i].threaded)
			pthread_join(slices[i].thread, NULL);
		else
			judge_slice(&slices[i]);
}

static void tell(struct rematch *rematch, const struct item *item)
{
	const struct dt_verdict *now = &item->crash.judgement.verdict;

	rematch->moves[item->before][now->class]++;
	if (!rematch->dry || rematch->shown++ >= SHOWN)
		return;
	printf("  %s  %s -> %s%s%s\n", item->row.key, dt_word(&dt_words_verdict_class, item->before), dt_word(&dt_words_verdict_class, now->class),
	       item->crash.judgement.matches_count ? "  " : "", item->crash.judgement.matches_count ? item->crash.judgement.matches[0].signature : "");
}

static enum dt_status write_page(struct rematch *rematch, struct page *page, struct dt_error *err)
{
	struct dt_store_counts counts = { 0 };

	for (size_t i = 0; i < page->count; i++) {
		struct item *item = &page->items[i];
		if (item->status != DT_OK) {
			*err = item->err;
			return item->status;
		}
		rematch->judged++;
		if (!item->changed)
			continue;
		rematch->changed++;
		tell(rematch, item);
		const struct dt_store_entry entry = { .facts = &item->crash.facts, .judgement = &item->crash.judgement, .rejudge = item->row.key };
		enum dt_status status = rematch->dry ? DT_OK : dt_store_put(rematch->store, &entry, err);
		if (status != DT_OK)
			return status;
	}
	return dt_store_commit(rematch->store, &counts, err);
}

static enum dt_status run_pages(struct rematch *rematch, struct slice *slices, struct dt_error *err)
{
	unsigned at = 0;
	enum dt_status status = load_page(rematch, &rematch->pages[at], err), next;

	while (status == DT_OK && rematch->pages[at].count) {
		begin_page(rematch, &rematch->pages[at], slices);
		next = load_page(rematch, &rematch->pages[1 - at], err);
		end_page(rematch, slices);
		status = next == DT_OK ? write_page(rematch, &rematch->pages[at], err) : next;
		at = 1 - at;
	}
	return status;
}

static int run(struct rematch *rematch)
{
	struct slice *slices = calloc(rematch->jobs, sizeof(*slices));
	struct dt_error err;
	enum dt_status status;

	for (unsigned i = 0; i < 2; i++) {
		rematch->pages[i].items = malloc(PAGE * sizeof(struct item));
		dt_arena_init(&rematch->pages[i].arena, 512u << 20);
	}
	for (unsigned i = 0; slices && i < rematch->jobs; i++) {
		slices[i].rematch = rematch;
		dt_arena_init(&slices[i].arena, 1u << 30);
		dt_buf_init(&slices[i].now, DT_MAX_RECORD);
		dt_buf_init(&slices[i].then, DT_MAX_RECORD);
	}
	status = slices && rematch->pages[0].items && rematch->pages[1].items ? run_pages(rematch, slices, &err) : dt_fail(&err, DT_ERR_NOMEM, "no memory");
	for (unsigned i = 0; slices && i < rematch->jobs; i++) {
		dt_arena_deinit(&slices[i].arena);
		dt_buf_deinit(&slices[i].now);
		dt_buf_deinit(&slices[i].then);
	}
	free(slices);
	for (unsigned i = 0; i < 2; i++) {
		free(rematch->pages[i].items);
		dt_arena_deinit(&rematch->pages[i].arena);
	}
	return status == DT_OK ? DT_EXIT_OK : dt_door_fail("%s", err.text);
}

static void print_result(const struct rematch *rematch)
{
	if (rematch->dry && rematch->shown > SHOWN)
		printf("  and %zu more\n", rematch->shown - SHOWN);
	printf("%llu %s judged again by rules %s, %llu %s", (unsigned long long)rematch->judged, dt_text_plural(rematch->judged, "crash", "crashes"),
	       dt_rules_hash(rematch->rules), (unsigned long long)rematch->changed, rematch->dry ? "would change" : "changed");
	if (rematch->skipped)
		printf("; %llu that the signature cannot claim %s left alone", (unsigned long long)rematch->skipped, dt_text_plural(rematch->skipped, "was", "were"));
	putchar('\n');
	for (size_t a = 0; a < DT_verdict_class_COUNT; a++)
		for (size_t b = 0; b < DT_verdict_class_COUNT; b++)
			if (rematch->moves[a][b] && a != b)
				printf("  %8llu  %s -> %s\n", (unsigned long long)rematch->moves[a][b], dt_word(&dt_words_verdict_class, (unsigned)a),
				       dt_word(&dt_words_verdict_class, (unsigned)b));
}

static int one(struct rematch *rematch, const struct dt_command *self, int option, const char *value)
{
	switch (option) {
	case DB: rematch->db = value; return DT_EXIT_OK;
	case SIGNATURES: rematch->signatures = value; return DT_EXIT_OK;
	case CARRIERS: rematch->carriers = value; return DT_EXIT_OK;
	case SIGNATURE: rematch->signature = value; return DT_EXIT_OK;
	case DRY: rematch->dry = true; return DT_EXIT_OK;
	case JOBS:
		return dt_door_unsigned(self, "--jobs", value, 1, MAX_JOBS, &rematch->jobs);
	default: return dt_door_usage(self, "wrong option");
	}
}

static int parse(struct rematch *rematch, const struct dt_command *self, int argc, char **argv)
{
	static const struct option table[] = {
		{ "db", required_argument, NULL, DB },        { "signatures", required_argument, NULL, SIGNATURES },
		{ "carriers", required_argument, NULL, CARRIERS },
		{ "signature", required_argument, NULL, SIGNATURE }, { "dry-run", no_argument, NULL, DRY },
		{ "jobs", required_argument, NULL, JOBS },    { 0 },
	};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int option, status = DT_EXIT_OK;

	rematch->jobs = processors > 0 && processors <= MAX_JOBS ? (unsigned)processors : 1;
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, "", table, NULL)) != -1)
		status = one(rematch, self, option, optarg);
	if (status == DT_EXIT_OK && optind < argc)
		status = dt_door_usage(self, "'%s' is one too many", argv[optind]);
	return status;
}

int dt_store_cmd_rematch(const struct dt_command *self, int argc, char **argv)
{
	struct rematch rematch = { 0 };
	int status;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	status = parse(&rematch, self, argc, argv);
	if (status != DT_EXIT_OK)
		return status;
	if (!(rematch.rules = dt_door_rules(rematch.signatures, rematch.carriers)))
		return DT_EXIT_ENVIRONMENT;
	if (rematch.signature && !dt_rule_find(rematch.rules, rematch.signature))
		status = dt_door_usage(self, "there is no signature '%s'", rematch.signature);
	if (status == DT_EXIT_OK && (rematch.store = dt_store_cmd_open(self, rematch.db, DT_STORE_READ, &status))) {
		status = run(&rematch);
		if (status == DT_EXIT_OK)
			print_result(&rematch);
		if (status == DT_EXIT_OK && !dt_door_flush())
			status = DT_EXIT_ENVIRONMENT;
	}
	dt_store_close(rematch.store);
	dt_rules_free(rematch.rules);
	return status;
}
