#include "fleet/metrics/metrics.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/address.h"

static const struct {
	const char *name, *type, *help, *label;
} rows[DT_METRICS] = {
#define DT_METRIC(id, name, type, help, label) { name, type, help, label },
#include "fleet/metrics/metrics.def"
#undef DT_METRIC
};
static atomic_uint_fast64_t values[DT_METRICS];

struct dt_metrics_out {
	struct MHD_Daemon *server;
	char *path, *temporary;
	time_t written;
};

void dt_metric_set(enum dt_metric metric, uint64_t value)
{
	atomic_store(&values[metric], value);
}

void dt_metrics_write(struct dt_buf *out)
{
	for (size_t i = 0; i < DT_METRICS; i++) {
		if (i == 0 || strcmp(rows[i].name, rows[i - 1].name) != 0)
			dt_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", rows[i].name, rows[i].help, rows[i].name, rows[i].type);
		dt_buf_puts(out, rows[i].name);
		if (*rows[i].label)
			dt_buf_printf(out, "{%s}", rows[i].label);
		dt_buf_putc(out, ' ');
		dt_buf_u64(out, atomic_load(&values[i]));
		dt_buf_putc(out, '\n');
	}
}

/* ---- a file ------------------------------------------------------------------ */

static enum dt_status write_file(const struct dt_metrics_out *out, struct dt_error *err)
{
	struct dt_buf text;
	FILE *file = fopen(out->temporary, "wbe");
	bool ok;

	dt_buf_init(&text, 1u << 20);
	dt_metrics_write(&text);
	ok = file && fwrite(dt_buf_text(&text), 1, text.len, file) == text.len;
	if (file && fclose(file))
		ok = false;
	dt_buf_deinit(&text);
	if (ok && rename(out->temporary, out->path) == 0)
		return DT_OK;
	return dt_fail(err, DT_ERR_IO, "metrics: %s: %s", out->path, strerror(errno));
}

void dt_metrics_tick(struct dt_metrics_out *out, bool now)
{
	if (!out || !out->path || (!now && time(NULL) == out->written))
		return;
	out->written = time(NULL);
	/* Metrics that cannot be written stop nothing; the first time was tried when they were opened. */
	(void)write_file(out, NULL);
}

static enum dt_status open_file(struct dt_metrics_out *out, const char *path, struct dt_error *err)
{
	out->path = strdup(path);
	if (!out->path || asprintf(&out->temporary, "%s.tmp", path) < 0)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	return write_file(out, err);
}

/* ---- an address ---------------------------------------------------------------- */

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method, const char *version,
                              const char *data, size_t *size, void **state)
{
	struct MHD_Response *response;
	struct dt_buf text;
	bool found = !strcmp(url, "/metrics") && !strcmp(method, "GET");

	(void)context;
	(void)version;
	(void)data;
	(void)state;
	*size = 0;
	dt_buf_init(&text, 1u << 20);
	if (found)
		dt_metrics_write(&text);
	else
		dt_buf_puts(&text, "GET /metrics\n");
	response = MHD_create_response_from_buffer(text.len, text.data, MHD_RESPMEM_MUST_COPY);
	dt_buf_deinit(&text);
	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", found ? "text/plain; version=0.0.4; charset=utf-8" : "text/plain");
	enum MHD_Result result = MHD_queue_response(connection, found ? MHD_HTTP_OK : MHD_HTTP_NOT_FOUND, response);
	MHD_destroy_response(response);
	return result;
}

static enum dt_status open_server(struct dt_metrics_out *out, const char *target, struct dt_error *err)
{
	struct sockaddr_storage address;

	if (!dt_address_parse(target, &address) || !dt_address_port(&address))
		return dt_fail(err, DT_ERR_USAGE, "--metrics takes a file (with a / or .prom) or an address such as 127.0.0.1:9100, not '%.80s'", target);
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0u);
	out->server = MHD_start_daemon(flags, 0, NULL, NULL, answer, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address,
	                               MHD_OPTION_CONNECTION_LIMIT, 16u, MHD_OPTION_CONNECTION_TIMEOUT, 10u, MHD_OPTION_END);
	return out->server ? DT_OK : dt_fail(err, DT_ERR_IO, "metrics: cannot listen at %s: %s", target, strerror(errno));
}

enum dt_status dt_metrics_open(struct dt_metrics_out **out, const char *target, struct dt_error *err)
{
	size_t len = target ? strlen(target) : 0;
	struct dt_metrics_out *made;
	enum dt_status status;

	*out = NULL;
	if (!target)
		return DT_OK;
	if (!(made = calloc(1, sizeof(*made))))
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	dt_metric_set(DT_METRIC_START, (uint64_t)time(NULL));
	status = strchr(target, '/') || (len > 5 && !strcmp(target + len - 5, ".prom")) ? open_file(made, target, err) : open_server(made, target, err);
	if (status != DT_OK) {
		dt_metrics_close(made);
		return status;
	}
	*out = made;
	return DT_OK;
}

void dt_metrics_close(struct dt_metrics_out *out)
{
	if (!out)
		return;
	if (out->server)
		MHD_stop_daemon(out->server);
	free(out->path);
	free(out->temporary);
	free(out);
}
