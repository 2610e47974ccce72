/*
 * Fills a store with crashes made from one dump: other identities, times, hosts and modules, as a fleet's would be.
 * usage: dumptriage-fill DUMP STORE COUNT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/time.h"
#include "facts/triage/triage.h"
#include "fleet/intake/intake.h"

enum { HOSTS = 50000, DRIVERS = 3000 };

static uint64_t state = 88172645463325252u;

static uint64_t pick(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 11) % n;
}

/* Few drivers crash often, many now and then. */
static void vary(struct dt_facts *facts, unsigned long i, char id[33], char module[32], char path[64])
{
	uint64_t driver = pick(pick(DRIVERS) + 1);

	snprintf(id, 33, "%016llx%016lx", (unsigned long long)(i + 1) * 11400714819323198485ull, i);
	snprintf(module, 32, "driver%llu.sys", (unsigned long long)driver);
	snprintf(path, 64, "/fill/%lu/%lu.dmp", i / 1000, i);
	facts->crash_id = id;
	facts->file.path = path;
	facts->dump.time = dt_time_from_unix(1690000000 + pick(40000000));
	if (driver) {
		facts->fault.module = module;
		facts->fault.offset = dt_some(0x1000 + pick(3) * 0x10);
	}
}

int main(int argc, char **argv)
{
	struct dt_triage *triage = NULL;
	struct dt_rules *rules = NULL;
	struct dt_store *store = NULL;
	struct dt_intake intake;
	struct dt_error err;
	unsigned long count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

	if (!count || dt_triage_create(&triage, &err) != DT_OK || dt_rules_load_builtin(&rules, &err) != DT_OK ||
	    dt_store_open(&store, argv[2], DT_STORE_WRITE, &err) != DT_OK)
		return 1;
	const struct dt_facts *base = dt_triage_path(triage, argv[1], &(struct dt_triage_options){ 0 });
	dt_intake_init(&intake, store, rules);
	intake.batch = 2000;
	clock_t begin = clock();
	for (unsigned long i = 0; i < count; i++) {
		struct dt_facts facts = *base;
		struct dt_crash crash;
		char id[33], module[32], path[64], host[32];
		vary(&facts, i, id, module, path);
		snprintf(host, sizeof(host), "pc-%llu", (unsigned long long)pick(HOSTS));
		if (dt_intake_judge(&intake, &facts, host, DT_HOST_PATH, &crash, &err) != DT_OK || dt_intake_store(&intake, &crash, &err) != DT_OK) {
			fprintf(stderr, "%s\n", err.text);
			return 1;
		}
	}
	if (dt_intake_commit(&intake, &err) != DT_OK)
		return 1;
	printf("%lu rows, %.0f us of processor time each\n", count, (double)(clock() - begin) / CLOCKS_PER_SEC / (double)count * 1e6);
	dt_intake_deinit(&intake);
	dt_store_close(store);
	dt_rules_free(rules);
	dt_triage_destroy(triage);
	return 0;
}
