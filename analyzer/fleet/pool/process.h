/*
 * process.h - one worker process: started, greeted, ended. Private to fleet/pool.
 */
#ifndef DT_POOL_PROCESS_H
#define DT_POOL_PROCESS_H

#include <sys/types.h>

#include "core/protocol/protocol.h"

struct dt_process_handle {
	pid_t pid; /* 0: none */
	struct dt_channel channel;
	int spill;
	uint32_t mechanisms;
};

/* Spawns the worker with a socket at DT_PROTOCOL_FD and nothing else open but standard error, sends
 * HELLO and waits for READY (5 s). DT_ERR_NOT_FOUND: there is no such program. DT_ERR_IO, DT_ERR_FORMAT. */
DT_MUST_USE enum dt_status dt_process_start(struct dt_process_handle *process, const char *program,
                                            const struct dt_hello *hello, struct dt_error *err);
/* Kills it (if it still runs) and reaps it; gives its wait status, -1 when there was none. */
int dt_process_end(struct dt_process_handle *process);

#endif
