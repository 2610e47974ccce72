/* Answers: from memory, from files, as streams. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doors/serve/http/internal.h"

enum { STREAM_BLOCK = 4096, STREAM_MAX = 1 << 20 };

void dt_http_add_header(struct dt_http_request *request, const char *name, const char *value)
{
	const char *copy = value && !value[strcspn(value, "\r\n")] ? dt_arena_strdup(&request->arena, value) : NULL;

	if (!copy || request->header_count == sizeof(request->headers) / sizeof(request->headers[0]))
		return;
	request->headers[request->header_count].name = name;
	request->headers[request->header_count++].value = copy;
}

bool dt_http_answered(const struct dt_http_request *request)
{
	return request->answered;
}

/* Takes a response that was made; without memory there is none, and the connection is closed. */
static void take(struct dt_http_request *request, unsigned status, const char *type, struct MHD_Response *response)
{
	if (request->answered) {
		if (response)
			MHD_destroy_response(response);
		return;
	}
	request->answered = true;
	request->status = status;
	request->response = response;
	if (!response)
		return;
	if (type)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (size_t i = 0; i < request->header_count; i++)
		MHD_add_response_header(response, request->headers[i].name, request->headers[i].value);
}

void dt_http_answer(struct dt_http_request *request, unsigned status, const char *type, struct dt_buf *body)
{
	struct MHD_Response *response = NULL;
	size_t max = body->max;

	if (dt_buf_ok(body) && body->data)
		response = MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_FREE);
	else if (dt_buf_ok(body))
		response = MHD_create_response_from_buffer(0, (void *)(uintptr_t)"", MHD_RESPMEM_PERSISTENT);
	if (response)
		dt_buf_init(body, max);
	take(request, status, type, response);
}

void dt_http_answer_static(struct dt_http_request *request, unsigned status, const char *type, struct dt_bytes body)
{
	take(request, status, type, MHD_create_response_from_buffer(body.len, (void *)(uintptr_t)body.data, MHD_RESPMEM_PERSISTENT));
}

void dt_http_answer_file(struct dt_http_request *request, unsigned status, const char *type, int fd, uint64_t size)
{
	struct MHD_Response *response = MHD_create_response_from_fd64(size, fd);

	if (!response)
		close(fd);
	take(request, status, type, response);
}

/* ---- streams -------------------------------------------------------------------- */

static ssize_t read_stream(void *context, uint64_t position, char *out, size_t max)
{
	struct dt_http_request *request = context;
	struct dt_buf *from = &request->streamed;

	(void)position;
	if (request->streamed_at == from->len && !request->stream_over) {
		dt_buf_reset(from);
		request->streamed_at = 0;
		request->stream_over = !request->more(request, from) || !dt_buf_ok(from);
	}
	size_t left = from->len - request->streamed_at, n = left < max ? left : max;
	if (!n && request->stream_over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!n) {
		dt_http_sleep(request);
		return 0;
	}
	memcpy(out, from->data + request->streamed_at, n);
	request->streamed_at += n;
	return (ssize_t)n;
}

void dt_http_answer_stream(struct dt_http_request *request, unsigned status, const char *type, dt_http_more more)
{
	request->more = more;
	dt_buf_init(&request->streamed, STREAM_MAX);
	take(request, status, type, MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, request, NULL));
}

enum MHD_Result dt_http_send(struct dt_http_request *request)
{
	struct MHD_Response *response = request->response;

	request->response = NULL;
	if (!response)
		return MHD_NO;
	dt_http_link_phase(request, DT_LINK_ANSWER);
	enum MHD_Result result = MHD_queue_response(request->connection, request->status, response);
	MHD_destroy_response(response);
	return result;
}

void dt_http_answer_free(struct dt_http_request *request)
{
	if (request->response)
		MHD_destroy_response(request->response);
	dt_buf_deinit(&request->streamed);
}
