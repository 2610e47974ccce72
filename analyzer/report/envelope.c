#include "report/envelope.h"

void dt_put_ecs_head(struct dt_put *w, uint64_t time, const char *message, const char *name_space)
{
	dt_put_time(w, "@timestamp", time);
	dt_put_open(w, "ecs", '{');
	dt_put_text(w, "version", "9.4.0");
	dt_put_close(w, '}');
	dt_put_text(w, "message", message);
	dt_put_open(w, "data_stream", '{');
	dt_put_text(w, "type", "logs");
	dt_put_text(w, "dataset", "dumptriage.crash");
	dt_put_text(w, "namespace", name_space ? name_space : "default");
	dt_put_close(w, '}');
}

void dt_put_ecs_source(struct dt_put *w)
{
	dt_put_text(w, "module", "dumptriage");
	dt_put_text(w, "dataset", "dumptriage.crash");
	dt_put_text(w, "provider", "dumptriage");
}

void dt_put_ecs_observer(struct dt_put *w)
{
	dt_put_open(w, "observer", '{');
	dt_put_text(w, "product", "dumptriage");
	dt_put_text(w, "version", DT_VERSION);
	dt_put_text(w, "type", "crash-analyzer");
	dt_put_close(w, '}');
}

void dt_put_ocsf_log(struct dt_put *w)
{
	dt_put_text(w, "log_name", "dumptriage.crash");
	dt_put_text(w, "log_provider", "dumptriage");
}

void dt_put_ocsf_product(struct dt_put *w)
{
	dt_put_open(w, "product", '{');
	dt_put_text(w, "name", "dumptriage");
	dt_put_text(w, "vendor_name", "dumptriage");
	dt_put_text(w, "version", DT_VERSION);
	dt_put_close(w, '}');
}

void dt_put_ocsf_analytic(struct dt_put *w, const char *id, const char *title, const char *version)
{
	dt_put_open(w, "analytic", '{');
	dt_put_text(w, "uid", id);
	dt_put_text(w, "name", title);
	dt_put_number(w, "type_id", 1);
	dt_put_text(w, "type", "Rule");
	dt_put_text(w, "version", version);
	dt_put_close(w, '}');
}
