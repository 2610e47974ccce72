/*
 * The tables of the store, as numbered steps. A step that was released is never changed; a change is a new step.
 *
 *   files      one row for every file ever seen (members of archives too)
 *   crashes    one row for every crash: the columns that are searched
 *   records    its facts and judgement, binary and compressed
 *   incidents  groups of crashes (kind 0 is the whole fleet)
 *   members    which crashes an incident has, by host and time: from it the others are counted
 *   hours      crashes and onsets of an incident by hour
 *   facets     how many crashes of an incident have a value (OS build, module build, family)
 *   outbox     every change of a crash or an incident, in the order of commit
 *   tombstones what was deleted and must not come back
 *   uploads    what people sent in, with what they said of it
 *   upload_items  which crashes an upload's files gave
 *   tokens     who may use the API: hashes only
 *   audit      who uploaded, saw or deleted what
 *   feeds      who is told of changes, and up to where that is settled; feed_done: changes behind that which are settled too
 *   feed_sent  the event a feed was last sent for a crash; feed_incidents the same for incidents, and which are to be looked at
 *   feed_dead  what a receiver rejected, and why
 */
#include "fleet/store/migrations.h"

#include <string.h>

static const char *const steps[] = {
	/* 1 */
	"CREATE TABLE meta (name {text} PRIMARY KEY, value {text} NOT NULL);"
	"CREATE TABLE hosts (id {serial}, name {text} NOT NULL UNIQUE, families BIGINT NOT NULL DEFAULT 0);"
	"CREATE INDEX hosts_families ON hosts (families) WHERE families >= 3;"
	"CREATE TABLE crashes (id {serial}, key {text} NOT NULL UNIQUE, crash_id {text}, added BIGINT NOT NULL,"
	" time BIGINT, time_ok BIGINT NOT NULL, host BIGINT NOT NULL, host_source BIGINT NOT NULL, class BIGINT NOT NULL,"
	" confidence BIGINT, code BIGINT, build BIGINT, machine BIGINT NOT NULL, blame {text}, fault {text}, module_build {text},"
	" own {text}, family {text}, signatures {text}, rules {text}, facts_version BIGINT NOT NULL, rank {text} NOT NULL,"
	" path {text} NOT NULL);"
	"CREATE TABLE records (crash BIGINT PRIMARY KEY, facts {blob} NOT NULL, judgement {blob} NOT NULL);"
	"CREATE TABLE files (id {serial}, path {text} NOT NULL UNIQUE, size BIGINT NOT NULL, mtime BIGINT NOT NULL,"
	" facts_version BIGINT NOT NULL, crash BIGINT, sha256 {text}, seen BIGINT NOT NULL);"
	"CREATE INDEX files_crash ON files (crash);"
	"CREATE TABLE incidents (id {serial}, kind BIGINT NOT NULL, key {text} NOT NULL, title {text}, crashes BIGINT NOT NULL DEFAULT 0,"
	" unknown_hosts BIGINT NOT NULL DEFAULT 0, untimed BIGINT NOT NULL DEFAULT 0, hosts BIGINT NOT NULL DEFAULT 0,"
	" first BIGINT, last BIGINT, state {text}, UNIQUE (kind, key));"
	"CREATE TABLE members (incident BIGINT NOT NULL, host BIGINT NOT NULL, time BIGINT NOT NULL, crash BIGINT NOT NULL,"
	" PRIMARY KEY (incident, host, time, crash)){narrow};"
	"CREATE TABLE hours (incident BIGINT NOT NULL, hour BIGINT NOT NULL, crashes BIGINT NOT NULL, onsets BIGINT NOT NULL,"
	" PRIMARY KEY (incident, hour)){narrow};"
	"CREATE TABLE facets (incident BIGINT NOT NULL, name {text} NOT NULL, value {text} NOT NULL, crashes BIGINT NOT NULL,"
	" PRIMARY KEY (incident, name, value)){narrow};"
	"CREATE TABLE outbox (seq {serial}, at BIGINT NOT NULL, kind BIGINT NOT NULL, ref {text} NOT NULL, change {text} NOT NULL);"
	"CREATE TABLE tombstones (key {text} PRIMARY KEY, at BIGINT NOT NULL){narrow};",
	/* 2 */
	"CREATE INDEX crashes_host ON crashes (host, id);"
	"CREATE TABLE uploads (id {text} PRIMARY KEY, at BIGINT NOT NULL, done BIGINT NOT NULL, host {text}, ticket {text}, note {text},"
	" who {text} NOT NULL);"
	"CREATE TABLE upload_items (upload {text} NOT NULL, number BIGINT NOT NULL, name {text} NOT NULL, sha256 {text} NOT NULL,"
	" size BIGINT NOT NULL, crash {text}, PRIMARY KEY (upload, number)){narrow};"
	"CREATE INDEX upload_items_sha256 ON upload_items (sha256);"
	"CREATE INDEX upload_items_crash ON upload_items (crash);"
	"CREATE TABLE tokens (id {serial}, name {text} NOT NULL UNIQUE, hash {text} NOT NULL UNIQUE, scopes BIGINT NOT NULL,"
	" created BIGINT NOT NULL, revoked BIGINT);"
	"CREATE TABLE audit (id {serial}, at BIGINT NOT NULL, who {text} NOT NULL, address {text} NOT NULL, action {text} NOT NULL,"
	" object {text} NOT NULL, detail {text});",
	/* 3 */
	"ALTER TABLE outbox ADD COLUMN xid BIGINT NOT NULL DEFAULT {transaction};"
	"CREATE INDEX outbox_order ON outbox (xid, seq);"
	"CREATE TABLE feeds (id {serial}, name {text} NOT NULL UNIQUE, xid BIGINT NOT NULL, seq BIGINT NOT NULL, since BIGINT NOT NULL,"
	" begin BIGINT NOT NULL, registered BIGINT NOT NULL, sent BIGINT NOT NULL DEFAULT 0, sent_at BIGINT, error {text}, error_at BIGINT);"
	"CREATE TABLE feed_done (feed BIGINT NOT NULL, xid BIGINT NOT NULL, seq BIGINT NOT NULL, PRIMARY KEY (feed, xid, seq)){narrow};"
	"CREATE TABLE feed_sent (feed BIGINT NOT NULL, ref {text} NOT NULL, event {text} NOT NULL, PRIMARY KEY (feed, ref)){narrow};"
	"CREATE TABLE feed_incidents (feed BIGINT NOT NULL, incident BIGINT NOT NULL, owed BIGINT NOT NULL, state {text} NOT NULL,"
	" hosts BIGINT NOT NULL, at BIGINT NOT NULL, PRIMARY KEY (feed, incident)){narrow};"
	"CREATE TABLE feed_dead (feed BIGINT NOT NULL, kind BIGINT NOT NULL, ref {text} NOT NULL, event {text} NOT NULL, at BIGINT NOT NULL,"
	" reason {text} NOT NULL, retry BIGINT NOT NULL DEFAULT 0, PRIMARY KEY (feed, kind, ref)){narrow};"
	"{notify}",
};

const int dt_store_version = (int)(sizeof(steps) / sizeof(steps[0]));

static enum dt_status has_meta(struct dt_sql *db, bool *there, struct dt_error *err)
{
	bool sqlite = !strcmp(db->driver->name, "sqlite");
	struct dt_rows rows;
	enum dt_status status = sqlite ? dt_sql_one(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'meta'", DT_NO_PARAMS, &rows, err)
	                               : dt_sql_one(db, "SELECT 1 FROM pg_tables WHERE tablename = 'meta' AND schemaname = current_schema()", DT_NO_PARAMS, &rows, err);

	dt_rows_end(&rows);
	*there = status == DT_OK;
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

enum dt_status dt_store_version_of(struct dt_sql *db, int *version, struct dt_error *err)
{
	struct dt_rows rows;
	bool there;
	enum dt_status status = has_meta(db, &there, err);

	*version = 0;
	if (status != DT_OK || !there)
		return status;
	status = dt_sql_one(db, "SELECT value FROM meta WHERE name = 'version'", DT_NO_PARAMS, &rows, err);
	if (status == DT_OK)
		for (const char *digit = dt_rows_text(&rows, 0); digit && *digit >= '0' && *digit <= '9' && *version < 100000; digit++)
			*version = *version * 10 + (*digit - '0');
	dt_rows_end(&rows);
	return status == DT_ERR_NOT_FOUND ? DT_OK : status;
}

static enum dt_status step(struct dt_sql *db, int number, struct dt_error *err)
{
	struct dt_buf text;

	dt_buf_init(&text, 1u << 20);
	dt_buf_puts(&text, steps[number - 1]);
	if (number == 1)
		dt_buf_puts(&text, "INSERT INTO meta (name, value) VALUES ('version', '1');");
	else
		dt_buf_printf(&text, "UPDATE meta SET value = '%d' WHERE name = 'version';", number);
	/* Half a step would be a store that no program can open. */
	enum dt_status status = dt_buf_ok(&text) ? dt_sql_script(db, dt_buf_text(&text), err) : dt_fail(err, DT_ERR_NOMEM, "no memory");
	dt_buf_deinit(&text);
	return status;
}

/* All steps in one transaction: who opens the store meanwhile sees the old version or the new one, never one in between, which is nobody's. */
enum dt_status dt_store_migrate(struct dt_sql *db, struct dt_error *err)
{
	int version = 0;
	enum dt_status status = dt_sql_script(db, db->driver->begin_write, err);

	if (status == DT_OK && !strcmp(db->driver->name, "postgresql"))
		status = dt_sql_script(db, "SET LOCAL statement_timeout = 0; SELECT pg_advisory_xact_lock(1685417328)", err);
	/* Read again inside the transaction: another program may have been faster. */
	if (status == DT_OK)
		status = dt_store_version_of(db, &version, err);
	while (status == DT_OK && version < dt_store_version)
		status = step(db, ++version, err);
	if (status == DT_OK)
		status = dt_sql_script(db, "COMMIT", err);
	if (status != DT_OK)
		(void)dt_sql_script(db, "ROLLBACK", NULL);
	return status;
}
