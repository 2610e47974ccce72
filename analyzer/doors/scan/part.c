/*
 * JSON lines of one shard: a head, the records, an end. What is not finished has another name; a scan that was killed goes on
 * behind its last complete line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/killpoint.h"
#include "core/model/json.h"
#include "doors/scan/parts.h"
#include "fleet/walk/walk.h"

struct dt_part {
	char *path, *temporary;
	FILE *file;
	struct dt_buf line;
	uint64_t *kept; /* open addressing, 0 free */
	size_t room, kept_count;
	uint64_t records;
};

static uint64_t input_hash(const char *path, uint64_t size, uint64_t mtime)
{
	uint64_t hash = dt_walk_hash(path);

	for (int i = 0; i < 64; i += 8)
		hash = (hash ^ (size >> i & 0xff)) * UINT64_C(0x100000001b3);
	for (int i = 0; i < 64; i += 8)
		hash = (hash ^ (mtime >> i & 0xff)) * UINT64_C(0x100000001b3);
	return hash ? hash : 1;
}

static bool set_add(struct dt_part *part, uint64_t hash)
{
	if (part->kept_count * 2 >= part->room) {
		size_t room = part->room ? part->room * 2 : 1024;
		uint64_t *old = part->kept, *more = calloc(room, sizeof(*more));
		if (!more)
			return false;
		for (size_t i = 0; i < part->room; i++)
			if (old[i]) {
				size_t at = old[i] & (room - 1);
				while (more[at])
					at = (at + 1) & (room - 1);
				more[at] = old[i];
			}
		free(old);
		part->kept = more;
		part->room = room;
	}
	size_t at = hash & (part->room - 1);
	while (part->kept[at] && part->kept[at] != hash)
		at = (at + 1) & (part->room - 1);
	part->kept_count += !part->kept[at];
	part->kept[at] = hash;
	return true;
}

bool dt_part_has(const struct dt_part *part, const char *path, uint64_t size, uint64_t mtime)
{
	uint64_t hash = input_hash(path, size, mtime);
	size_t at = hash & (part->room - 1);

	if (!part->room)
		return false;
	while (part->kept[at] && part->kept[at] != hash)
		at = (at + 1) & (part->room - 1);
	return part->kept[at] == hash;
}

uint64_t dt_part_kept(const struct dt_part *part)
{
	return part->kept_count;
}

/* ---- reading --------------------------------------------------------------- */

static bool head_read(const char *line, struct dt_part_head *head)
{
	memset(head, 0, sizeof(*head));
	return sscanf(line, "{\"schema\":\"dumptriage.part/1\",\"run\":\"%16[0-9a-f]\",\"shard\":%u,\"shards\":%u}", head->run, &head->shard,
	              &head->shards) == 3 && head->shard < head->shards;
}

static bool end_read(const char *line, uint64_t *records)
{
	unsigned long long n;

	if (sscanf(line, "{\"schema\":\"dumptriage.part/1\",\"end\":true,\"records\":%llu}", &n) != 1)
		return false;
	*records = n;
	return true;
}

enum dt_status dt_part_read(const char *path, struct dt_part_head *head, bool *complete, dt_part_record record, void *context,
                            off_t *good, struct dt_error *err)
{
	FILE *file = fopen(path, "rbe");
	char *line = NULL;
	size_t room = 0;
	ssize_t len;
	uint64_t records = 0, said = 0;
	enum dt_status status = DT_OK;
	bool head_seen = false;

	*complete = false;
	*good = 0;
	if (!file)
		return dt_fail(err, errno == ENOENT ? DT_ERR_NOT_FOUND : DT_ERR_IO, "%s: %s", path, strerror(errno));
	while (status == DT_OK && (len = getline(&line, &room, file)) > 0 && line[len - 1] == '\n') {
		if ((size_t)len > DT_MAX_JSON) {
			status = dt_fail(err, DT_ERR_LIMIT, "%s: line %llu is longer than a record can be", path, (unsigned long long)records + 2);
		} else if (!head_seen) {
			head_seen = head_read(line, head);
			if (!head_seen)
				status = dt_fail(err, DT_ERR_FORMAT, "%s is no part of a scan: it does not begin with dumptriage.part/1", path);
		} else if (end_read(line, &said)) {
			*complete = said == records;
			if (!*complete)
				status = dt_fail(err, DT_ERR_FORMAT, "%s: its end says %llu records, there are %llu", path, (unsigned long long)said,
				                 (unsigned long long)records);
			break;
		} else {
			records++;
			status = record(context, line, (size_t)len - 1, err);
		}
		if (status == DT_OK)
			*good = ftello(file);
	}
	if (status == DT_OK && ferror(file))
		status = dt_fail(err, DT_ERR_IO, "%s: %s", path, strerror(errno));
	if (status == DT_OK && !head_seen)
		status = dt_fail(err, DT_ERR_TRUNCATED, "%s is empty", path);
	free(line);
	fclose(file);
	return status;
}

/* ---- writing --------------------------------------------------------------- */

struct resume {
	struct dt_part *part; /* NULL: only counted */
	struct dt_arena arena;
	uint64_t *unreadable;
};

static enum dt_status remember(void *context, const char *line, size_t len, struct dt_error *err)
{
	struct resume *resume = context;
	struct dt_crash crash;
	const char *path;

	dt_arena_reset(&resume->arena);
	enum dt_status status = dt_json_read_crash(line, len, &resume->arena, &crash, err);
	if (status != DT_OK)
		return status;
	*resume->unreadable += crash.judgement.verdict.class == DT_CLASS_UNREADABLE;
	if (!resume->part)
		return DT_OK;
	path = crash.facts.file.path ? crash.facts.file.path : "";
	resume->part->records++;
	if (!set_add(resume->part, input_hash(path, crash.facts.file.size.value, crash.facts.file.mtime)))
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	return DT_OK;
}

static bool same_scan(const struct dt_part_head *a, const struct dt_part_head *b)
{
	return !strcmp(a->run, b->run) && a->shard == b->shard && a->shards == b->shards;
}

static enum dt_status other_scan(const char *path, struct dt_error *err)
{
	return dt_fail(err, DT_ERR_USAGE, "%s is there already and is of another scan (other paths, patterns or shards)", path);
}

static enum dt_status write_head(struct dt_part *part, const struct dt_part_head *head, struct dt_error *err)
{
	if (fprintf(part->file, "{\"schema\":\"dumptriage.part/1\",\"run\":\"%s\",\"shard\":%u,\"shards\":%u}\n", head->run, head->shard, head->shards) < 0 ||
	    fflush(part->file))
		return dt_fail(err, DT_ERR_IO, "%s: %s", part->temporary, strerror(errno));
	return DT_OK;
}

static enum dt_status read_again(const char *path, struct dt_part *part, struct dt_part_head *head, bool *complete, off_t *good, uint64_t *unreadable,
                                 struct dt_error *err)
{
	struct resume state = { .part = part, .unreadable = unreadable };

	*unreadable = 0;
	dt_arena_init(&state.arena, DT_MAX_ARENA);
	enum dt_status status = dt_part_read(path, head, complete, remember, &state, good, err);
	dt_arena_deinit(&state.arena);
	return status;
}

static enum dt_status resume(struct dt_part *part, const struct dt_part_head *head, off_t *good, uint64_t *unreadable, struct dt_error *err)
{
	struct dt_part_head there;
	bool complete;
	enum dt_status status = read_again(part->temporary, part, &there, &complete, good, unreadable, err);

	if (status == DT_ERR_NOT_FOUND || status == DT_ERR_TRUNCATED) {
		*good = 0;
		return DT_OK;
	}
	if (status == DT_OK && !same_scan(&there, head))
		return other_scan(part->temporary, err);
	return status;
}

static enum dt_status open_part(struct dt_part *part, const struct dt_part_head *head, uint64_t *unreadable, struct dt_error *err)
{
	struct dt_part_head there;
	off_t good = 0;
	bool complete;
	enum dt_status status = read_again(part->path, NULL, &there, &complete, &good, unreadable, err);

	if (status == DT_OK)
		return same_scan(&there, head) && complete ? DT_ERR_NOT_FOUND : other_scan(part->path, err);
	if (status != DT_ERR_NOT_FOUND)
		return status == DT_ERR_IO ? status : other_scan(part->path, err);
	status = resume(part, head, &good, unreadable, err);
	if (status != DT_OK)
		return status;
	int fd = open(part->temporary, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, good) || lseek(fd, good, SEEK_SET) < 0 || !(part->file = fdopen(fd, "r+b"))) {
		status = dt_fail(err, DT_ERR_IO, "%s: %s", part->temporary, strerror(errno));
		if (fd >= 0)
			close(fd);
		return status;
	}
	if (fseeko(part->file, good, SEEK_SET))
		return dt_fail(err, DT_ERR_IO, "%s: %s", part->temporary, strerror(errno));
	return good ? DT_OK : write_head(part, head, err);
}

enum dt_status dt_part_create(struct dt_part **out, const char *path, const struct dt_part_head *head, uint64_t *unreadable, struct dt_error *err)
{
	struct dt_part *part = calloc(1, sizeof(*part));

	if (!part)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	dt_buf_init(&part->line, DT_MAX_JSON);
	part->path = strdup(path);
	if (asprintf(&part->temporary, "%s.tmp", path) < 0)
		part->temporary = NULL;
	enum dt_status status = part->path && part->temporary ? open_part(part, head, unreadable, err) : dt_fail(err, DT_ERR_NOMEM, "no memory");
	if (status != DT_OK) {
		dt_part_close(part);
		return status;
	}
	*out = part;
	return DT_OK;
}

enum dt_status dt_part_write(struct dt_part *part, const struct dt_crash *crash, struct dt_error *err)
{
	dt_buf_reset(&part->line);
	dt_json_write_crash(crash, DT_JSON_LINE, &part->line);
	dt_buf_putc(&part->line, '\n');
	if (!dt_buf_ok(&part->line))
		return dt_fail(err, DT_ERR_NOMEM, "a record is larger than its limit");
	if (fwrite(part->line.data, 1, part->line.len, part->file) != part->line.len)
		return dt_fail(err, DT_ERR_IO, "%s: %s", part->temporary, strerror(errno));
	part->records++;
	dt_kill_point("in-part");
	return DT_OK;
}

enum dt_status dt_part_finish(struct dt_part *part, struct dt_error *err)
{
	dt_kill_point("before-end");
	if (fprintf(part->file, "{\"schema\":\"dumptriage.part/1\",\"end\":true,\"records\":%llu}\n", (unsigned long long)part->records) < 0 ||
	    fflush(part->file) || fsync(fileno(part->file)) || rename(part->temporary, part->path))
		return dt_fail(err, DT_ERR_IO, "%s: %s", part->path, strerror(errno));
	return DT_OK;
}

void dt_part_close(struct dt_part *part)
{
	if (!part)
		return;
	if (part->file)
		fclose(part->file);
	dt_buf_deinit(&part->line);
	free(part->path);
	free(part->temporary);
	free(part->kept);
	free(part);
}
