#include <string.h>

#include "core/base/buf.h"
#include "core/base/text.h"
#include "core/hash/hash.h"
#include "core/model/field.h"
#include "core/tables/bugcheck.h"
#include "core/tables/codes.h"
#include "judgement/bucket/bucket.h"

enum { MAX_KEY = 1024 };

/* Names in lower case; an escape of base/text.h, between U+27E8 and U+27E9, is spelled in capitals and stays as it is. */
static void put_folded(struct dt_buf *out, const char *text)
{
	bool escape = false;

	for (; *text; text++) {
		if (!strncmp(text, "\xE2\x9F\xA8", 3))
			escape = true;
		else if (!strncmp(text, "\xE2\x9F\xA9", 3))
			escape = false;
		dt_buf_putc(out, escape ? *text : dt_text_fold(*text));
	}
}

static const uint64_t *parameters(const struct dt_bugcheck *bugcheck)
{
	return bugcheck->parameters_count == 4 ? bugcheck->parameters : NULL;
}

/* Whether the stop is an invalid access, however Windows said it. */
static bool is_access(const struct dt_facts *facts, const struct dt_reading *reading)
{
	if (facts->exception.code.known)
		return facts->exception.code.value == 0xc0000005;
	return reading && (dt_reading_role(reading, DT_ROLE_ACCESS_PF) >= 0 || dt_reading_role(reading, DT_ROLE_ACCESS_IRQL) >= 0);
}

static void put_subcode(const struct dt_bugcheck *bugcheck, const struct dt_reading *reading, struct dt_buf *out)
{
	static const enum dt_role roles[] = { DT_ROLE_SUBCODE, DT_ROLE_FAST_FAIL };

	for (size_t i = 0; reading && parameters(bugcheck) && i < sizeof(roles) / sizeof(roles[0]); i++) {
		int at = dt_reading_role(reading, roles[i]);
		if (at < 0)
			continue;
		dt_buf_putc(out, '/');
		dt_buf_hex(out, bugcheck->parameters[at]);
		return;
	}
}

static const struct dt_reading *reading_of(const struct dt_facts *facts)
{
	const struct dt_bugcheck *bugcheck = facts->bugcheck;

	return bugcheck && bugcheck->code.known
	               ? dt_bugcheck_reading((uint32_t)bugcheck->code.value, parameters(bugcheck), facts->dump.machine,
	                                     (uint32_t)facts->dump.build.value)
	               : NULL;
}

/* false: the input has neither stop code nor exception. */
static bool put_class(const struct dt_facts *facts, struct dt_buf *out)
{
	const struct dt_exception *exception = &facts->exception;
	const struct dt_reading *reading = reading_of(facts);
	const char *access = dt_word(&dt_words_access, exception->access);
	bool stop = facts->bugcheck && facts->bugcheck->code.known;

	if (!stop && !exception->code.known)
		return false;
	if (facts->dump.format == DT_FORMAT_USER)
		dt_buf_puts(out, "u:");
	if (is_access(facts, reading)) {
		dt_buf_printf(out, "av%s%s", access ? ":" : "", access ? access : "");
		return true;
	}
	if (exception->code.known && (!stop || (reading && dt_reading_role(reading, DT_ROLE_EXCEPTION_CODE) >= 0))) {
		dt_buf_puts(out, "exc:");
		dt_buf_hex(out, exception->code.value);
		return true;
	}
	dt_buf_hex(out, facts->bugcheck->code.value);
	put_subcode(facts->bugcheck, reading, out);
	return true;
}

/* The image of a name; where several have it, the one that is large enough for the offset. */
static const struct dt_module *find_module(const struct dt_facts *facts, const char *name, struct dt_opt offset)
{
	const struct dt_module *found = NULL;

	for (size_t i = 0; name && i < facts->modules_count; i++) {
		const struct dt_module *module = &facts->modules[i];
		if (!dt_text_equal_fold(module->name, name))
			continue;
		if (!offset.known || !module->size.known || offset.value < module->size.value)
			return module;
		found = module;
	}
	return found;
}

static void put_size(const struct dt_facts *facts, const char *name, struct dt_opt offset, struct dt_buf *out)
{
	const struct dt_module *module = find_module(facts, name, offset);

	dt_buf_putc(out, '|');
	if (module && module->size.known)
		dt_buf_hex(out, module->size.value);
	else
		dt_buf_putc(out, '?');
}

/* Where nobody is blamed, what two programs have in common is that they use ntdll: each has groups of its own. */
static void put_program(const struct dt_facts *facts, struct dt_buf *out)
{
	if (facts->dump.format != DT_FORMAT_USER || !facts->process.name)
		return;
	dt_buf_puts(out, "|@");
	put_folded(out, facts->process.name);
}

static const char *key(const struct dt_facts *facts, const char *name, struct dt_opt offset, bool blamed, bool own,
                       struct dt_arena *arena)
{
	const char *text = NULL;
	struct dt_buf out;

	dt_buf_init(&out, MAX_KEY);
	if (put_class(facts, &out)) {
		dt_buf_puts(&out, blamed ? "|" : "|?");
		put_folded(&out, name ? name : "");
		if (own && name && offset.known) {
			dt_buf_putc(&out, '+');
			dt_buf_hex(&out, offset.value);
		}
		if (own && name)
			put_size(facts, name, offset, &out);
		if (!blamed)
			put_program(facts, &out);
		if (dt_buf_ok(&out))
			text = dt_arena_strdup(arena, dt_buf_text(&out));
	}
	/* A key that is left out must be what the crash says, not what the machine had no memory for. */
	dt_arena_refused(arena, out.no_memory);
	dt_buf_deinit(&out);
	return text;
}

void dt_bucket(const struct dt_facts *facts, const struct dt_blame *blame, struct dt_arena *arena, struct dt_bucket *out)
{
	bool blamed = blame->module != NULL;
	const char *name = blamed ? blame->module : facts->fault.module;
	struct dt_opt offset = blamed ? blame->offset : facts->fault.offset;

	*out = (struct dt_bucket){ 0 };
	out->own = key(facts, name, offset, blamed, true, arena);
	out->family = key(facts, name, offset, blamed, false, arena);
	out->id = dt_bucket_windbg(facts, blame, arena);
	out->hash = out->id ? dt_bucket_hash(out->id, facts->dump.format != DT_FORMAT_USER, arena) : NULL;
}

const char *dt_bucket_hash(const char *id, bool kernel, struct dt_arena *arena)
{
	uint8_t d[DT_MD5_SIZE];
	struct dt_buf text;

	dt_buf_init(&text, 8 * MAX_KEY);
	for (const char *p = kernel ? "km:" : "um:"; *p; p++)
		dt_buf_append(&text, (char[2]){ *p, 0 }, 2);
	for (; *id; id++)
		dt_buf_append(&text, (char[2]){ dt_text_fold(*id), 0 }, 2);
	bool ok = dt_buf_ok(&text);
	if (ok)
		dt_md5(dt_buf_bytes(&text), d);
	dt_arena_refused(arena, text.no_memory);
	dt_buf_deinit(&text);
	return ok ? dt_arena_printf(arena, "{%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x}", d[3], d[2],
	                            d[1], d[0], d[5], d[4], d[7], d[6], d[8], d[9], d[10], d[11], d[12], d[13], d[14], d[15])
	          : NULL;
}
