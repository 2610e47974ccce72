/*
 * protocol.h - what the parent and its sandboxed worker say to each other.
 *
 * A stream socket carries messages: a fixed header (length, type, job), then a
 * body; a JOB message brings the dump's descriptor with it. Both sides
 * treat the other's bytes as input: lengths are capped before anything is allocated, an unknown type or a wrong
 * version ends the conversation.
 *
 *   parent -> worker   HELLO   version, options          once
 *   worker -> parent   READY   version, mechanisms       once
 *   parent -> worker   JOB     options, first member, path; a descriptor, and one of a Report.wer beside it
 *   worker -> parent   MEMBER  index and name: what comes next is of this member of the archive
 *   worker -> parent   RECORD  facts in binary (model/codec.h), any number
 *   worker -> parent   ASK     an image or symbols, by identity; at most DT_MAX_ASKS for a dump, and only in one that allows it
 *   parent -> worker   ANSWER  nothing, or the descriptor of a file
 *   worker -> parent   DONE    nothing: the job is over
 */
#ifndef DT_PROTOCOL_PROTOCOL_H
#define DT_PROTOCOL_PROTOCOL_H

#include "core/base/buf.h"
#include "core/base/bytes.h"
#include "core/base/limits.h"
#include "core/base/status.h"

#define DT_PROTOCOL_VERSION 3
#define DT_MESSAGE_HEADER 16
#define DT_MESSAGE_MAX (DT_MAX_RECORD + 4096u)
/* The descriptor the worker finds its socket at. */
#define DT_PROTOCOL_FD 3
/* The descriptor of the file that members of archives are unpacked into, without a name. */
#define DT_SPILL_FD 4

enum dt_message_type {
	DT_MESSAGE_HELLO = 1,
	DT_MESSAGE_READY,
	DT_MESSAGE_JOB,
	DT_MESSAGE_RECORD,
	DT_MESSAGE_DONE,
	DT_MESSAGE_MEMBER,
	DT_MESSAGE_ASK,
	DT_MESSAGE_ANSWER,
	DT_MESSAGE_TYPE_END
};

struct dt_message {
	enum dt_message_type type;
	uint64_t job;
	struct dt_bytes body; /* received: borrowed from the channel until its next receive */
	int fd;               /* -1: none; a received one is the receiver's to close */
	bool has_report;      /* a second descriptor comes with fd */
	int report;           /* likewise */
};

/* Bits of HELLO and JOB. */
enum {
	DT_HELLO_SANDBOX = 1, /* apply all mechanisms there are */
	DT_JOB_HASH = 1,
	DT_JOB_HASH_LARGE = 2,
	DT_JOB_SYMBOLS = 4, /* the worker may ask */
};

/* Bits of READY: what is in force. */
enum {
	DT_SANDBOX_SECCOMP = 1,
	DT_SANDBOX_LANDLOCK = 2,
	DT_SANDBOX_RLIMITS = 4,
	DT_SANDBOX_ALL = 7,
};

struct dt_hello {
	uint32_t version, flags;
	uint64_t memory_limit; /* RLIMIT_DATA, bytes */
	uint32_t cpu_seconds;  /* processor time for one job */
};

struct dt_ready {
	uint32_t version, mechanisms;
};

struct dt_job {
	uint32_t flags;
	uint32_t skip;    /* members of an archive that are not read: a worker was lost on the one before */
	const char *path; /* the name for the record */
};

/* What a worker asks for: the identity of an image (time stamp and size) or of symbols (GUID and age). */
struct dt_ask {
	uint32_t kind, timestamp, size, attempt; /* kind and attempt: facts/symbol/source.h */
	const char *name, *debug_id;             /* never NULL; "" unknown */
};

/* One end of the conversation. */
struct dt_channel {
	int socket;
	struct dt_buf in; /* bytes received, not yet handed out */
	size_t taken;     /* bytes of the message handed out last */
	int fds[2];       /* descriptors received, -1 none */
};

void dt_channel_init(struct dt_channel *channel, int socket);
/* Closes a descriptor that nobody took; the socket stays the caller's. */
void dt_channel_deinit(struct dt_channel *channel);

/* Sends all of a message; blocks. DT_ERR_IO when the other side is gone. */
DT_MUST_USE enum dt_status dt_channel_send(struct dt_channel *channel, const struct dt_message *message,
                                           struct dt_error *err);
/* Takes the next message. DT_ERR_NOT_FOUND: none is complete and the socket has no
 * more right now (it does not block if the socket does not). DT_ERR_TRUNCATED: the other side closed.
 * DT_ERR_FORMAT, DT_ERR_LIMIT: it does not keep to the protocol. DT_ERR_IO. */
DT_MUST_USE enum dt_status dt_channel_receive(struct dt_channel *channel, struct dt_message *message,
                                              struct dt_error *err);

/* The bodies. Writers append to an initialised buffer; readers check everything. */
void dt_hello_write(const struct dt_hello *hello, struct dt_buf *out);
bool dt_hello_read(struct dt_bytes body, struct dt_hello *out);
void dt_ready_write(const struct dt_ready *ready, struct dt_buf *out);
bool dt_ready_read(struct dt_bytes body, struct dt_ready *out);
void dt_job_write(const struct dt_job *job, struct dt_buf *out);
/* The path points into the body. */
bool dt_job_read(struct dt_bytes body, struct dt_job *out);
void dt_member_message_write(uint32_t index, const char *name, struct dt_buf *out);
/* The name points into the body; it is clean text (base/text.h) of at most DT_MAX_MEMBER_NAME bytes. */
bool dt_member_message_read(struct dt_bytes body, uint32_t *index, const char **name);

void dt_ask_write(const struct dt_ask *ask, struct dt_buf *out);
/* The texts point into the body; each has at most DT_MAX_ASK_TEXT bytes. */
bool dt_ask_read(struct dt_bytes body, struct dt_ask *out);

#endif
