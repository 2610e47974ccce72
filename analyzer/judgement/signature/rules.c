/* Rule sets: loading, identity, matching. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/hash/hash.h"
#include "judgement/signature/embedded.h"
#include "judgement/signature/rule.h"

/* Compiled rules are a few times their text; a set that needs more is no set of signatures. */
enum { MAX_RULES_MEMORY = 256 << 20 };

/* The program's own, without room: rows behind them go to memory of the rules. */
static void begin_carriers(struct dt_rules *rules)
{
	rules->carriers = *dt_carriers_builtin();
	rules->carriers.room = rules->carriers.count;
}

static struct dt_rules *new_rules(void)
{
	struct dt_rules *rules = calloc(1, sizeof(*rules));

	if (!rules)
		return NULL;
	dt_arena_init(&rules->arena, MAX_RULES_MEMORY);
	begin_carriers(rules);
	return rules;
}

void dt_rules_free(struct dt_rules *rules)
{
	if (!rules)
		return;
	dt_arena_deinit(&rules->arena);
	free(rules->rule);
	free(rules);
}

static enum dt_status keep(struct dt_rules *rules, struct dt_rule *rule, struct dt_error *err)
{
	if (rules->count == DT_MAX_RULES)
		return dt_fail(err, DT_ERR_LIMIT, "%s: more than %d rules", rule->document->file, DT_MAX_RULES);
	if (rules->count == rules->cap) {
		size_t cap = rules->cap ? rules->cap * 2 : 16;
		struct dt_rule **grown = realloc(rules->rule, cap * sizeof(struct dt_rule *));
		if (!grown)
			return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", rule->document->file);
		rules->rule = grown;
		rules->cap = cap;
	}
	rules->rule[rules->count++] = rule;
	return DT_OK;
}

static enum dt_status add_text(struct dt_rules *rules, const char *name, const char *text, size_t len,
                               struct dt_error *err)
{
	const char *file = dt_arena_strdup(&rules->arena, name);
	struct dt_doc *document;
	struct dt_rule *rule;
	enum dt_status status;

	if (!file)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", name);
	if ((status = dt_doc_parse(&document, file, text, len, &rules->arena, err)) != DT_OK ||
	    (status = dt_rule_compile(&rule, document, &rules->arena, err)) != DT_OK)
		return status;
	dt_rule_find_gates(rule);
	return keep(rules, rule, err);
}

/* Files are loaded in the order of their names. */
static int by_id(const void *a, const void *b)
{
	const struct dt_rule *const *x = a, *const *y = b;
	int order = strcmp((*x)->info.id, (*y)->info.id);

	return order ? order : strcmp((*x)->document->file, (*y)->document->file);
}

/* Whether a file's error may be told and passed over. */
static bool may_skip(struct dt_rules *rules, enum dt_status status, const struct dt_error *err)
{
	if (!rules->skip || status == DT_OK || status == DT_ERR_NOMEM)
		return false;
	rules->skip(rules->skip_context, err);
	rules->skipped++;
	return true;
}

/* Of equal ids the first in the order of files stays. */
static enum dt_status unique_ids(struct dt_rules *rules, struct dt_error *err)
{
	size_t kept = rules->count ? 1 : 0;

	for (size_t i = 1; i < rules->count; i++) {
		const struct dt_rule *a = rules->rule[kept - 1], *b = rules->rule[i];
		if (strcmp(a->info.id, b->info.id) == 0) {
			enum dt_status status = dt_doc_fail(dt_doc_get(b->document, "id"), err, "the id '%.64s' is also that of %.120s",
			                                    b->info.id, a->document->file);
			if (!may_skip(rules, status, err))
				return status;
			continue;
		}
		rules->rule[kept++] = rules->rule[i];
	}
	rules->count = kept;
	return DT_OK;
}

static void hash_carriers(const struct dt_rules *rules, struct dt_buf *out)
{
	for (size_t i = 0; i < rules->carriers.count; i++) {
		const struct dt_carrier *row = &rules->carriers.rows[i];
		dt_buf_printf(out, "|%d%d ", row->kernel, row->kind);
		dt_buf_append(out, row->module, row->module_len);
		dt_buf_puts(out, row->module_star ? "*" : "");
		dt_buf_append(out, row->extension, row->extension_len);
		dt_buf_putc(out, '!');
		dt_buf_append(out, row->function, row->function_len);
		dt_buf_puts(out, row->function && row->function_star ? "*" : "");
	}
}

/* Over the rules' meaning: comments, layout, tests and the order of files change nothing. */
static enum dt_status hash_rules(struct dt_rules *rules, struct dt_error *err)
{
	char digest[2 * DT_SHA256_SIZE + 1];
	struct dt_buf normal;

	dt_buf_init(&normal, MAX_RULES_MEMORY);
	dt_buf_puts(&normal, "dumptriage.rules/1|");
	for (size_t i = 0; i < rules->count; i++)
		for (const struct dt_doc *part = rules->rule[i]->document->first; part; part = part->next)
			if (strcmp(part->key, "tests"))
				dt_doc_normal(part, &normal);
	dt_buf_append(&normal, rules->vulnerable.text, rules->vulnerable.len);
	hash_carriers(rules, &normal);
	bool ok = dt_buf_ok(&normal);
	if (ok)
		dt_sha256_text(dt_buf_bytes(&normal), digest);
	dt_buf_deinit(&normal);
	if (!ok)
		return dt_fail(err, DT_ERR_NOMEM, "rules: out of memory");
	memcpy(rules->hash, digest, 16);
	rules->hash[16] = 0;
	return DT_OK;
}

/* Freezes the set, or frees it when something failed before. */
static enum dt_status finish(struct dt_rules **out, struct dt_rules *rules, enum dt_status status, struct dt_error *err)
{
	if (status == DT_OK && rules->count)
		qsort(rules->rule, rules->count, sizeof(struct dt_rule *), by_id);
	if (status == DT_OK)
		status = unique_ids(rules, err);
	if (!rules->vulnerable.text)
		dt_vulnerable_trust(&rules->vulnerable, dt_builtin_vulnerable[0].data, dt_builtin_vulnerable[0].len);
	if (status == DT_OK)
		status = hash_rules(rules, err);
	if (status == DT_OK && !dt_index_build(rules))
		status = dt_fail(err, DT_ERR_NOMEM, "rules: out of memory");
	if (status != DT_OK) {
		dt_rules_free(rules);
		return status;
	}
	*out = rules;
	return DT_OK;
}

enum dt_status dt_rules_load_text(struct dt_rules **out, const char *name, const char *text, size_t len,
                                  struct dt_error *err)
{
	struct dt_rules *rules = new_rules();

	if (!rules)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", name);
	return finish(out, rules, add_text(rules, name, text, len, err), err);
}

static enum dt_status load_embedded(struct dt_rules **out, const struct dt_embedded *files, size_t count, struct dt_error *err)
{
	struct dt_rules *rules = new_rules();
	enum dt_status status = DT_OK;

	if (!rules)
		return dt_fail(err, DT_ERR_NOMEM, "signatures: out of memory");
	for (size_t i = 0; status == DT_OK && i < count; i++)
		status = add_text(rules, files[i].name, files[i].data, files[i].len, err);
	return finish(out, rules, status, err);
}

enum dt_status dt_rules_load_builtin(struct dt_rules **out, struct dt_error *err)
{
	return load_embedded(out, dt_builtin_signatures, dt_builtin_signatures_count, err);
}

enum dt_status dt_rules_load_builtin_tested(struct dt_rules **out, struct dt_error *err)
{
	return load_embedded(out, dt_builtin_signatures_tested, dt_builtin_signatures_tested_count, err);
}

static enum dt_status fail_errno(struct dt_error *err, const char *path, const char *what)
{
	return dt_fail(err, DT_ERR_IO, "%s: %s: %s", path, what, strerror(errno));
}

/* Reads to the end of the file, at most one byte more than it may have. */
static enum dt_status read_open(int fd, const char *path, size_t most, char **text, size_t *len, struct dt_error *err)
{
	struct stat st;
	char *data;

	*len = 0;
	if (fstat(fd, &st) != 0)
		return fail_errno(err, path, "cannot look at it");
	if (!S_ISREG(st.st_mode))
		return dt_fail(err, DT_ERR_IO, "%s: not a regular file", path);
	if (!(data = malloc(most + 1)))
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", path);
	while (*len <= most) {
		ssize_t n = read(fd, data + *len, most + 1 - *len);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(data);
			return fail_errno(err, path, "cannot read");
		}
		*len += (size_t)n;
	}
	*text = data;
	return DT_OK;
}

static enum dt_status read_file(const char *path, size_t most, char **text, size_t *len, struct dt_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	enum dt_status status;

	if (fd < 0)
		return fail_errno(err, path, "cannot open");
	status = read_open(fd, path, most, text, len, err);
	close(fd);
	return status;
}

static enum dt_status add_file(struct dt_rules *rules, const char *path, struct dt_error *err)
{
	char *text = NULL;
	size_t len = 0;
	enum dt_status status = read_file(path, DT_MAX_RULE_FILE, &text, &len, err);

	if (status == DT_OK)
		status = add_text(rules, path, text, len, err);
	free(text);
	return status;
}

/* A folder's own list of vulnerable drivers takes the place of the built-in one. */
static enum dt_status add_vulnerable(struct dt_rules *rules, const char *folder, struct dt_error *err)
{
	const char *path = dt_arena_printf(&rules->arena, "%s/vulnerable-drivers.tsv", folder), *copy;
	char *text = NULL;
	size_t len = 0;
	enum dt_status status;

	if (!path)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", folder);
	if (access(path, F_OK))
		return DT_OK;
	if ((status = read_file(path, DT_MAX_VULNERABLE_FILE, &text, &len, err)) != DT_OK)
		return status;
	copy = (const char *)dt_arena_bytes(&rules->arena, (struct dt_bytes){ (const uint8_t *)text, len }).data;
	free(text);
	if (!copy && len)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", path);
	return dt_vulnerable_init(&rules->vulnerable, path, copy ? copy : "", len, err);
}

enum dt_status dt_rules_add_carriers(struct dt_rules *rules, const char *path, struct dt_error *err)
{
	char *text = NULL;
	size_t len = 0;
	enum dt_status status = read_file(path, DT_MAX_RULE_FILE, &text, &len, err);

	if (status == DT_OK && len > DT_MAX_RULE_FILE)
		status = dt_fail(err, DT_ERR_LIMIT, "%s: larger than %u bytes", path, DT_MAX_RULE_FILE);
	if (status == DT_OK)
		status = dt_carriers_add(&rules->carriers, path, text, len, &rules->arena, err);
	free(text);
	return status == DT_OK ? hash_rules(rules, err) : status;
}

const struct dt_carriers *dt_rules_carriers(const struct dt_rules *rules)
{
	return &rules->carriers;
}

/* A folder's own carriers. */
static enum dt_status add_carriers(struct dt_rules *rules, const char *folder, struct dt_error *err)
{
	const char *path = dt_arena_printf(&rules->arena, "%s/carriers.conf", folder);

	if (!path)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", folder);
	return access(path, F_OK) ? DT_OK : dt_rules_add_carriers(rules, path, err);
}

static int is_rule_file(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && (dt_text_ends_fold(entry->d_name, ".yml") || dt_text_ends_fold(entry->d_name, ".yaml"));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum dt_status add_entry(struct dt_rules *rules, const char *folder, const char *name, struct dt_error *err)
{
	const char *path = dt_arena_printf(&rules->arena, "%s/%s", folder, name);

	if (!path)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", folder);
	return add_file(rules, path, err);
}

static enum dt_status add_folder(struct dt_rules *rules, const char *path, struct dt_error *err)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_rule_file, by_name);
	enum dt_status status = DT_OK;

	if (count < 0)
		return fail_errno(err, path, "cannot list");
	for (int i = 0; i < count; i++) {
		if (status == DT_OK)
			status = add_entry(rules, path, entries[i]->d_name, err);
		if (may_skip(rules, status, err))
			status = DT_OK;
		free(entries[i]);
	}
	free(entries);
	if (status == DT_OK)
		status = add_vulnerable(rules, path, err);
	if (may_skip(rules, status, err)) {
		rules->vulnerable.text = NULL;
		status = DT_OK;
	}
	if (status == DT_OK)
		status = add_carriers(rules, path, err);
	if (may_skip(rules, status, err)) {
		begin_carriers(rules);
		status = DT_OK;
	}
	return status;
}

enum dt_status dt_rules_load(struct dt_rules **out, const char *path, struct dt_error *err)
{
	return dt_rules_load_some(out, path, NULL, NULL, err);
}

enum dt_status dt_rules_load_some(struct dt_rules **out, const char *path, dt_rules_skip skip, void *context,
                                  struct dt_error *err)
{
	struct dt_rules *rules = new_rules();
	struct stat st;
	enum dt_status status;

	if (!rules)
		return dt_fail(err, DT_ERR_NOMEM, "%s: out of memory", path);
	rules->skip = skip;
	rules->skip_context = context;
	if (stat(path, &st) != 0)
		status = fail_errno(err, path, "cannot open");
	else
		status = S_ISDIR(st.st_mode) ? add_folder(rules, path, err) : add_file(rules, path, err);
	/* A folder that was given by mistake would know no incident, and nobody would notice. */
	if (status == DT_OK && !rules->count && !rules->vulnerable.len && !rules->skipped)
		status = dt_fail(err, DT_ERR_NOT_FOUND, "%s: no signature in it (*.yml)", path);
	return finish(out, rules, status, err);
}

const char *dt_rules_hash(const struct dt_rules *rules)
{
	return rules->hash;
}

size_t dt_rules_count(const struct dt_rules *rules)
{
	return rules->count;
}

const struct dt_rule_info *dt_rule_info(const struct dt_rules *rules, size_t index)
{
	return index < rules->count ? &rules->rule[index]->info : NULL;
}

const struct dt_rule_info *dt_rule_find(const struct dt_rules *rules, const char *id)
{
	for (size_t i = 0; id && i < rules->count; i++)
		if (strcmp(rules->rule[i]->info.id, id) == 0)
			return &rules->rule[i]->info;
	return NULL;
}

/* ---- matching --------------------------------------------------------- */

static void take_evidence(struct dt_match *match, const struct dt_rule *rule, const enum dt_fact_state *states,
                          const struct dt_facts *facts, struct dt_arena *arena)
{
	match->evidence = DT_ARENA_ARRAY(arena, rule->selection_count, struct dt_evidence);
	for (size_t i = 0; match->evidence && i < rule->selection_count; i++) {
		const struct dt_selection *selection = &rule->selections[i];
		enum dt_fact_state state = states[i] ? states[i] : dt_selection_state(selection, facts);
		struct dt_evidence *evidence = &match->evidence[match->evidence_count++];
		evidence->fact = selection->title ? dt_arena_printf(arena, "%s (%s)", selection->name, selection->title)
		                                  : selection->name;
		evidence->state = state;
		evidence->value = dt_evidence_value(selection, facts, arena);
	}
}

enum dt_grade dt_rules_grade(const struct dt_rules *rules, size_t index, const struct dt_facts *facts)
{
	enum dt_fact_state states[DT_MAX_EVIDENCE] = { 0 };

	return index < rules->count ? dt_rule_grade(rules->rule[index], facts, states) : DT_grade_NULL;
}

static bool match_rule(const struct dt_rule *rule, const struct dt_facts *facts, struct dt_arena *arena,
                       struct dt_match *out)
{
	enum dt_fact_state states[DT_MAX_EVIDENCE] = { 0 };
	enum dt_grade grade = dt_rule_grade(rule, facts, states);

	if (!grade)
		return false;
	*out = (struct dt_match){
		.signature = rule->info.id, .version = rule->info.version, .title = rule->info.title, .grade = grade
	};
	take_evidence(out, rule, states, facts, arena);
	return true;
}

/* Best grade first; rules are tried in the order of ids, so equal grades stay in it. */
static void insert(struct dt_match *list, size_t *count, const struct dt_match *match)
{
	size_t at = *count;

	while (at > 0 && list[at - 1].grade < match->grade)
		at--;
	if (at == DT_MAX_MATCHES)
		return;
	size_t moved = *count - at - (*count == DT_MAX_MATCHES);
	memmove(&list[at + 1], &list[at], moved * sizeof(*list));
	list[at] = *match;
	*count += *count < DT_MAX_MATCHES;
}

size_t dt_rules_match(const struct dt_rules *rules, const struct dt_facts *facts, struct dt_arena *arena,
                      struct dt_match **out)
{
	struct dt_match *list = NULL, match;
	struct dt_index_set candidates;
	size_t count = 0;

	dt_index_find(rules, facts, &candidates);
	for (size_t i = 0; i < rules->count; i++) {
		if (!(candidates.bits[i / 64] >> i % 64 & 1))
			continue;
		if (!dt_rule_passes_gates(rules->rule[i], facts) || !match_rule(rules->rule[i], facts, arena, &match))
			continue;
		if (!list && !(list = DT_ARENA_ARRAY(arena, DT_MAX_MATCHES, struct dt_match)))
			return 0;
		insert(list, &count, &match);
	}
	*out = list;
	return count;
}
