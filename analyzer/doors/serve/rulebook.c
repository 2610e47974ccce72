#include "doors/serve/rulebook.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "core/log/log.h"

/* One set that was loaded, and who uses it. */
struct set {
	struct dt_rules *rules;
	unsigned users; /* the book itself is one while the set is in force */
	struct set *next;
};

struct dt_rulebook {
	pthread_mutex_t lock;
	const char *path, *carriers;
	struct set *sets; /* the one in force first, then those that are still used */
	uint64_t print;   /* of the files at the last look */
	bool failed;
	struct dt_error error;
};

/* ---- whether files changed ------------------------------------------------------------ */

static uint64_t mix(uint64_t sum, uint64_t value)
{
	return (sum ^ value) * UINT64_C(0x100000001b3);
}

static uint64_t print_of_file(const char *path, const char *name)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	struct stat info;

	for (const char *c = name; *c; c++)
		sum = mix(sum, (unsigned char)*c);
	if (stat(path, &info))
		return sum;
	sum = mix(sum, (uint64_t)info.st_size);
	sum = mix(sum, (uint64_t)info.st_ino);
	sum = mix(sum, (uint64_t)info.st_mtim.tv_sec);
	return mix(sum, (uint64_t)info.st_mtim.tv_nsec);
}

/* Of a folder the sum over its files, in whatever order they come. */
static uint64_t print_of(const char *path)
{
	uint64_t sum = print_of_file(path, "");
	DIR *dir = opendir(path);
	struct dirent *entry;
	char full[4096];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(full, sizeof(full), "%s/%s", path, entry->d_name);
		sum += print_of_file(full, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return sum;
}

static uint64_t print_of_all(const struct dt_rulebook *book)
{
	return (book->path ? print_of(book->path) : 0) + (book->carriers ? print_of_file(book->carriers, "carriers") : 0);
}

/* ---- sets --------------------------------------------------------------------------------- */

/* With signatures and carriers under one error, it says of which it is. */
static enum dt_status fill(struct set *set, const char *path, const char *carriers, struct dt_error *err)
{
	const char *what = "signatures";
	enum dt_status status = path ? dt_rules_load(&set->rules, path, err) : dt_rules_load_builtin(&set->rules, err);
	struct dt_error why;

	if (status == DT_OK && carriers) {
		what = "carriers";
		status = dt_rules_add_carriers(set->rules, carriers, err);
	}
	if (status == DT_OK)
		return DT_OK;
	why = *err;
	return dt_fail(err, status, "%s: %s", what, why.text);
}

static struct set *load(const char *path, const char *carriers, struct dt_error *err)
{
	struct set *set = calloc(1, sizeof(*set));
	enum dt_status status = set ? fill(set, path, carriers, err) : dt_fail(err, DT_ERR_NOMEM, "no memory");

	if (status != DT_OK) {
		if (set)
			dt_rules_free(set->rules);
		free(set);
		return NULL;
	}
	set->users = 1;
	return set;
}

/* Under the lock. */
static void release(struct dt_rulebook *book, struct set *set)
{
	struct set **at = &book->sets;

	if (--set->users)
		return;
	while (*at != set)
		at = &(*at)->next;
	*at = set->next;
	dt_rules_free(set->rules);
	free(set);
}

enum dt_status dt_rulebook_open(struct dt_rulebook **out, const char *path, const char *carriers, struct dt_error *err)
{
	struct dt_rulebook *book = calloc(1, sizeof(*book));
	struct dt_error error = { 0 };

	if (!book)
		return dt_fail(err, DT_ERR_NOMEM, "no memory");
	pthread_mutex_init(&book->lock, NULL);
	book->path = path;
	book->carriers = carriers;
	book->print = print_of_all(book);
	book->sets = load(path, carriers, &error);
	if (!book->sets) {
		dt_rulebook_close(book);
		if (err)
			*err = error;
		return error.status ? error.status : DT_ERR_NOMEM;
	}
	*out = book;
	return DT_OK;
}

void dt_rulebook_close(struct dt_rulebook *book)
{
	if (!book)
		return;
	if (book->sets)
		release(book, book->sets);
	pthread_mutex_destroy(&book->lock);
	free(book);
}

const struct dt_rules *dt_rulebook_take(struct dt_rulebook *book)
{
	pthread_mutex_lock(&book->lock);
	const struct dt_rules *rules = book->sets->rules;
	book->sets->users++;
	pthread_mutex_unlock(&book->lock);
	return rules;
}

void dt_rulebook_give(struct dt_rulebook *book, const struct dt_rules *rules)
{
	struct set *set;

	pthread_mutex_lock(&book->lock);
	set = book->sets;
	while (set->rules != rules)
		set = set->next;
	release(book, set);
	pthread_mutex_unlock(&book->lock);
}

static void put_in_force(struct dt_rulebook *book, struct set *set)
{
	struct set *old = book->sets;

	set->next = old;
	book->sets = set;
	release(book, old);
}

bool dt_rulebook_refresh(struct dt_rulebook *book)
{
	uint64_t print = print_of_all(book);
	struct dt_error error = { 0 };
	bool other = false;

	if (print == book->print)
		return false;
	struct set *set = load(book->path, book->carriers, &error);
	pthread_mutex_lock(&book->lock);
	book->print = print;
	book->failed = !set;
	book->error = error;
	if (set) {
		other = strcmp(dt_rules_hash(set->rules), dt_rules_hash(book->sets->rules)) != 0;
		put_in_force(book, set);
	}
	pthread_mutex_unlock(&book->lock);
	if (!set)
		dt_log(DT_LOG_ERROR, "signatures", NULL, "%s; the signatures from before stay in force", error.text);
	return other;
}

bool dt_rulebook_error(struct dt_rulebook *book, struct dt_error *out)
{
	pthread_mutex_lock(&book->lock);
	bool failed = book->failed;
	*out = book->error;
	pthread_mutex_unlock(&book->lock);
	return failed;
}
