/* options.h - what a scan was asked to do. */
#ifndef DT_SCAN_OPTIONS_H
#define DT_SCAN_OPTIONS_H

#include "doors/common/symbols.h"
#include "doors/scan/scan.h"

enum { DT_SCAN_INCLUDES = 64 };

struct dt_scan_options {
	const char *db, *out, *enqueue, *list, *list_root, *host, *host_from, *signatures, *carriers, *metrics;
	const char *include[DT_SCAN_INCLUDES];
	size_t include_count;
	const char *const *paths;
	size_t path_count;
	uint32_t shard, shards; /* shards 0: not sharded */
	unsigned jobs, deadline_s, open_deadline_s;
	struct dt_door_symbols symbols;
	bool list_nul, no_reanalyse, no_sandbox, strict, quiet, hash, hash_large;
};

/* An exit status; DT_EXIT_OK: go on. */
int dt_scan_options_parse(struct dt_scan_options *options, const struct dt_command *self, int argc, char **argv);
/* What a part says of its scan: alike for all shards of one. false: no memory. */
DT_MUST_USE bool dt_scan_run_id(const struct dt_scan_options *options, char out[17]);

#endif
