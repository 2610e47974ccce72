#include "doors/scan/summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/text.h"
#include "core/model/field.h"
#include "fleet/review/review.h"
#include "fleet/walk/walk.h"

enum { TOP = 10 };

void dt_summary_init(struct dt_scan_summary *summary)
{
	memset(summary, 0, sizeof(*summary));
	summary->buckets = calloc(DT_SUMMARY_BUCKETS, sizeof(*summary->buckets));
}

void dt_summary_deinit(struct dt_scan_summary *summary)
{
	for (size_t i = 0; summary->buckets && i < DT_SUMMARY_BUCKETS; i++)
		free(summary->buckets[i].key);
	free(summary->buckets);
}

static void count_bucket(struct dt_scan_summary *summary, const char *key)
{
	size_t at = dt_walk_hash(key) % DT_SUMMARY_BUCKETS;

	if (!summary->buckets)
		return;
	while (summary->buckets[at].key && strcmp(summary->buckets[at].key, key) != 0)
		at = (at + 1) % DT_SUMMARY_BUCKETS;
	if (!summary->buckets[at].key) {
		if (summary->bucket_count >= DT_SUMMARY_BUCKETS / 2 || !(summary->buckets[at].key = strdup(key))) {
			summary->cut = true;
			return;
		}
		summary->bucket_count++;
	}
	summary->buckets[at].crashes++;
}

void dt_summary_add(struct dt_scan_summary *summary, const struct dt_crash *crash)
{
	const struct dt_failure *failure = crash->facts.failure;

	summary->records++;
	if (crash->judgement.bucket.own)
		count_bucket(summary, crash->judgement.bucket.own);
	if (failure && crash->judgement.verdict.class == DT_CLASS_UNREADABLE && summary->reason_count < 8)
		snprintf(summary->reasons[summary->reason_count++], 200, "%.90s: %.100s", crash->facts.file.path ? crash->facts.file.path : "",
		         failure->text ? failure->text : "");
}

static int by_crashes(const void *left, const void *right)
{
	const struct { char *key; uint64_t crashes; } *a = left, *b = right;

	if (a->crashes != b->crashes)
		return a->crashes < b->crashes ? 1 : -1;
	return a->key && b->key ? strcmp(a->key, b->key) : 0;
}

static void print_buckets(struct dt_scan_summary *summary)
{
	if (!summary->buckets || !summary->bucket_count)
		return;
	qsort(summary->buckets, DT_SUMMARY_BUCKETS, sizeof(*summary->buckets), by_crashes);
	printf("\n  most frequent%s\n", summary->cut ? " (of the buckets met first)" : "");
	for (size_t i = 0; i < TOP && i < DT_SUMMARY_BUCKETS && summary->buckets[i].crashes; i++)
		printf("  %8llu  %s\n", (unsigned long long)summary->buckets[i].crashes, summary->buckets[i].key);
}

void dt_summary_print(struct dt_scan_summary *summary, const struct dt_intake *intake, const struct dt_pool_counts *pool)
{
	printf("%llu %s, %llu unchanged since %s read; %llu %s\n", (unsigned long long)summary->inputs, dt_text_plural(summary->inputs, "input", "inputs"),
	       (unsigned long long)summary->unchanged, dt_text_plural(summary->unchanged, "it was", "they were"), (unsigned long long)summary->records,
	       dt_text_plural(summary->records, "record", "records"));
	for (size_t i = 1; i < DT_verdict_class_COUNT; i++)
		if (intake->classes[i])
			printf("  %8llu  %s\n", (unsigned long long)intake->classes[i], dt_word(&dt_words_verdict_class, (unsigned)i));
	if (intake->store)
		printf("  %llu new %s, %llu changed, %llu known already\n", (unsigned long long)intake->counts.added,
		       dt_text_plural(intake->counts.added, "crash", "crashes"), (unsigned long long)intake->counts.changed, (unsigned long long)intake->counts.unchanged);
	if (intake->counts.deleted)
		printf("  %llu %s out of it\n", (unsigned long long)intake->counts.deleted,
		       dt_text_plural(intake->counts.deleted, "was deleted from the store before and stays", "were deleted from the store before and stay"));
	print_buckets(summary);
	if (intake->classes[DT_CLASS_UNREADABLE]) {
		printf("\n  not readable:");
		for (size_t i = 1, shown = 0; i < DT_failure_kind_COUNT; i++)
			if (intake->failures[i])
				printf("%s %llu %s", shown++ ? "," : "", (unsigned long long)intake->failures[i], dt_word(&dt_words_failure_kind, (unsigned)i));
		putchar('\n');
		for (size_t i = 0; i < summary->reason_count; i++)
			printf("    %s\n", summary->reasons[i]);
	}
	if (pool->signals + pool->deadlines + pool->protocol)
		printf("\n  workers lost and replaced: %llu by a signal, %llu by their deadline, %llu by what they said\n",
		       (unsigned long long)pool->signals, (unsigned long long)pool->deadlines, (unsigned long long)pool->protocol);
}

enum { INCIDENTS = 5, REVIEWED = 200, REVIEWED_HOSTS = 256 };

static void print_incidents(const struct dt_review *review)
{
	printf("\n  %llu %s of %llu %s in the store, %zu %s\n", (unsigned long long)review->fleet.crashes,
	       dt_text_plural(review->fleet.crashes, "crash", "crashes"), (unsigned long long)review->fleet.hosts,
	       dt_text_plural(review->fleet.hosts, "host", "hosts"), review->outbreaks, dt_text_plural(review->outbreaks, "outbreak", "outbreaks"));
	for (size_t i = 0, shown = 0; i < review->count && shown < INCIDENTS; i++) {
		const struct dt_review_incident *incident = &review->incidents[i];
		if (!incident->outbreak && incident->stored.hosts + incident->stored.unknown_hosts < 2)
			continue;
		printf("  i%-6llu %-8s %llu %s, %llu %s  %s\n", (unsigned long long)incident->stored.id,
		       incident->outbreak ? "outbreak" : dt_incident_state_words[incident->status.state], (unsigned long long)incident->stored.hosts,
		       dt_text_plural(incident->stored.hosts, "host", "hosts"), (unsigned long long)incident->stored.crashes,
		       dt_text_plural(incident->stored.crashes, "crash", "crashes"), incident->stored.title ? incident->stored.title : incident->stored.key);
		shown++;
	}
}

enum dt_status dt_summary_incidents(struct dt_store *store, struct dt_error *err)
{
	struct dt_review review;
	struct dt_arena arena;
	enum dt_status status;

	dt_arena_init(&arena, 256u << 20);
	status = dt_review_make(store, &(struct dt_review_options){ .limit = REVIEWED, .hosts = REVIEWED_HOSTS }, &arena, &review, err);
	if (status == DT_OK && review.fleet.id)
		print_incidents(&review);
	if (status == DT_OK)
		status = dt_review_mark(store, &review, err);
	dt_arena_deinit(&arena);
	return status;
}
