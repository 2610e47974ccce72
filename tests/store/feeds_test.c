/* Feeds: which changes are owed, and what a settled batch leaves. */
#include "store_support.h"

#include "fleet/store/feeds.h"

enum { ROOM = 64 };

static void put_pc(struct dt_store *store, unsigned number)
{
	char host[16], path[32];

	snprintf(host, sizeof(host), "pc%u", number);
	snprintf(path, sizeof(path), "/s/%u.dmp", number);
	put(store, &(struct sample){ .identity = number, .path = path, .host = host, .module = "a.sys", .time = T0 });
	commit(store);
}

static uint64_t open_feed(struct dt_store *store, const struct dt_feed_start *start, bool expect_fresh)
{
	struct dt_error err = { 0 };
	uint64_t id = 0;
	bool fresh = false;

	if (dt_store_feed_open(store, "file:x ecs", start, &id, &fresh, &err) != DT_OK)
		fail_msg("%s", err.text);
	assert_int_equal(fresh, expect_fresh);
	return id;
}

struct owed {
	struct dt_feed_row rows[ROOM];
	size_t count, crashes;
	struct dt_feed_mark horizon;
};

static struct owed owed(struct dt_store *store, uint64_t feed, size_t room)
{
	struct owed owed = { 0 };
	struct dt_error err = { 0 };

	if (dt_store_feed_owed(store, feed, owed.rows, room, &owed.count, &owed.horizon, &err) != DT_OK)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < owed.count; i++)
		owed.crashes += !owed.rows[i].incident;
	return owed;
}

static void settle(struct dt_store *store, uint64_t feed, const struct owed *owed, size_t room)
{
	const struct dt_feed_outcome outcome = { .feed = feed, .rows = owed->rows, .row_count = owed->count, .complete = owed->count < room,
		                                 .horizon = owed->horizon };
	struct dt_error err = { 0 };

	if (dt_store_feed_settle(store, &outcome, &err) != DT_OK)
		fail_msg("%s", err.text);
}

EACH_STORE(a_new_feed_begins_now_or_where_it_is_told)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	uint64_t feed;

	put_pc(store, 1);
	feed = open_feed(store, &(struct dt_feed_start){ 0 }, true);
	assert_int_equal(owed(store, feed, ROOM).count, 0);
	put_pc(store, 2);
	assert_int_equal(owed(store, feed, ROOM).crashes, 1);
	assert_int_equal(open_feed(store, &(struct dt_feed_start){ 0 }, false), feed);
	assert_int_equal(owed(store, feed, ROOM).crashes, 1);
	open_feed(store, &(struct dt_feed_start){ .replay = true }, false);
	assert_int_equal(owed(store, feed, ROOM).crashes, 2);
	open_feed(store, &(struct dt_feed_start){ .replay = true, .since = dt_time_now() + 10 * DT_TIME_SECOND }, false);
	assert_int_equal(owed(store, feed, ROOM).crashes, 0);
	dt_store_close(store);
}

EACH_STORE(what_is_not_settled_stays_owed)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	uint64_t feed = open_feed(store, &(struct dt_feed_start){ .since_given = true }, true);

	for (unsigned i = 1; i <= 6; i++)
		put_pc(store, i);
	struct owed all = owed(store, feed, ROOM);
	assert_int_equal(all.crashes, 6);
	size_t left = 0;
	for (size_t i = 0; i < all.count; i++)
		all.rows[i].settled = all.rows[i].incident || (all.rows[i].mark.seq != all.rows[0].mark.seq && all.rows[i].ref[0] != '3');
	for (size_t i = 0; i < all.count; i++)
		left += !all.rows[i].settled;
	assert_true(left > 0);
	settle(store, feed, &all, ROOM);
	struct owed rest = owed(store, feed, ROOM);
	assert_int_equal(rest.count, left);
	assert_int_equal(rest.rows[0].mark.seq, all.rows[0].mark.seq);
	/* Newer rows come behind; the old hole closes. */
	put_pc(store, 7);
	rest = owed(store, feed, ROOM);
	assert_true(rest.count > left);
	for (size_t i = 0; i < rest.count; i++)
		rest.rows[i].settled = true;
	settle(store, feed, &rest, ROOM);
	assert_int_equal(owed(store, feed, ROOM).count, 0);
	/* Settling the same again, as after a kill between two programs, changes nothing. */
	settle(store, feed, &all, ROOM);
	assert_int_equal(owed(store, feed, ROOM).count, 0);
	dt_store_close(store);
}

EACH_STORE(small_batches_see_every_row_once)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	uint64_t feed = open_feed(store, &(struct dt_feed_start){ .since_given = true }, true);
	size_t seen = 0;

	for (unsigned i = 1; i <= 9; i++)
		put_pc(store, i);
	size_t all = owed(store, feed, ROOM).count;
	for (unsigned turn = 0; turn < 2 * ROOM; turn++) {
		struct owed some = owed(store, feed, 4);
		if (!some.count)
			break;
		/* Every third stays for the next time. */
		for (size_t i = 0; i < some.count; i++) {
			some.rows[i].settled = some.count < 3 || i != turn % 3;
			seen += some.rows[i].settled;
		}
		settle(store, feed, &some, 4);
	}
	assert_int_equal(seen, all);
	dt_store_close(store);
}

struct letters {
	char reason[64];
	size_t count;
};

static bool take_letter(void *context, const struct dt_feed_letter *letter)
{
	struct letters *letters = context;

	snprintf(letters->reason, sizeof(letters->reason), "%s", letter->reason);
	letters->count++;
	return true;
}

static bool take_incident(void *context, const struct dt_feed_incident *incident)
{
	*(struct dt_feed_incident *)context = *incident;
	return true;
}

static bool take_feed(void *context, const struct dt_feed *feed)
{
	*(struct dt_feed *)context = *feed;
	return true;
}

static const char *crash_ref(const struct owed *owed, size_t number)
{
	for (size_t i = 0; i < owed->count; i++)
		if (!owed->rows[i].incident && !number--)
			return owed->rows[i].ref;
	return "";
}

struct expected {
	const char *host, *sent;
	size_t index, seen;
	enum dt_status answer;
};

static enum dt_status check_crash(void *context, size_t index, const struct dt_stored *row, const char *sent, struct dt_error *err)
{
	struct expected *expected = context;
	struct dt_crash crash;
	struct dt_arena arena;

	dt_arena_init(&arena, 1u << 20);
	assert_int_equal(index, expected->index);
	assert_string_equal(sent, expected->sent);
	assert_int_equal(dt_store_unpack(row, &arena, &crash, NULL), DT_OK);
	assert_string_equal(crash.facts.host.name, expected->host);
	dt_arena_deinit(&arena);
	expected->seen++;
	return expected->answer == DT_OK ? DT_OK : dt_fail(err, expected->answer, "enough");
}

/* What the store gives of a crash that is owed: its record, its host, the event that was sent. One that is not there is passed by. */
static void assert_crash(struct dt_store *store, uint64_t feed, const char *ref, const char *host, const char *sent)
{
	const char *refs[DT_FEED_CRASHES];
	struct expected expected = { .host = host, .sent = sent };
	struct dt_error err;
	char names[DT_FEED_CRASHES][16];

	for (size_t count = 1; count <= DT_FEED_CRASHES; count += DT_FEED_CRASHES - 1) {
		for (size_t i = 0; i < count; i++) {
			snprintf(names[i], sizeof(names[i]), "nothing %zu", i);
			refs[i] = names[i];
		}
		expected.index = count - 1;
		expected.seen = 0;
		refs[expected.index] = ref;
		assert_int_equal(dt_store_feed_crashes(store, feed, refs, count, check_crash, &expected, NULL), DT_OK);
		assert_int_equal(expected.seen, 1);
		refs[expected.index] = "nothing";
		assert_int_equal(dt_store_feed_crashes(store, feed, refs, count, check_crash, &expected, NULL), DT_OK);
		assert_int_equal(expected.seen, 1);
	}
	expected = (struct expected){ .host = host, .sent = sent, .answer = DT_ERR_NOMEM };
	assert_int_equal(dt_store_feed_crashes(store, feed, &ref, 1, check_crash, &expected, &err), DT_ERR_NOMEM);
	assert_string_equal(err.text, "enough");
}

EACH_STORE(letters_events_and_incidents_are_kept)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	uint64_t feed = open_feed(store, &(struct dt_feed_start){ .since_given = true }, true), count;
	struct letters letters = { 0 };
	struct dt_feed_incident incident = { 0 };
	struct dt_feed view = { 0 };

	put_pc(store, 1);
	put_pc(store, 2);
	struct owed all = owed(store, feed, ROOM);
	const char *one = crash_ref(&all, 0), *two = crash_ref(&all, 1);
	const struct dt_feed_letter dead = { .ref = one, .event = "e1", .reason = "mapper_parsing_exception" };
	const struct dt_feed_letter sent = { .ref = two, .event = "e2" }, later = { .ref = one, .event = "e3" };
	for (size_t i = 0; i < all.count; i++)
		all.rows[i].settled = true;
	struct dt_feed_outcome outcome = { .feed = feed, .rows = all.rows, .row_count = all.count, .complete = true, .horizon = all.horizon,
		                           .dead = &dead, .dead_count = 1, .sent = &sent, .sent_count = 1 };
	assert_int_equal(dt_store_feed_settle(store, &outcome, NULL), DT_OK);
	assert_crash(store, feed, two, "pc2", "e2");
	assert_crash(store, feed, one, "pc1", "");
	assert_crash(store, feed + 1, two, "pc2", "");
	assert_int_equal(dt_store_feed_incidents(store, feed, 0, take_incident, &incident, NULL), DT_OK);
	assert_true(incident.incident > 0 && incident.owed && !incident.state[0]);
	assert_int_equal(dt_store_feeds(store, take_feed, &view, NULL), DT_OK);
	assert_int_equal(view.dead, 1);
	assert_int_equal(view.sent, 1);
	assert_int_equal(view.owed, 0);
	assert_true(view.incidents > 0);
	/* Rejected, to be tried again, accepted. */
	assert_int_equal(dt_store_feed_dead(store, feed, true, 0, take_letter, &letters, NULL), DT_OK);
	assert_int_equal(letters.count, 0);
	assert_int_equal(dt_store_feed_retry(store, 0, &count, NULL), DT_OK);
	assert_int_equal(count, 1);
	assert_int_equal(dt_store_feed_dead(store, feed, true, 0, take_letter, &letters, NULL), DT_OK);
	assert_int_equal(letters.count, 1);
	assert_string_equal(letters.reason, "mapper_parsing_exception");
	incident.owed = false;
	snprintf(incident.state, sizeof(incident.state), "growing");
	incident.hosts = 2;
	outcome = (struct dt_feed_outcome){ .feed = feed, .sent = &later, .sent_count = 1, .horizon = { -1, 0 }, .incidents = &incident, .incident_count = 1 };
	assert_int_equal(dt_store_feed_settle(store, &outcome, NULL), DT_OK);
	letters.count = 0;
	assert_int_equal(dt_store_feed_dead(store, feed, false, 0, take_letter, &letters, NULL), DT_OK);
	assert_int_equal(letters.count, 0);
	/* A flag comes again with the next change, and what was sent is still known. */
	put_pc(store, 3);
	all = owed(store, feed, ROOM);
	for (size_t i = 0; i < all.count; i++)
		all.rows[i].settled = true;
	settle(store, feed, &all, ROOM);
	uint64_t id = incident.incident;
	assert_int_equal(dt_store_feed_incidents(store, feed, INT64_MAX, take_incident, &incident, NULL), DT_OK);
	if (incident.incident == id)
		assert_string_equal(incident.state, "growing");
	dt_store_close(store);
}

static uint64_t sweep(struct dt_store *store)
{
	struct dt_error err = { 0 };
	uint64_t removed = UINT64_MAX;

	if (dt_store_outbox_sweep(store, &removed, &err) != DT_OK)
		fail_msg("%s", err.text);
	return removed;
}

static bool names(const struct owed *owed, bool incident, const char *ref)
{
	for (size_t i = 0; i < owed->count; i++)
		if (owed->rows[i].incident == incident && !strcmp(owed->rows[i].ref, ref))
			return true;
	return false;
}

/* Both name the same crashes and incidents, b each of them once. */
static void assert_same_names(const struct owed *a, const struct owed *b)
{
	for (size_t i = 0; i < a->count; i++)
		assert_true(names(b, a->rows[i].incident, a->rows[i].ref));
	for (size_t i = 0; i < b->count; i++) {
		assert_true(names(a, b->rows[i].incident, b->rows[i].ref));
		for (size_t k = 0; k < i; k++)
			assert_false(b->rows[k].incident == b->rows[i].incident && !strcmp(b->rows[k].ref, b->rows[i].ref));
	}
}

EACH_STORE(swept_changes_are_missed_by_no_feed)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	uint64_t behind = open_feed(store, &(struct dt_feed_start){ .since_given = true }, true), removed;
	bool due = false;

	for (unsigned i = 1; i <= 3; i++)
		put_pc(store, i);
	struct owed all = owed(store, behind, ROOM), half = all;
	assert_int_equal(dt_store_outbox_sweep_due(store, &due, NULL), DT_OK);
	assert_true(due);
	assert_int_equal(sweep(store), 0);
	assert_int_equal(dt_store_outbox_sweep_due(store, &due, NULL), DT_OK);
	assert_false(due);
	/* What is not settled stays, whatever stands behind it. */
	half.count /= 2;
	for (size_t i = 0; i < half.count; i++)
		half.rows[i].settled = true;
	settle(store, behind, &half, half.count);
	sweep(store);
	assert_int_equal(owed(store, behind, ROOM).count, all.count - half.count);
	/* What is settled goes but for the last of each: who begins again misses nothing. */
	struct owed rest = owed(store, behind, ROOM);
	for (size_t i = 0; i < rest.count; i++)
		rest.rows[i].settled = true;
	settle(store, behind, &rest, ROOM);
	assert_true(sweep(store) > 0);
	assert_int_equal(sweep(store), 0);
	assert_int_equal(owed(store, behind, ROOM).count, 0);
	open_feed(store, &(struct dt_feed_start){ .replay = true }, false);
	struct owed after = owed(store, behind, ROOM);
	assert_int_equal(after.crashes, 3);
	assert_same_names(&all, &after);
	/* A deletion is told to everybody before its row goes. */
	assert_int_equal(dt_store_remove(store, &(struct dt_store_query){ .host = "pc2" }, false, &removed, NULL), DT_OK);
	assert_int_equal(removed, 1);
	sweep(store);
	after = owed(store, behind, ROOM);
	assert_int_equal(after.crashes, 4); /* three, and that one is gone */
	for (size_t i = 0; i < after.count; i++)
		after.rows[i].settled = true;
	settle(store, behind, &after, ROOM);
	assert_true(sweep(store) >= 2);
	open_feed(store, &(struct dt_feed_start){ .replay = true }, false);
	assert_int_equal(owed(store, behind, ROOM).crashes, 2);
	assert_healthy(store);
	dt_store_close(store);
}

struct seen {
	uint64_t dead, error_at;
	bool error, note;
};

static bool see_feed(void *context, const struct dt_feed *feed)
{
	*(struct seen *)context = (struct seen){ feed->dead, feed->error_at, feed->error != NULL, feed->note != NULL };
	return true;
}

EACH_STORE(a_feed_says_what_is_wrong_and_since_when)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	uint64_t feed = open_feed(store, &(struct dt_feed_start){ 0 }, true);
	struct seen first, second;

	assert_int_equal(dt_store_feed_error(store, feed, "it is down", NULL), DT_OK);
	assert_int_equal(dt_store_feeds(store, see_feed, &first, NULL), DT_OK);
	assert_true(first.error && first.error_at && !first.note);
	assert_int_equal(dt_store_feed_error(store, feed, "it is down still", NULL), DT_OK);
	assert_int_equal(dt_store_feeds(store, see_feed, &second, NULL), DT_OK);
	assert_int_equal(second.error_at, first.error_at);
	assert_int_equal(dt_store_feed_note(store, feed, "it says no goodbye", NULL), DT_OK);
	assert_int_equal(dt_store_feeds(store, see_feed, &second, NULL), DT_OK);
	assert_true(!second.error && !second.error_at && second.note);
	assert_int_equal(dt_store_feed_note(store, feed, NULL, NULL), DT_OK);
	assert_int_equal(dt_store_feeds(store, see_feed, &second, NULL), DT_OK);
	assert_true(!second.error && !second.note);
	dt_store_close(store);
}

EACH_STORE(one_letter_is_tried_again_and_a_feed_is_forgotten)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	uint64_t feed = open_feed(store, &(struct dt_feed_start){ .since_given = true }, true), count;
	const struct dt_feed_letter dead[] = { { .ref = "aa1", .event = "e", .reason = "r" },
		                               { .ref = "aa2", .event = "e", .reason = "r" },
		                               { .incident = true, .ref = "1", .event = "e", .reason = "r" },
		                               { .incident = true, .ref = "17", .event = "e", .reason = "r" } };
	const struct dt_feed_outcome outcome = { .feed = feed, .horizon = { -1, 0 }, .dead = dead, .dead_count = 4 };
	struct letters letters = { 0 };
	struct seen seen = { 0 };

	assert_int_equal(dt_store_feed_settle(store, &outcome, NULL), DT_OK);
	assert_int_equal(dt_store_feed_retry_one(store, feed + 1, false, "aa1", &count, NULL), DT_OK);
	assert_int_equal(count, 0);
	assert_int_equal(dt_store_feed_retry_one(store, feed, false, "b", &count, NULL), DT_OK);
	assert_int_equal(count, 0);
	assert_int_equal(dt_store_feed_retry_one(store, feed, true, "1", &count, NULL), DT_OK);
	assert_int_equal(count, 1);
	assert_int_equal(dt_store_feed_dead(store, feed, true, 0, take_letter, &letters, NULL), DT_OK);
	assert_int_equal(letters.count, 1);
	assert_int_equal(dt_store_feed_retry_one(store, 0, false, "aa", &count, NULL), DT_OK);
	assert_int_equal(count, 2);
	assert_int_equal(dt_store_feed_remove(store, feed, NULL), DT_OK);
	assert_int_equal(dt_store_feed_remove(store, feed, NULL), DT_ERR_NOT_FOUND);
	assert_int_equal(dt_store_feeds(store, see_feed, &seen, NULL), DT_OK);
	assert_int_equal(seen.dead, 0);
	assert_int_equal(dt_store_feed_retry(store, 0, &count, NULL), DT_OK);
	assert_int_equal(count, 0);
	dt_store_close(store);
}

EACH_STORE(an_unknown_feed_is_an_error)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct dt_feed_row rows[1];
	struct dt_feed_mark horizon;
	size_t count;

	assert_int_equal(dt_store_feed_owed(store, 99, rows, 1, &count, &horizon, NULL), DT_ERR_NOT_FOUND);
	assert_int_equal(count, 0);
	dt_store_close(store);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_feed_begins_now_or_where_it_is_told),
		cmocka_unit_test(what_is_not_settled_stays_owed),
		cmocka_unit_test(small_batches_see_every_row_once),
		cmocka_unit_test(letters_events_and_incidents_are_kept),
		cmocka_unit_test(swept_changes_are_missed_by_no_feed),
		cmocka_unit_test(a_feed_says_what_is_wrong_and_since_when),
		cmocka_unit_test(one_letter_is_tried_again_and_a_feed_is_forgotten),
		cmocka_unit_test(an_unknown_feed_is_an_error),
	};

	if (!store_arguments(argc, argv))
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
