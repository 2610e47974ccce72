/* Tokens and the audit log. */
#include "core/base/time.h"
#include "store_support.h"

#include "fleet/store/access.h"

static bool take_token(void *context, const struct dt_token *token)
{
	dt_buf_printf(context, "%s %s %u%s\n", token->name, token->hash, token->scopes, token->revoked ? " revoked" : "");
	return true;
}

static bool take_audit(void *context, const struct dt_audit *audit)
{
	dt_buf_printf(context, "%s %s %s %s %s\n", audit->who, audit->address, audit->action, audit->object, audit->detail ? audit->detail : "-");
	return true;
}

static const char *tokens(struct dt_store *store, const char *hash, struct dt_buf *out)
{
	dt_buf_reset(out);
	assert_int_equal(dt_store_tokens(store, hash, take_token, out, NULL), DT_OK);
	return dt_buf_text(out);
}

EACH_STORE(tokens_are_given_found_and_revoked)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct dt_error err = { 0 };
	struct dt_buf out;

	dt_buf_init(&out, 1u << 16);
	assert_int_equal(dt_store_token_add(store, &(struct dt_token){ .name = "desk", .hash = "11", .scopes = DT_SCOPE_UPLOAD | DT_SCOPE_READ }, &err), DT_OK);
	assert_int_equal(dt_store_token_add(store, &(struct dt_token){ .name = "boss", .hash = "22", .scopes = DT_SCOPE_ADMIN }, &err), DT_OK);
	assert_int_equal(dt_store_token_add(store, &(struct dt_token){ .name = "desk", .hash = "33", .scopes = 1 }, &err), DT_ERR_USAGE);
	assert_string_equal(tokens(store, NULL, &out), "boss 22 4\ndesk 11 3\n");
	assert_string_equal(tokens(store, "11", &out), "desk 11 3\n");
	assert_string_equal(tokens(store, "44", &out), "");
	assert_int_equal(dt_store_token_revoke(store, "desk", &err), DT_OK);
	assert_int_equal(dt_store_token_revoke(store, "desk", &err), DT_ERR_NOT_FOUND);
	assert_int_equal(dt_store_token_revoke(store, "nobody", &err), DT_ERR_NOT_FOUND);
	assert_string_equal(tokens(store, "11", &out), "");
	assert_string_equal(tokens(store, NULL, &out), "boss 22 4\ndesk 11 3 revoked\n");
	/* a name is never given twice: the audit log would not tell whose it is */
	assert_int_equal(dt_store_token_add(store, &(struct dt_token){ .name = "desk", .hash = "55", .scopes = 1 }, &err), DT_ERR_USAGE);
	dt_buf_deinit(&out);
	dt_store_close(store);
}

EACH_STORE(what_was_done_is_kept)
{
	struct dt_store *store = open_store(url, DT_STORE_WRITE);
	struct dt_buf out;

	dt_buf_init(&out, 1u << 16);
	assert_int_equal(dt_store_audit(store, &(struct dt_audit){ .who = "desk", .address = "::1", .action = "upload", .object = "u1" }, NULL), DT_OK);
	assert_int_equal(dt_store_audit(store, &(struct dt_audit){ .who = "boss", .address = "::1", .action = "delete", .object = "c1", .detail = "x" }, NULL), DT_OK);
	assert_int_equal(dt_store_audits(store, 0, 0, take_audit, &out, NULL), DT_OK);
	assert_string_equal(dt_buf_text(&out), "boss ::1 delete c1 x\ndesk ::1 upload u1 -\n");
	dt_buf_reset(&out);
	assert_int_equal(dt_store_audits(store, 2, 1, take_audit, &out, NULL), DT_OK);
	assert_string_equal(dt_buf_text(&out), "desk ::1 upload u1 -\n");
	/* nothing is older than an hour, everything is older than the next one */
	assert_int_equal(dt_store_prune_audit(store, dt_time_now() - 3600 * DT_TIME_SECOND, NULL), DT_OK);
	dt_buf_reset(&out);
	assert_int_equal(dt_store_audits(store, 0, 0, take_audit, &out, NULL), DT_OK);
	assert_string_equal(dt_buf_text(&out), "boss ::1 delete c1 x\ndesk ::1 upload u1 -\n");
	assert_int_equal(dt_store_prune_audit(store, dt_time_now() + 3600 * DT_TIME_SECOND, NULL), DT_OK);
	dt_buf_reset(&out);
	assert_int_equal(dt_store_audits(store, 0, 0, take_audit, &out, NULL), DT_OK);
	assert_int_equal(out.len, 0);
	dt_buf_deinit(&out);
	dt_store_close(store);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_given_found_and_revoked),
		cmocka_unit_test(what_was_done_is_kept),
	};

	return store_arguments(argc, argv) ? cmocka_run_group_tests(tests, NULL, NULL) : 2;
}
