#include "report/object.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/base/time.h"
#include "core/model/json.h"

static void name_of(struct dt_put *w, const char *name)
{
	if (w->comma)
		dt_buf_putc(w->out, ',');
	if (name) {
		dt_json_write_text(name, w->out);
		dt_buf_putc(w->out, ':');
	}
	w->comma = true;
}

void dt_put_open(struct dt_put *w, const char *name, char bracket)
{
	name_of(w, name);
	dt_buf_putc(w->out, bracket);
	w->comma = false;
}

void dt_put_close(struct dt_put *w, char bracket)
{
	dt_buf_putc(w->out, bracket);
	w->comma = true;
}

void dt_put_text(struct dt_put *w, const char *name, const char *text)
{
	if (!text)
		return;
	name_of(w, name);
	dt_json_write_text(text, w->out);
}

void dt_put_number(struct dt_put *w, const char *name, int64_t number)
{
	name_of(w, name);
	dt_buf_printf(w->out, "%" PRId64, number);
}

void dt_put_opt(struct dt_put *w, const char *name, struct dt_opt number)
{
	if (number.known)
		dt_put_number(w, name, (int64_t)number.value);
}

void dt_put_hex(struct dt_put *w, const char *name, struct dt_opt number)
{
	char text[24];

	if (!number.known)
		return;
	snprintf(text, sizeof(text), "0x%" PRIx64, number.value);
	dt_put_text(w, name, text);
}

void dt_put_texts(struct dt_put *w, const char *name, const char *const *texts, size_t count)
{
	dt_put_open(w, name, '[');
	for (size_t i = 0; i < count; i++)
		dt_put_text(w, NULL, texts[i]);
	dt_put_close(w, ']');
}

void dt_put_bool(struct dt_put *w, const char *name, bool value)
{
	name_of(w, name);
	dt_buf_puts(w->out, value ? "true" : "false");
}

void dt_put_time(struct dt_put *w, const char *name, uint64_t filetime)
{
	char text[DT_TIME_TEXT_MAX];

	/* To the millisecond, which is what receivers keep. */
	if (filetime && dt_time_format(filetime - filetime % 10000, text))
		dt_put_text(w, name, text);
}
