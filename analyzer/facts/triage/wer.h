/* wer.h - the computer's name in a Report.wer. */
#ifndef DT_TRIAGE_WER_H
#define DT_TRIAGE_WER_H

#include "core/base/arena.h"

/* The host, folded, in the arena; NULL when the first 256 KiB of the file name none, or it is no such report. */
const char *dt_wer_host(int fd, struct dt_arena *arena);

#endif
