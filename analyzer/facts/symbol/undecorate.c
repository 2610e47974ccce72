/*
 * undecorate.c - the plain parts of C++ decorations: qualified names, constructors and destructors.
 *
 * A decorated name lists the name and its scopes from the inside, each ended by @, all ended by @@; a digit repeats one of them. Types follow, and
 * are not shown, as debuggers do not in a stack. Templates and operators stay decorated.
 */
#include "facts/symbol/pdb.h"

#include <string.h>

#include "core/base/buf.h"

enum { MOST_PARTS = 10, MOST_TEXT = 1024 };

struct part {
	const char *text;
	size_t len;
};

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '<' || c == '>';
}

/* The parts up to @@, innermost first; 0 where one of them is not plain. */
static size_t read_parts(const char *at, struct part parts[MOST_PARTS])
{
	size_t count = 0;

	while (*at != '@') {
		const char *begin = at;
		if (count == MOST_PARTS)
			return 0;
		if (*at >= '0' && *at <= '9') {
			if ((size_t)(*at - '0') >= count)
				return 0;
			parts[count] = parts[*at++ - '0'];
			count++;
			continue;
		}
		while (is_plain(*at))
			at++;
		if (*at != '@' || at == begin)
			return 0;
		parts[count++] = (struct part){ begin, (size_t)(at++ - begin) };
	}
	return count;
}

const char *dt_undecorate(struct dt_arena *arena, const char *name)
{
	bool constructor = !strncmp(name, "??0", 3), destructor = !strncmp(name, "??1", 3);
	struct part parts[MOST_PARTS];
	struct dt_buf out;

	if (name[0] != '?' || (name[1] == '?' && !constructor && !destructor))
		return name;
	size_t count = read_parts(name + (constructor || destructor ? 3 : 1), parts);
	if (count == 0)
		return name;
	dt_buf_init(&out, MOST_TEXT);
	for (size_t i = count; i-- > 0;) {
		dt_buf_append(&out, parts[i].text, parts[i].len);
		if (i)
			dt_buf_puts(&out, "::");
	}
	if (constructor || destructor) {
		dt_buf_puts(&out, destructor ? "::~" : "::");
		dt_buf_append(&out, parts[0].text, parts[0].len);
	}
	const char *text = dt_buf_ok(&out) ? dt_arena_strdup(arena, dt_buf_text(&out)) : NULL;
	dt_buf_deinit(&out);
	return text ? text : name;
}
