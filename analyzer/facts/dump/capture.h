/*
 * capture.h - what the captures of hypervisors share; for this folder only.
 */
#ifndef DT_DUMP_CAPTURE_H
#define DT_DUMP_CAPTURE_H

#include "facts/dump/reader.h"

/* Takes format, kind and machine; Windows itself is found later, in memory. */
void dt_capture_begin(struct dt_dump *dump, enum dt_kind kind);
/* Reads ELF notes: the registers of each processor of dump->machine from those that QEMU writes. Others are passed over. */
void dt_capture_notes(struct dt_dump *dump, struct dt_bytes notes);

#endif
