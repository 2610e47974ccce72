#include "damage.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_FILE = 1 << 28 };

/* Where a patch goes: an offset, or @OFFSET[+N]: N behind the file offset that the ULONG at OFFSET holds. */
static size_t place(struct recipe *recipe, const struct line *line, const struct image *image)
{
	const char *word = recipe_name(recipe, line, 1);
	char *end;

	if (word[0] != '@')
		return recipe_length(recipe, line, 1, MOST_FILE);
	uint64_t at = strtoull(word + 1, &end, 0), more = *end == '+' ? strtoull(end + 1, &end, 0) : 0, off = 0;
	if (*end || end == word + 1 || image->len < 4 || at > image->len - 4 || more > MOST_FILE) {
		recipe_fail(recipe, line, "'%s' is no place in the file", word);
		return 0;
	}
	for (size_t i = 4; i-- > 0;)
		off = off << 8 | image->data[at + i];
	return off + more <= MOST_FILE ? (size_t)(off + more) : 0;
}

static void patch(struct recipe *recipe, const struct line *line, struct image *image)
{
	size_t len, at = place(recipe, line, image);
	uint8_t *bytes = recipe_hex(recipe, line, 2, &len);

	image_put(image, at, bytes, len);
	free(bytes);
}

static void patch_u16(struct recipe *recipe, const struct line *line, struct image *image)
{
	image_u16(image, place(recipe, line, image), (uint16_t)recipe_number(recipe, line, 2));
}

static void patch_u32(struct recipe *recipe, const struct line *line, struct image *image)
{
	image_u32(image, place(recipe, line, image), (uint32_t)recipe_number(recipe, line, 2));
}

static void patch_u64(struct recipe *recipe, const struct line *line, struct image *image)
{
	image_u64(image, place(recipe, line, image), recipe_number(recipe, line, 2));
}

static void text(struct recipe *recipe, const struct line *line, struct image *image)
{
	const char *words = line->rest + strlen("text");

	(void)recipe;
	words += *words == ' ';
	image_put(image, image->len, words, strlen(words));
	image_put(image, image->len, "\n", 1);
}

static void extend(struct recipe *recipe, const struct line *line, struct image *image)
{
	image_extend(image, recipe_length(recipe, line, 1, MOST_FILE));
}

static void cut(struct recipe *recipe, const struct line *line, struct image *image)
{
	size_t len = recipe_length(recipe, line, 1, MOST_FILE);

	if (len < image->len) {
		memset(image->data + len, 0, image->len - len);
		image->len = len;
	}
}

static const struct {
	const char *keyword;
	void (*apply)(struct recipe *recipe, const struct line *line, struct image *image);
} damages[] = {
	{ "patch", patch }, { "patch-u16", patch_u16 }, { "patch-u32", patch_u32 }, { "patch-u64", patch_u64 },
	{ "text", text },   { "extend", extend },       { "truncate", cut },
};

bool damage_keyword(const char *keyword)
{
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++)
		if (!strcmp(damages[i].keyword, keyword))
			return true;
	return false;
}

void damage_apply(struct recipe *recipe, struct image *image)
{
	for (size_t i = 0; i < recipe->count && !recipe->failed; i++)
		for (size_t k = 0; k < sizeof(damages) / sizeof(damages[0]); k++)
			if (!recipe->lines[i].dropped && !strcmp(recipe->lines[i].word[0], damages[k].keyword))
				damages[k].apply(recipe, &recipe->lines[i], image);
}
