#include "facts/archive/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"

enum { BLOCK = 65536, MAX_BOMBS = 4 };

static const struct {
	const char *bytes;
	size_t len, off;
} magics[] = {
	{ "PK\x03\x04", 4, 0 },           { "7z\xbc\xaf\x27\x1c", 6, 0 }, { "MSCF", 4, 0 },      { "\x1f\x8b\x08", 3, 0 },
	{ "\xfd" "7zXZ\0", 6, 0 },        { "\x28\xb5\x2f\xfd", 4, 0 },   { "ustar", 5, 257 },
};

struct dt_archive {
	struct archive *reader;
	struct archive_entry *entry;
	struct dt_arena arena; /* of the member's name */
	const char *name;
	uint64_t written, allowed;
	unsigned bombs; /* members that were given up for their size */
	uint32_t members;
};

void dt_archive_prepare(void)
{
	/* Names in UTF-8 are then taken as they are, without conversion tables. */
	(void)setlocale(LC_CTYPE, "C.UTF-8");
}

bool dt_archive_is(int fd, bool *failed)
{
	uint8_t head[512];
	ssize_t got;

	while ((got = pread(fd, head, sizeof(head), 0)) < 0 && errno == EINTR)
		;
	*failed = got < 0;
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
		if (got >= (ssize_t)(magics[i].off + magics[i].len) && !memcmp(head + magics[i].off, magics[i].bytes, magics[i].len))
			return true;
	return false;
}

static bool support(struct archive *reader)
{
	return archive_read_support_format_zip(reader) >= ARCHIVE_WARN && archive_read_support_format_7zip(reader) >= ARCHIVE_WARN &&
	       archive_read_support_format_cab(reader) >= ARCHIVE_WARN && archive_read_support_format_tar(reader) >= ARCHIVE_WARN &&
	       archive_read_support_format_raw(reader) >= ARCHIVE_WARN && archive_read_support_filter_gzip(reader) >= ARCHIVE_WARN &&
	       archive_read_support_filter_xz(reader) >= ARCHIVE_WARN && archive_read_support_filter_zstd(reader) >= ARCHIVE_WARN;
}

static const char *reason(struct dt_archive *archive)
{
	const char *text = archive_error_string(archive->reader);

	return text ? text : "damaged";
}

enum dt_status dt_archive_open(struct dt_archive **out, int fd, const char *name, struct dt_error *err)
{
	struct dt_archive *archive = calloc(1, sizeof(*archive));
	struct stat info;

	if (!archive || !(archive->reader = archive_read_new()) || !support(archive->reader)) {
		dt_archive_close(archive);
		return dt_fail(err, DT_ERR_NOMEM, "no memory for an archive");
	}
	dt_arena_init(&archive->arena, 1u << 20);
	archive->name = dt_text_basename(name);
	archive->allowed = DT_MAX_ARCHIVE_BASE + (fstat(fd, &info) == 0 ? (uint64_t)info.st_size * DT_MAX_ARCHIVE_RATIO : 0);
	if (archive->allowed > DT_MAX_ARCHIVE_TOTAL)
		archive->allowed = DT_MAX_ARCHIVE_TOTAL;
	if (lseek(fd, 0, SEEK_SET) || archive_read_open_fd(archive->reader, fd, BLOCK) != ARCHIVE_OK) {
		enum dt_status status = dt_fail(err, DT_ERR_FORMAT, "the archive cannot be read: %s", reason(archive));
		dt_archive_close(archive);
		return status;
	}
	*out = archive;
	return DT_OK;
}

void dt_archive_close(struct dt_archive *archive)
{
	if (!archive)
		return;
	if (archive->reader)
		archive_read_free(archive->reader);
	dt_arena_deinit(&archive->arena);
	free(archive);
}

/* A compressed single file has the archive's name without its last suffix. */
static const char *member_name(struct dt_archive *archive)
{
	const char *name = archive_entry_pathname(archive->entry), *dot;

	dt_arena_reset(&archive->arena);
	if (archive_format(archive->reader) == ARCHIVE_FORMAT_RAW) {
		dot = strrchr(archive->name, '.');
		name = dt_arena_strndup(&archive->arena, archive->name, dot && dot > archive->name ? (size_t)(dot - archive->name) : strlen(archive->name));
	}
	name = name ? name : "";
	size_t len = strlen(name);
	return dt_text_from_utf8(&archive->arena, (struct dt_bytes){ (const uint8_t *)name, len < DT_MAX_MEMBER_NAME ? len : DT_MAX_MEMBER_NAME });
}

enum dt_status dt_archive_next(struct dt_archive *archive, struct dt_member *out, struct dt_error *err)
{
	for (uint32_t seen = 0; seen < 10 * DT_MAX_MEMBERS; seen++) {
		int code = archive_read_next_header(archive->reader, &archive->entry);
		if (code == ARCHIVE_EOF)
			return DT_ERR_NOT_FOUND;
		if (code < ARCHIVE_WARN)
			return dt_fail(err, DT_ERR_FORMAT, "the archive is damaged behind member %u: %s", archive->members, reason(archive));
		if (archive_format(archive->reader) != ARCHIVE_FORMAT_RAW && archive_entry_filetype(archive->entry) != AE_IFREG)
			continue;
		if (archive->members == DT_MAX_MEMBERS)
			break;
		int64_t seconds = archive_entry_mtime_is_set(archive->entry) ? archive_entry_mtime(archive->entry) : 0;
		*out = (struct dt_member){ .index = archive->members++, .name = member_name(archive),
			                   .mtime = seconds > 0 && seconds < INT64_C(200000000000) ? dt_time_from_unix((uint64_t)seconds) : 0 };
		return out->name ? DT_OK : dt_fail(err, DT_ERR_NOMEM, "no memory for a name");
	}
	return dt_fail(err, DT_ERR_LIMIT, "the archive has more than %u members; the rest is left out", DT_MAX_MEMBERS);
}

static enum dt_status write_all(int spill, const uint8_t *data, size_t len, int64_t at, struct dt_error *err)
{
	while (len) {
		ssize_t n = pwrite(spill, data, len, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EFBIG)
			return dt_fail(err, DT_ERR_LIMIT, "the member is larger than %llu bytes", (unsigned long long)DT_MAX_MEMBER);
		if (n <= 0)
			return dt_fail(err, DT_ERR_IO, "there is no room to unpack the member: %s", strerror(errno));
		data += n;
		at += n;
		len -= (size_t)n;
	}
	return DT_OK;
}

/* What was written beyond the last block, a hole at the end, is part of the member too. */
enum dt_status dt_archive_extract(struct dt_archive *archive, int spill, struct dt_error *err)
{
	const void *data;
	size_t len;
	int64_t at = 0, end = 0;
	uint64_t before = archive->written;
	int code = ARCHIVE_OK;
	enum dt_status status = DT_OK;

	if (ftruncate(spill, 0))
		return dt_fail(err, DT_ERR_IO, "there is no room to unpack the member: %s", strerror(errno));
	if (archive_entry_is_encrypted(archive->entry))
		return dt_fail(err, DT_ERR_UNSUPPORTED, "the member is encrypted");
	while (status == DT_OK && (code = archive_read_data_block(archive->reader, &data, &len, &at)) >= ARCHIVE_WARN && code != ARCHIVE_EOF) {
		archive->written += len;
		if (at < 0 || (uint64_t)at + len > DT_MAX_MEMBER)
			status = dt_fail(err, DT_ERR_LIMIT, "the member is larger than %llu bytes", (unsigned long long)DT_MAX_MEMBER);
		else if (archive->written > archive->allowed)
			status = dt_fail(err, DT_ERR_LIMIT, "the archive unpacks to more than %llu bytes", (unsigned long long)archive->allowed);
		else
			status = write_all(spill, data, len, at, err);
		end = at + (int64_t)len;
	}
	/* A few members that are too large cost themselves, not their neighbours. */
	if (status == DT_ERR_LIMIT && archive->bombs++ < MAX_BOMBS)
		archive->written = before;
	if (status != DT_OK)
		return status;
	if (code < ARCHIVE_WARN)
		return dt_fail(err, DT_ERR_FORMAT, "the member cannot be unpacked: %s", reason(archive));
	return ftruncate(spill, (off_t)end) ? dt_fail(err, DT_ERR_IO, "there is no room to unpack the member: %s", strerror(errno)) : DT_OK;
}
