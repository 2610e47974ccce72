/* The caller's side: queues, deadlines, counting. */
#include "fleet/walk/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/time.h"
#include "fleet/walk/shared.h"

enum { OPENERS = 4, DEADLINE_MS = 10000, CHECK_MS = 200 };

int64_t dt_walk_now(void)
{
	return dt_time_steady_ms() + 1;
}

uint64_t dt_walk_hash(const char *relative)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (const char *c = relative; *c; c++)
		hash = (hash ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
	return hash;
}

void dt_found_free(struct dt_found *found)
{
	free(found->path);
	found->path = NULL;
}

void dt_lane_away(struct dt_walk *walk, struct dt_lane *lane)
{
	lane->since = dt_walk_now();
	pthread_mutex_unlock(&walk->lock);
}

bool dt_lane_back(struct dt_walk *walk, struct dt_lane *lane, uint64_t generation)
{
	pthread_mutex_lock(&walk->lock);
	if (lane->generation != generation)
		return false;
	lane->since = 0;
	return true;
}

static void free_ring(struct dt_ring *ring)
{
	while (ring->count) {
		dt_found_free(&ring->items[ring->first]);
		ring->first = (ring->first + 1) % DT_WALK_AHEAD;
		ring->count--;
	}
}

static void free_walk(struct dt_walk *walk)
{
	free_ring(&walk->found);
	free_ring(&walk->wanted);
	while (walk->done) {
		struct dt_done *done = walk->done;
		walk->done = done->next;
		if (done->opened.fd >= 0)
			close(done->opened.fd);
		if (done->opened.report_fd >= 0)
			close(done->opened.report_fd);
		dt_found_free(&done->opened.found);
		free(done);
	}
	while (walk->depth) {
		struct dt_level *level = walk->levels[--walk->depth];
		closedir(level->dir);
		free(level);
	}
	for (size_t i = 0; walk->paths && i < walk->options.path_count; i++) {
		if (walk->roots && walk->roots[i] >= 0)
			close(walk->roots[i]);
		free(walk->paths[i]);
	}
	for (size_t i = 0; walk->include && i < walk->options.include_count; i++)
		free(walk->include[i]);
	free(walk->paths);
	free(walk->list_root);
	free(walk->include);
	free(walk->roots);
	free(walk->openers);
	free(walk->walker.what);
	free(walk->path);
	free(walk->line);
	free(walk->input);
	pthread_cond_destroy(&walk->for_caller);
	pthread_cond_destroy(&walk->for_walker);
	pthread_cond_destroy(&walk->for_openers);
	pthread_mutex_destroy(&walk->lock);
	free(walk);
}

void dt_walk_unref(struct dt_walk *walk)
{
	bool last = --walk->references == 0;

	pthread_mutex_unlock(&walk->lock);
	if (last)
		free_walk(walk);
}

bool dt_lane_spawn(struct dt_walk *walk, struct dt_lane *lane, void *(*run)(void *))
{
	struct dt_lane_start *start = malloc(sizeof(*start));
	pthread_attr_t attributes;
	pthread_t thread;
	bool ok;

	if (!start)
		return false;
	*start = (struct dt_lane_start){ walk, lane, ++lane->generation };
	lane->since = 0;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 256u << 10);
	ok = pthread_create(&thread, &attributes, run, start) == 0;
	pthread_attr_destroy(&attributes);
	if (ok)
		walk->references++;
	else
		free(start);
	return ok;
}

static char **copy_texts(const char *const *texts, size_t count)
{
	char **copies = calloc(count ? count : 1, sizeof(*copies));

	for (size_t i = 0; copies && i < count; i++)
		if (!(copies[i] = strdup(texts[i]))) {
			while (i-- > 0)
				free(copies[i]);
			free(copies);
			return NULL;
		}
	return copies;
}

static bool prepare(struct dt_walk *walk, const struct dt_walk_options *options)
{
	pthread_condattr_t clock;

	pthread_mutex_init(&walk->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&walk->for_caller, &clock);
	pthread_cond_init(&walk->for_walker, &clock);
	pthread_cond_init(&walk->for_openers, &clock);
	pthread_condattr_destroy(&clock);
	walk->references = 1;
	walk->options = *options;
	walk->options.openers = options->openers ? options->openers : OPENERS;
	walk->options.deadline_ms = options->deadline_ms ? options->deadline_ms : DEADLINE_MS;
	walk->done_end = &walk->done;
	walk->paths = copy_texts(options->paths, options->path_count);
	walk->include = copy_texts(options->include, options->include_count);
	walk->list_root = options->list_root ? strdup(options->list_root) : NULL;
	walk->roots = malloc((options->path_count + 1) * sizeof(int));
	walk->openers = calloc(walk->options.openers, sizeof(*walk->openers));
	for (size_t i = 0; walk->roots && i < options->path_count; i++)
		walk->roots[i] = -1;
	return walk->paths && walk->include && (walk->list_root || !options->list_root) && walk->roots && walk->openers;
}

/* With the lock held; releases it. */
static void stop(struct dt_walk *walk)
{
	walk->stopping = true;
	pthread_cond_broadcast(&walk->for_walker);
	pthread_cond_broadcast(&walk->for_openers);
	dt_walk_unref(walk);
}

enum dt_status dt_walk_create(struct dt_walk **out, const struct dt_walk_options *options, struct dt_error *err)
{
	struct dt_walk *walk = calloc(1, sizeof(*walk));

	if (!walk)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	bool ok = prepare(walk, options);
	pthread_mutex_lock(&walk->lock);
	ok = ok && dt_lane_spawn(walk, &walk->walker, dt_walker_run);
	for (unsigned i = 0; i < walk->options.openers && ok; i++)
		ok = dt_lane_spawn(walk, &walk->openers[i], dt_opener_run);
	if (!ok) {
		stop(walk);
		return dt_fail(err, DT_ERR_NOMEM, "threads for finding files cannot be started");
	}
	pthread_mutex_unlock(&walk->lock);
	*out = walk;
	return DT_OK;
}

void dt_walk_destroy(struct dt_walk *walk)
{
	if (!walk)
		return;
	pthread_mutex_lock(&walk->lock);
	stop(walk);
}

static bool ring_put(struct dt_ring *ring, struct dt_found *found)
{
	if (ring->count == DT_WALK_AHEAD)
		return false;
	ring->items[(ring->first + ring->count++) % DT_WALK_AHEAD] = *found;
	return true;
}

static void ring_take(struct dt_ring *ring, struct dt_found *out)
{
	*out = ring->items[ring->first];
	ring->first = (ring->first + 1) % DT_WALK_AHEAD;
	ring->count--;
}

bool dt_walk_push(struct dt_walk *walk, struct dt_lane *lane, uint64_t generation, struct dt_found *found)
{
	while (walk->found.count == DT_WALK_AHEAD && !walk->stopping && lane->generation == generation) {
		walk->walker_waits++;
		pthread_cond_wait(&walk->for_walker, &walk->lock);
		walk->walker_waits--;
	}
	if (walk->stopping || !ring_put(&walk->found, found)) {
		dt_found_free(found);
		return false;
	}
	walk->counts.found += found->status == DT_OK && !found->folder;
	walk->counts.failed += found->status != DT_OK;
	dt_wake(&walk->for_caller, walk->caller_waits);
	return true;
}

void dt_walk_finish(struct dt_walk *walk, const struct dt_opened *opened)
{
	struct dt_done *done = calloc(1, sizeof(*done));

	walk->opening--;
	if (!done) {
		struct dt_found found = opened->found;
		if (opened->fd >= 0)
			close(opened->fd);
		if (opened->report_fd >= 0)
			close(opened->report_fd);
		dt_found_free(&found);
		walk->counts.no_memory = true;
		dt_wake(&walk->for_caller, walk->caller_waits);
		return;
	}
	done->opened = *opened;
	walk->counts.failed += opened->fd < 0;
	*walk->done_end = done;
	walk->done_end = &done->next;
	dt_wake(&walk->for_caller, walk->caller_waits);
}

static bool overdue(const struct dt_walk *walk, const struct dt_lane *lane)
{
	return lane->since && dt_walk_now() - lane->since > walk->options.deadline_ms;
}

static void too_late(const struct dt_walk *walk, struct dt_error *err, const char *verb)
{
	(void)dt_fail(err, DT_ERR_IO, "did not %s within %u ms: the share hangs", verb, walk->options.deadline_ms);
}

/* What hangs is left behind with the thread that waits for it. The walker leaves its innermost folder when that is what hangs. */
static void leave_walker(struct dt_walk *walk)
{
	struct dt_found found = { .path = walk->walker.what, .status = DT_ERR_IO, .named = !walk->depth && !walk->listing };

	walk->walker.what = NULL;
	if (walk->walker.in_folder)
		walk->path_at = walk->levels[--walk->depth]->path_len;
	walk->walker.in_folder = false;
	too_late(walk, &found.err, "answer");
	walk->counts.hung++;
	if (found.path && walk->found.count == DT_WALK_AHEAD)
		dt_found_free(&found);
	else if (found.path && ring_put(&walk->found, &found))
		walk->counts.failed++;
	if (walk->counts.hung > DT_WALK_ABANDONED || !dt_lane_spawn(walk, &walk->walker, dt_walker_run)) {
		walk->walker.generation++;
		walk->over = walk->counts.complete = true;
	}
}

static void leave_opener(struct dt_walk *walk, struct dt_lane *lane)
{
	struct dt_opened opened = { .found = lane->at, .fd = -1, .report_fd = -1 };

	opened.found.path = lane->at.path ? strdup(lane->at.path) : NULL;
	opened.found.status = DT_ERR_IO;
	too_late(walk, &opened.found.err, "open");
	lane->opening = false;
	walk->counts.hung++;
	dt_walk_finish(walk, &opened);
	if (walk->counts.hung > DT_WALK_ABANDONED || !dt_lane_spawn(walk, lane, dt_opener_run))
		lane->generation++;
}

/* When every opener was given up, what waits for one is failed. */
static void fail_waiting(struct dt_walk *walk)
{
	if (walk->counts.hung <= DT_WALK_ABANDONED)
		return;
	while (walk->wanted.count) {
		struct dt_opened opened = { .fd = -1, .report_fd = -1 };
		ring_take(&walk->wanted, &opened.found);
		opened.found.status = dt_fail(&opened.found.err, DT_ERR_IO, "not opened: %d calls to the share hang already", DT_WALK_ABANDONED);
		dt_walk_finish(walk, &opened);
	}
}

static void check_deadlines(struct dt_walk *walk)
{
	if (overdue(walk, &walk->walker))
		leave_walker(walk);
	for (unsigned i = 0; i < walk->options.openers; i++)
		if (overdue(walk, &walk->openers[i]))
			leave_opener(walk, &walk->openers[i]);
	fail_waiting(walk);
}

static void wait_for_change(struct dt_walk *walk, int64_t end)
{
	int64_t now = dt_walk_now(), until = now + CHECK_MS < end ? now + CHECK_MS : end;
	struct timespec at = { .tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000 };

	walk->caller_waits++;
	pthread_cond_timedwait(&walk->for_caller, &walk->lock, &at);
	walk->caller_waits--;
}

enum dt_status dt_walk_next(struct dt_walk *walk, int timeout_ms, struct dt_found *out)
{
	int64_t end = timeout_ms < 0 ? INT64_MAX - 1000 : dt_walk_now() + timeout_ms;
	enum dt_status status = DT_ERR_NOT_FOUND;

	pthread_mutex_lock(&walk->lock);
	check_deadlines(walk);
	while (!walk->found.count && !walk->over && dt_walk_now() < end) {
		wait_for_change(walk, end);
		check_deadlines(walk);
	}
	if (walk->found.count) {
		ring_take(&walk->found, out);
		/* The walker is woken when there is room for a good many, not for each. */
		if (walk->found.count == DT_WALK_AHEAD / 2)
			dt_wake(&walk->for_walker, walk->walker_waits);
		status = DT_OK;
	} else if (walk->over) {
		status = DT_ERR_TRUNCATED;
	}
	pthread_mutex_unlock(&walk->lock);
	return status;
}

void dt_walk_open(struct dt_walk *walk, struct dt_found *found)
{
	pthread_mutex_lock(&walk->lock);
	walk->opening++;
	if (!ring_put(&walk->wanted, found)) {
		struct dt_opened opened = { .found = *found, .fd = -1, .report_fd = -1 };
		opened.found.status = dt_fail(&opened.found.err, DT_ERR_LIMIT, "more than %d files wait to be opened", DT_WALK_AHEAD);
		dt_walk_finish(walk, &opened);
	}
	dt_wake(&walk->for_openers, walk->openers_wait);
	pthread_mutex_unlock(&walk->lock);
}

enum dt_status dt_walk_opened(struct dt_walk *walk, int timeout_ms, struct dt_opened *out)
{
	int64_t end = timeout_ms < 0 ? INT64_MAX - 1000 : dt_walk_now() + timeout_ms;
	struct dt_done *done;

	pthread_mutex_lock(&walk->lock);
	check_deadlines(walk);
	while (!walk->done && walk->opening && dt_walk_now() < end) {
		wait_for_change(walk, end);
		check_deadlines(walk);
	}
	done = walk->done;
	if (done) {
		walk->done = done->next;
		if (!walk->done)
			walk->done_end = &walk->done;
		*out = done->opened;
		free(done);
	}
	pthread_mutex_unlock(&walk->lock);
	return done ? DT_OK : DT_ERR_NOT_FOUND;
}

size_t dt_walk_opening(const struct dt_walk *walk)
{
	struct dt_walk *locked = (struct dt_walk *)(uintptr_t)walk;
	size_t count;

	pthread_mutex_lock(&locked->lock);
	count = locked->opening;
	for (const struct dt_done *done = locked->done; done; done = done->next)
		count++;
	pthread_mutex_unlock(&locked->lock);
	return count;
}

void dt_walk_counts(struct dt_walk *walk, struct dt_walk_counts *out)
{
	pthread_mutex_lock(&walk->lock);
	*out = walk->counts;
	pthread_mutex_unlock(&walk->lock);
}
