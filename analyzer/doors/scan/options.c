#include "doors/scan/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/text.h"
#include "core/hash/hash.h"

enum { DB = 300, OUT, ENQUEUE, LIST, LIST_ROOT, INCLUDE, SHARD, JOBS, HOST, HOST_FROM, SIGNATURES, CARRIERS, HASH, DEADLINE, OPEN_DEADLINE, METRICS, NO_REANALYSE, NO_SANDBOX, STRICT };
enum { MAX_JOBS = 256, MAX_SHARDS = 1000000, MAX_DEADLINE = 86400 };

static bool number(const char *text, uint64_t max, uint64_t *out)
{
	return dt_text_parse_u64(text, false, out) && *out <= max;
}

/* K/N, or auto/N with K from the engine that started us. */
static int shard_option(struct dt_scan_options *options, const struct dt_command *self, const char *value)
{
	static const char *const engines[] = { "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX" };
	const char *slash = strchr(value, '/'), *index = NULL;
	char own[32];
	uint64_t k, n;

	if (!slash || !number(slash + 1, MAX_SHARDS, &n) || n < 1)
		return dt_door_usage(self, "--shard takes K/N or auto/N with N from 1 to %d, not '%s'", MAX_SHARDS, value);
	if (!strncmp(value, "auto/", 5)) {
		for (size_t i = 0; i < 2 && !index; i++)
			index = getenv(engines[i]);
		if (!index)
			return dt_door_usage(self, "--shard auto/N: neither %s nor %s is set", engines[0], engines[1]);
	} else {
		snprintf(own, sizeof(own), "%.*s", (int)(slash - value), value);
		index = own;
	}
	if (!number(index, MAX_SHARDS, &k) || k >= n)
		return dt_door_usage(self, "--shard %s: the index is '%s'; it must be from 0 to %llu", value, index, (unsigned long long)n - 1);
	options->shard = (uint32_t)k;
	options->shards = (uint32_t)n;
	return DT_EXIT_OK;
}

static int include_option(struct dt_scan_options *options, const struct dt_command *self, const char *value)
{
	if (options->include_count == DT_SCAN_INCLUDES)
		return dt_door_usage(self, "--include is given more than %d times", DT_SCAN_INCLUDES);
	options->include[options->include_count++] = value;
	return DT_EXIT_OK;
}

static int one(struct dt_scan_options *options, const struct dt_command *self, int option, const char *value)
{
	switch (option) {
	case DB: options->db = value; return DT_EXIT_OK;
	case OUT: options->out = value; return DT_EXIT_OK;
	case ENQUEUE: options->enqueue = value; return DT_EXIT_OK;
	case LIST: options->list = value; return DT_EXIT_OK;
	case LIST_ROOT: options->list_root = value; return DT_EXIT_OK;
	case '0': options->list_nul = true; return DT_EXIT_OK;
	case INCLUDE: return include_option(options, self, value);
	case SHARD: return shard_option(options, self, value);
	case JOBS: return dt_door_unsigned(self, "--jobs", value, 1, MAX_JOBS, &options->jobs);
	case HOST: options->host = value; return DT_EXIT_OK;
	case HOST_FROM: options->host_from = value; return DT_EXIT_OK;
	case SIGNATURES: options->signatures = value; return DT_EXIT_OK;
	case CARRIERS: options->carriers = value; return DT_EXIT_OK;
	case HASH: return dt_door_hash(self, value, &options->hash, &options->hash_large);
	case DEADLINE: return dt_door_unsigned(self, "--deadline", value, 1, MAX_DEADLINE, &options->deadline_s);
	case OPEN_DEADLINE: return dt_door_unsigned(self, "--open-deadline", value, 1, MAX_DEADLINE, &options->open_deadline_s);
	case METRICS: options->metrics = value; return DT_EXIT_OK;
	case NO_REANALYSE: options->no_reanalyse = true; return DT_EXIT_OK;
	case NO_SANDBOX: options->no_sandbox = true; return DT_EXIT_OK;
	case STRICT: options->strict = true; return DT_EXIT_OK;
	case 'q': options->quiet = true; return DT_EXIT_OK;
	default: return dt_door_usage(self, "wrong option");
	}
}

static int check(const struct dt_scan_options *options, const struct dt_command *self)
{
	if (!options->path_count && !options->list)
		return dt_door_usage(self, "no path given");
	if (!options->db && !options->out && !options->enqueue)
		return dt_door_usage(self, "where to? --db URL, --out FILE or --enqueue URL");
	if ((options->db != NULL) + (options->out != NULL) + (options->enqueue != NULL) > 1)
		return dt_door_usage(self, "--db, --out and --enqueue exclude each other");
	if (options->host && options->host_from)
		return dt_door_usage(self, "--host and --host-from exclude each other");
	if (options->list_root && !options->list)
		return dt_door_usage(self, "--list-root goes with --list");
	return DT_EXIT_OK;
}

static const struct option table[] = {
	{ "db", required_argument, NULL, DB },
	{ "out", required_argument, NULL, OUT },
	{ "enqueue", required_argument, NULL, ENQUEUE },
	{ "list", required_argument, NULL, LIST },
	{ "list-root", required_argument, NULL, LIST_ROOT },
	{ "include", required_argument, NULL, INCLUDE },
	{ "shard", required_argument, NULL, SHARD },
	{ "jobs", required_argument, NULL, JOBS },
	{ "host", required_argument, NULL, HOST },
	{ "host-from", required_argument, NULL, HOST_FROM },
	{ "carriers", required_argument, NULL, CARRIERS },
	{ "signatures", required_argument, NULL, SIGNATURES },
	DT_SYMBOLS_LONG_OPTIONS,
	{ "hash", required_argument, NULL, HASH },
	{ "deadline", required_argument, NULL, DEADLINE },
	{ "metrics", required_argument, NULL, METRICS },
	{ "open-deadline", required_argument, NULL, OPEN_DEADLINE },
	{ "no-reanalyse", no_argument, NULL, NO_REANALYSE },
	{ "no-sandbox", no_argument, NULL, NO_SANDBOX },
	{ "strict", no_argument, NULL, STRICT },
	{ "quiet", no_argument, NULL, 'q' },
	{ 0 },
};

int dt_scan_options_parse(struct dt_scan_options *options, const struct dt_command *self, int argc, char **argv)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	int option, taken, status = DT_EXIT_OK;

	memset(options, 0, sizeof(*options));
	options->jobs = processors > 0 && processors < MAX_JOBS ? (unsigned)processors : 1;
	options->hash = true;
	while (status == DT_EXIT_OK && (option = getopt_long(argc, argv, "0q", table, NULL)) != -1)
		if ((taken = dt_door_symbols_option(&options->symbols, self, option, optarg)) == 0)
			status = one(options, self, option, optarg);
		else if (taken < 0)
			status = DT_EXIT_USAGE;
	if (status != DT_EXIT_OK)
		return status;
	options->paths = (const char *const *)argv + optind;
	options->path_count = (size_t)(argc - optind);
	if (options->path_count == 1 && !strcmp(options->paths[0], "-") && !options->list) {
		options->list = "-";
		options->path_count = 0;
	}
	return check(options, self);
}

bool dt_scan_run_id(const struct dt_scan_options *options, char out[17])
{
	struct dt_buf text;
	char hash[2 * DT_SHA256_SIZE + 1];

	dt_buf_init(&text, 1u << 20);
	for (size_t i = 0; i < options->path_count; i++)
		dt_buf_printf(&text, "path %s\n", options->paths[i]);
	for (size_t i = 0; i < options->include_count; i++)
		dt_buf_printf(&text, "include %s\n", options->include[i]);
	dt_buf_printf(&text, "list %s\nhost %s %s\nshards %u\n", options->list ? options->list : "", options->host ? options->host : "",
	              options->host_from ? options->host_from : "", options->shards ? options->shards : 1);
	if (options->list_root)
		dt_buf_printf(&text, "list root %s\n", options->list_root);
	bool ok = dt_buf_ok(&text);
	if (ok) {
		dt_sha256_text(dt_buf_bytes(&text), hash);
		snprintf(out, 17, "%.16s", hash);
	}
	dt_buf_deinit(&text);
	return ok;
}
