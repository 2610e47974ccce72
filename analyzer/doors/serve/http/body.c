/* Bodies: forms with fields and files, and whatever else a route takes as it comes. */
#include <stdlib.h>
#include <string.h>

#include "doors/serve/http/internal.h"

enum { FORM_BUFFER = 16384 };

static bool refuse(struct dt_http_request *request, unsigned status, const char *why)
{
	request->server->app->refuse(request, status, why);
	return false;
}

/* The library tells of a part with offset 0 once when its header was read and again with its first bytes: the same part, as long as
 * nothing of it was there. */
static bool part_begins(struct dt_http_request *request, const char *key, const char *name, uint64_t off, size_t size)
{
	bool same = request->part_key && !strcmp(request->part_key, key) && !strcmp(request->part_name, name ? name : "");
	bool begins = off == 0 && !(same && request->part_empty);

	if (begins) {
		request->part_key = dt_arena_strdup(&request->arena, key);
		request->part_name = dt_arena_strdup(&request->arena, name ? name : "");
	}
	request->part_empty = off == 0 && size == 0;
	return begins;
}

static bool take_field(struct dt_http_request *request, const char *name, const char *data, size_t size, bool begins)
{
	struct dt_http_field *field = request->field_count ? &request->fields[request->field_count - 1] : NULL;

	if (request->field_bytes + size + strlen(name) > DT_HTTP_FORM_MAX)
		return refuse(request, 413, "the fields of the form are longer than 64 KiB together");
	request->field_bytes += size + strlen(name);
	if (begins) {
		if (request->field_count == DT_HTTP_FIELDS)
			return refuse(request, 413, "the form has more than 32 fields");
		field = &request->fields[request->field_count];
		if (!(field->name = dt_arena_strdup(&request->arena, name)))
			return refuse(request, 503, "no memory");
		dt_buf_init(&field->value, DT_HTTP_FORM_MAX);
		request->field_count++;
	}
	if (field && size)
		dt_buf_append(&field->value, data, size);
	return true;
}

static enum MHD_Result take_part(void *context, enum MHD_ValueKind kind, const char *key, const char *name, const char *type,
                                 const char *encoding, const char *data, uint64_t off, size_t size)
{
	struct dt_http_request *request = context;
	const struct dt_http_intake *intake = request->route->intake;

	(void)kind;
	(void)type;
	(void)encoding;
	if (request->answered)
		return MHD_NO;
	if (!key)
		key = "";
	bool begins = part_begins(request, key, name, off, size);
	if (!request->part_key || !request->part_name)
		return refuse(request, 413, "the form has too many parts") ? MHD_YES : MHD_NO;
	if (!name)
		return take_field(request, key, data, size, begins) ? MHD_YES : MHD_NO;
	/* A file field in which nothing was chosen. */
	if (!*name && !size && begins)
		return MHD_YES;
	if (!intake || !intake->file)
		return refuse(request, 400, "this form takes no files") ? MHD_YES : MHD_NO;
	return intake->file(request, key, name, (struct dt_bytes){ (const uint8_t *)data, size }, begins) ? MHD_YES : MHD_NO;
}

/* Where bytes are taken as they come, curl's --data-binary calls them urlencoded, which they are not. */
static bool says_form(const struct dt_http_request *request)
{
	const char *type = dt_http_header(request, "Content-Type");
	bool raw = request->route->intake && request->route->intake->raw;

	return type && (!strncasecmp(type, MHD_HTTP_POST_ENCODING_MULTIPART_FORMDATA, strlen(MHD_HTTP_POST_ENCODING_MULTIPART_FORMDATA)) ||
	                (!raw && !strncasecmp(type, MHD_HTTP_POST_ENCODING_FORM_URLENCODED, strlen(MHD_HTTP_POST_ENCODING_FORM_URLENCODED))));
}

bool dt_http_body_begin(struct dt_http_request *request)
{
	const struct dt_http_intake *intake = request->route->intake;

	if (strcmp(request->method, "POST"))
		return true;
	if (says_form(request) && !(request->form = MHD_create_post_processor(request->connection, FORM_BUFFER, take_part, request)))
		return refuse(request, 400, "the form's Content-Type has no usable boundary");
	return intake && intake->begin ? intake->begin(request) : true;
}

static bool take_raw(struct dt_http_request *request, const char *data, size_t size)
{
	const struct dt_http_intake *intake = request->route->intake;

	if (intake && intake->raw)
		return intake->raw(request, (struct dt_bytes){ (const uint8_t *)data, size });
	if (request->body_bytes > DT_HTTP_FORM_MAX)
		return refuse(request, 413, "the body is longer than 64 KiB");
	return true;
}

bool dt_http_body_take(struct dt_http_request *request, const char *data, size_t size)
{
	if (!request->form)
		return take_raw(request, data, size);
	if (MHD_post_process(request->form, data, size) == MHD_YES)
		return true;
	if (request->answered)
		return false;
	return refuse(request, 400, "the form is not what its Content-Type says");
}

bool dt_http_body_end(struct dt_http_request *request)
{
	struct MHD_PostProcessor *form = request->form;

	request->body_over = true;
	request->form = NULL;
	if (!form || MHD_destroy_post_processor(form) == MHD_YES)
		return !request->answered;
	return request->answered ? false : refuse(request, 400, "the form ends in the middle");
}

void dt_http_body_free(struct dt_http_request *request)
{
	if (request->form)
		MHD_destroy_post_processor(request->form);
	for (size_t i = 0; i < request->field_count; i++)
		dt_buf_deinit(&request->fields[i].value);
}
