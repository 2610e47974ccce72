/* MDMP: comments, handles, memory figures, what crash reporters write, and streams given as they are. */
#include <stdlib.h>
#include <string.h>

#include "user.h"

enum {
	COMMENT_W = 11,
	HANDLES = 12,
	SYSTEM_MEMORY = 21,
	VM_COUNTERS = 22,
	BREAKPAD_INFO = 0x47670001,
	BREAKPAD_ASSERTION = 0x47670002,
	CRASHPAD_INFO = 0x43500001,
	HANDLE_DESCRIPTOR = 32,
	HANDLE_DESCRIPTOR_2 = 40,
	MOST_HANDLES = 100000,
};

/* Text behind the keyword, as it stands. */
static void comment(struct writer *w)
{
	const struct line *line = recipe_last(w->recipe, "comment");

	if (!line)
		return;
	const char *text = line->rest + strlen("comment");
	size_t at = image_align(w->image, 4);
	add_stream(w, COMMENT_W, at, image_utf16(w->image, at, text + strspn(text, " \t")) + 2);
}

/* A chain of object information: so many links, or one whose next is itself. */
static size_t object_info(struct writer *w, const struct line *line)
{
	const char *text = recipe_value(line, "objects");
	bool self = text && !strcmp(text, "self");
	size_t count = self ? 1 : text ? (size_t)recipe_value_number(w->recipe, line, "objects", 0) : 0;

	if (!count || count > 4096)
		return 0;
	size_t first = image_align(w->image, 4);
	for (size_t i = 0; i < count; i++) {
		size_t at = first + 16 * i;
		image_u32(w->image, at, self ? (uint32_t)at : i + 1 < count ? (uint32_t)at + 16 : 0);
		image_u32(w->image, at + 4, 1);
		image_u32(w->image, at + 8, 4);
		image_u32(w->image, at + 12, 0);
	}
	return first;
}

static size_t repeats(struct writer *w, const struct line *line)
{
	size_t times = (size_t)recipe_value_number(w->recipe, line, "times", 1);

	if (times > MOST_HANDLES)
		recipe_fail(w->recipe, line, "at most %d handles of a kind", MOST_HANDLES);
	return times > MOST_HANDLES ? 0 : times;
}

/* One line's descriptors; their handles count up by 4, as Windows' do. Gives where the next one goes. */
static size_t handle(struct writer *w, const struct line *line, size_t at, size_t stride)
{
	const char *type = recipe_value(line, "type"), *name = recipe_value(line, "name");
	uint64_t value = recipe_number(w->recipe, line, 1);

	for (size_t i = repeats(w, line); i; i--, at += stride, value += 4) {
		image_u64(w->image, at, value);
		image_u32(w->image, at + 8, type ? (uint32_t)add_string(w, type) : 0);
		image_u32(w->image, at + 12, name ? (uint32_t)add_string(w, name) : 0);
		image_u32(w->image, at + 24, 2);
		image_u32(w->image, at + 28, 0x8000);
		if (stride == HANDLE_DESCRIPTOR_2)
			image_u32(w->image, at + 32, (uint32_t)object_info(w, line));
	}
	return at;
}

/* `handle VALUE type=… name=… objects=N|self times=N`; `handle-descriptor 1`: the older and shorter form. */
static void handles(struct writer *w)
{
	bool old = recipe_setting(w->recipe, "handle-descriptor", 2) == 1;
	size_t count = 0, at, stride = old ? HANDLE_DESCRIPTOR : HANDLE_DESCRIPTOR_2;
	const struct line *line = NULL;

	while ((line = recipe_next(w->recipe, "handle", line)))
		count += repeats(w, line);
	if (!count)
		return;
	at = begin_stream(w, HANDLES, 16 + stride * count);
	image_u32(w->image, at, 16);
	image_u32(w->image, at + 4, (uint32_t)stride);
	image_u32(w->image, at + 8, (uint32_t)count);
	at += 16;
	while ((line = recipe_next(w->recipe, "handle", line)))
		at = handle(w, line, at, stride);
}

/* `system-memory pages=… available=… committed=… limit=…`, in pages; `vm-counters private=…` in bytes. */
static void memory_figures(struct writer *w)
{
	const struct line *system = recipe_last(w->recipe, "system-memory"),
			  *vm = recipe_last(w->recipe, "vm-counters");

	if (system) {
		size_t at = begin_stream(w, SYSTEM_MEMORY, 492);
		image_u16(w->image, at, 1);
		image_u32(w->image, at + 0x08, 0x1000);
		image_u32(w->image, at + 0x0c, (uint32_t)recipe_value_number(w->recipe, system, "pages", 0));
		image_u64(w->image, at + 0x74, recipe_value_number(w->recipe, system, "available", 0));
		image_u64(w->image, at + 0x7c, recipe_value_number(w->recipe, system, "committed", 0));
		image_u64(w->image, at + 0x84, recipe_value_number(w->recipe, system, "limit", 0));
	}
	if (vm) {
		size_t at = begin_stream(w, VM_COUNTERS, 152);
		image_u16(w->image, at, 2);
		image_u64(w->image, at + 0x10, recipe_value_number(w->recipe, vm, "working-set", 0));
		image_u64(w->image, at + 0x58, recipe_value_number(w->recipe, vm, "private", 0));
	}
}

/* `breakpad DUMPER REQUESTER`; `assertion EXPRESSION FUNCTION FILE LINE`. */
static void breakpad(struct writer *w)
{
	const struct line *info = recipe_last(w->recipe, "breakpad"),
			  *assertion = recipe_last(w->recipe, "assertion");

	if (info) {
		size_t at = begin_stream(w, BREAKPAD_INFO, 12);
		image_u32(w->image, at, 3);
		image_u32(w->image, at + 4, (uint32_t)recipe_number(w->recipe, info, 1));
		image_u32(w->image, at + 8, (uint32_t)recipe_number(w->recipe, info, 2));
	}
	if (!assertion)
		return;
	size_t at = begin_stream(w, BREAKPAD_ASSERTION, 776);
	for (size_t i = 0; i < 3; i++) {
		const char *text = recipe_name(w->recipe, assertion, i + 1);
		if (strlen(text) > 100)
			recipe_fail(w->recipe, assertion, "a text of at most 100 bytes");
		else
			image_utf16(w->image, at + 256 * i, text);
	}
	image_u32(w->image, at + 768, (uint32_t)recipe_number(w->recipe, assertion, 4));
}

/* Crashpad's strings are UTF-8. */
static uint32_t utf8_string(struct writer *w, const char *text)
{
	size_t at = image_align(w->image, 4);

	image_u32(w->image, at, (uint32_t)strlen(text));
	image_put(w->image, at + 4, text, strlen(text) + 1);
	return (uint32_t)at;
}

/* Lines `crashpad KEY VALUE` are the simple annotations. */
static void crashpad(struct writer *w)
{
	size_t count = recipe_count(w->recipe, "crashpad");
	const struct line *line = NULL;

	if (!count)
		return;
	size_t at = begin_stream(w, CRASHPAD_INFO, 52), list = image_align(w->image, 4), entry = list + 4;
	image_u32(w->image, at, 1);
	image_u32(w->image, at + 0x24, (uint32_t)(4 + 8 * count));
	image_u32(w->image, at + 0x28, (uint32_t)list);
	image_u32(w->image, list, (uint32_t)count);
	image_extend(w->image, list + 4 + 8 * count);
	for (; (line = recipe_next(w->recipe, "crashpad", line)); entry += 8) {
		image_u32(w->image, entry, utf8_string(w, recipe_name(w->recipe, line, 1)));
		image_u32(w->image, entry + 4, utf8_string(w, recipe_name(w->recipe, line, 2)));
	}
}

void add_extras(struct writer *w)
{
	comment(w);
	handles(w);
	memory_figures(w);
	breakpad(w);
	crashpad(w);
}

/* Words with \n and \t as printf has them, one behind the other. */
static size_t put_escaped(struct image *image, size_t at, const char *text)
{
	size_t begin = at;

	for (const char *p = text; *p; p++) {
		char c = *p;
		if (c == '\\' && (p[1] == 'n' || p[1] == 't'))
			c = *++p == 'n' ? '\n' : '\t';
		image_u8(image, at++, (uint8_t)c);
	}
	return at - begin;
}

void add_given_streams(struct writer *w)
{
	const struct line *line = NULL;

	while ((line = recipe_next(w->recipe, "stream", line))) {
		size_t len, at = image_align(w->image, 4);
		uint8_t *bytes = recipe_hex(w->recipe, line, 2, &len);
		image_put(w->image, at, bytes, len);
		add_stream(w, (uint32_t)recipe_number(w->recipe, line, 1), at, len);
		free(bytes);
	}
	while ((line = recipe_next(w->recipe, "text-stream", line))) {
		size_t at = image_align(w->image, 4), len = 0;
		for (size_t i = 2; i < line->words; i++)
			len += put_escaped(w->image, at + len, line->word[i]);
		add_stream(w, (uint32_t)recipe_number(w->recipe, line, 1), at, len);
	}
}
