/*
 * Real dumps, where they are at hand: each must give the facts that an
 * independent reader found in it, and, cut anywhere, a status and a text.
 */
#include "fixture.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "core/base/text.h"
#include "core/base/time.h"

#define CORPUS DT_SOURCE_DIR "/../shared/corpus/"
#define MAX_ROWS 256

static struct {
	json_t *row[MAX_ROWS];
	size_t count;
} expected;

static uint8_t *file;
static size_t file_len;
static struct opened o;
static const char *current; /* file name, for messages */

#define CHECK(condition)                                         \
	do {                                                     \
		if (!(condition))                                \
			fail_msg("%s: %s", current, #condition); \
	} while (0)

static int set_up(void **state)
{
	static char line[65536];
	FILE *stream = fopen(CORPUS "expected.jsonl", "r");

	(void)state;
	while (stream && fgets(line, sizeof(line), stream) && expected.count < MAX_ROWS)
		expected.row[expected.count++] = json_loads(line, 0, NULL);
	if (stream)
		fclose(stream);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < expected.count; i++)
		json_decref(expected.row[i]);
	free(file);
	return 0;
}

static const char *text(const json_t *row, const char *key)
{
	return json_string_value(json_object_get(row, key));
}

static uint64_t number(const json_t *row, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(row, key));
}

static uint64_t hex(const char *value)
{
	uint64_t out = 0;

	CHECK(value && dt_text_parse_u64(value, true, &out));
	return out;
}

static bool load(const char *folder, const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), CORPUS "%s/%s", folder, name);
	FILE *stream = fopen(path, "rb");
	current = name;
	if (!stream)
		return false;
	fseek(stream, 0, SEEK_END);
	file_len = (size_t)ftell(stream);
	rewind(stream);
	free(file);
	file = malloc(file_len + 1);
	CHECK(file && fread(file, 1, file_len, stream) == file_len);
	fclose(stream);
	return true;
}

static bool is_user(const json_t *row)
{
	return strcmp(text(row, "kind"), "minidump") == 0;
}

static void skip_without_corpus(void)
{
	if (expected.count)
		return;
	print_message("skipped: no corpus at " CORPUS "\n");
	skip();
}

/* ---- kernel --------------------------------------------------------------- */

static void check_kernel_header(const json_t *row)
{
	const struct dt_dump *dump = &o.dump;
	bool flag = dump->bugcheck_code >> 28 == 1;
	char time[DT_TIME_TEXT_MAX];

	CHECK(dump->format == DT_FORMAT_KERNEL);
	CHECK(dump->kind == (strcmp(text(row, "kind"), "full") == 0 ? DT_KIND_FULL : DT_KIND_TRIAGE));
	CHECK(dump->machine == (strcmp(text(row, "machine"), "arm64") == 0 ? DT_MACHINE_ARM64 : DT_MACHINE_X64));
	CHECK(dt_opt_is(dump->build, number(row, "build")));
	CHECK(dt_opt_is(dump->processors, number(row, "processors")));
	CHECK(dump->has_bugcheck);
	CHECK(flag == json_is_true(json_object_get(row, "flag_0x10000000")));
	CHECK((flag ? dump->bugcheck_code & 0x0fffffff : dump->bugcheck_code) == hex(text(row, "bugcheck")));
	for (size_t i = 0; i < 4; i++)
		CHECK(dump->bugcheck_parameter[i] ==
		      hex(json_string_value(json_array_get(json_object_get(row, "parameters"), i))));
	CHECK(dt_time_format(dump->time, time));
	CHECK(strncmp(time, text(row, "time"), 19) == 0);
	double uptime = (double)dump->uptime.value / 1e7,
	       wanted = json_number_value(json_object_get(row, "uptime_s"));
	CHECK(dump->uptime.known && uptime > wanted - 0.001 && uptime < wanted + 0.001);
}

static void check_triage(const json_t *row)
{
	const struct dt_dump *dump = &o.dump;
	struct dt_opt sp = dt_context_sp(&dump->context), ip = dt_context_ip(&dump->context);

	CHECK(dump->complete == DT_TRUE && dump->missing_count == 0 && o.notes.count == 0);
	CHECK(dump->module_count == number(row, "drivers"));
	CHECK(dump->unloaded_count == number(row, "unloaded"));
	CHECK(dump->kdbg.valid && dump->kdbg.kern_base == dump->modules[0].base.value);
	CHECK(strcmp(dump->modules[0].name, "ntoskrnl.exe") == 0);
	CHECK(sp.known && sp.value >= dump->stack_va && sp.value - dump->stack_va < dump->stack_len);
	CHECK(ip.known && dt_dump_module_at(dump, ip.value));
	CHECK(dt_memory_span(&dump->memory, ip.value, 1) == 1);
	CHECK(dump->prcb.bytes.len && dump->thread.va && dump->process.va && dump->writer);
	if (text(row, "fault_module")) {
		const struct dt_module *module = dt_dump_module_at(dump, hex(text(row, "fault_ip")));
		CHECK(module && strcmp(module->name, text(row, "fault_module")) == 0);
		CHECK(hex(text(row, "fault_ip")) - module->base.value == hex(text(row, "fault_offset")));
	}
}

/* The name in the EPROCESS copy: where it stands is told by the parent's id before it. */
static void check_process(const json_t *row)
{
	const struct dt_dump *dump = &o.dump;
	const char *name = text(row, "process");
	bool found = false;

	for (uint64_t gap = 0x60; name && gap <= 0x80 && !found; gap += 8)
		found = dt_bytes_match(dump->process.bytes, dump->kdbg.off_eprocess_parent_cid + gap, name,
		                       strlen(name));
	CHECK(!name || found);
}

static void kernel_dumps_give_the_expected_facts(void **state)
{
	size_t count = 0;

	(void)state;
	skip_without_corpus();
	for (size_t i = 0; i < expected.count; i++) {
		const json_t *row = expected.row[i];

		if (is_user(row) || !load("kernel", text(row, "file")))
			continue;
		open_bytes(&o, file, file_len);
		CHECK(o.status == DT_OK);
		check_kernel_header(row);
		if (o.dump.kind == DT_KIND_TRIAGE) {
			check_triage(row);
			check_process(row);
		} else {
			CHECK(o.dump.complete == DT_FALSE && is_missing(&o, "end of the file: 0x2 of 0x7fe86 pages of memory are there"));
		}
		check_any(&o);
		close_opened(&o);
		count++;
	}
	print_message("%zu kernel dumps agree\n", count);
	assert_true(count > 0);
}

/* ---- user ------------------------------------------------------------------ */

struct crash_type {
	const char *name;
	uint32_t code;
	int access; /* parameter 0, or -1 */
};

static const struct crash_type crash_types[] = {
	{ "EXCEPTION_ACCESS_VIOLATION_READ", 0xc0000005, 0 },
	{ "EXCEPTION_ACCESS_VIOLATION_WRITE", 0xc0000005, 1 },
	{ "EXCEPTION_ACCESS_VIOLATION_EXEC", 0xc0000005, 8 },
	{ "EXCEPTION_STACK_OVERFLOW", 0xc00000fd, -1 },
	{ "EXCEPTION_STACK_BUFFER_OVERRUN / FAST_FAIL_FATAL_APP_EXIT", 0xc0000409, 7 },
	{ "EXCEPTION_BOUNDS_EXCEEDED", 0xc000008c, -1 },
	{ "EXCEPTION_BREAKPOINT", 0x80000003, -1 },
	{ "STATUS_INVALID_PARAMETER", 0xc000000d, -1 },
	{ "SIGILL", 4, -1 },
	{ "SIGSEGV", 11, -1 },
};

static void check_exception(const json_t *row)
{
	const struct dt_exception_record *record = &o.dump.exception;
	const char *name = text(row, "crash_type");
	const struct crash_type *type = NULL;

	CHECK(record->present == (name != NULL));
	if (!name)
		return;
	for (size_t i = 0; i < sizeof(crash_types) / sizeof(crash_types[0]); i++)
		if (strcmp(crash_types[i].name, name) == 0)
			type = &crash_types[i];
	CHECK(type && record->code == type->code);
	CHECK(type->access < 0 || record->parameter[0] == (uint64_t)type->access);
	CHECK((type->code == 0xc0000005 ? record->parameter[1] : record->address) ==
	      hex(text(row, "crash_address")));
	CHECK(dt_opt_is(dt_context_ip(&o.dump.context), hex(text(row, "frame0_ip"))));
	const struct dt_module *module = dt_dump_module_at(&o.dump, hex(text(row, "frame0_ip")));
	CHECK((module != NULL) == (text(row, "frame0_module") != NULL));
	CHECK(!module || strcmp(module->name, text(row, "frame0_module")) == 0);
}

static void check_system(const json_t *row)
{
	const struct dt_dump *dump = &o.dump;
	const char *cpu = text(row, "cpu"), *version = text(row, "os_ver");
	bool windows = strncmp(text(row, "os"), "Windows", 7) == 0;
	char found[256];

	CHECK(dump->machine == (strcmp(cpu, "x86") == 0 ? DT_MACHINE_X86 : DT_MACHINE_X64));
	CHECK(dt_dump_is_windows(dump) == windows);
	if (!windows) {
		CHECK(dump->os_text && strstr(dump->os_text, version));
		return;
	}
	snprintf(found, sizeof(found), "%" PRIu32 ".%" PRIu32 ".%" PRIu64 "%s%s", dump->os_major, dump->os_minor,
	         dump->build.value, dump->os_text ? " " : "", dump->os_text ? dump->os_text : "");
	CHECK(strcmp(found, version) == 0);
	CHECK(dt_opt_is(dump->process_id, number(row, "pid")));
}

static void user_dumps_give_the_expected_facts(void **state)
{
	size_t count = 0;

	(void)state;
	skip_without_corpus();
	for (size_t i = 0; i < expected.count; i++) {
		const json_t *row = expected.row[i];

		if (!is_user(row) || !load("user", text(row, "file")))
			continue;
		open_bytes(&o, file, file_len);
		check_any(&o);
		CHECK(o.dump.format == DT_FORMAT_USER && o.dump.kind == DT_KIND_MINIDUMP);
		if (json_is_true(json_object_get(row, "readable"))) {
			CHECK(o.status == DT_OK);
			CHECK(o.dump.complete == DT_TRUE);
			CHECK(o.dump.module_count == number(row, "modules"));
			CHECK(o.dump.unloaded_count == number(row, "unloaded"));
			CHECK(o.dump.thread_count == number(row, "threads"));
			check_system(row);
			check_exception(row);
			count++;
		}
		close_opened(&o);
	}
	print_message("%zu user dumps agree\n", count);
	assert_true(count > 0);
}

/* ---- cut files --------------------------------------------------------------- */

static void check_cut(size_t len, enum dt_status whole)
{
	open_bytes(&o, file, len);
	check_any(&o);
	if (whole == DT_OK && o.status == DT_OK)
		CHECK(o.dump.complete != DT_NOT_KNOWN);
	if (o.dump.format == DT_FORMAT_KERNEL && len >= 0x2080)
		CHECK(o.status == DT_OK && o.dump.has_bugcheck);
	close_opened(&o);
}

static void sweep(const char *folder, const json_t *row, size_t places, size_t max_len)
{
	if (!load(folder, text(row, "file")) || file_len > max_len)
		return;
	open_bytes(&o, file, file_len);
	enum dt_status whole = o.status;
	close_opened(&o);
	for (size_t len = 0; len < file_len && len < 0x200; len++)
		check_cut(len, whole);
	for (size_t i = 1; i <= places && file_len > 0x200; i++)
		check_cut(0x200 + (file_len - 0x200) * i / places - (i & 3), whole);
}

static void cut_kernel_dumps_are_read_or_refused(void **state)
{
	(void)state;
	skip_without_corpus();
	for (size_t i = 0; i < expected.count; i++)
		if (!is_user(expected.row[i]))
			sweep("kernel", expected.row[i], 400, 1500000);
}

static void cut_user_dumps_are_read_or_refused(void **state)
{
	(void)state;
	skip_without_corpus();
	for (size_t i = 0; i < expected.count; i++) {
		if (!is_user(expected.row[i]))
			continue;
		sweep("user", expected.row[i], 1000, 60000);
		sweep("user", expected.row[i], 60, 1000000);
	}
}

/* All zero, empty, a text that claims to be a dump: whatever lies there is no dump. */
static void junk_is_refused_in_words(void **state)
{
	DIR *folder = opendir(CORPUS "junk");
	struct dirent *entry;
	size_t count = 0;

	(void)state;
	skip_without_corpus();
	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.' || !load("junk", entry->d_name))
			continue;
		open_bytes(&o, file, file_len);
		CHECK(o.status == DT_ERR_NOT_A_DUMP || o.status == DT_ERR_FORMAT);
		CHECK(o.err.text[0] && o.err.has_off);
		CHECK(!o.dump.has_bugcheck && !o.dump.exception.present && o.dump.module_count == 0);
		close_opened(&o);
		count++;
	}
	if (folder)
		closedir(folder);
	assert_true(count > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernel_dumps_give_the_expected_facts),
		cmocka_unit_test(user_dumps_give_the_expected_facts),
		cmocka_unit_test(cut_kernel_dumps_are_read_or_refused),
		cmocka_unit_test(cut_user_dumps_are_read_or_refused),
		cmocka_unit_test(junk_is_refused_in_words),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
