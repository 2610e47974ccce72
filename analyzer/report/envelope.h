/* envelope.h - what the events of crashes and of incidents say alike: which schema, who speaks, which rule. */
#ifndef DT_REPORT_ENVELOPE_H
#define DT_REPORT_ENVELOPE_H

#include "report/object.h"

/* The members before "event": the time (FILETIME), the version of ECS, the message, the data stream.
 * name_space: of the data stream; NULL: "default". */
void dt_put_ecs_head(struct dt_put *w, uint64_t time, const char *message, const char *name_space);
/* Members of "event": where the events come from. */
void dt_put_ecs_source(struct dt_put *w);
/* Who looked at the crash. */
void dt_put_ecs_observer(struct dt_put *w);

/* Members of "metadata": the name of the log. */
void dt_put_ocsf_log(struct dt_put *w);
/* The program, as OCSF's product. */
void dt_put_ocsf_product(struct dt_put *w);
/* The rule that found something. version may be NULL. */
void dt_put_ocsf_analytic(struct dt_put *w, const char *id, const char *title, const char *version);

#endif
