/* internal.h - what the parts of the server share. Private to doors/serve/http. */
#ifndef DT_SERVE_HTTP_INTERNAL_H
#define DT_SERVE_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "doors/serve/http/http.h"

/* One connection, watched by the guard. */
struct dt_http_link {
	struct dt_http_link *next, *previous;
	int fd;
	enum dt_link_phase { DT_LINK_HEAD, DT_LINK_BODY, DT_LINK_ANSWER } phase;
	int64_t since;  /* ms: the phase began */
	uint64_t bytes; /* of the body */
	bool was_over;  /* at the last look the other side had nothing more to say */
};

struct dt_http_server {
	const struct dt_http_app *app;
	struct dt_http_options options;
	struct MHD_Daemon *daemon;
	int listener; /* the socket of a quiesced daemon, -1 */
	pthread_t guard;
	bool guarded;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t tick;
	struct dt_http_link *links;
	struct dt_http_request *sleepers;
	bool stopping;
	atomic_uint active;
};

struct dt_http_field {
	const char *name;
	struct dt_buf value;
};

struct dt_http_request {
	struct dt_http_server *server;
	struct MHD_Connection *connection;
	struct dt_http_link *link;
	const struct dt_http_route *route;
	const char *method, *path;
	struct { const char *name, *value; } parameters[DT_HTTP_PARAMETERS];
	size_t parameter_count;
	struct dt_arena arena;
	char peer[DT_ADDRESS_TEXT_MAX];
	bool loopback;
	void *state;
	/* the body */
	struct MHD_PostProcessor *form;
	struct dt_http_field fields[DT_HTTP_FIELDS];
	size_t field_count, field_bytes;
	const char *part_key, *part_name; /* of the part that comes; NULL none yet */
	bool part_empty;                  /* nothing of it was there yet */
	bool begun, draining, body_over;
	uint64_t body_bytes;
	/* the answer */
	struct { const char *name, *value; } headers[16];
	size_t header_count;
	bool answered;
	struct MHD_Response *response;
	unsigned status;
	dt_http_more more;
	struct dt_buf streamed;
	size_t streamed_at;
	bool stream_over;
	/* sleep: under the server's lock */
	bool asleep, woken;
	struct dt_http_request *next_sleeper, *previous_sleeper;
};

/* route.c: fills route and parameters; false: none. *known: the path exists for another method. */
bool dt_http_find_route(struct dt_http_request *request, bool *known);

/* body.c: each gives false when an answer was made. */
bool dt_http_body_begin(struct dt_http_request *request);
bool dt_http_body_take(struct dt_http_request *request, const char *data, size_t size);
bool dt_http_body_end(struct dt_http_request *request);
void dt_http_body_free(struct dt_http_request *request);

/* answer.c: hands a ready answer to the library. */
enum MHD_Result dt_http_send(struct dt_http_request *request);
void dt_http_answer_free(struct dt_http_request *request);

/* guard.c */
void dt_http_link_event(void *context, struct MHD_Connection *connection, void **link, enum MHD_ConnectionNotificationCode code);
void dt_http_link_phase(struct dt_http_request *request, int phase);
DT_MUST_USE enum dt_status dt_http_guard_start(struct dt_http_server *server, struct dt_error *err);
void dt_http_guard_stop(struct dt_http_server *server);
void dt_http_forget_sleeper(struct dt_http_request *request);

#endif
