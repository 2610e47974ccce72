/*
 * sink.h - receivers of events: a row for each scheme of a URL, a file for each kind. A sink says of every event of a batch what became of it; when
 * to try again, and what was sent before, is left to fleet/deliver.
 */
#ifndef DT_SINK_SINK_H
#define DT_SINK_SINK_H

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/status.h"

enum dt_sink_result {
	DT_SINK_RETRY,    /* not known to have arrived */
	DT_SINK_ACCEPTED, /* the receiver has it, or had it already */
	DT_SINK_REJECTED, /* the receiver will never take it */
};

struct dt_sink_event {
	struct dt_bytes body; /* encoded, without a line's end */
	const char *id;       /* UUID */
	uint64_t time, created; /* FILETIME */
	const char *host;     /* NULL unknown */
	bool incident;        /* else a crash */
	unsigned severity;    /* 0 to 100 */
	/* by the sink */
	enum dt_sink_result result;
	char reason[200];     /* why not accepted */
};

/* Whether the program was told to end: then a wait for an answer that has begun lasts DT_SINK_GRACE_MS more. asked NULL: never. */
struct dt_sink_stop {
	bool (*asked)(void *self); /* by the thread that sends; cheap */
	void *self;
};
enum { DT_SINK_GRACE_MS = 3000 };

struct dt_sink_options {
	const char *url;
	const char *secret;     /* token, API key, user:password or HMAC key; NULL none */
	const char *secret_hint; /* where a secret comes from, for a message */
	const char *ca_file;    /* instead of the system's certificates; NULL */
	const char *name_space; /* of the data stream */
	bool ack;               /* hec: wait until the indexer has it */
	uint64_t rotate_bytes;  /* file: 0 never */
	unsigned rotate_s, keep; /* file: 0 never; files kept beside the one that is written */
	unsigned timeout_s;     /* for one answer */
	struct dt_sink_stop stop;
};

/* How a whole batch went. */
struct dt_sink_report {
	unsigned retry_after_s; /* the receiver's wish; 0 none */
	char problem[240];      /* why anything is to be tried again; "" */
	char note[240];         /* what an administrator should know of a receiver that takes everything; "" */
};

struct dt_sink;
struct dt_sink_scheme {
	const char *scheme;   /* "splunk+https://" */
	const char *encoding; /* when none is asked for */
	const char *encodings; /* that it takes */
	size_t max_body;      /* bytes of one event; 0 any */
	bool incidents_only;
	enum dt_status (*open)(struct dt_sink **out, const struct dt_sink_scheme *scheme, const struct dt_sink_options *options, struct dt_error *err);
	void (*send)(struct dt_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report);
	void (*reopen)(struct dt_sink *sink); /* on SIGHUP; NULL nothing to do */
	void (*close)(struct dt_sink *sink);
};
/* Each kind's struct begins with one. */
struct dt_sink {
	const struct dt_sink_scheme *scheme;
};

/* The row of a URL; NULL none. */
const struct dt_sink_scheme *dt_sink_scheme(const char *url);
/* DT_ERR_USAGE: no such scheme, a secret in the URL, or what the URL lacks; DT_ERR_IO. A receiver that is away is no failure of opening. */
DT_MUST_USE enum dt_status dt_sink_open(struct dt_sink **out, const struct dt_sink_options *options, struct dt_error *err);
/* Fills result and reason of each event. */
void dt_sink_send(struct dt_sink *sink, struct dt_sink_event *events, size_t count, struct dt_sink_report *report);
void dt_sink_reopen(struct dt_sink *sink);
void dt_sink_close(struct dt_sink *sink);

#endif
