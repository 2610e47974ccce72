#include <stdio.h>
#include <string.h>
#include <yaml.h>

#include "core/base/limits.h"
#include "judgement/signature/document.h"

/* A container that is being filled. */
struct level {
	struct dt_doc *node;
	struct dt_doc *last; /* its newest child */
	const char *key;     /* read, its value not yet */
	unsigned key_line, key_column;
};

struct builder {
	const char *file;
	struct dt_bytes text;
	const char *source; /* a copy of text that lives as long as the nodes */
	struct dt_arena *arena;
	struct dt_error *err;
	struct level level[DT_MAX_RULE_DEPTH];
	size_t depth;
	size_t nodes;
	struct dt_doc *root;
	bool documents; /* one was seen */
};

static unsigned clip(size_t n)
{
	return n < UINT32_MAX ? (unsigned)n : UINT32_MAX;
}

static enum dt_status fail_mark(const struct builder *b, const yaml_mark_t *mark, enum dt_status status, const char *what)
{
	return dt_fail(b->err, status, "%s:%u:%u: %s", b->file, clip(mark->line) + 1, clip(mark->column) + 1, what);
}

static bool key_repeats(const struct dt_doc *map, const char *key)
{
	return dt_doc_get(map, key) != NULL;
}

static struct dt_doc *new_node(struct builder *b, enum dt_doc_kind kind, const yaml_mark_t *mark)
{
	struct dt_doc *node = DT_ARENA_NEW(b->arena, struct dt_doc);

	if (node) {
		node->kind = kind;
		node->file = b->file;
		node->line = clip(mark->line) + 1;
		node->column = clip(mark->column) + 1;
	}
	return node;
}

/* Hangs a node under the container that is open. */
static enum dt_status attach(struct builder *b, struct dt_doc *node, const yaml_mark_t *mark)
{
	struct level *top;

	if (!node)
		return dt_fail(b->err, DT_ERR_NOMEM, "%s: out of memory", b->file);
	if (++b->nodes > DT_MAX_RULE_NODES)
		return fail_mark(b, mark, DT_ERR_LIMIT, "too many values in one file");
	if (b->depth == 0) {
		b->root = node;
		return DT_OK;
	}
	top = &b->level[b->depth - 1];
	if (top->node->kind == DT_DOC_MAP) {
		if (!top->key)
			return fail_mark(b, mark, DT_ERR_FORMAT, "a key must be plain text");
		node->key = top->key;
		node->line = top->key_line;
		node->column = top->key_column;
		top->key = NULL;
	}
	if (top->last)
		top->last->next = node;
	else
		top->node->first = node;
	top->last = node;
	top->node->count++;
	return DT_OK;
}

static enum dt_status take_key(struct builder *b, const yaml_event_t *event, const char *text)
{
	struct level *top = &b->level[b->depth - 1];

	if (key_repeats(top->node, text))
		return dt_fail(b->err, DT_ERR_FORMAT, "%s:%u:%u: the key '%.64s' stands here twice", b->file,
		               clip(event->start_mark.line) + 1, clip(event->start_mark.column) + 1, text);
	top->key = text;
	top->key_line = clip(event->start_mark.line) + 1;
	top->key_column = clip(event->start_mark.column) + 1;
	return DT_OK;
}

static enum dt_status on_scalar(struct builder *b, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	const struct level *top = b->depth ? &b->level[b->depth - 1] : NULL;
	const char *text;
	struct dt_doc *node;

	if (event->data.scalar.anchor || event->data.scalar.tag)
		return fail_mark(b, &event->start_mark, DT_ERR_FORMAT, "anchors and tags are not part of the rule language");
	if (len && memchr(value, 0, len))
		return fail_mark(b, &event->start_mark, DT_ERR_FORMAT, "a NUL character is not text");
	text = dt_arena_strndup(b->arena, value, len);
	if (text && top && top->node->kind == DT_DOC_MAP && !top->key)
		return take_key(b, event, text);
	node = text ? new_node(b, DT_DOC_SCALAR, &event->start_mark) : NULL;
	if (node) {
		node->text = text;
		node->len = len;
		node->source = b->source;
		node->value_line = clip(event->start_mark.line) + 1;
		node->value_column = clip(event->start_mark.column) + 1;
		node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	}
	return attach(b, node, &event->start_mark);
}

static enum dt_status on_open(struct builder *b, const yaml_event_t *event, enum dt_doc_kind kind)
{
	struct dt_doc *node = new_node(b, kind, &event->start_mark);
	bool marked = kind == DT_DOC_MAP ? event->data.mapping_start.anchor || event->data.mapping_start.tag
	                                 : event->data.sequence_start.anchor || event->data.sequence_start.tag;
	enum dt_status status;

	if (marked)
		return fail_mark(b, &event->start_mark, DT_ERR_FORMAT, "anchors and tags are not part of the rule language");
	status = attach(b, node, &event->start_mark);
	if (status != DT_OK)
		return status;
	if (b->depth == DT_MAX_RULE_DEPTH)
		return fail_mark(b, &event->start_mark, DT_ERR_LIMIT, "lists and maps are nested too deep");
	b->level[b->depth++] = (struct level){ .node = node };
	return DT_OK;
}

static enum dt_status on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents)
			return fail_mark(b, &event->start_mark, DT_ERR_FORMAT, "a file holds one rule, here a second document begins");
		b->documents = true;
		return DT_OK;
	case YAML_ALIAS_EVENT:
		return fail_mark(b, &event->start_mark, DT_ERR_FORMAT, "aliases are not part of the rule language");
	case YAML_SCALAR_EVENT:
		return on_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
		return on_open(b, event, DT_DOC_LIST);
	case YAML_MAPPING_START_EVENT:
		return on_open(b, event, DT_DOC_MAP);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return DT_OK;
	default:
		return DT_OK;
	}
}

/* libyaml counts bytes where it cannot decode: the place is counted here. */
static enum dt_status fail_reader(const struct builder *b, const yaml_parser_t *parser)
{
	unsigned line = 1, column = 1;

	for (size_t i = 0; i < parser->problem_offset && i < b->text.len; i++) {
		bool end = b->text.data[i] == '\n';
		line += end;
		column = end ? 1 : column + 1;
	}
	return dt_fail(b->err, DT_ERR_FORMAT, "%s:%u:%u: not YAML text: %s", b->file, line, column,
	               parser->problem ? parser->problem : "unreadable");
}

static enum dt_status fail_yaml(const struct builder *b, const yaml_parser_t *parser)
{
	if (parser->error == YAML_MEMORY_ERROR)
		return dt_fail(b->err, DT_ERR_NOMEM, "%s: out of memory", b->file);
	if (parser->error == YAML_READER_ERROR)
		return fail_reader(b, parser);
	return fail_mark(b, &parser->problem_mark, DT_ERR_FORMAT, parser->problem ? parser->problem : "not YAML");
}

static enum dt_status drain(struct builder *b, yaml_parser_t *parser)
{
	for (bool end = false; !end;) {
		yaml_event_t event;
		enum dt_status status;

		if (!yaml_parser_parse(parser, &event))
			return fail_yaml(b, parser);
		end = event.type == YAML_STREAM_END_EVENT;
		status = on_event(b, &event);
		yaml_event_delete(&event);
		if (status != DT_OK)
			return status;
	}
	return DT_OK;
}

enum dt_status dt_doc_parse(struct dt_doc **out, const char *file, const char *text, size_t len, struct dt_arena *arena,
                            struct dt_error *err)
{
	struct builder b = { .file = file, .text = { (const uint8_t *)text, len }, .arena = arena, .err = err };
	yaml_parser_t parser;
	enum dt_status status;

	if (len > DT_MAX_RULE_FILE)
		return dt_fail(err, DT_ERR_LIMIT, "%s:1:1: more than %u bytes, which is what a rule has at most", file, DT_MAX_RULE_FILE);
	if (!(b.source = dt_arena_strndup(arena, len ? text : "", len)))
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", file);
	if (!yaml_parser_initialize(&parser))
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", file);
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)(len ? text : ""), len);
	status = drain(&b, &parser);
	yaml_parser_delete(&parser);
	if (status != DT_OK)
		return status;
	if (!b.root)
		return dt_fail(err, DT_ERR_FORMAT, "%s:1:1: the file is empty", file);
	*out = b.root;
	return DT_OK;
}

const struct dt_doc *dt_doc_get(const struct dt_doc *map, const char *key)
{
	for (const struct dt_doc *child = map->first; child; child = child->next)
		if (child->key && strcmp(child->key, key) == 0)
			return child;
	return NULL;
}

const char *dt_doc_kind_name(const struct dt_doc *node)
{
	static const char *const names[] = { "text", "list", "map" };

	return names[node->kind];
}

enum dt_status dt_doc_fail(const struct dt_doc *at, struct dt_error *err, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return dt_fail(err, DT_ERR_FORMAT, "%s:%u:%u: %s", at->file, at->line, at->column, text);
}

/* A place in the text of a file. */
struct walk {
	const char *at;
	unsigned line, column;
};

static void step(struct walk *w)
{
	if (!*w->at)
		return;
	bool end = *w->at++ == '\n';
	w->line += end;
	/* Columns count characters: what continues one has none. */
	w->column = end ? 1 : w->column + ((*w->at & 0xc0) != 0x80);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A line that ends in '\' within double quotes is folded too. */
static void skip_space(struct walk *w)
{
	while (is_space(*w->at) || (w->at[0] == '\\' && w->at[1] == '\n'))
		step(w);
}

/* Over the mark before the text: a quote, or the line of > or |. Gives the quote. */
static char open_scalar(struct walk *w, const struct dt_doc *node)
{
	char mark = node->quoted ? *w->at : 0;

	if (mark == '"' || mark == '\'')
		step(w);
	while ((mark == '>' || mark == '|') && *w->at && *w->at != '\n')
		step(w);
	return mark;
}

/* Folding and quotes change only spaces and escapes, so characters that are no spaces are counted. */
static struct walk find_inside(const struct dt_doc *node, size_t offset)
{
	struct walk w = { node->source, 1, 1 };

	while (*w.at && (w.line < node->value_line || w.column < node->value_column))
		step(&w);
	char mark = open_scalar(&w, node);
	for (size_t i = 0; i < offset && i < node->len; i++) {
		if (is_space(node->text[i]))
			continue;
		skip_space(&w);
		if ((mark == '"' && *w.at == '\\') || (mark == '\'' && *w.at == '\''))
			step(&w);
		step(&w);
	}
	if (offset < node->len)
		skip_space(&w);
	return w;
}

enum dt_status dt_doc_fail_inside(const struct dt_doc *at, size_t offset, struct dt_error *err, const char *fmt, ...)
{
	struct walk place = find_inside(at, offset);
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	return dt_fail(err, DT_ERR_FORMAT, "%s:%u:%u: %s", at->file, place.line, place.column, text);
}

static void normal_text(const char *text, size_t len, struct dt_buf *out)
{
	dt_buf_u64(out, len);
	dt_buf_putc(out, ':');
	dt_buf_append(out, text, len);
}

/* Depth is capped by dt_doc_parse. */
void dt_doc_normal(const struct dt_doc *node, struct dt_buf *out)
{
	static const char marks[] = { 's', 'l', 'm' };

	if (node->key)
		normal_text(node->key, strlen(node->key), out);
	dt_buf_putc(out, marks[node->kind]);
	if (node->kind == DT_DOC_SCALAR) {
		normal_text(node->text, node->len, out);
		return;
	}
	dt_buf_u64(out, node->count);
	dt_buf_putc(out, ':');
	for (const struct dt_doc *child = node->first; child; child = child->next)
		dt_doc_normal(child, out);
}
