/* dumptriage serve: everything is opened, runs until a signal, and is ended in order. */
#include "doors/serve/serve.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "core/base/text.h"
#include "core/log/log.h"
#include "doors/serve/options.h"
#include "fleet/metrics/metrics.h"

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static void stored(void *context)
{
	const struct dt_serve *serve = context;

	dt_reviews_stale(serve->reviews);
}

/* A connection and a file in the spool for each upload at once. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* The store is made here when it is not there; handlers only use it. */
static enum dt_status make_store(const struct dt_serve_options *options, struct dt_error *err)
{
	struct dt_store *store;
	enum dt_status status = dt_store_open(&store, options->db, DT_STORE_WRITE, err);

	if (status == DT_OK)
		dt_store_close(store);
	return status;
}

static enum dt_status open_all(struct dt_serve *serve, struct dt_error *err)
{
	const struct dt_serve_options *options = serve->options;
	struct dt_engine_options engine = { .db = options->db, .pool = options->pool, .rulebook = serve->rulebook, .keep = options->keep_dumps > 0,
		                            .stored = stored, .context = serve };
	enum dt_status status;

	serve->jobs = dt_jobs_create();
	serve->reviews = dt_reviews_create();
	if (!serve->jobs || !serve->reviews)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	if ((status = make_store(options, err)) != DT_OK || (status = dt_stores_create(&serve->stores, options->db, err)) != DT_OK ||
	    (status = dt_spool_open(&serve->spool, options->spool, options->reserve, err)) != DT_OK ||
	    (status = dt_access_create(&serve->access, &options->access, serve->stores, err)) != DT_OK)
		return status;
	engine.spool = serve->spool;
	engine.jobs = serve->jobs;
	if ((status = dt_engine_start(&serve->engine, &engine, err)) != DT_OK || (status = dt_keeper_start(&serve->keeper, serve, err)) != DT_OK)
		return status;
	return options->webhook.sink.url ? dt_webhook_start(&serve->webhook, &options->webhook, err) : DT_OK;
}

static void close_all(struct dt_serve *serve)
{
	dt_http_stop(serve->http);
	dt_keeper_stop(serve->keeper);
	dt_webhook_stop(serve->webhook);
	dt_engine_free(serve->engine);
	dt_access_free(serve->access);
	dt_spool_close(serve->spool);
	dt_stores_destroy(serve->stores);
	dt_reviews_free(serve->reviews);
	dt_jobs_destroy(serve->jobs);
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

/* No new connections; uploads that come in are taken to their end, and analysed, as far as the time of grace goes. */
static void wind_down(struct dt_serve *serve)
{
	time_t end = time(NULL) + (time_t)serve->options->grace_s;
	unsigned requests = dt_http_active(serve->http), uploads = dt_jobs_open(serve->jobs);

	dt_log(DT_LOG_INFO, "ending", NULL, "no new connections; %u %s and %u %s under way", requests, dt_text_plural(requests, "request", "requests"), uploads,
	       dt_text_plural(uploads, "upload", "uploads"));
	dt_http_quiesce(serve->http);
	while (dt_http_active(serve->http) && time(NULL) < end && interrupted == SIGTERM)
		pause_ms(20);
	time_t left = end > time(NULL) ? end - time(NULL) : 0;
	dt_engine_stop(serve->engine, (unsigned)left * 1000);
	if ((uploads = dt_jobs_open(serve->jobs)) > 0)
		dt_log(DT_LOG_WARNING, "ending", NULL, "%u %s in the spool; the next start goes on with %s", uploads,
		       dt_text_plural(uploads, "upload stays", "uploads stay"), dt_text_plural(uploads, "it", "them"));
}

static int run(struct dt_serve *serve)
{
	const struct dt_serve_options *options = serve->options;
	struct dt_http_app app = dt_serve_app;
	struct dt_error err = { 0 };
	enum dt_status status = open_all(serve, &err);

	if (status == DT_OK && *dt_engine_missing(serve->engine) && !options->pool.no_sandbox)
		dt_log(DT_LOG_WARNING, "sandbox", NULL, "this system has no %s; dumps are read under what is left", dt_engine_missing(serve->engine));
	app.context = serve;
	if (status == DT_OK)
		status = dt_http_start(&serve->http, &app, &options->http, &err);
	if (status != DT_OK) {
		close_all(serve);
		return dt_door_fail("%s", err.text), status == DT_ERR_USAGE ? DT_EXIT_USAGE : DT_EXIT_ENVIRONMENT;
	}
	dt_metric_set(DT_METRIC_START, (uint64_t)time(NULL));
	const char *colon = strrchr(options->listen, ':');
	printf("dumptriage serves at http://%.*s:%u/\n", (int)(colon - options->listen), options->listen, dt_http_port(serve->http));
	(void)dt_door_flush();
	while (!interrupted && !dt_engine_failed(serve->engine))
		pause_ms(100);
	bool failed = dt_engine_failed(serve->engine);
	wind_down(serve);
	close_all(serve);
	return failed ? DT_EXIT_ENVIRONMENT : DT_EXIT_OK;
}

static int start(struct dt_serve *serve)
{
	struct dt_error err;

	raise_descriptors();
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGPIPE, SIG_IGN);
	if (dt_rulebook_open(&serve->rulebook, serve->options->signatures, serve->options->carriers, &err) != DT_OK)
		return dt_door_fail("%s", err.text);
	int status = run(serve);
	dt_rulebook_close(serve->rulebook);
	return status;
}

int dt_serve_serve(const struct dt_command *self, int argc, char **argv)
{
	struct dt_serve_options options;
	struct dt_serve serve = { .options = &options };
	const struct dt_pool_source source = { &options.symbols, dt_door_symbols_ask };

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	int status = dt_serve_options_parse(&options, self, argc, argv);
	if (status == DT_EXIT_OK)
		status = dt_door_symbols_open(&options.symbols, self);
	if (status == DT_EXIT_OK) {
		options.pool.source = options.symbols.open ? &source : NULL;
		status = start(&serve);
		dt_door_symbols_close(&options.symbols);
	}
	dt_serve_options_free(&options);
	return status;
}
