/* object.h - JSON written member by member, for events whose shape is not the record's. What is not known is left out. */
#ifndef DT_REPORT_OBJECT_H
#define DT_REPORT_OBJECT_H

#include "core/base/buf.h"
#include "core/model/crash.h"

struct dt_put {
	struct dt_buf *out;
	bool comma; /* a member or element stands before */
};

void dt_put_open(struct dt_put *w, const char *name, char bracket); /* name NULL: an element */
void dt_put_close(struct dt_put *w, char bracket);
void dt_put_text(struct dt_put *w, const char *name, const char *text);     /* NULL: left out */
void dt_put_number(struct dt_put *w, const char *name, int64_t number);
void dt_put_opt(struct dt_put *w, const char *name, struct dt_opt number);  /* decimal */
void dt_put_hex(struct dt_put *w, const char *name, struct dt_opt number);  /* "0x..." */
void dt_put_texts(struct dt_put *w, const char *name, const char *const *texts, size_t count);
void dt_put_bool(struct dt_put *w, const char *name, bool value);
void dt_put_time(struct dt_put *w, const char *name, uint64_t filetime);    /* RFC 3339, ms; 0: left out */

#endif
