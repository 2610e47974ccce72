/* dumptriage signatures import-vulnerable: the list of loldrivers.io (drivers.json) becomes the list that rules use. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "doors/cli/signatures.h"

enum { MAX_ROWS = 100000, MAX_NAME = 64 };

struct rows {
	char (*lines)[144];
	size_t count, cap, skipped;
};

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* "RTCore64.sys" in lower case; false for what is no name of a driver's file. */
static bool file_name(const json_t *json, char out[MAX_NAME + 1])
{
	const char *text = json_string_value(json);
	size_t len = text ? strlen(text) : 0;

	if (len < 5 || len > MAX_NAME)
		return false;
	for (size_t i = 0; i <= len; i++) {
		if (text[i] && ((unsigned char)text[i] < 0x20 || strchr("\\/\x7f", text[i])))
			return false;
		out[i] = dt_text_fold(text[i]);
	}
	return !strcmp(out + len - 4, ".sys");
}

/* "2016-09-05 02:43:33", UTC, as seconds since 1970. */
static bool timestamp(const json_t *json, uint32_t *out)
{
	const char *text = json_string_value(json);
	uint64_t filetime;
	char iso[32];

	if (!text || strlen(text) != 19 || text[10] != ' ')
		return false;
	(void)snprintf(iso, sizeof(iso), "%.10sT%sZ", text, text + 11);
	if (!dt_time_parse(iso, &filetime) || filetime / 10000000 < UINT64_C(11644473600))
		return false;
	uint64_t seconds = filetime / 10000000 - UINT64_C(11644473600);
	*out = (uint32_t)seconds;
	return seconds > 0 && seconds <= UINT32_MAX; /* 0: the linker wrote none */
}

static bool is_id(const char *id)
{
	return id && *id && strlen(id) <= 40 && strspn(id, "0123456789abcdef-") == strlen(id);
}

static bool add(struct rows *rows, const char *name, uint32_t built, const char *id)
{
	if (rows->count == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 1024;
		void *grown = cap <= MAX_ROWS * 2 ? realloc(rows->lines, cap * sizeof(rows->lines[0])) : NULL;
		if (!grown)
			return false;
		rows->lines = grown;
		rows->cap = cap;
	}
	(void)snprintf(rows->lines[rows->count++], sizeof(rows->lines[0]), "%s\t0x%08x\t-\t%s", name, built, id);
	return true;
}

/* A sample is known by its file's name, the name it was built with, and the names its entry goes by. */
static bool add_sample(struct rows *rows, const json_t *sample, const json_t *tags, const char *id)
{
	static const char *const members[] = { "Filename", "OriginalFilename", "InternalName" };
	char name[MAX_NAME + 1];
	uint32_t built;
	bool ok = true;
	size_t found = 0;

	if (!timestamp(json_object_get(sample, "CreationTimestamp"), &built)) {
		rows->skipped++;
		return true;
	}
	for (size_t i = 0; ok && i < sizeof(members) / sizeof(members[0]); i++)
		if (file_name(json_object_get(sample, members[i]), name)) {
			ok = add(rows, name, built, id);
			found++;
		}
	for (size_t i = 0; ok && i < json_array_size(tags); i++)
		if (file_name(json_array_get(tags, i), name)) {
			ok = add(rows, name, built, id);
			found++;
		}
	rows->skipped += !found;
	return ok;
}

static bool add_driver(struct rows *rows, const json_t *driver)
{
	const char *id = json_string_value(json_object_get(driver, "Id"));
	const json_t *samples = json_object_get(driver, "KnownVulnerableSamples");

	if (!is_id(id)) {
		rows->skipped++;
		return true;
	}
	for (size_t i = 0; i < json_array_size(samples); i++)
		if (!add_sample(rows, json_array_get(samples, i), json_object_get(driver, "Tags"), id))
			return false;
	return true;
}

static bool write_rows(FILE *out, const struct rows *rows, size_t *written)
{
	const char *last = "";

	fputs("# Drivers with known vulnerabilities: name, timestamp of the PE header, size of the image, entry of https://www.loldrivers.io\n", out);
	for (size_t i = 0; i < rows->count; i++) {
		/* One build under one name in two entries is one line. */
		size_t key = strcspn(rows->lines[i], "\t") + 11;
		if (strncmp(last, rows->lines[i], key)) {
			fprintf(out, "%s\n", rows->lines[i]);
			++*written;
		}
		last = rows->lines[i];
	}
	return !ferror(out);
}

static int write_list(const struct dt_signatures_call *call, const struct rows *rows)
{
	FILE *out = call->out ? fopen(call->out, "we") : stdout;
	size_t written = 0;

	if (!out)
		return dt_door_fail("%s: cannot write: %s", call->out, strerror(errno));
	bool ok = write_rows(out, rows, &written);
	if (call->out && fclose(out))
		ok = false;
	if (!ok)
		return dt_door_fail("%s: cannot write", call->out ? call->out : "standard output");
	fprintf(stderr, "%zu %s of drivers, %zu %s without a name or a time left out\n", written, dt_text_plural(written, "build", "builds"), rows->skipped,
	        dt_text_plural(rows->skipped, "sample", "samples"));
	return DT_EXIT_OK;
}

int dt_signatures_import(const struct dt_signatures_call *call)
{
	json_error_t why;
	json_t *json = json_load_file(call->words[0], JSON_REJECT_DUPLICATES, &why);
	struct rows rows = { .lines = NULL };
	int status = DT_EXIT_OK;

	if (!json) {
		(void)dt_door_fail("%s:%d:%d: %s", call->words[0], why.line, why.column, why.text);
		return DT_EXIT_UNREADABLE;
	}
	for (size_t i = 0; status == DT_EXIT_OK && i < json_array_size(json); i++)
		if (!add_driver(&rows, json_array_get(json, i)))
			status = dt_door_fail("%s: more builds than %d, or no memory for them", call->words[0], MAX_ROWS);
	if (status == DT_EXIT_OK && !rows.count) {
		(void)dt_door_fail("%s: expected a list of drivers as loldrivers.io has it, found none", call->words[0]);
		status = DT_EXIT_UNREADABLE;
	}
	json_decref(json);
	if (status == DT_EXIT_OK) {
		qsort(rows.lines, rows.count, sizeof(rows.lines[0]), compare);
		status = write_list(call, &rows);
	}
	free(rows.lines);
	return status;
}
