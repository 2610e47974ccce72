/*
 * Lines in a file, or on standard output. A file is rotated by size and by time: PATH becomes PATH.1, that PATH.2 ... What was written counts as
 * accepted once the disk has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/killpoint.h"
#include "fleet/sink/kinds.h"

enum { MAX_PATH = 4000, TAIL = 1 << 16, MAX_LINES = 256 << 20 };

struct file_sink {
	struct dt_sink base;
	char *path; /* NULL: standard output */
	int fd;
	bool regular;
	uint64_t size, rotate_bytes;
	unsigned rotate_s, keep;
	time_t begun;
	struct dt_buf lines;
};

/* Half a line, which a kill left, goes: its event was not counted as sent and comes again. */
static bool cut_half_line(struct file_sink *sink)
{
	char tail[4096];
	off_t end = (off_t)sink->size, low = end;

	while (low > 0) {
		size_t len = low < (off_t)sizeof(tail) ? (size_t)low : sizeof(tail);
		if (pread(sink->fd, tail, len, low - (off_t)len) != (ssize_t)len)
			return false;
		const char *newline = memrchr(tail, '\n', len);
		if (newline) {
			low = low - (off_t)len + (newline - tail) + 1;
			break;
		}
		low -= (off_t)len;
	}
	sink->size = (uint64_t)low;
	return low == end || ftruncate(sink->fd, low) == 0;
}

static bool open_file(struct file_sink *sink)
{
	struct stat info;

	sink->fd = open(sink->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (sink->fd < 0 && errno == EACCES)
		sink->fd = open(sink->path, O_WRONLY | O_APPEND | O_CLOEXEC); /* a FIFO, a device */
	if (sink->fd < 0 || fstat(sink->fd, &info))
		return false;
	sink->regular = S_ISREG(info.st_mode);
	sink->size = sink->regular ? (uint64_t)info.st_size : 0;
	sink->begun = sink->size ? info.st_ctime : time(NULL);
	return !sink->regular || cut_half_line(sink);
}

static void close_file(struct file_sink *sink)
{
	if (sink->path && sink->fd >= 0)
		close(sink->fd);
	if (sink->path)
		sink->fd = -1;
}

enum dt_status dt_file_sink_open(struct dt_sink **out, const struct dt_sink_scheme *scheme, const struct dt_sink_options *options, struct dt_error *err)
{
	struct file_sink *sink = calloc(1, sizeof(*sink));
	bool standard = !strcmp(options->url, "-");

	if (!sink || (!standard && !(sink->path = strdup(options->url + strlen("file:"))))) {
		free(sink);
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	}
	sink->base.scheme = scheme;
	sink->fd = standard ? STDOUT_FILENO : -1;
	sink->rotate_bytes = options->rotate_bytes;
	sink->rotate_s = options->rotate_s;
	sink->keep = options->keep;
	dt_buf_init(&sink->lines, MAX_LINES);
	*out = &sink->base;
	if (standard || (*sink->path && strlen(sink->path) < MAX_PATH))
		return DT_OK;
	dt_file_sink_close(*out);
	*out = NULL;
	return dt_fail(err, DT_ERR_USAGE, "file: needs a path of less than %d bytes", MAX_PATH);
}

static void rotate(struct file_sink *sink)
{
	char from[MAX_PATH + 16], to[MAX_PATH + 16];

	close_file(sink);
	for (unsigned i = sink->keep; i > 0; i--) {
		snprintf(to, sizeof(to), "%s.%u", sink->path, i);
		snprintf(from, sizeof(from), i > 1 ? "%s.%u" : "%s", sink->path, i - 1);
		(void)rename(from, to);
	}
	if (!sink->keep)
		(void)unlink(sink->path);
}

static bool due(const struct file_sink *sink, size_t more)
{
	if (!sink->regular || !sink->size)
		return false;
	return (sink->rotate_bytes && sink->size + more > sink->rotate_bytes) || (sink->rotate_s && time(NULL) - sink->begun >= (time_t)sink->rotate_s);
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* What could not be written whole is taken back: it comes again. */
static bool append(struct file_sink *sink)
{
	bool half = dt_kill_armed && sink->lines.len > 10; /* a kill in the middle of a line */

	if (half) {
		if (!write_all(sink->fd, sink->lines.data, sink->lines.len - 10))
			return false;
		dt_kill_point("feed-half-line");
	}
	size_t done = half ? sink->lines.len - 10 : 0;
	if (write_all(sink->fd, sink->lines.data + done, sink->lines.len - done) && (!sink->regular || fdatasync(sink->fd) == 0)) {
		sink->size += sink->lines.len;
		return true;
	}
	int why = errno;
	/* Should that fail too, half a line goes when the file is opened again, and whole ones come twice. */
	if (sink->regular && ftruncate(sink->fd, (off_t)sink->size))
		sink->size = 0;
	errno = why;
	return false;
}

void dt_file_sink_send(struct dt_sink *base, struct dt_sink_event *events, size_t count, struct dt_sink_report *report)
{
	struct file_sink *sink = (struct file_sink *)base;

	dt_buf_reset(&sink->lines);
	for (size_t i = 0; i < count; i++) {
		dt_buf_append(&sink->lines, events[i].body.data, events[i].body.len);
		dt_buf_putc(&sink->lines, '\n');
	}
	bool ok = dt_buf_ok(&sink->lines);
	if (ok && sink->path && sink->fd >= 0 && due(sink, sink->lines.len))
		rotate(sink);
	if (ok && sink->fd < 0)
		ok = open_file(sink);
	if (ok && sink->path && due(sink, sink->lines.len)) {
		rotate(sink);
		ok = open_file(sink);
	}
	if (ok && append(sink)) {
		dt_sink_mark_all(events, count, DT_SINK_ACCEPTED, "");
		return;
	}
	dt_sink_problem(report, "%.150s: %s", sink->path ? sink->path : "standard output", strerror(errno));
	dt_sink_mark_all(events, count, DT_SINK_RETRY, report->problem);
	close_file(sink);
}

void dt_file_sink_reopen(struct dt_sink *base)
{
	close_file((struct file_sink *)base);
}

void dt_file_sink_close(struct dt_sink *base)
{
	struct file_sink *sink = (struct file_sink *)base;

	close_file(sink);
	dt_buf_deinit(&sink->lines);
	free(sink->path);
	free(sink);
}
