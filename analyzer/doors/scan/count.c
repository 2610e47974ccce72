#include "doors/scan/count.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WAIT_MS = 200 };

struct dt_counter {
	struct dt_walk *walk;
	pthread_t thread;
	atomic_uint_fast64_t total;
	atomic_bool complete, stopping;
};

static void *count(void *argument)
{
	struct dt_counter *counter = argument;
	struct dt_found found;
	enum dt_status status = DT_OK;

	while (!atomic_load(&counter->stopping) && status != DT_ERR_TRUNCATED) {
		status = dt_walk_next(counter->walk, WAIT_MS, &found);
		if (status != DT_OK)
			continue;
		atomic_fetch_add(&counter->total, 1);
		dt_found_free(&found);
	}
	atomic_store(&counter->complete, status == DT_ERR_TRUNCATED);
	return NULL;
}

struct dt_counter *dt_counter_start(const struct dt_walk_options *options)
{
	struct dt_counter *counter = options->list_fd < 0 ? calloc(1, sizeof(*counter)) : NULL;

	if (!counter)
		return NULL;
	struct dt_walk_options files = *options;
	files.tell_folders = false;
	if (dt_walk_create(&counter->walk, &files, NULL) != DT_OK || pthread_create(&counter->thread, NULL, count, counter)) {
		dt_walk_destroy(counter->walk);
		free(counter);
		return NULL;
	}
	return counter;
}

uint64_t dt_counter_total(const struct dt_counter *counter, bool *complete)
{
	*complete = atomic_load(&counter->complete);
	return atomic_load(&counter->total);
}

void dt_counter_stop(struct dt_counter *counter)
{
	if (!counter)
		return;
	atomic_store(&counter->stopping, true);
	pthread_join(counter->thread, NULL);
	dt_walk_destroy(counter->walk);
	free(counter);
}
