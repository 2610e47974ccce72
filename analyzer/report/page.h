/*
 * page.h - lines on a terminal: labels in one column, wrapped text beside them. With a sink the same lines go elsewhere, as rows.
 */
#ifndef DT_REPORT_PAGE_H
#define DT_REPORT_PAGE_H

#include "report/report.h"

enum dt_ink { DT_INK_PLAIN, DT_INK_BOLD, DT_INK_DIM, DT_INK_RED, DT_INK_GREEN, DT_INK_YELLOW, DT_INK_CYAN };

struct dt_page;

/* Where lines go that are for no terminal. */
struct dt_page_sink {
	void (*heading)(struct dt_page *page, const char *text);
	void (*row)(struct dt_page *page, const char *label, const char *text);
	void (*parameter)(struct dt_page *page, size_t number, uint64_t value, const char *meaning);
};

struct dt_page {
	struct dt_buf *out;
	const struct dt_report_style *style;
	unsigned width; /* columns */
	const struct dt_page_sink *sink; /* NULL: a terminal */
};

void dt_page_init(struct dt_page *page, const struct dt_report_style *style, struct dt_buf *out);
/* Text in a colour, where the style has colours. No newline. */
void dt_page_ink(struct dt_page *page, enum dt_ink ink, const char *text);
void dt_page_heading(struct dt_page *page, const char *text);
/* Wraps text at words into lines that begin at column `indent`; the cursor stands at column `at`. Ends the line.
 * Newlines in text begin new lines. */
void dt_page_wrap(struct dt_page *page, unsigned at, unsigned indent, const char *text);
/* "  Label         text", wrapped. NULL and "" print nothing. */
void dt_page_row(struct dt_page *page, const char *label, const char *text);
/* One of a stop code's parameters, from 1; meaning NULL: not known. */
void dt_page_parameter(struct dt_page *page, size_t number, uint64_t value, const char *meaning);
void dt_page_rowf(struct dt_page *page, const char *label, const char *fmt, ...) DT_PRINTF(3, 4);

#endif
