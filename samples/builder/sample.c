/* A recipe's kind, its keywords, its variants. */
#include "sample.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "damage.h"
#include "kernel.h"
#include "machine.h"
#include "records.h"
#include "user.h"

static void build_nothing(struct recipe *recipe, struct image *image)
{
	(void)recipe;
	(void)image;
}

static void build_wide(struct recipe *recipe, struct image *image)
{
	build_header64(recipe, image, (uint32_t)recipe_setting(recipe, "dump-type", 1));
	build_body(recipe, image, HEADER64);
	image_u64(image, 0xfa0, recipe_setting(recipe, "required-space", image->len));
}

static void build_narrow(struct recipe *recipe, struct image *image)
{
	build_header32(recipe, image, (uint32_t)recipe_setting(recipe, "dump-type", 1));
	build_body(recipe, image, HEADER32);
	image_u64(image, 0xfa0, recipe_setting(recipe, "required-space", image->len));
}

static const struct kind {
	const char *name;
	void (*build)(struct recipe *recipe, struct image *image);
} kinds[] = {
	{ "triage", build_triage },   { "mdmp", build_mdmp },   { "header64", build_wide },
	{ "header32", build_narrow }, { "raw", build_nothing },  { "memory", build_memory },
	{ "elf", build_elf },         { "kdump", build_kdump },
};

/* Every keyword but those of memory and damage, so that a misspelt one is an error. */
static const char *const keywords[] = {
	"kind",        "base",         "drop",           "expect",        "machine",     "build",
	"processors",  "time",         "uptime",         "writer",        "bugcheck",    "module",
	"unloaded",    "context",      "stack",          "process",       "thread",      "cpu",
	"smbios",      "blob",         "product",        "attributes",    "boot",        "dtb",
	"runs",        "body",         "required-space", "kdbg-address",  "dump-type",   "fill",
	"os",          "csd",          "vendor",         "platform",      "pid",         "created",
	"misc",        "thread-stack", "thread-context", "thread-info",   "thread-name", "exception",
	"memory-info", "comment",      "handle",         "system-memory", "vm-counters", "breakpad",
	"assertion",   "crashpad",     "stream",         "text-stream",   "memory64",    "flags",
	"paging",      "frames",       "large",          "page",          "poke",        "encoded",
	"clock",       "computer",     "compression",    "flattened",     "self-map",       "handle-descriptor",
	"xstate",      "xstate-config", "xstate-feature",
};

static void check_keywords(struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->count; i++) {
		const char *word = recipe->lines[i].word[0];
		bool known = record_keyword(word) || damage_keyword(word);
		for (size_t k = 0; k < sizeof(keywords) / sizeof(keywords[0]) && !known; k++)
			known = !strcmp(word, keywords[k]);
		if (!known)
			recipe_fail(recipe, &recipe->lines[i], "there is no keyword '%s'", word);
	}
}

static void build_kind(struct recipe *recipe, struct image *image)
{
	const struct line *line = recipe_last(recipe, "kind");
	const char *name = recipe_word(recipe, "kind", "");

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name)) {
			kinds[i].build(recipe, image);
			return;
		}
	recipe_fail(recipe, line, "kind is triage, mdmp, memory, elf, kdump, header64, header32 or raw, not '%s'", name);
}

static int build(struct sample *out, struct recipe *recipe)
{
	struct image image = { 0 };

	check_keywords(recipe);
	if (!recipe->failed)
		build_kind(recipe, &image);
	if (!recipe->failed)
		damage_apply(recipe, &image);
	if (recipe->failed) {
		free(image.data);
		for (size_t i = 0; i < image.far_count; i++)
			free(image.far[i].data);
		free(image.far);
		return -1;
	}
	/* An empty file has bytes to point at all the same. */
	out->data = image.data ? image.data : calloc(1, 1);
	out->len = image.len;
	out->far = image.far;
	out->far_count = image.far_count;
	out->end = image.end;
	return 0;
}

static int build_in(struct sample *out, const char *name, const char *text, size_t len, struct slide slide)
{
	struct recipe recipe = { .error = out->error, .error_size = sizeof(out->error), .slide = slide };
	const char *slash = strrchr(name, '/');
	char folder[4096];

	*out = (struct sample){ 0 };
	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - name) : 1, slash ? name : ".");
	int result = recipe_parse(&recipe, name, folder, text, len, 0) ? build(out, &recipe) : -1;
	recipe_free(&recipe);
	return result;
}

int sample_build(struct sample *out, const char *name, const char *text, size_t len)
{
	return build_in(out, name, text, len, (struct slide){ 0 });
}

int sample_build_file(struct sample *out, const char *path)
{
	char *text = NULL;
	size_t cap = 0;
	FILE *in = fopen(path, "rbe");
	ssize_t len = in ? getdelim(&text, &cap, '\0', in) : -1;
	int result = -1;

	*out = (struct sample){ 0 };
	if (len < 0)
		snprintf(out->error, sizeof(out->error), "%.200s: %s", path, in ? "empty" : strerror(errno));
	else
		result = sample_build(out, path, text, (size_t)len);
	if (in)
		fclose(in);
	free(text);
	return result;
}

/* A number whose bits all depend on all of value's (the finalizer of MurmurHash3). */
static uint32_t scatter(uint32_t value)
{
	value ^= value >> 16;
	value *= 0x85ebca6bu;
	value ^= value >> 13;
	value *= 0xc2b2ae35u;
	return value ^ value >> 16;
}

int sample_build_variant(struct sample *out, const char *path, uint32_t number, size_t size)
{
	enum { IMAGE_STEP = 0x200000, IMAGE_STEPS = 0x2000, OTHER_STEPS = 0x1000, MODULES = 180 };
	uint32_t mix = scatter(number + 1);
	uint64_t day = 864000000000u, first = 133658388000000000u; /* 2024-07-19T05:00:00Z */
	struct slide slide = { (uint64_t)(mix % IMAGE_STEPS) * IMAGE_STEP,
		               (uint64_t)(mix / IMAGE_STEPS % OTHER_STEPS) << 32 };
	const char *slash = strrchr(path, '/');
	char text[1024];

	/* Thirty days; the number itself keeps times apart. */
	uint64_t time = first + (uint64_t)(scatter(mix) % 30000) * (day / 1000) + number;
	size_t grown = size ? size - size / 4 + (size_t)(scatter(mix ^ 0x5a5a5a5a) % (size / 2 + 1)) : 0;
	int n = snprintf(text, sizeof(text),
	                 "base %.200s\ntime %llu\nuptime %u.%03u\nfill modules %d\nfill size %zu\n",
	                 slash ? slash + 1 : path, (unsigned long long)time, 20 + mix % 400000, mix % 1000,
	                 size ? MODULES : 0, grown);
	return build_in(out, path, text, (size_t)n, slide);
}

int sample_write(const struct sample *sample, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool ok = fd >= 0 && pwrite(fd, sample->data, sample->len, 0) == (ssize_t)sample->len;

	for (size_t i = 0; ok && i < sample->far_count; i++)
		ok = pwrite(fd, sample->far[i].data, 0x1000, (off_t)sample->far[i].off) == 0x1000;
	if (ok && sample->end > sample->len)
		ok = ftruncate(fd, (off_t)sample->end) == 0;
	/* What close() could not write is lost as well. */
	if (fd >= 0 && close(fd) != 0)
		ok = false;
	return ok ? 0 : -1;
}

void sample_free(struct sample *sample)
{
	for (size_t i = 0; i < sample->far_count; i++)
		free(sample->far[i].data);
	free(sample->far);
	free(sample->data);
	*sample = (struct sample){ 0 };
}
