#include "doors/serve/options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "doors/common/secret.h"

enum {
	DB = 300, LISTEN, SPOOL, URL, MAX_UPLOAD, KEEP_DUMPS, KEEP_RECORDS, KEEP_AUDIT, AUTH, BEHIND_PROXY, PROXY, USER_HEADER, ROLE_HEADER, RATE, BURST, JOBS, DEADLINE,
	SIGNATURES, CARRIERS, GRACE, QUEUE, RESERVE, THREADS, CONNECTIONS, HEADER_TIME, BODY_TIME, BODY_RATE, NO_SANDBOX,
	WEBHOOK, WEBHOOK_SECRET, WEBHOOK_TEMPLATE, WEBHOOK_CA,
};
enum { MAX_JOBS = 256, DEFAULT_RATE = 50, DEFAULT_BURST = 200, MAX_TEMPLATE = 1 << 20, WEBHOOK_S = 10 };

/* Options that take a number, as rows. */
static const struct row {
	int option;
	const char *name;
	unsigned low, high;
	size_t off; /* of the unsigned in the options */
} numbers[] = {
#define ROW(option, name, low, high, member) { option, name, low, high, offsetof(struct dt_serve_options, member) }
	ROW(KEEP_DUMPS, "--keep-dumps", 0, 36500, keep_dumps),
	ROW(KEEP_RECORDS, "--keep-records", 0, 36500, keep_records),
	ROW(KEEP_AUDIT, "--keep-audit", 0, 36500, keep_audit),
	ROW(RATE, "--rate", 0, 1000000, access.rate),
	ROW(BURST, "--burst", 1, 1000000, access.burst),
	ROW(JOBS, "--jobs", 1, MAX_JOBS, pool.workers),
	ROW(GRACE, "--grace", 0, 3600, grace_s),
	ROW(QUEUE, "--queue-limit", 1, 1000000, queue),
	ROW(THREADS, "--threads", 1, 64, http.threads),
	ROW(CONNECTIONS, "--connections", 8, 100000, http.connections),
	ROW(HEADER_TIME, "--header-timeout", 1, 3600, http.header_seconds),
	ROW(BODY_TIME, "--body-grace", 1, 86400, http.body_seconds),
	ROW(BODY_RATE, "--body-rate", 1, 1u << 30, http.body_rate),
#undef ROW
};

static int number(struct dt_serve_options *options, const struct dt_command *self, const struct row *row, const char *value)
{
	int status = dt_door_unsigned(self, row->name, value, row->low, row->high, (unsigned *)(void *)((char *)options + row->off));

	options->has_rate |= status == DT_EXIT_OK && row->option == RATE;
	return status;
}

static int deadline(struct dt_serve_options *options, const struct dt_command *self, const char *value)
{
	unsigned seconds = 0;
	int status = dt_door_unsigned(self, "--deadline", value, 1, 86400, &seconds);

	if (status == DT_EXIT_OK)
		options->pool.deadline_ms = seconds * 1000;
	return status;
}

static int auth(struct dt_serve_options *options, const struct dt_command *self, const char *value)
{
	static const char *const words[] = { "none", "token", "proxy" };

	for (size_t i = 0; i < 3; i++)
		if (!strcmp(words[i], value)) {
			options->access.auth = (enum dt_auth)i;
			return DT_EXIT_OK;
		}
	return dt_door_usage(self, "--auth takes none, token or proxy, not '%s'", value);
}

/* An address as people write it; the feed's sinks know it by another scheme. */
static int webhook(struct dt_serve_options *options, const struct dt_command *self, const char *value)
{
	static char url[2048];

	if ((strncmp(value, "https://", 8) && strncmp(value, "http://", 7)) || strlen(value) > sizeof(url) - sizeof("webhook+"))
		return dt_door_usage(self, "--webhook takes https://HOST/... or http://HOST/..., not '%s'", value);
	snprintf(url, sizeof(url), "webhook+%s", value);
	options->webhook.sink.url = url;
	options->webhook.sink.secret_hint = "--webhook-secret-file FILE, or DUMPTRIAGE_WEBHOOK_SECRET in the environment";
	return DT_EXIT_OK;
}

static int one(struct dt_serve_options *options, const struct dt_command *self, int option, const char *value)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].option == option)
			return number(options, self, &numbers[i], value);
	switch (option) {
	case DB: options->db = value; return DT_EXIT_OK;
	case LISTEN: options->listen = value; return DT_EXIT_OK;
	case SPOOL: options->spool = value; return DT_EXIT_OK;
	case URL: return dt_door_url(self, value, &options->url);
	case SIGNATURES: options->signatures = value; return DT_EXIT_OK;
	case CARRIERS: options->carriers = value; return DT_EXIT_OK;
	case MAX_UPLOAD: return dt_door_size(self, "--max-upload", value, &options->max_bytes);
	case RESERVE: return dt_door_size(self, "--spool-reserve", value, &options->reserve);
	case AUTH: return auth(options, self, value);
	case BEHIND_PROXY: options->access.behind_proxy = true; return DT_EXIT_OK;
	case PROXY: options->access.proxies = value; return DT_EXIT_OK;
	case USER_HEADER: options->access.user_header = value; return DT_EXIT_OK;
	case ROLE_HEADER: options->access.role_header = value; return DT_EXIT_OK;
	case DEADLINE: return deadline(options, self, value);
	case NO_SANDBOX: options->pool.no_sandbox = true; return DT_EXIT_OK;
	case WEBHOOK: return webhook(options, self, value);
	case WEBHOOK_SECRET: options->webhook_secret = value; return DT_EXIT_OK;
	case WEBHOOK_TEMPLATE: options->webhook_template = value; return DT_EXIT_OK;
	case WEBHOOK_CA: options->webhook.sink.ca_file = value; return DT_EXIT_OK;
	default: return dt_door_usage(self, "wrong option");
	}
}

/* Beside a SQLite store, unless told otherwise. */
static int find_spool(struct dt_serve_options *options, const struct dt_command *self)
{
	static char path[PATH_MAX];
	const char *file = !strncmp(options->db, "sqlite:", 7) ? options->db + 7 : options->db;

	if (options->spool)
		return DT_EXIT_OK;
	if (strstr(options->db, "://"))
		return dt_door_usage(self, "--spool FOLDER is missing: where uploads lie until they are analysed");
	snprintf(path, sizeof(path), "%s.spool", file);
	options->spool = path;
	return DT_EXIT_OK;
}

static int check_auth(const struct dt_serve_options *options, const struct dt_command *self)
{
	const struct dt_access_options *access = &options->access;

	if (access->auth == DT_AUTH_PROXY && (!access->behind_proxy || !access->user_header))
		return dt_door_usage(self, "--auth proxy needs --behind-proxy, and --user-header NAME for the header in which the proxy names the user");
	if ((access->user_header || access->role_header) && access->auth != DT_AUTH_PROXY)
		return dt_door_usage(self, "--user-header and --role-header go with --auth proxy");
	if (dt_address_is_loopback((const struct sockaddr *)&options->http.address) && !access->behind_proxy)
		return DT_EXIT_OK;
	if (!access->behind_proxy)
		return dt_door_usage(self, "'%s' can be reached from other machines: that takes --behind-proxy (TLS is the proxy's work) and --auth token or proxy",
		                     options->listen);
	if (access->auth == DT_AUTH_NONE)
		return dt_door_usage(self, "behind a proxy --auth token or --auth proxy is needed: dumps are memory");
	return DT_EXIT_OK;
}

static int check_webhook(struct dt_serve_options *options, const struct dt_command *self)
{
	struct dt_deliver_options *webhook = &options->webhook;
	int status = DT_EXIT_OK;

	if (!webhook->sink.url)
		return options->webhook_secret || options->webhook_template || webhook->sink.ca_file
		               ? dt_door_usage(self, "--webhook-secret-file, --webhook-template and --webhook-ca-file go with --webhook") : DT_EXIT_OK;
	webhook->db = options->db;
	webhook->server = options->url;
	webhook->sink.timeout_s = WEBHOOK_S;
	status = dt_door_secret(options->webhook_secret, "DUMPTRIAGE_WEBHOOK_SECRET", &options->secret, &webhook->sink.secret);
	if (status != DT_EXIT_OK || !options->webhook_template)
		return status;
	status = dt_door_read_text(options->webhook_template, "the template", &options->template);
	webhook->template = dt_buf_text(&options->template);
	return status;
}

static int check(struct dt_serve_options *options, const struct dt_command *self)
{
	int status;

	if (!options->db)
		return dt_door_usage(self, "--db is missing");
	if (!dt_address_parse(options->listen, &options->http.address))
		return dt_door_usage(self, "--listen takes an address and a port such as 127.0.0.1:8080 or [::1]:8080, not '%s'", options->listen);
	if ((status = check_auth(options, self)) != DT_EXIT_OK || (status = find_spool(options, self)) != DT_EXIT_OK ||
	    (status = check_webhook(options, self)) != DT_EXIT_OK)
		return status;
	/* Without anybody to tell apart there is nobody to hold back. */
	if (!options->has_rate && options->access.auth != DT_AUTH_NONE)
		options->access.rate = DEFAULT_RATE;
	if (!options->access.burst)
		options->access.burst = options->access.rate > DEFAULT_BURST ? options->access.rate : DEFAULT_BURST;
	return DT_EXIT_OK;
}

int dt_serve_options_parse(struct dt_serve_options *options, const struct dt_command *self, int argc, char **argv)
{
	static const struct option table[] = {
		{ "db", required_argument, NULL, DB }, { "listen", required_argument, NULL, LISTEN }, { "spool", required_argument, NULL, SPOOL },
		{ "url", required_argument, NULL, URL }, { "max-upload", required_argument, NULL, MAX_UPLOAD },
		{ "keep-dumps", required_argument, NULL, KEEP_DUMPS }, { "keep-records", required_argument, NULL, KEEP_RECORDS },
		{ "keep-audit", required_argument, NULL, KEEP_AUDIT },
		{ "auth", required_argument, NULL, AUTH }, { "behind-proxy", no_argument, NULL, BEHIND_PROXY },
		{ "proxy", required_argument, NULL, PROXY }, { "user-header", required_argument, NULL, USER_HEADER },
		{ "role-header", required_argument, NULL, ROLE_HEADER }, { "rate", required_argument, NULL, RATE },
		{ "burst", required_argument, NULL, BURST }, { "jobs", required_argument, NULL, JOBS },
		{ "deadline", required_argument, NULL, DEADLINE }, { "signatures", required_argument, NULL, SIGNATURES },
		{ "carriers", required_argument, NULL, CARRIERS },
		{ "grace", required_argument, NULL, GRACE }, { "queue-limit", required_argument, NULL, QUEUE },
		{ "spool-reserve", required_argument, NULL, RESERVE }, { "threads", required_argument, NULL, THREADS },
		{ "connections", required_argument, NULL, CONNECTIONS }, { "header-timeout", required_argument, NULL, HEADER_TIME },
		{ "body-grace", required_argument, NULL, BODY_TIME }, { "body-rate", required_argument, NULL, BODY_RATE },
		{ "no-sandbox", no_argument, NULL, NO_SANDBOX }, { "webhook", required_argument, NULL, WEBHOOK },
		{ "webhook-secret-file", required_argument, NULL, WEBHOOK_SECRET },
		{ "webhook-template", required_argument, NULL, WEBHOOK_TEMPLATE },
		{ "webhook-ca-file", required_argument, NULL, WEBHOOK_CA }, DT_SYMBOLS_LONG_OPTIONS, { 0 },
	};
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int option, taken, status = DT_EXIT_OK;

	*options = (struct dt_serve_options){ .listen = "127.0.0.1:8080", .max_bytes = UINT64_C(8) << 30, .grace_s = 20, .queue = 10000,
		                              .reserve = UINT64_C(256) << 20 };
	dt_buf_init(&options->secret, DT_SECRET_MAX);
	dt_buf_init(&options->template, MAX_TEMPLATE);
	options->pool.workers = processors > 0 && processors < MAX_JOBS ? (unsigned)processors : 1;
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, "", table, NULL)) != -1)
		if ((taken = dt_door_symbols_option(&options->symbols, self, option, optarg)) == 0)
			status = one(options, self, option, optarg);
		else if (taken < 0)
			status = DT_EXIT_USAGE;
	if (status == DT_EXIT_OK && optind < argc)
		status = dt_door_usage(self, "'%s' is one too many", argv[optind]);
	return status == DT_EXIT_OK ? check(options, self) : status;
}

void dt_serve_options_free(struct dt_serve_options *options)
{
	dt_buf_deinit(&options->secret);
	dt_buf_deinit(&options->template);
}
