#include "report/page.h"

#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMN = 2, TEXT_COLUMN = 16, PARAMETER_COLUMN = 40, NARROWEST = 40 };

static const char *const inks[] = {
	[DT_INK_PLAIN] = "",       [DT_INK_BOLD] = "\033[1m",    [DT_INK_DIM] = "\033[2m",   [DT_INK_RED] = "\033[1;31m",
	[DT_INK_GREEN] = "\033[32m", [DT_INK_YELLOW] = "\033[33m", [DT_INK_CYAN] = "\033[36m",
};

void dt_page_init(struct dt_page *page, const struct dt_report_style *style, struct dt_buf *out)
{
	unsigned width = style->width ? style->width : 100;

	*page = (struct dt_page){ .out = out, .style = style, .width = width < NARROWEST ? NARROWEST : width };
}

void dt_page_ink(struct dt_page *page, enum dt_ink ink, const char *text)
{
	bool coloured = page->style->colour && ink != DT_INK_PLAIN;

	if (coloured)
		dt_buf_puts(page->out, inks[ink]);
	dt_buf_puts(page->out, text);
	if (coloured)
		dt_buf_puts(page->out, "\033[0m");
}

void dt_page_heading(struct dt_page *page, const char *text)
{
	if (page->sink) {
		page->sink->heading(page, text);
		return;
	}
	dt_buf_putc(page->out, '\n');
	dt_page_ink(page, DT_INK_BOLD, text);
	dt_buf_putc(page->out, '\n');
}

/* Columns that n bytes of UTF-8 take, each character counted as one. */
static unsigned columns(const char *text, size_t n)
{
	unsigned count = 0;

	for (size_t i = 0; i < n; i++)
		count += ((unsigned char)text[i] & 0xc0) != 0x80;
	return count;
}

static void new_line(struct dt_page *page, unsigned indent)
{
	dt_buf_putc(page->out, '\n');
	for (unsigned i = 0; i < indent; i++)
		dt_buf_putc(page->out, ' ');
}

void dt_page_wrap(struct dt_page *page, unsigned at, unsigned indent, const char *text)
{
	bool first = true;

	for (; at < indent; at++)
		dt_buf_putc(page->out, ' ');
	while (*text) {
		size_t n = strcspn(text, " \n");
		unsigned width = columns(text, n);
		if (!first && at + 1 + width > page->width) {
			new_line(page, indent);
			at = indent;
			first = true;
		}
		if (!first && n) {
			dt_buf_putc(page->out, ' ');
			at++;
		}
		dt_buf_append(page->out, text, n);
		at += width;
		first = first && n == 0;
		text += n;
		if (*text == '\n') {
			new_line(page, indent);
			at = indent;
			first = true;
		}
		text += *text != '\0';
	}
	dt_buf_putc(page->out, '\n');
}

void dt_page_row(struct dt_page *page, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	if (page->sink) {
		page->sink->row(page, label, text);
		return;
	}
	for (unsigned i = 0; i < LABEL_COLUMN; i++)
		dt_buf_putc(page->out, ' ');
	dt_page_ink(page, DT_INK_CYAN, label);
	unsigned at = LABEL_COLUMN + columns(label, strlen(label));
	if (at >= TEXT_COLUMN) {
		dt_buf_putc(page->out, ' ');
		at++;
	}
	dt_page_wrap(page, at, TEXT_COLUMN, text);
}

void dt_page_parameter(struct dt_page *page, size_t number, uint64_t value, const char *meaning)
{
	struct dt_buf *out = page->out;

	if (page->sink) {
		page->sink->parameter(page, number, value, meaning);
		return;
	}
	dt_buf_printf(out, "%*s%zu: ", TEXT_COLUMN, "", number);
	size_t before = out->len;
	dt_buf_hex(out, value);
	unsigned at = TEXT_COLUMN + 3 + (unsigned)(out->len - before);
	if (meaning) {
		dt_buf_puts(out, "  ");
		dt_page_wrap(page, at + 2, PARAMETER_COLUMN, meaning);
	} else {
		dt_buf_putc(out, '\n');
	}
}

void dt_page_rowf(struct dt_page *page, const char *label, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	dt_page_row(page, label, text);
}
