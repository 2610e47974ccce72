/* The text of a ticket: the report's, and what only a server knows: how many machines have the incident, and where the record is. */
#include "doors/serve/serve.h"

enum { MAX_TICKET = 4 << 20 };

const char *dt_ticket_text(struct dt_serve *serve, const struct dt_crash *crash, const char *id, const struct dt_report_incident *incidents, size_t count,
                           struct dt_arena *arena)
{
	static const struct dt_report_style plain = { .verbose = true };
	const char *base = serve->options->url;
	struct dt_buf out;

	dt_buf_init(&out, MAX_TICKET);
	dt_report_format("ticket")->write(crash, &plain, &out);
	/* The first is the strongest: a signature before a group of like crashes. */
	if (count) {
		dt_buf_puts(&out, "\nSeen on ");
		dt_report_incident_hosts(&incidents[0], &out);
		dt_buf_printf(&out, " with incident i%llu.\n", (unsigned long long)incidents[0].id);
	}
	if (base)
		dt_buf_printf(&out, "Record: %s/crashes/%s\n", base, id);
	const char *text = dt_buf_ok(&out) ? dt_arena_strdup(arena, dt_buf_text(&out)) : NULL;
	dt_buf_deinit(&out);
	return text;
}
