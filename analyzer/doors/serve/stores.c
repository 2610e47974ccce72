#include "doors/serve/stores.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/time.h"

enum { IDLE_HANDLES = 4 };

struct dt_stores {
	pthread_mutex_t lock;
	const char *url;
	struct dt_store *idle[IDLE_HANDLES];
	size_t count;
	uint64_t failed;       /* FILETIME of the last failure to open, 0 none */
	struct dt_error error; /* of it */
};

enum dt_status dt_stores_create(struct dt_stores **out, const char *url, struct dt_error *err)
{
	struct dt_stores *stores = calloc(1, sizeof(*stores));
	struct dt_store *first = NULL;
	enum dt_status status;

	if (!stores)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	pthread_mutex_init(&stores->lock, NULL);
	stores->url = url;
	status = dt_stores_take(stores, &first, err);
	if (status != DT_OK) {
		dt_stores_destroy(stores);
		return status;
	}
	dt_stores_give(stores, first, false);
	*out = stores;
	return DT_OK;
}

void dt_stores_destroy(struct dt_stores *stores)
{
	if (!stores)
		return;
	for (size_t i = 0; i < stores->count; i++)
		dt_store_close(stores->idle[i]);
	pthread_mutex_destroy(&stores->lock);
	free(stores);
}

/* Another thread's failure counts, too: nobody waits twice for a server that does not answer. */
static enum dt_status open_new(struct dt_stores *stores, struct dt_store **out, struct dt_error *err)
{
	pthread_mutex_lock(&stores->lock);
	bool wait = stores->failed && dt_time_now() - stores->failed < DT_TIME_SECOND;
	if (wait && err)
		*err = stores->error;
	pthread_mutex_unlock(&stores->lock);
	if (wait)
		return DT_ERR_IO;
	struct dt_error error = { 0 };
	enum dt_status status = dt_store_open(out, stores->url, DT_STORE_READ, &error);
	pthread_mutex_lock(&stores->lock);
	stores->failed = status == DT_OK ? 0 : dt_time_now();
	stores->error = error;
	pthread_mutex_unlock(&stores->lock);
	if (status != DT_OK && err)
		*err = error;
	return status;
}

enum dt_status dt_stores_take(struct dt_stores *stores, struct dt_store **out, struct dt_error *err)
{
	*out = NULL;
	pthread_mutex_lock(&stores->lock);
	if (stores->count)
		*out = stores->idle[--stores->count];
	pthread_mutex_unlock(&stores->lock);
	return *out ? DT_OK : open_new(stores, out, err);
}

void dt_stores_give(struct dt_stores *stores, struct dt_store *store, bool broken)
{
	bool kept = false;

	if (!store)
		return;
	pthread_mutex_lock(&stores->lock);
	/* What broke one handle broke those that lie idle, too. */
	while (broken && stores->count)
		dt_store_close(stores->idle[--stores->count]);
	if (!broken && stores->count < IDLE_HANDLES) {
		stores->idle[stores->count++] = store;
		kept = true;
	}
	pthread_mutex_unlock(&stores->lock);
	if (!kept)
		dt_store_close(store);
}
