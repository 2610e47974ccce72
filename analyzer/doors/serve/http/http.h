/*
 * http.h - an HTTP server for a table of routes, on libmicrohttpd: requests in, answers out. Knows nothing of dumps.
 *
 * A few threads serve all connections. A handler must not block for long; one that waits for something sleeps (dt_http_sleep) and is
 * called again when it is woken. Bodies of forms are collected up to a cap; routes that take more read them as they come (struct
 * dt_http_intake). A connection that does not finish its headers in time, or sends its body too slowly, is cut.
 */
#ifndef DT_SERVE_HTTP_H
#define DT_SERVE_HTTP_H

#include <sys/socket.h>

#include "core/base/address.h"
#include "core/base/arena.h"
#include "core/base/buf.h"

#define DT_HTTP_FORM_MAX 65536u /* bytes of a form's fields together */
#define DT_HTTP_FIELDS 32
#define DT_HTTP_PARAMETERS 4

struct dt_http_server;
struct dt_http_request;

/* How a route takes a body while it comes. Each gives false when it has answered: the rest is thrown away. */
struct dt_http_intake {
	bool (*begin)(struct dt_http_request *request);
	/* Bytes of a file of a multipart form. begins: the first of this file (then bytes may be empty). Its name is as the sender wrote it. */
	bool (*file)(struct dt_http_request *request, const char *field, const char *name, struct dt_bytes bytes, bool begins);
	/* Bytes of a body that is no form. */
	bool (*raw)(struct dt_http_request *request, struct dt_bytes bytes);
};

struct dt_http_route {
	const char *method;  /* GET (serves HEAD, too), POST, DELETE */
	const char *pattern; /* "/crashes/{id}": a name in braces is one part of the path */
	unsigned needs;      /* for dt_http_app.before */
	void (*handle)(struct dt_http_request *request); /* when all of the body is there; must answer or sleep */
	const struct dt_http_intake *intake;             /* NULL: forms only, no files */
};

struct dt_http_app {
	const struct dt_http_route *routes;
	size_t route_count;
	void *context;
	/* When the headers are there; may set the request's state. false: it has answered. */
	bool (*before)(struct dt_http_request *request);
	/* Answers what has no handler: 404, 405, 400 (a body that is not what it says), 413. */
	void (*refuse)(struct dt_http_request *request, unsigned status, const char *why);
	/* The request is over, however it ended. */
	void (*after)(struct dt_http_request *request, unsigned status, bool complete);
};

struct dt_http_options {
	struct sockaddr_storage address;
	unsigned threads;         /* 0: 4 */
	unsigned connections;     /* at most; 0: 1200 */
	unsigned header_seconds;  /* for a request's headers, and between requests; 0: 20 */
	unsigned body_seconds;    /* a body may be slow for so long; 0: 30 */
	unsigned body_rate;       /* after that: bytes a second at least, on the average; 0: 1024 */
};

/* DT_ERR_IO: the address cannot be had. The app must outlive the server. */
DT_MUST_USE enum dt_status dt_http_start(struct dt_http_server **out, const struct dt_http_app *app, const struct dt_http_options *options,
                                         struct dt_error *err);
/* The port it listens at (when 0 was asked for). */
unsigned dt_http_port(const struct dt_http_server *server);
/* Accepts no more connections; those there are go on. */
void dt_http_quiesce(struct dt_http_server *server);
/* Requests under way. */
unsigned dt_http_active(const struct dt_http_server *server);
/* Ends it: sleepers are woken (dt_http_stopping() is true for them), what is not done is cut. */
void dt_http_stop(struct dt_http_server *server);
bool dt_http_stopping(const struct dt_http_request *request);

/* ---- what a request says; texts are borrowed until its end ------------------------ */

void *dt_http_context(const struct dt_http_request *request);
const struct dt_http_route *dt_http_route_of(const struct dt_http_request *request);
const char *dt_http_method(const struct dt_http_request *request);
const char *dt_http_path(const struct dt_http_request *request);
/* The part of the path that the pattern names; never NULL for a name of the pattern. */
const char *dt_http_parameter(const struct dt_http_request *request, const char *name);
/* From the query string, the headers, the cookies, the form. NULL: not there. */
const char *dt_http_query(const struct dt_http_request *request, const char *name);
const char *dt_http_header(const struct dt_http_request *request, const char *name);
const char *dt_http_cookie(const struct dt_http_request *request, const char *name);
const char *dt_http_field(const struct dt_http_request *request, const char *name);
/* The other end, as text. */
const char *dt_http_peer(const struct dt_http_request *request);
bool dt_http_peer_is_loopback(const struct dt_http_request *request);
/* Content-Length; UINT64_MAX when none is said. */
uint64_t dt_http_announced(const struct dt_http_request *request);
/* Memory of the request. */
struct dt_arena *dt_http_arena(struct dt_http_request *request);
/* What the app keeps with the request. */
void dt_http_set_state(struct dt_http_request *request, void *state);
void *dt_http_state(const struct dt_http_request *request);

/* ---- answers ------------------------------------------------------------------------ */

/* A header for the answer to come. Values with line breaks are dropped. */
void dt_http_add_header(struct dt_http_request *request, const char *name, const char *value);
/* Answers with the buffer's bytes, which it takes (the buffer is empty then). */
void dt_http_answer(struct dt_http_request *request, unsigned status, const char *type, struct dt_buf *body);
/* Answers with bytes that outlive the server. */
void dt_http_answer_static(struct dt_http_request *request, unsigned status, const char *type, struct dt_bytes body);
/* Answers with a file, which it closes. */
void dt_http_answer_file(struct dt_http_request *request, unsigned status, const char *type, int fd, uint64_t size);
bool dt_http_answered(const struct dt_http_request *request);

/* Answers with a stream: more() appends what there is to say; nothing: the stream sleeps; false: it ends. */
typedef bool (*dt_http_more)(struct dt_http_request *request, struct dt_buf *out);
void dt_http_answer_stream(struct dt_http_request *request, unsigned status, const char *type, dt_http_more more);

/* The handler is called again when the request is woken, at the latest after a second. A wake that came before is not lost. */
void dt_http_sleep(struct dt_http_request *request);
/* From any thread, while the request is not over. */
void dt_http_wake(struct dt_http_request *request);

#endif
