/* A recipe's kind, and the damage that its last lines ask for. */
#include "sample.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel.h"
#include "user.h"

static void build_nothing(struct recipe *recipe, struct image *image)
{
	(void)recipe;
	(void)image;
}

/* A header of another kind than triage; the body is what `body-…` lines say. */
static void build_header(struct recipe *recipe, struct image *image)
{
	build_header64(recipe, image, (uint32_t)recipe_setting(recipe, "dump-type", 1));
}

static const struct kind {
	const char *name;
	void (*build)(struct recipe *recipe, struct image *image);
} kinds[] = {
	{ "triage", build_triage }, { "mdmp", build_mdmp }, { "header64", build_header }, { "header32", build_header32 }, { "raw", build_nothing },
};

/* Every keyword, so that a misspelt one is an error. */
static const char *const keywords[] = {
	"kind", "base", "drop", "expect", "machine", "build", "processors", "time", "uptime", "writer", "bugcheck", "module", "unloaded",
	"context", "stack", "word", "bytes", "raw-block", "zeros", "trap-frame", "exception-record", "context-record", "process", "thread",
	"cpu", "smbios", "product", "attributes", "dtb", "kdbg-address", "dump-type", "fill", "patch", "patch-u32", "patch-u64", "truncate",
	"extend", "text", "os", "csd", "platform", "pid", "created", "thread-stack", "thread-context", "exception", "thread-name",
	"memory-info", "comment", "stream", "text-stream", "memory64", "flags",
};

static void check_keywords(struct recipe *recipe)
{
	for (size_t i = 0; i < recipe->count; i++) {
		bool known = false;
		for (size_t k = 0; k < sizeof(keywords) / sizeof(keywords[0]); k++)
			known |= !strcmp(recipe->lines[i].word[0], keywords[k]);
		if (!known)
			recipe_fail(recipe, &recipe->lines[i], "there is no keyword '%s'", recipe->lines[i].word[0]);
	}
}

static void damage(struct recipe *recipe, struct image *image)
{
	for (size_t i = 0; i < recipe->count && !recipe->failed; i++) {
		const struct line *line = &recipe->lines[i];
		const char *keyword = line->word[0];
		if (line->dropped)
			continue;
		if (!strcmp(keyword, "patch")) {
			size_t len;
			uint8_t *bytes = recipe_hex(recipe, line, 2, &len);
			image_put(image, recipe_number(recipe, line, 1), bytes, len);
			free(bytes);
		} else if (!strcmp(keyword, "patch-u32")) {
			image_u32(image, recipe_number(recipe, line, 1), (uint32_t)recipe_number(recipe, line, 2));
		} else if (!strcmp(keyword, "patch-u64")) {
			image_u64(image, recipe_number(recipe, line, 1), recipe_number(recipe, line, 2));
		} else if (!strcmp(keyword, "text")) {
			const char *text = line->rest + strlen("text");
			image_put(image, image->len, text + (*text == ' '), strlen(text + (*text == ' ')));
			image_put(image, image->len, "\n", 1);
		} else if (!strcmp(keyword, "extend")) {
			size_t len = (size_t)recipe_number(recipe, line, 1);
			if (len < (1u << 28))
				for (; image->len < len;)
					image_put(image, image->len, "", 1);
		} else if (!strcmp(keyword, "truncate")) {
			size_t len = (size_t)recipe_number(recipe, line, 1);
			image->len = len < image->len ? len : image->len;
		}
	}
}

static int build(struct sample *out, struct recipe *recipe)
{
	const char *name = recipe_word(recipe, "kind", "");
	struct image image = { 0 };

	check_keywords(recipe);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]) && !recipe->failed; i++)
		if (!strcmp(kinds[i].name, name)) {
			kinds[i].build(recipe, &image);
			damage(recipe, &image);
			if (recipe->failed)
				break;
			out->data = image.data;
			out->len = image.len;
			return 0;
		}
	free(image.data);
	recipe_fail(recipe, recipe_last(recipe, "kind"), "kind is triage, mdmp, header64, header32 or raw, not '%s'", name);
	return -1;
}

static int build_in(struct sample *out, const char *name, const char *folder, const char *text, size_t len)
{
	struct recipe recipe = { .error = out->error, .error_size = sizeof(out->error) };

	out->data = NULL;
	out->len = 0;
	out->error[0] = '\0';
	int result = recipe_parse(&recipe, name, folder, text, len, 0) ? build(out, &recipe) : -1;
	if (result && !out->error[0])
		snprintf(out->error, sizeof(out->error), "%s: cannot be built", name);
	recipe_free(&recipe);
	return result;
}

static void folder_of(const char *path, char *folder, size_t size)
{
	const char *slash = strrchr(path, '/');

	snprintf(folder, size, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
}

int sample_build(struct sample *out, const char *name, const char *text, size_t len)
{
	char folder[4096];

	folder_of(name, folder, sizeof(folder));
	return build_in(out, name, folder, text, len);
}

int sample_build_file(struct sample *out, const char *path)
{
	char *text = NULL;
	size_t cap = 0;
	FILE *in = fopen(path, "rbe");
	ssize_t len = in ? getdelim(&text, &cap, '\0', in) : -1;

	*out = (struct sample){ 0 };
	if (len < 0)
		snprintf(out->error, sizeof(out->error), "%.200s: %s", path, in ? "empty" : strerror(errno));
	if (in)
		fclose(in);
	int result = len < 0 ? -1 : sample_build(out, path, text, (size_t)len);
	free(text);
	return result;
}

void sample_free(struct sample *sample)
{
	free(sample->data);
	*sample = (struct sample){ 0 };
}
