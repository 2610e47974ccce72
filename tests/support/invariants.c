#include "support/invariants.h"

#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "core/model/codec.h"
#include "core/model/json.h"
#include "core/tables/images.h"

static char reason[512];

static const struct dt_module *module_named(const struct dt_facts *facts, const char *name)
{
	for (size_t i = 0; i < facts->modules_count; i++)
		if (facts->modules[i].name && dt_text_equal_fold(facts->modules[i].name, name))
			return &facts->modules[i];
	return NULL;
}

static const char *place_broken(const struct dt_facts *facts, const char *what, const char *module, struct dt_opt offset,
                                struct dt_opt ip)
{
	if (!module)
		return NULL;
	snprintf(reason, sizeof(reason), "%s: %s", what, module);
	if (!offset.known || !ip.known)
		return reason;
	/* Of several modules with one name, one must hold the address. */
	for (size_t i = 0; i < facts->modules_count; i++) {
		const struct dt_module *m = &facts->modules[i];
		if (m->name && dt_text_equal_fold(m->name, module) && ip.value - m->base.value == offset.value &&
		    offset.value < m->size.value)
			return NULL;
	}
	return reason;
}

static const char *facts_broken(const struct dt_facts *facts)
{
	const char *why = place_broken(facts, "fault", facts->fault.module, facts->fault.offset, facts->fault.ip);

	for (size_t i = 0; !why && i < facts->stack_count; i++)
		if (facts->stack[i].unloaded != DT_TRUE)
			why = place_broken(facts, "frame", facts->stack[i].module, facts->stack[i].offset, facts->stack[i].ip);
	if (why)
		return why;
	if (!facts->schema || strcmp(facts->schema, DT_CRASH_SCHEMA))
		return "schema";
	if (facts->failure && (!facts->failure->kind || !facts->failure->text || !facts->failure->text[0]))
		return "a failure without kind or text";
	if (facts->failure && facts->failure->offset.known && facts->file.size.known &&
	    facts->failure->offset.value > facts->file.size.value)
		return "a failure behind the end of the file";
	return NULL;
}

static const char *judgement_broken(const struct dt_facts *facts, const struct dt_judgement *judgement)
{
	const struct dt_verdict *verdict = &judgement->verdict;
	const char *blamed = judgement->blame.module;

	bool open_end = verdict->class == DT_CLASS_UNDETERMINED || verdict->class == DT_CLASS_UNREADABLE;
	if (!verdict->class || !verdict->summary || !verdict->summary[0])
		return "an incomplete verdict";
	if (verdict->confidence.known ? verdict->confidence.value > 100 : !open_end)
		return "a verdict without a sound confidence";
	if (facts->failure && !facts->bugcheck && !facts->dump.format && verdict->class != DT_CLASS_UNREADABLE)
		return "a verdict on a file that was not read";
	if (!blamed)
		return NULL;
	if (dt_image_is_carrier(blamed, facts->dump.format == DT_FORMAT_KERNEL))
		return "a carrier is blamed";
	for (size_t i = 0; i < facts->unloaded_count; i++)
		if (facts->unloaded[i].name && dt_text_equal_fold(facts->unloaded[i].name, blamed))
			return NULL;
	return module_named(facts, blamed) ? NULL : "a module is blamed that the dump does not have";
}

/* Both codecs must give the record back: compared as JSON text. */
static const char *codecs_broken(const struct dt_crash *crash)
{
	struct dt_buf json, again, binary;
	struct dt_arena arena;
	struct dt_crash copy;
	struct dt_error err = { .text = "" };
	const char *why = NULL;

	dt_buf_init(&json, DT_MAX_JSON);
	dt_buf_init(&again, DT_MAX_JSON);
	dt_buf_init(&binary, DT_MAX_RECORD);
	dt_arena_init(&arena, 4 * DT_MAX_ARENA);
	dt_json_write_crash(crash, DT_JSON_LINE, &json);
	dt_crash_encode(crash, &binary);
	if (!dt_buf_ok(&json) || !dt_buf_ok(&binary))
		why = "the record cannot be encoded";
	else if (dt_crash_decode(dt_buf_bytes(&binary), &arena, &copy, &err) != DT_OK)
		why = err.text;
	else {
		dt_json_write_crash(&copy, DT_JSON_LINE, &again);
		if (strcmp(dt_buf_text(&json), dt_buf_text(&again)))
			why = "the binary codec changed the record";
		else if (dt_json_read_crash(dt_buf_text(&json), json.len, &arena, &copy, &err) != DT_OK)
			why = err.text;
		else {
			dt_buf_reset(&again);
			dt_json_write_crash(&copy, DT_JSON_LINE, &again);
			if (strcmp(dt_buf_text(&json), dt_buf_text(&again)))
				why = "the JSON codec changed the record";
		}
	}
	if (why)
		why = strncpy(reason, why, sizeof(reason) - 1);
	dt_arena_deinit(&arena);
	dt_buf_deinit(&binary);
	dt_buf_deinit(&again);
	dt_buf_deinit(&json);
	return why;
}

const char *invariants_broken(const struct dt_crash *crash)
{
	const char *why = facts_broken(&crash->facts);

	if (!why)
		why = judgement_broken(&crash->facts, &crash->judgement);
	return why ? why : codecs_broken(crash);
}
