/*
 * event.h - what the encodings for a SIEM share: identity, severity, time, masked paths.
 */
#ifndef DT_REPORT_EVENT_H
#define DT_REPORT_EVENT_H

#include "core/base/arena.h"
#include "core/model/crash.h"

struct dt_event {
	const struct dt_crash *crash; /* without names of users, unless unmasked */
	const struct dt_match *match; /* the signature that decided, NULL none */
	bool user;
	bool unread;                  /* nothing of a crash could be read */
	bool live;                    /* nothing crashed: a dump of a system that went on */
	bool alert; /* a security team should look: a known incident, or a crash in or by a security product's or a vulnerable driver */
	char id[37];                  /* UUIDv5 */
	uint64_t time, created;       /* FILETIME: of the crash (of the analysis when that is not plausible); of the analysis */
	unsigned severity;            /* 0 to 100 */
	struct dt_opt code;           /* stop code or exception */
	const char *name;             /* its name */
	const char *path, *path_hash; /* of the file; 16 hex digits of the whole one's SHA-256 */
	const char *message;          /* one line for a person */
	const char *action;           /* kernel-crash, application-crash, live-dump, dump-unreadable */
};

/* encoding: its name. Texts live in the arena, which remembers whether there was memory for all. */
void dt_event_make(const struct dt_crash *crash, const char *encoding, bool unmasked, struct dt_arena *arena, struct dt_event *out);
/* Of it only what says which event it is: id, match, times, severity. Cheap, to find out whether the rest is wanted. */
void dt_event_head(const struct dt_crash *crash, const char *encoding, struct dt_arena *arena, struct dt_event *out);
/* The UUID (RFC 4122, version 5) of a name in our name space. */
void dt_event_uuid(const char *name, struct dt_arena *arena, char out[37]);
/* A path with the name of the user in it as ***: what stands behind \Users\, /home/ and the like. In the arena, or the text itself when
 * it holds no path; NULL for NULL. */
const char *dt_mask_user(const char *path, struct dt_arena *arena);

#endif
