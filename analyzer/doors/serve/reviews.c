/*
 * The incidents of the store, looked at together. A review of a large store takes a good part of a second, so one is kept for a few
 * times as long as it took and shared; who comes while a new one is made gets the last.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/time.h"
#include "doors/serve/serve.h"

enum { FRESH_TIMES = 5, CHEAP_MS = 50, OLD_MS = 5000 };

struct shared {
	struct dt_review review; /* first: it is what is handed out */
	struct dt_arena arena;
	unsigned users;
	int64_t made, fresh; /* ms: when; for how long it is good even when something was stored */
};

struct dt_reviews {
	pthread_mutex_t lock;
	struct shared *last;
	bool stale, busy;
};

struct dt_reviews *dt_reviews_create(void)
{
	struct dt_reviews *reviews = calloc(1, sizeof(*reviews));

	if (reviews)
		pthread_mutex_init(&reviews->lock, NULL);
	return reviews;
}

static void release(struct shared *shared)
{
	if (!shared || --shared->users)
		return;
	dt_arena_deinit(&shared->arena);
	free(shared);
}

void dt_reviews_free(struct dt_reviews *reviews)
{
	if (!reviews)
		return;
	release(reviews->last);
	pthread_mutex_destroy(&reviews->lock);
	free(reviews);
}

void dt_reviews_stale(struct dt_reviews *reviews)
{
	pthread_mutex_lock(&reviews->lock);
	reviews->stale = true;
	pthread_mutex_unlock(&reviews->lock);
}

static struct shared *make(struct dt_store *store, enum dt_status *status, struct dt_error *err)
{
	struct shared *made = calloc(1, sizeof(*made));

	*status = made ? DT_OK : dt_fail(err, DT_ERR_NOMEM, "no memory");
	if (!made)
		return NULL;
	int64_t began = dt_time_steady_ms();
	dt_arena_init(&made->arena, 256u << 20);
	made->users = 1;
	*status = dt_review_make(store, &(struct dt_review_options){ 0 }, &made->arena, &made->review, err);
	made->made = dt_time_steady_ms();
	/* One that took no time is made anew whenever something was stored. */
	made->fresh = made->made - began < CHEAP_MS ? 0 : FRESH_TIMES * (made->made - began);
	if (*status == DT_OK)
		return made;
	release(made);
	return NULL;
}

/* Another process may write, too: what is old is made again even when nobody here said that it changed. */
static bool is_good(const struct dt_reviews *reviews)
{
	int64_t age = reviews->last ? dt_time_steady_ms() - reviews->last->made : OLD_MS + 1;

	return reviews->last && (age < reviews->last->fresh || (!reviews->stale && age < OLD_MS) || reviews->busy);
}

enum dt_status dt_reviews_take(struct dt_reviews *reviews, struct dt_store *store, const struct dt_review **out, struct dt_error *err)
{
	enum dt_status status = DT_OK;

	pthread_mutex_lock(&reviews->lock);
	if (!is_good(reviews)) {
		bool first = !reviews->last;
		reviews->busy = !first;
		reviews->stale = false;
		/* The first one is waited for by all who come. */
		if (!first)
			pthread_mutex_unlock(&reviews->lock);
		struct shared *made = make(store, &status, err);
		if (!first)
			pthread_mutex_lock(&reviews->lock);
		reviews->busy = false;
		reviews->stale |= !made;
		if (made) {
			release(reviews->last);
			reviews->last = made;
		}
	}
	if (status == DT_OK) {
		reviews->last->users++;
		*out = &reviews->last->review;
	}
	pthread_mutex_unlock(&reviews->lock);
	return status;
}

void dt_reviews_give(struct dt_reviews *reviews, const struct dt_review *review)
{
	pthread_mutex_lock(&reviews->lock);
	release((struct shared *)(uintptr_t)review);
	pthread_mutex_unlock(&reviews->lock);
}
