/* Uploads as they come in: bytes to the spool, hashed on the way, never held in memory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/killpoint.h"
#include "core/base/names.h"
#include "core/base/text.h"
#include "core/hash/hash.h"
#include "core/log/log.h"
#include "doors/serve/serve.h"

enum { NAME_MAX_BYTES = 255, TICKET_MAX = 200, NOTE_MAX = 2000, FORM_OVERHEAD = 1 << 20, LOOK_AT_DISK = 16 << 20, NO_JS_WAIT_S = 5, MAX_WAIT_S = 60 };

static const char full[] = "The server's disk is full; tell its administrator.";

struct dt_upload_in {
	struct dt_job *job; /* NULL once it is accepted */
	int fd;             /* of the file that comes; -1 none */
	struct dt_hasher *hasher;
	uint64_t total;
};

/* What came so far goes at once: the next upload may need its room. */
static bool refuse(struct dt_http_request *request, unsigned status, const char *why)
{
	dt_upload_forget_in(dt_serve_of(request), dt_visit_of(request));
	dt_answer_problem(request, status, why);
	return false;
}

static bool too_large(struct dt_http_request *request)
{
	char why[120];

	snprintf(why, sizeof(why), "An upload has at most %llu bytes here.", (unsigned long long)dt_serve_of(request)->options->max_bytes);
	return refuse(request, 413, why);
}

static bool spool_failed(struct dt_http_request *request, enum dt_status status, const struct dt_error *err)
{
	dt_log(DT_LOG_ERROR, "spool", NULL, "%s", err->text);
	return refuse(request, status == DT_ERR_LIMIT ? 507 : 503, status == DT_ERR_LIMIT ? full
	                                                                                   : "The server cannot keep the upload; tell its administrator.");
}

/* ---- while it comes -------------------------------------------------------------------- */

static bool begin(struct dt_http_request *request)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_visit *visit = dt_visit_of(request);
	uint64_t announced = dt_http_announced(request);

	if (announced != UINT64_MAX && announced > serve->options->max_bytes + FORM_OVERHEAD)
		return too_large(request);
	if (dt_jobs_open(serve->jobs) >= serve->options->queue) {
		dt_http_add_header(request, "Retry-After", "10");
		return refuse(request, 503, "Too many uploads wait. Try again in a moment.");
	}
	if (announced != UINT64_MAX && !dt_spool_has_room(serve->spool, announced)) {
		dt_log(DT_LOG_ERROR, "spool", NULL, "spool: no room for an upload of %llu bytes", (unsigned long long)announced);
		return refuse(request, 507, full);
	}
	visit->upload = calloc(1, sizeof(*visit->upload));
	if (!visit->upload)
		return refuse(request, 503, "no memory");
	visit->upload->fd = -1;
	visit->upload->job = dt_job_create();
	return visit->upload->job ? true : refuse(request, 503, "no memory");
}

static bool end_file(struct dt_http_request *request, struct dt_upload_in *in)
{
	struct dt_job_file *file = in->fd >= 0 ? &in->job->files[in->job->file_count - 1] : NULL;

	if (!file)
		return true;
	dt_hasher_text(in->hasher, file->sha256);
	dt_hasher_free(in->hasher);
	in->hasher = NULL;
	int closed = close(in->fd);
	in->fd = -1;
	if (!closed)
		return true;
	struct dt_error err;
	enum dt_status status = dt_fail(&err, errno == ENOSPC ? DT_ERR_LIMIT : DT_ERR_IO, "spool: %s", strerror(errno));
	return spool_failed(request, status, &err);
}

/* The last part of what the sender calls it, as clean text. */
static const char *clean_name(const char *name, struct dt_arena *arena)
{
	const char *base = dt_text_basename(name);
	const char *clean = dt_text_from_utf8(arena, (struct dt_bytes){ (const uint8_t *)base, strlen(base) });

	if (!clean || !*clean || !strcmp(clean, ".") || !strcmp(clean, ".."))
		return "dump";
	return dt_arena_strndup(arena, clean, dt_text_fit(clean, NAME_MAX_BYTES));
}

static bool begin_file(struct dt_http_request *request, struct dt_upload_in *in, const char *name)
{
	struct dt_error err;
	struct dt_job_file *file;
	enum dt_status status;

	if (!end_file(request, in))
		return false;
	name = clean_name(name, &in->job->arena);
	file = name ? dt_job_add_file(in->job, name) : NULL;
	if (!file)
		return refuse(request, 413, "An upload has at most 256 files; put them into an archive.");
	file->host = dt_job_host_of_name(name, &in->job->arena);
	if (!(in->hasher = dt_hasher_create()))
		return refuse(request, 503, "no memory");
	status = dt_spool_receive(dt_serve_of(request)->spool, in->job->id, (unsigned)in->job->file_count - 1, &in->fd, &err);
	return status == DT_OK ? true : spool_failed(request, status, &err);
}

static bool take(struct dt_http_request *request, struct dt_upload_in *in, struct dt_bytes bytes)
{
	struct dt_error err;
	enum dt_status status;

	in->total += bytes.len;
	if (in->total > dt_serve_of(request)->options->max_bytes)
		return too_large(request);
	if (in->total / LOOK_AT_DISK != (in->total - bytes.len) / LOOK_AT_DISK && !dt_spool_has_room(dt_serve_of(request)->spool, 0))
		return refuse(request, 507, full);
	in->job->files[in->job->file_count - 1].size += bytes.len;
	dt_hasher_add(in->hasher, bytes);
	status = dt_spool_write(in->fd, bytes, &err);
	return status == DT_OK ? true : spool_failed(request, status, &err);
}

/* A form's hidden field stands before its files: nothing is kept for a page that did not come from here. */
static bool form_ok(struct dt_http_request *request)
{
	if (!(dt_http_route_of(request)->needs & DT_NEED_CSRF) || dt_form_ok(request))
		return true;
	dt_upload_forget_in(dt_serve_of(request), dt_visit_of(request));
	return false;
}

static bool take_file(struct dt_http_request *request, const char *field, const char *name, struct dt_bytes bytes, bool begins)
{
	struct dt_upload_in *in = dt_visit_of(request)->upload;

	(void)field;
	if (begins && !(form_ok(request) && begin_file(request, in, name)))
		return false;
	return take(request, in, bytes);
}

static bool take_raw(struct dt_http_request *request, struct dt_bytes bytes)
{
	struct dt_upload_in *in = dt_visit_of(request)->upload;
	const char *name = dt_http_query(request, "name");

	if (dt_http_route_of(request)->needs & DT_NEED_CSRF)
		return refuse(request, 400, "The form has no files.");
	if (in->fd < 0 && !begin_file(request, in, name ? name : "dump"))
		return false;
	return take(request, in, bytes);
}

const struct dt_http_intake dt_upload_intake = { begin, take_file, take_raw };

void dt_upload_forget_in(struct dt_serve *serve, struct dt_visit *visit)
{
	struct dt_upload_in *in = visit->upload;

	if (!in)
		return;
	if (in->fd >= 0)
		close(in->fd);
	dt_hasher_free(in->hasher);
	if (in->job) {
		dt_spool_forget(serve->spool, in->job->id, (unsigned)in->job->file_count);
		dt_job_free(in->job);
	}
	free(in);
	visit->upload = NULL;
}

/* ---- when all of it is there ----------------------------------------------------------------- */

/* A field of the form, or of the query: nothing for an empty one. */
static const char *said(struct dt_http_request *request, const char *name)
{
	const char *text = dt_http_field(request, name);

	text = text ? text : dt_http_query(request, name);
	if (!text)
		return NULL;
	while (*text == ' ')
		text++;
	return *text ? text : NULL;
}

static bool read_text(struct dt_http_request *request, struct dt_job *job, const char *name, size_t max, const char **out)
{
	const char *text = said(request, name);
	char why[100];

	if (!text)
		return true;
	*out = dt_text_from_utf8(&job->arena, (struct dt_bytes){ (const uint8_t *)text, strlen(text) });
	if (*out && strlen(*out) <= max)
		return true;
	snprintf(why, sizeof(why), "'%s' has at most %zu bytes.", name, max);
	return refuse(request, 400, why);
}

static bool read_host(struct dt_http_request *request, struct dt_job *job)
{
	const char *host = NULL;

	if (!read_text(request, job, "host", DT_HOST_MAX, &host))
		return false;
	if (host && host[strcspn(host, " /\\<>\"'&?%")])
		return refuse(request, 400, "'host' is no name of a host.");
	job->host = host ? dt_host_fold(&job->arena, host) : NULL;
	return true;
}

static bool describe(struct dt_http_request *request, struct dt_job *job)
{
	const struct dt_who *who = &dt_visit_of(request)->who;

	job->who = dt_arena_strdup(&job->arena, who->name);
	job->address = dt_arena_strdup(&job->arena, who->address);
	return read_host(request, job) && read_text(request, job, "ticket", TICKET_MAX, &job->ticket) &&
	       read_text(request, job, "note", NOTE_MAX, &job->note);
}

/* From here on it survives the end of the server. */
static enum dt_status into_spool(struct dt_serve *serve, struct dt_job *job, struct dt_error *err)
{
	enum dt_status status = DT_OK;
	struct dt_buf text;

	for (unsigned i = 0; i < job->file_count && status == DT_OK; i++)
		status = dt_spool_queue(serve->spool, job->id, i, err);
	dt_kill_point("before-accept");
	dt_buf_init(&text, 4u << 20);
	dt_job_describe(job, &text);
	if (status == DT_OK)
		status = dt_spool_accept(serve->spool, job->id, dt_buf_bytes(&text), err);
	dt_buf_deinit(&text);
	dt_kill_point("after-accept");
	return status;
}

const char *dt_upload_accept(struct dt_http_request *request)
{
	struct dt_serve *serve = dt_serve_of(request);
	struct dt_visit *visit = dt_visit_of(request);
	struct dt_upload_in *in = visit->upload;
	struct dt_error err;
	enum dt_status status;

	if (!form_ok(request) || !end_file(request, in))
		return NULL;
	if (!in->job->file_count)
		return refuse(request, 400, "There is no file in it."), NULL;
	if (!describe(request, in->job))
		return NULL;
	status = into_spool(serve, in->job, &err);
	if (status != DT_OK)
		return spool_failed(request, status, &err), NULL;
	struct dt_job *job = in->job;
	in->job = NULL;
	snprintf(visit->id, sizeof(visit->id), "%s", job->id);
	dt_log(DT_LOG_INFO, "upload", job->id, "%zu %s from %s (%s)", job->file_count, dt_text_plural(job->file_count, "file", "files"), job->who, job->address);
	dt_jobs_add(serve->jobs, job);
	dt_engine_submit(serve->engine, job);
	return visit->id;
}

/* POST /api/v1/dumps */
void dt_handle_post_dumps(struct dt_http_request *request)
{
	struct dt_visit *visit = dt_visit_of(request);
	const char *wait = dt_http_query(request, "wait");
	uint64_t seconds = 0;

	if (wait && (!dt_text_parse_u64(wait, false, &seconds) || seconds > MAX_WAIT_S)) {
		dt_answer_problem(request, 400, "'wait' takes seconds, 60 at most.");
		return;
	}
	if (!visit->id[0] && !dt_upload_accept(request))
		return;
	if (!seconds || dt_wait_for_upload(request, visit->id, (unsigned)seconds))
		dt_answer_upload(request, visit->id, true);
}

/* The form without JavaScript: most dumps are done before the answer. */
void dt_handle_post_upload(struct dt_http_request *request)
{
	struct dt_visit *visit = dt_visit_of(request);
	char address[80];

	if (!visit->id[0] && !dt_upload_accept(request))
		return;
	if (!dt_wait_for_upload(request, visit->id, NO_JS_WAIT_S))
		return;
	snprintf(address, sizeof(address), "/uploads/%s", visit->id);
	dt_answer_redirect(request, address);
}
