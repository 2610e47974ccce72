/* http.h - one POST over a kept connection (libcurl). Private to fleet/sink. */
#ifndef DT_SINK_HTTP_H
#define DT_SINK_HTTP_H

#include "fleet/sink/sink.h"

struct dt_client;
struct dt_client_answer {
	long status;            /* 0: there was none */
	unsigned retry_after_s; /* 0 none */
	const char *body;       /* borrowed until the next POST; at most 16 MiB */
	size_t len;
	char problem[200];      /* why there was none */
};

/* base: http://HOST:PORT/ or https://... with a path or without. */
DT_MUST_USE enum dt_status dt_client_open(struct dt_client **out, const char *base, const struct dt_sink_options *options, struct dt_error *err);
/* A header of every request, "Name: value". */
DT_MUST_USE enum dt_status dt_client_header(struct dt_client *http, const char *name, const char *value, struct dt_error *err);
/* "user:password" as Basic. */
DT_MUST_USE enum dt_status dt_client_basic(struct dt_client *http, const char *secret, struct dt_error *err);
/* Authorization: scheme and secret; secret NULL: none. */
DT_MUST_USE enum dt_status dt_client_authorize(struct dt_client *http, const char *scheme, const char *secret, struct dt_error *err);
/* path is put behind the base. extra: one more header of this request, NULL none. */
void dt_client_post(struct dt_client *http, const char *path, const char *type, const char *extra, struct dt_bytes body, struct dt_client_answer *answer);
/* We were told to end, and the grace for answers is over: no POST waits any more. */
bool dt_client_ended(struct dt_client *http);
void dt_client_close(struct dt_client *http);
/* "503: first words of the body", or the problem. */
void dt_client_explain(const struct dt_client_answer *answer, char out[200]);

#endif
