/* Uploads: what people sent in, and which crashes it gave. */
#include "store_support.h"

#include "fleet/store/uploads.h"

#define ID "00112233445566778899aabbccddeeff"
#define OTHER "ffeeddccbbaa99887766554433221100"

struct items {
	struct dt_upload_item at[8];
	char names[8][64], crashes[8][40], uploads[8][40];
	size_t count;
};

static bool take(void *context, const struct dt_upload_item *item)
{
	struct items *items = context;

	assert_true(items->count < 8);
	items->at[items->count] = *item;
	snprintf(items->names[items->count], 64, "%s", item->name);
	snprintf(items->crashes[items->count], 40, "%s", item->crash ? item->crash : "-");
	snprintf(items->uploads[items->count], 40, "%s", item->upload);
	items->count++;
	return true;
}

static struct items list(struct dt_store *store, const struct dt_upload_query *query)
{
	struct items items = { 0 };
	struct dt_error err = { 0 };

	if (dt_store_upload_items(store, query, take, &items, &err) != DT_OK)
		fail_msg("%s", err.text);
	return items;
}

static void put_item(struct dt_store *store, const struct sample *sample, const struct dt_upload_item *item)
{
	struct made made;

	make(sample, &made);
	assert_int_equal(dt_store_put(store, &(struct dt_store_entry){ .facts = &made.facts, .judgement = &made.judgement, .item = item }, NULL), DT_OK);
}

static const struct sample pc1 = { .identity = 1, .path = "upload/a/MEMORY.DMP", .host = "pc1", .module = "a.sys", .time = T0 };
static const struct sample pc2 = { .identity = 2, .path = "upload/b.zip!/b.dmp", .host = "pc2", .module = "b.sys", .time = T0 };

/* An upload of two files: a dump, and an archive of one member. */
static void put_upload(struct dt_store *store, const char *id)
{
	const struct dt_upload upload = { .id = id, .at = 5, .host = "pc1", .ticket = "INC1", .note = "it was blue", .who = "local" };

	put_item(store, &pc2, &(struct dt_upload_item){ .upload = id, .number = 1, .name = "b.zip!/b.dmp", .sha256 = "bb", .size = 20 });
	put_item(store, &pc1, &(struct dt_upload_item){ .upload = id, .number = 0, .name = "MEMORY.DMP", .sha256 = "aa", .size = 10 });
	assert_int_equal(dt_store_put_upload(store, &upload, NULL), DT_OK);
	commit(store);
}

EACH_STORE(an_upload_comes_back)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct dt_upload upload;
	struct dt_arena arena;

	dt_arena_init(&arena, 1u << 20);
	assert_int_equal(dt_store_upload(store, ID, &arena, &upload, NULL), DT_ERR_NOT_FOUND);
	put_upload(store, ID);
	assert_int_equal(dt_store_upload(store, ID, &arena, &upload, NULL), DT_OK);
	assert_string_equal(upload.ticket, "INC1");
	assert_string_equal(upload.note, "it was blue");
	assert_int_equal(upload.at, 5);
	assert_true(upload.done > 5);
	struct items items = list(store, &(struct dt_upload_query){ .upload = ID });
	assert_int_equal(items.count, 2);
	assert_string_equal(items.names[0], "MEMORY.DMP");
	assert_string_equal(items.names[1], "b.zip!/b.dmp");
	items = list(store, &(struct dt_upload_query){ .crash = items.crashes[1] });
	assert_int_equal(items.count, 1);
	assert_string_equal(items.uploads[0], ID);
	assert_healthy(store);
	dt_arena_deinit(&arena);
	dt_store_close(store);
}

EACH_STORE(the_same_bytes_are_known_while_their_crashes_are)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	uint64_t removed;

	put_upload(store, ID);
	assert_int_equal(list(store, &(struct dt_upload_query){ .sha256 = "cc", .facts_version = 1 }).count, 0);
	struct items items = list(store, &(struct dt_upload_query){ .sha256 = "aa", .facts_version = 1 });
	assert_int_equal(items.count, 1);
	/* facts of a newer version are wanted: the file must be read again */
	assert_int_equal(list(store, &(struct dt_upload_query){ .sha256 = "aa", .facts_version = 2 }).count, 0);
	/* another upload of the same bytes needs no facts */
	assert_int_equal(dt_store_put_item(store, &(struct dt_upload_item){ OTHER, 0, "copy.dmp", "aa", 10, items.crashes[0] }, NULL), DT_OK);
	assert_int_equal(dt_store_put_upload(store, &(struct dt_upload){ .id = OTHER, .at = 6, .who = "local" }, NULL), DT_OK);
	assert_int_equal(commit(store).added, 0);
	assert_int_equal(list(store, &(struct dt_upload_query){ .crash = items.crashes[0] }).count, 2);
	assert_int_equal(list(store, &(struct dt_upload_query){ .sha256 = "aa", .facts_version = 1 }).count, 1);
	/* deleted: nobody knows the bytes any more, and the upload that brought nothing else is gone */
	struct dt_arena arena;
	struct dt_upload upload;
	dt_arena_init(&arena, 1u << 20);
	assert_int_equal(dt_store_remove(store, &(struct dt_store_query){ .key = items.crashes[0] }, false, &removed, NULL), DT_OK);
	assert_int_equal(list(store, &(struct dt_upload_query){ .sha256 = "aa", .facts_version = 1 }).count, 0);
	assert_int_equal(dt_store_upload(store, OTHER, &arena, &upload, NULL), DT_ERR_NOT_FOUND);
	assert_int_equal(dt_store_upload(store, ID, &arena, &upload, NULL), DT_OK);
	/* and uploading it again says that it was deleted */
	put_upload(store, OTHER);
	items = list(store, &(struct dt_upload_query){ .upload = OTHER });
	assert_string_equal(items.crashes[0], "-");
	assert_string_not_equal(items.crashes[1], "-");
	assert_healthy(store);
	dt_arena_deinit(&arena);
	dt_store_close(store);
}

EACH_STORE(old_uploads_are_forgotten_and_their_crashes_stay)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);

	put_upload(store, ID);
	assert_int_equal(dt_store_prune_uploads(store, 1000, NULL), DT_OK);
	assert_int_equal(list(store, &(struct dt_upload_query){ .upload = ID }).count, 2);
	assert_int_equal(dt_store_prune_uploads(store, dt_time_now() + DT_TIME_SECOND, NULL), DT_OK);
	assert_int_equal(list(store, &(struct dt_upload_query){ .upload = ID }).count, 0);
	struct dt_store_health health;
	assert_int_equal(dt_store_check(store, true, &health, NULL), DT_OK);
	assert_int_equal(health.crashes, 2);
	dt_store_close(store);
}

static bool count_row(void *context, const struct dt_stored *row)
{
	(void)row;
	++*(unsigned *)context;
	return true;
}

static unsigned found(struct dt_store *store, const struct dt_store_query *query)
{
	struct dt_error err = { 0 };
	unsigned count = 0;

	if (dt_store_each(store, query, count_row, &count, &err) != DT_OK)
		fail_msg("%s", err.text);
	return count;
}

EACH_STORE(crashes_are_searched)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);

	put_upload(store, ID);
	assert_int_equal(found(store, &(struct dt_store_query){ .host = "pc1" }), 1);
	assert_int_equal(found(store, &(struct dt_store_query){ .host = "pc1", .newest = true, .limit = 5 }), 1);
	assert_int_equal(found(store, &(struct dt_store_query){ .host = "pc3" }), 0);
	assert_int_equal(found(store, &(struct dt_store_query){ .bucket = "av:read|a.sys" }), 1);
	assert_int_equal(found(store, &(struct dt_store_query){ .bucket = "av:read|a" }), 0);
	assert_int_equal(found(store, &(struct dt_store_query){ .text = "B.SYS" }), 1);
	assert_int_equal(found(store, &(struct dt_store_query){ .text = "pc" }), 2);
	/* marks of the pattern language are letters */
	assert_int_equal(found(store, &(struct dt_store_query){ .text = "%" }), 0);
	assert_int_equal(found(store, &(struct dt_store_query){ .text = "a_sys" }), 0);
	/* paths only when asked */
	assert_int_equal(found(store, &(struct dt_store_query){ .text = "memory.dmp" }), 0);
	assert_int_equal(found(store, &(struct dt_store_query){ .text = "memory.dmp", .text_in_paths = true }), 1);
	dt_store_close(store);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upload_comes_back),
		cmocka_unit_test(the_same_bytes_are_known_while_their_crashes_are),
		cmocka_unit_test(old_uploads_are_forgotten_and_their_crashes_stay),
		cmocka_unit_test(crashes_are_searched),
	};

	return store_arguments(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
