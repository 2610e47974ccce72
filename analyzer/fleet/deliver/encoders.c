#include "fleet/deliver/encoders.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/base/limits.h"

enum { MAX_THREADS = 4, LOTS = 12, LOT_BYTES = 64 << 20, EVENT_BYTES = 16 << 20 };

struct dt_encoders {
	dt_encode encode;
	void *context;
	pthread_mutex_t lock;
	pthread_cond_t work, done; /* a lot to be worked on, or the end; a lot that is free */
	struct dt_lot lots[LOTS], *waiting, **last, *free;
	size_t out; /* lots that are not free */
	bool ending;
	pthread_t threads[MAX_THREADS];
	struct dt_encoder encoders[MAX_THREADS];
	size_t thread_count;
	struct start { struct dt_encoders *all; struct dt_encoder *own; } starts[MAX_THREADS];
};

static struct dt_lot *take_lot(struct dt_encoders *all)
{
	struct dt_lot *lot;

	pthread_mutex_lock(&all->lock);
	while (!all->waiting && !all->ending)
		pthread_cond_wait(&all->work, &all->lock);
	lot = all->ending ? NULL : all->waiting;
	if (lot && !(all->waiting = lot->next))
		all->last = &all->waiting;
	pthread_mutex_unlock(&all->lock);
	return lot;
}

static void free_lot(struct dt_encoders *all, struct dt_lot *lot)
{
	pthread_mutex_lock(&all->lock);
	lot->next = all->free;
	all->free = lot;
	all->out--;
	pthread_cond_signal(&all->done);
	pthread_mutex_unlock(&all->lock);
}

static void *run(void *argument)
{
	const struct start *start = argument;
	struct dt_lot *lot;

	while ((lot = take_lot(start->all))) {
		start->all->encode(start->all->context, start->own, lot);
		free_lot(start->all, lot);
	}
	return NULL;
}

/* Signals are the program's own thread's: it sleeps, and they shall wake it. */
static void start_threads(struct dt_encoders *all, size_t count)
{
	sigset_t none, before;

	sigfillset(&none);
	pthread_sigmask(SIG_SETMASK, &none, &before);
	for (size_t i = 0; i < count; i++) {
		all->starts[i] = (struct start){ all, &all->encoders[i] };
		if (pthread_create(&all->threads[i], NULL, run, &all->starts[i]))
			break;
		all->thread_count++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

enum dt_status dt_encoders_open(struct dt_encoders **out, dt_encode encode, void *context, size_t memory, struct dt_error *err)
{
	struct dt_encoders *all = calloc(1, sizeof(*all));
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = processors < 1 ? 1 : processors > MAX_THREADS ? MAX_THREADS : (size_t)processors;

	*out = all;
	if (!all)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	all->encode = encode;
	all->context = context;
	all->last = &all->waiting;
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->work, NULL);
	pthread_cond_init(&all->done, NULL);
	for (size_t i = 0; i < LOTS; i++) {
		dt_arena_init(&all->lots[i].arena, LOT_BYTES);
		all->lots[i].next = all->free;
		all->free = &all->lots[i];
	}
	for (size_t i = 0; i < MAX_THREADS; i++) {
		dt_arena_init(&all->encoders[i].record, DT_MAX_ARENA);
		dt_arena_init(&all->encoders[i].bodies, memory / count);
		dt_buf_init(&all->encoders[i].text, EVENT_BYTES);
	}
	start_threads(all, count);
	return all->thread_count ? DT_OK : dt_fail(err, DT_ERR_NOMEM, "no thread can be started");
}

void dt_encoders_begin(struct dt_encoders *all)
{
	(void)dt_encoders_join(all);
	for (size_t i = 0; i < all->thread_count; i++) {
		dt_arena_reset(&all->encoders[i].bodies);
		all->encoders[i].no_memory = false;
	}
}

struct dt_lot *dt_encoders_lot(struct dt_encoders *all)
{
	struct dt_lot *lot;

	pthread_mutex_lock(&all->lock);
	while (!all->free)
		pthread_cond_wait(&all->done, &all->lock);
	lot = all->free;
	all->free = lot->next;
	all->out++;
	pthread_mutex_unlock(&all->lock);
	dt_arena_reset(&lot->arena);
	lot->count = lot->bytes = 0;
	return lot;
}

void dt_encoders_put(struct dt_encoders *all, struct dt_lot *lot)
{
	pthread_mutex_lock(&all->lock);
	lot->next = NULL;
	*all->last = lot;
	all->last = &lot->next;
	pthread_cond_signal(&all->work);
	pthread_mutex_unlock(&all->lock);
}

bool dt_encoders_join(struct dt_encoders *all)
{
	bool ok = true;

	pthread_mutex_lock(&all->lock);
	while (all->out)
		pthread_cond_wait(&all->done, &all->lock);
	for (size_t i = 0; i < all->thread_count; i++)
		ok &= !all->encoders[i].no_memory;
	pthread_mutex_unlock(&all->lock);
	return ok;
}

void dt_encoders_close(struct dt_encoders *all)
{
	if (!all)
		return;
	pthread_mutex_lock(&all->lock);
	all->ending = true;
	pthread_cond_broadcast(&all->work);
	pthread_mutex_unlock(&all->lock);
	for (size_t i = 0; i < all->thread_count; i++)
		pthread_join(all->threads[i], NULL);
	for (size_t i = 0; i < LOTS; i++)
		dt_arena_deinit(&all->lots[i].arena);
	for (size_t i = 0; i < MAX_THREADS; i++) {
		dt_arena_deinit(&all->encoders[i].record);
		dt_arena_deinit(&all->encoders[i].bodies);
		dt_buf_deinit(&all->encoders[i].text);
	}
	pthread_cond_destroy(&all->done);
	pthread_cond_destroy(&all->work);
	pthread_mutex_destroy(&all->lock);
	free(all);
}
