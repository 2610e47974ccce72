#include "report/event.h"

#include <string.h>

#include "core/base/text.h"
#include "core/base/time.h"
#include "core/hash/hash.h"
#include "core/tables/images.h"
#include "report/mask.h"

/* Severity by class of verdict, 0 to 100. */
static const unsigned severities[DT_verdict_class_COUNT] = {
	[DT_CLASS_KNOWN_INCIDENT] = 90, [DT_CLASS_HARDWARE] = 60,  [DT_CLASS_DRIVER] = 50,    [DT_CLASS_OS] = 50,         [DT_CLASS_UNDETERMINED] = 40,
	[DT_CLASS_APPLICATION] = 30,    [DT_CLASS_REQUESTED] = 10, [DT_CLASS_RECOVERED] = 20, [DT_CLASS_UNREADABLE] = 10,
};

static bool separator(char c)
{
	return c == '\\' || c == '/';
}

const char *dt_mask_user(const char *path, struct dt_arena *arena)
{
	static const char *const folders[] = { "users", "home", "documents and settings", "docume~1" };
	struct dt_buf out;

	if (!path)
		return NULL;
	/* Most texts hold no path at all. */
	if (!path[strcspn(path, "\\/")])
		return path;
	dt_buf_init(&out, 1u << 17);
	for (const char *at = path; *at;) {
		/* A name stands behind a separator, or at the beginning (members of archives). */
		size_t before = separator(*at) ? 1 : 0, len = 0;
		for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && !len && (before || at == path); i++)
			if (dt_text_starts_fold(at + before, folders[i]) && separator(at[before + strlen(folders[i])]))
				len = before + 1 + strlen(folders[i]);
		dt_buf_append(&out, at, len ? len : 1);
		at += len ? len : 1;
		if (!len || !*at)
			continue;
		dt_buf_puts(&out, "***");
		at += strcspn(at, "\\/");
	}
	const char *masked = dt_arena_strdup(arena, dt_buf_text(&out));
	dt_buf_deinit(&out);
	return masked;
}

void dt_event_uuid(const char *name, struct dt_arena *arena, char out[37])
{
	static const uint8_t name_space[16] = { 0x6d, 0x1f, 0x0c, 0x5e, 0x2a, 0x9b, 0x4e, 0x2f, 0x9c, 0x1d, 0x7a, 0x38, 0x51, 0xe0, 0x44, 0xb7 };
	size_t len = name ? strlen(name) : 0;
	uint8_t *bytes = dt_arena_alloc(arena, 16 + len), hash[DT_SHA1_SIZE];

	out[0] = '\0';
	if (!bytes || !name)
		return;
	memcpy(bytes, name_space, 16);
	memcpy(bytes + 16, name, len);
	dt_sha1((struct dt_bytes){ bytes, 16 + len }, hash);
	hash[6] = (uint8_t)((hash[6] & 0x0f) | 0x50);
	hash[8] = (uint8_t)((hash[8] & 0x3f) | 0x80);
	for (size_t i = 0, at = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[at++] = '-';
		dt_hash_hex(hash + i, 1, out + at);
		at += 2;
	}
}

/* A crash that is judged the same has the same event: receivers drop a resend. */
static void event_id(const struct dt_event *event, const char *encoding, struct dt_arena *arena, char out[37])
{
	const struct dt_crash *crash = event->crash;
	const char *key = crash->facts.crash_id ? crash->facts.crash_id : event->path_hash;
	const struct dt_match *match = event->match;

	dt_event_uuid(dt_arena_printf(arena, "%s|%d|%s|%s|%d|%s", key ? key : "", (int)crash->judgement.verdict.class, match ? match->signature : "",
	                              match && match->version ? match->version : "", match ? (int)match->grade : 0, encoding), arena, out);
}

/* The signature that decided. */
static const struct dt_match *judgement_match(const struct dt_judgement *judgement)
{
	return judgement->matches_count && judgement->matches[0].grade >= DT_GRADE_PROBABLE ? &judgement->matches[0] : NULL;
}

/* A security product's image, or the very build of a driver that is known to be vulnerable. */
static bool watched(const struct dt_judgement *judgement, const char *image)
{
	if (!image)
		return false;
	for (size_t i = 0; i < judgement->findings_count; i++)
		if (judgement->findings[i].module && dt_text_equal_fold(judgement->findings[i].module, image))
			return true;
	return dt_image_is_security(image);
}

static const char *message(const struct dt_event *event, struct dt_arena *arena)
{
	const struct dt_facts *facts = &event->crash->facts;
	const char *who = facts->host.name ? facts->host.name : "a host";
	const char *summary = event->crash->judgement.verdict.summary;

	return dt_arena_printf(arena, "%s: %s", who, summary ? summary : "a crash dump without a verdict");
}

static void put_path_hash(const char *path, struct dt_arena *arena, struct dt_event *out)
{
	char hash[2 * DT_SHA256_SIZE + 1];

	if (!path)
		return;
	dt_sha256_text((struct dt_bytes){ (const uint8_t *)path, strlen(path) }, hash);
	out->path_hash = dt_arena_strndup(arena, hash, 16);
}

void dt_event_head(const struct dt_crash *crash, const char *encoding, struct dt_arena *arena, struct dt_event *out)
{
	const struct dt_facts *facts = &crash->facts;
	const struct dt_judgement *judgement = &crash->judgement;

	memset(out, 0, sizeof(*out));
	out->crash = crash;
	out->match = judgement_match(judgement);
	out->created = judgement->judged.at;
	out->time = facts->dump.time && facts->dump.time_trust == DT_TIME_OK ? facts->dump.time : out->created;
	out->severity = severities[judgement->verdict.class];
	/* Without an identity the path stands for it. */
	if (!facts->crash_id)
		put_path_hash(facts->file.path, arena, out);
	event_id(out, encoding, arena, out->id);
}

void dt_event_make(const struct dt_crash *whole, const char *encoding, bool unmasked, struct dt_arena *arena, struct dt_event *out)
{
	static const struct dt_crash empty;
	const struct dt_crash *masked = unmasked ? whole : dt_mask_crash(whole, arena), *crash = masked ? masked : &empty;
	const struct dt_facts *facts = &crash->facts;
	const struct dt_judgement *judgement = &crash->judgement;

	dt_event_head(whole, encoding, arena, out);
	out->crash = crash;
	/* Without memory for a masked one there is nothing to tell. */
	out->match = masked ? judgement_match(judgement) : NULL;
	out->user = facts->dump.format == DT_FORMAT_USER;
	out->unread = judgement->verdict.class == DT_CLASS_UNREADABLE;
	out->live = !out->unread && facts->dump.live == DT_TRUE;
	out->action = out->user ? "application-crash" : "kernel-crash";
	if (out->unread)
		out->action = "dump-unreadable";
	if (out->live)
		out->action = "live-dump";
	out->alert = judgement->verdict.class == DT_CLASS_KNOWN_INCIDENT || watched(judgement, judgement->blame.module) || watched(judgement, facts->fault.module);
	out->code = facts->bugcheck ? facts->bugcheck->code : facts->exception.code;
	out->name = facts->bugcheck ? facts->bugcheck->name : facts->exception.name;
	out->path = facts->file.path;
	put_path_hash(whole->facts.file.path, arena, out);
	out->message = message(out, arena);
}
