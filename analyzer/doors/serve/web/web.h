/*
 * web.h - the pages as HTML: from plain values to bytes. Knows neither server nor store; everything that comes from outside is
 * escaped here and nowhere else.
 *
 * Pages use no inline style and no inline script (the Content-Security-Policy forbids both), work without JavaScript, and name no
 * outside resource.
 */
#ifndef DT_SERVE_WEB_H
#define DT_SERVE_WEB_H

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/model/crash.h"
#include "report/incidents.h"

/* What stands around every page. */
struct dt_web_frame {
	const char *title;
	const char *here;    /* the entry of the menu this page belongs to: "/", "/crashes", ...; NULL none */
	const char *who;     /* who is signed in; NULL: nobody needs to be */
	const char *csrf;    /* for forms; NULL: no forms */
	bool can_upload, can_read, can_admin;
	bool can_sign_out;
	unsigned refresh;    /* seconds, for who has no JavaScript; 0 never */
};

/* A crash in a list. */
struct dt_web_row {
	const char *id, *host, *code, *module; /* NULL unknown */
	const char *signature; /* of those that matched, NULL none */
	enum dt_verdict_class class;
	struct dt_opt confidence;
	uint64_t time;  /* FILETIME; 0 unknown */
	bool time_ok;
};

struct dt_web_rows {
	const struct dt_web_row *rows;
	size_t count;
	const char *more; /* address of the next page; NULL: that is all */
};

/* ---- the pages --------------------------------------------------------------------- */

struct dt_web_home {
	uint64_t max_bytes;     /* of one upload */
	unsigned keep_days;     /* dumps are kept so long; 0: not at all */
	struct dt_web_rows latest;
	const struct dt_report_incident *outbreaks;
	size_t outbreak_count;
	int64_t as_of; /* seconds of the Unix clock: the newest crash */
};
void dt_web_home(const struct dt_web_frame *frame, const struct dt_web_home *home, struct dt_buf *out);

/* One result of an upload. */
struct dt_web_item {
	const char *name, *id; /* id NULL: deleted */
	const char *summary, *host;
	enum dt_verdict_class class;
	struct dt_opt confidence;
	bool deleted;
};
struct dt_web_upload {
	const char *id, *state, *waiting, *host, *ticket, *note, *who;
	bool done;
	uint64_t at;
	struct dt_web_file { const char *name, *sha256; uint64_t size; bool known; } *files;
	size_t file_count;
	struct dt_web_item *items; /* the first ones */
	size_t item_count;
	uint64_t item_total;
};
void dt_web_upload(const struct dt_web_frame *frame, const struct dt_web_upload *upload, struct dt_buf *out);

struct dt_web_crash {
	const char *id;
	const struct dt_crash *crash; /* masked for who may not see names */
	const struct dt_report_incident *incidents;
	size_t incident_count;
	struct dt_web_rows others; /* of this host */
	uint64_t files;            /* how many files speak of it */
	const struct dt_web_sender { const char *name, *upload, *ticket, *note, *who; uint64_t at; } *senders;
	size_t sender_count;
	const char *hardware;      /* this host crashes in many ways: the reason; NULL no */
	const char *ticket, *markdown; /* to copy */
	const char *sha256;        /* of the dump that is kept; NULL: none */
};
void dt_web_crash(const struct dt_web_frame *frame, const struct dt_web_crash *crash, struct dt_buf *out);

struct dt_web_search {
	const char *host, *since, *until, *class, *signature, *bucket, *module, *code, *text, *incident; /* as typed; NULL nothing */
	const char *problem; /* what is wrong with it; NULL nothing */
	struct dt_web_rows found;
};
void dt_web_search(const struct dt_web_frame *frame, const struct dt_web_search *search, struct dt_buf *out);

/* When something burst: hours of the Unix clock, half open. */
struct dt_web_burst {
	int64_t begin, end;
	const char *what; /* shown when it is pointed at; NULL: the outbreak */
};
struct dt_web_chart {
	const struct dt_report_bar *bars;
	size_t bar_count;
	int64_t from, until; /* hours the chart goes over, half open; from 0: those of the bars */
	const struct dt_web_burst *bursts;
	size_t burst_count;
};

struct dt_web_incidents {
	const char *span;          /* what the chart goes over: 2d, 7d, 30d, all */
	struct dt_web_chart chart; /* of the whole fleet */
	const struct dt_report_incident *incidents;
	size_t count;
	const char *kind, *state; /* shown only; NULL all */
	uint64_t crashes, hosts;
	int64_t as_of; /* seconds of the Unix clock; 0: the store is empty */
	const struct dt_web_suspect { const char *host, *reason; } *suspects;
	size_t suspect_count;
};
void dt_web_incidents(const struct dt_web_frame *frame, const struct dt_web_incidents *incidents, struct dt_buf *out);

struct dt_web_incident {
	const struct dt_report_incident *incident; /* with its details */
	struct dt_web_chart chart;
	const char *burst;                         /* in words; NULL none */
	const char *const *next_steps;             /* of its signature */
	size_t next_step_count;
	struct dt_web_rows latest;
};
void dt_web_incident(const struct dt_web_frame *frame, const struct dt_web_incident *incident, struct dt_buf *out);

struct dt_web_signature {
	const char *id, *title, *version, *status, *level, *category, *description, *class, *author, *date;
	const char *const *references;
	size_t reference_count;
	const char *const *next_steps;
	size_t next_step_count;
};
/* problem: why the files as they are now are not in force; NULL: they are. */
void dt_web_signatures(const struct dt_web_frame *frame, const struct dt_web_signature *signatures, size_t count, const char *problem, struct dt_buf *out);

void dt_web_sign_in(const struct dt_web_frame *frame, const char *problem, const char *back, struct dt_buf *out);
/* A page that says what went wrong. */
void dt_web_problem(const struct dt_web_frame *frame, unsigned status, const char *title, const char *detail, struct dt_buf *out);

/* ---- parts --------------------------------------------------------------------------- */

/* Text in a page, and inside a quoted attribute. NULL writes nothing. */
void dt_web_text(struct dt_buf *out, const char *text);
/* The same for a page alone: a name such as PAGE_FAULT_IN_NONPAGED_AREA may break behind each '_'. */
void dt_web_breakable(struct dt_buf *out, const char *text);
/* printf whose %s arguments must be safe already; text from outside goes through dt_web_text. */
void dt_web_begin(const struct dt_web_frame *frame, struct dt_buf *out);
void dt_web_end(const struct dt_web_frame *frame, struct dt_buf *out);
/* A part of an address, percent-encoded. */
void dt_web_url_part(struct dt_buf *out, const char *text);
/* <time>: UTC, local on hover with JavaScript. 0: "unknown". */
void dt_web_time(struct dt_buf *out, uint64_t filetime);
void dt_web_seconds(struct dt_buf *out, int64_t unix_seconds);
/* A class as a coloured word, and how sure. */
void dt_web_class(struct dt_buf *out, enum dt_verdict_class class, struct dt_opt confidence);
/* One line of Markdown: `code`, **bold**, *italic*, [text](https://address). Everything else is text. */
void dt_web_markdown(struct dt_buf *out, const char *text);
/* Steps as a list to tick off; those that begin with "- " are branches of the one before. id: under which a browser keeps the ticks. */
void dt_web_steps(struct dt_buf *out, const char *const *steps, size_t count, const char *id);
void dt_web_table(struct dt_buf *out, const struct dt_web_rows *rows, const char *empty);
/* Crashes and hosts by hour (or longer steps), with the bursts marked. Nothing for no bar. */
void dt_web_chart(struct dt_buf *out, const struct dt_web_chart *chart);
void dt_web_csrf(struct dt_buf *out, const struct dt_web_frame *frame);

/* The files that the build puts into the program: /assets/NAME. NULL: there is none. */
struct dt_web_asset {
	const char *name, *type, *data;
	size_t len;
};
const struct dt_web_asset *dt_web_asset(const char *name);

#endif
