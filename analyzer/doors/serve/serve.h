/*
 * serve.h - the server as its handlers see it. Private to doors/serve.
 *
 * A request is answered like this: visit.c finds out who asks and whether they may; a handler of api.c or site.c gathers what is
 * asked for (views.c, from the store) and writes it as JSON or as a page (web/). Uploads go upload.c -> spool -> engine -> store.
 */
#ifndef DT_SERVE_SERVE_H
#define DT_SERVE_SERVE_H

#include "doors/common/door.h"
#include "doors/common/symbols.h"
#include "doors/serve/access.h"
#include "doors/serve/engine.h"
#include "doors/serve/http/http.h"
#include "doors/serve/rulebook.h"
#include "doors/serve/web/web.h"
#include "fleet/deliver/deliver.h"
#include "fleet/review/review.h"

struct dt_serve_options {
	const char *db, *listen, *spool, *signatures, *carriers, *url;
	uint64_t max_bytes;          /* of one upload */
	unsigned keep_dumps, keep_records, keep_audit; /* days; 0: dumps not at all, the others for ever */
	unsigned grace_s;            /* for what is under way when the server is told to end */
	unsigned queue;              /* uploads that may wait */
	uint64_t reserve;            /* bytes of the spool's disk that stay free */
	struct dt_access_options access;
	bool has_rate;
	struct dt_http_options http;
	struct dt_pool_options pool;
	/* Who is told of incidents: sink.url NULL: nobody. */
	struct dt_deliver_options webhook;
	const char *webhook_secret, *webhook_template; /* files; NULL none */
	struct dt_buf secret, template;                /* what they have */
	struct dt_door_symbols symbols; /* the engine's thread asks them, nobody else */
};

struct dt_reviews;
struct dt_serve {
	const struct dt_serve_options *options;
	struct dt_stores *stores;
	struct dt_gate *access;
	struct dt_spool *spool;
	struct dt_jobs *jobs;
	struct dt_engine *engine;
	struct dt_http_server *http;
	struct dt_rulebook *rulebook;
	struct dt_reviews *reviews;
	struct dt_keeper *keeper;
	struct dt_webhook *webhook;
};

/* What the server keeps with a request. */
struct dt_upload_in;
struct dt_visit {
	struct dt_who who;
	struct dt_upload_in *upload; /* being received; NULL none */
	struct dt_job_watch watch;   /* on the upload that is waited for */
	bool watching;
	int64_t until;               /* ms: it is waited for so long; 0 not yet */
	char id[DT_UPLOAD_ID + 1];   /* the upload that was accepted */
	unsigned seen;               /* version of it that a stream has told; UINT_MAX nothing yet */
	int64_t told;                /* ms: when the stream said something last */
};
struct dt_serve *dt_serve_of(const struct dt_http_request *request);
struct dt_visit *dt_visit_of(const struct dt_http_request *request);
/* Bits of dt_http_route.needs beside the scopes. */
enum { DT_NEED_API = 16, DT_NEED_NOBODY = 32, DT_NEED_CSRF = 64 };

/* visit.c: hooks of the HTTP server, and answers that all handlers give. */
extern const struct dt_http_app dt_serve_app;
void dt_answer_problem(struct dt_http_request *request, unsigned status, const char *detail);
/* For a failure of the store. DT_ERR_NOT_FOUND: 404. */
void dt_answer_failed(struct dt_http_request *request, enum dt_status status, const struct dt_error *err);
/* With the headers that every answer has; the body is freed. */
void dt_answer_body(struct dt_http_request *request, unsigned status, const char *type, struct dt_buf *body);
void dt_answer_json(struct dt_http_request *request, unsigned status, struct dt_buf *body);
void dt_answer_page(struct dt_http_request *request, unsigned status, struct dt_buf *body);
void dt_answer_redirect(struct dt_http_request *request, const char *address);
/* The frame of a page for who asks. csrf is written into the buffer given, which outlives the frame. */
void dt_frame(struct dt_http_request *request, const char *title, const char *here, char csrf[DT_CSRF_SIZE], struct dt_web_frame *out);
/* The same, and an empty buffer for the page. */
void dt_page_begin(struct dt_http_request *request, const char *title, const char *here, char csrf[DT_CSRF_SIZE], struct dt_web_frame *frame,
                   struct dt_buf *body);
/* Forms carry a hidden value; false: answered. */
bool dt_form_ok(struct dt_http_request *request);
/* May they see names of users, and the unmasked record? */
bool dt_may_see_all(const struct dt_http_request *request);

/* Bodies of pages and of JSON answers at most. */
#define DT_ANSWER_MAX (64u << 20)

/* A handle of the store for one handler; answers the request when there is none. */
struct dt_store *dt_borrow_store(struct dt_http_request *request);
void dt_return_store(struct dt_http_request *request, struct dt_store *store, enum dt_status status);

/* upload.c */
extern const struct dt_http_intake dt_upload_intake;
void dt_upload_forget_in(struct dt_serve *serve, struct dt_visit *visit);
/* The upload of this request is accepted: its id. NULL: answered (what was wrong). */
const char *dt_upload_accept(struct dt_http_request *request);
void dt_handle_post_dumps(struct dt_http_request *request);
void dt_handle_post_upload(struct dt_http_request *request);

/* status.c: uploads under way and done. */
void dt_handle_get_upload(struct dt_http_request *request);
void dt_handle_upload_events(struct dt_http_request *request);
void dt_handle_upload_page(struct dt_http_request *request);
/* Waits for the upload at most so many seconds: true: it is done or the time is over; false: the request sleeps. */
bool dt_wait_for_upload(struct dt_http_request *request, const char *id, unsigned seconds);
void dt_stop_waiting(struct dt_serve *serve, struct dt_visit *visit);
/* The one crash of a finished upload; false: there are several, or none. */
bool dt_upload_only_crash(struct dt_http_request *request, const char *id, char crash[48]);
void dt_answer_upload(struct dt_http_request *request, const char *id, bool accepted);

/* api.c */
void dt_handle_crashes(struct dt_http_request *request);
void dt_handle_crash(struct dt_http_request *request);
void dt_handle_delete_crash(struct dt_http_request *request);
void dt_handle_crash_dump(struct dt_http_request *request);
void dt_handle_incidents(struct dt_http_request *request);
void dt_handle_incident(struct dt_http_request *request);
void dt_handle_signatures(struct dt_http_request *request);
void dt_handle_audit(struct dt_http_request *request);
void dt_handle_health(struct dt_http_request *request);
void dt_handle_metrics(struct dt_http_request *request);
void dt_handle_asset(struct dt_http_request *request);
void dt_handle_openapi(struct dt_http_request *request);

/* crash_page.c */
void dt_handle_crash_page(struct dt_http_request *request);
void dt_handle_delete_form(struct dt_http_request *request);

/* site.c */
void dt_handle_home_page(struct dt_http_request *request);
void dt_handle_crashes_page(struct dt_http_request *request);
void dt_handle_incidents_page(struct dt_http_request *request);
void dt_handle_incident_page(struct dt_http_request *request);
void dt_handle_signatures_page(struct dt_http_request *request);

/* sign.c */
void dt_handle_sign_in_page(struct dt_http_request *request);
void dt_handle_sign_in(struct dt_http_request *request);
void dt_handle_sign_out(struct dt_http_request *request);

/* views.c: what handlers show, gathered from the store. Everything lives in the request's arena. */
struct dt_search {
	struct dt_store_query query;
	struct dt_web_search words; /* as they were typed */
};
/* From the query string; false: words.problem says what is wrong. */
bool dt_read_search(struct dt_http_request *request, struct dt_search *out);
/* Which incidents, from the query string: NULL and 0 for all. false: answered, a word of it is none. */
struct dt_incident_filter {
	enum dt_incident_kind kind;
	const char *kind_word, *state;
};
bool dt_read_incident_filter(struct dt_http_request *request, struct dt_incident_filter *out);
struct dt_listed {
	struct dt_web_row *rows;
	uint64_t *ids;
	size_t count;
	bool more; /* there are others behind the last */
};
DT_MUST_USE enum dt_status dt_list_crashes(struct dt_store *store, const struct dt_store_query *query, size_t limit, struct dt_arena *arena,
                                           struct dt_listed *out, struct dt_error *err);
/* One crash by its id. DT_ERR_NOT_FOUND. */
struct dt_one_crash {
	struct dt_stored row;
	struct dt_crash crash;
};
DT_MUST_USE enum dt_status dt_find_crash(struct dt_store *store, const char *id, struct dt_arena *arena, struct dt_one_crash *out, struct dt_error *err);
/* The number of the incident that the path names, with or without its i. false: answered, there is none. */
bool dt_wanted_incident(struct dt_http_request *request, uint64_t *id);
/* Takes a crash out of the store and the spool, and says so in the audit log. */
DT_MUST_USE enum dt_status dt_delete_crash(struct dt_http_request *request, struct dt_store *store, const char *id, struct dt_error *err);
DT_MUST_USE enum dt_status dt_audit(struct dt_http_request *request, struct dt_store *store, const char *action, const char *object, const char *detail,
                                    struct dt_error *err);
/* The incidents a crash is in, with their states. */
DT_MUST_USE enum dt_status dt_incidents_of(struct dt_serve *serve, struct dt_store *store, uint64_t crash, struct dt_arena *arena,
                                           struct dt_report_incident **out, size_t *count, struct dt_error *err);
/* A crash as the text of a ticket, with how many machines have its incident and where the record is; in the arena. NULL without memory. */
const char *dt_ticket_text(struct dt_serve *serve, const struct dt_crash *crash, const char *id, const struct dt_report_incident *incidents, size_t count,
                           struct dt_arena *arena);
/* SHA-256 of the upload that brought a crash and is still kept; NULL none. */
const char *dt_kept_dump(struct dt_serve *serve, struct dt_store *store, const char *crash, struct dt_arena *arena);

/* reviews.c: the incidents looked at together, not more often than every few seconds. */
struct dt_reviews *dt_reviews_create(void);
void dt_reviews_free(struct dt_reviews *reviews);
/* Something was stored. */
void dt_reviews_stale(struct dt_reviews *reviews);
/* A review that stays as it is until it is given back. */
DT_MUST_USE enum dt_status dt_reviews_take(struct dt_reviews *reviews, struct dt_store *store, const struct dt_review **out, struct dt_error *err);
void dt_reviews_give(struct dt_reviews *reviews, const struct dt_review *review);

/* keeper.c: what must be done once in a while. */
struct dt_keeper;
DT_MUST_USE enum dt_status dt_keeper_start(struct dt_keeper **out, struct dt_serve *serve, struct dt_error *err);
void dt_keeper_stop(struct dt_keeper *keeper);

/* webhook.c: tells an address of incidents. The options outlive it. Errors as dt_deliver_open; *out is to be stopped even then. */
struct dt_webhook;
DT_MUST_USE enum dt_status dt_webhook_start(struct dt_webhook **out, const struct dt_deliver_options *options, struct dt_error *err);
/* Waits for a POST that is under way, at most for its time (10 s). */
void dt_webhook_stop(struct dt_webhook *webhook);

/* The commands. */
int dt_serve_serve(const struct dt_command *self, int argc, char **argv);
int dt_serve_token(const struct dt_command *self, int argc, char **argv);

#endif
