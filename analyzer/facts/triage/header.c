/* What the header says: format, machine, build, time; and the images. */
#include "core/base/buf.h"
#include "core/base/limits.h"
#include "core/base/time.h"
#include "core/tables/images.h"
#include "facts/triage/pass.h"

/* A crash before 1996 or after 2100 happened on a clock that was not set; so did
 * one after the analysis (a day is allowed for clocks that run ahead). */
static enum dt_time_trust time_trust(uint64_t time)
{
	const uint64_t year_1996 = UINT64_C(124649280000000000), year_2100 = UINT64_C(157469184000000000);

	if (time == 0)
		return DT_time_trust_NULL;
	if (time < year_1996 || time > year_2100 || time > dt_time_now() + 86400 * DT_TIME_SECOND)
		return DT_TIME_IMPLAUSIBLE;
	return DT_TIME_OK;
}

static const char *os_in_words(const struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_buf buf;

	if (!dt_dump_is_windows(dump))
		return dump->os_text;
	if (!dump->build.known)
		return NULL;
	dt_buf_init(&buf, 512);
	dt_os_name(dump->os_major, dump->os_minor, (uint32_t)dump->build.value, dump->product_type, &buf);
	if (dump->os_text && dump->os_text[0])
		dt_buf_printf(&buf, ", %s", dump->os_text);
	const char *text = dt_buf_ok(&buf) ? dt_arena_strdup(pass->arena, dt_buf_text(&buf)) : NULL;
	dt_buf_deinit(&buf);
	return text;
}

/* How long the machine had run (kernel), or the process (user). */
static struct dt_opt uptime_ms(const struct dt_dump *dump)
{
	if (dump->uptime.known)
		return dt_some(dump->uptime.value / 10000 + (dump->uptime.value % 10000 >= 5000));
	if (dump->format == DT_FORMAT_USER && dump->process_created.known && dump->time) {
		uint64_t created = dt_time_from_unix(dump->process_created.value);
		if (created <= dump->time)
			return dt_some((dump->time - created) / 10000);
	}
	return (struct dt_opt){ 0 };
}

void dt_pass_header(struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_dump_facts *out = &pass->facts->dump;

	out->format = dump->format;
	out->kind = dump->kind;
	out->machine = dump->machine;
	out->build = dump->build;
	out->os = os_in_words(pass);
	out->time = dump->time;
	out->time_trust = time_trust(dump->time);
	out->uptime_s = uptime_ms(dump);
	out->processors = dump->processors;
	out->complete = dump->complete;
	out->writer = dump->writer;
	out->live = dump->live;
	out->missing = DT_ARENA_ARRAY(pass->arena, dump->missing_count, const char *);
	for (size_t i = 0; out->missing && i < dump->missing_count; i++)
		out->missing[out->missing_count++] = dump->missing[i];
	if (dump->host && !pass->facts->host.name) {
		pass->facts->host.name = dump->host;
		pass->facts->host.source = DT_HOST_MEMORY;
	}
	pass->facts->blobs = dump->blobs;
	pass->facts->blobs_count = dump->blob_count;
	pass->facts->annotations = dump->annotations;
	pass->facts->annotations_count = dump->annotation_count;
}

void dt_pass_modules(struct dt_pass *pass)
{
	const struct dt_dump *dump = pass->dump;
	struct dt_facts *facts = pass->facts;
	bool kernel = dt_dump_is_kernel(dump), windows = dt_dump_is_windows(dump);

	facts->modules = dump->modules;
	facts->modules_count = dump->module_count;
	facts->unloaded = dump->unloaded;
	facts->unloaded_count = dump->unloaded_count;
	/* By name only: a name that is not in the table proves nothing. */
	for (size_t i = 0; windows && i < facts->modules_count; i++)
		if (facts->modules[i].name && dt_image_is_microsoft(facts->modules[i].name, kernel))
			facts->modules[i].microsoft = DT_TRUE;
}
