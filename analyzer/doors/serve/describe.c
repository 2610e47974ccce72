/* An upload as the spool keeps it, so that it is finished by the next server when this one ends. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/names.h"
#include "core/base/text.h"
#include "core/base/time.h"
#include "core/model/json.h"
#include "doors/serve/jobs.h"

void dt_job_describe(const struct dt_job *job, struct dt_buf *out)
{
	dt_buf_printf(out, "{\"schema\":\"dumptriage.upload/1\",\"at\":\"%llu\"", (unsigned long long)job->at);
	dt_json_write_member("host", job->host, out);
	dt_json_write_member("ticket", job->ticket, out);
	dt_json_write_member("note", job->note, out);
	dt_json_write_member("who", job->who, out);
	dt_json_write_member("address", job->address, out);
	dt_buf_puts(out, ",\"files\":[");
	for (size_t i = 0; i < job->file_count; i++) {
		dt_buf_printf(out, "%s{\"size\":%llu", i ? "," : "", (unsigned long long)job->files[i].size);
		dt_json_write_member("name", job->files[i].name, out);
		dt_json_write_member("sha256", job->files[i].sha256, out);
		dt_buf_putc(out, '}');
	}
	dt_buf_puts(out, "]}\n");
}

static const char *text_of(const json_t *object, const char *name, struct dt_arena *arena)
{
	const char *text = json_string_value(json_object_get(object, name));

	return dt_arena_strdup(arena, text);
}

static bool read_file(struct dt_job *job, const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "name")), *sha256 = json_string_value(json_object_get(object, "sha256"));
	json_int_t size = json_integer_value(json_object_get(object, "size"));
	struct dt_job_file *file = name && sha256 && strlen(sha256) == 64 && size >= 0 ? dt_job_add_file(job, name) : NULL;

	if (!file)
		return false;
	file->size = (uint64_t)size;
	memcpy(file->sha256, sha256, 65);
	file->host = dt_job_host_of_name(name, &job->arena);
	return true;
}

static bool read_all(struct dt_job *job, const json_t *object)
{
	const char *at = json_string_value(json_object_get(object, "at"));
	const json_t *files = json_object_get(object, "files");
	size_t count = json_array_size(files);

	if (!at || !dt_text_parse_u64(at, false, &job->at) || !count)
		return false;
	job->host = text_of(object, "host", &job->arena);
	job->ticket = text_of(object, "ticket", &job->arena);
	job->note = text_of(object, "note", &job->arena);
	job->who = text_of(object, "who", &job->arena);
	job->address = text_of(object, "address", &job->arena);
	for (size_t i = 0; i < count; i++)
		if (!read_file(job, json_array_get(files, i)))
			return false;
	return !job->arena.failed;
}

enum dt_status dt_job_restore(struct dt_job **out, const char *id, struct dt_bytes description, struct dt_error *err)
{
	struct dt_job *job = dt_job_create();
	json_error_t where;
	json_t *object = json_loadb((const char *)description.data, description.len, 0, &where);
	bool ok = job && object && read_all(job, object);

	json_decref(object);
	if (!ok) {
		dt_job_free(job);
		return dt_fail(err, DT_ERR_FORMAT, "spool: %.40s.json is not the description of an upload", id);
	}
	snprintf(job->id, sizeof(job->id), "%s", id);
	*out = job;
	return DT_OK;
}

/* ---- the host in a name ---------------------------------------------------------------- */

static bool is_word(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && !strncasecmp(text, word, len);
}

const char *dt_job_host_of_name(const char *name, struct dt_arena *arena)
{
	static const char *const archives[] = { ".zip", ".7z", ".cab", ".tar.gz", ".tgz" };
	/* What a collector writes in front that is no host. */
	static const char *const words[] = { "memory", "minidump", "mini", "dump", "dumps", "crash", "crashes", "report", "wer", "logs", "log",
		                             "kernel", "full", "live", "bsod", "windows", "win", "system", "archive", "collected" };
	size_t len = strcspn(name, "_");
	bool archive = false;

	for (size_t i = 0; i < sizeof(archives) / sizeof(archives[0]); i++)
		archive |= dt_text_ends_fold(name, archives[i]);
	if (!archive || name[len] != '_' || len < 2 || len > 63 || name[0] == '-' || name[len - 1] == '-')
		return NULL;
	for (size_t i = 0; i < len; i++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-", name[i]))
			return NULL;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(name, len, words[i]))
			return NULL;
	/* A date is no host, either. */
	if (strspn(name, "0123456789-") == len)
		return NULL;
	return dt_host_fold(arena, dt_arena_strndup(arena, name, len));
}
