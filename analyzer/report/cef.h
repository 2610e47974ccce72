/* cef.h - the pieces of a CEF line, for what writes one. Private to report. */
#ifndef DT_REPORT_CEF_H
#define DT_REPORT_CEF_H

#include "core/base/buf.h"

/* A field of the header and the | behind it. */
void dt_cef_header(struct dt_buf *out, const char *text);
/* " key=value"; nothing for NULL, for "", and when the line would be longer than a receiver takes. */
void dt_cef_value(struct dt_buf *out, const char *key, const char *text);
/* " keyLabel=label key=value" */
void dt_cef_labelled(struct dt_buf *out, const char *key, const char *label, const char *text);
/* In milliseconds of the Unix clock; nothing for 0. */
void dt_cef_time(struct dt_buf *out, const char *key, uint64_t filetime);

#endif
