#include "doors/serve/rate.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names share places: who asks under very many names shares their buckets, never gets more. */
enum { PLACES = 4096 };

struct bucket {
	char name[80];
	double tokens;
	int64_t at;
};

struct dt_rate {
	pthread_mutex_t lock;
	double per_ms, burst;
	struct bucket buckets[PLACES];
};

struct dt_rate *dt_rate_create(unsigned per_second, unsigned burst)
{
	struct dt_rate *rate = calloc(1, sizeof(*rate));

	if (!rate)
		return NULL;
	pthread_mutex_init(&rate->lock, NULL);
	rate->per_ms = per_second / 1000.0;
	rate->burst = burst > per_second ? burst : per_second;
	return rate;
}

void dt_rate_free(struct dt_rate *rate)
{
	if (!rate)
		return;
	pthread_mutex_destroy(&rate->lock);
	free(rate);
}

static struct bucket *bucket_of(struct dt_rate *rate, const char *name, int64_t now)
{
	size_t sum = 5381;

	for (const char *c = name; *c; c++)
		sum = sum * 33 + (unsigned char)*c;
	struct bucket *bucket = &rate->buckets[sum % PLACES];
	/* A place whose owner has been away long enough to have all its tokens back is free. */
	bool idle = !bucket->name[0] || (double)(now - bucket->at) * rate->per_ms >= rate->burst;
	if (idle) {
		snprintf(bucket->name, sizeof(bucket->name), "%s", name);
		bucket->tokens = rate->burst;
		bucket->at = now;
	}
	return bucket;
}

bool dt_rate_allow(struct dt_rate *rate, const char *name, int64_t now, unsigned *wait_s)
{
	if (rate->per_ms <= 0)
		return true;
	pthread_mutex_lock(&rate->lock);
	struct bucket *bucket = bucket_of(rate, name, now);
	bucket->tokens += (double)(now - bucket->at) * rate->per_ms;
	bucket->tokens = bucket->tokens > rate->burst ? rate->burst : bucket->tokens;
	bucket->at = now;
	bool allowed = bucket->tokens >= 1;
	if (allowed)
		bucket->tokens -= 1;
	*wait_s = (unsigned)((1 - bucket->tokens) / rate->per_ms / 1000) + 1;
	pthread_mutex_unlock(&rate->lock);
	return allowed;
}
