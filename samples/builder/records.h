/*
 * records.h - the records of Windows that recipes name by their fields: registers, exceptions, I/O objects.
 * Private to the builder. Layouts: WDK and SDK headers (CONTEXT, EXCEPTION_RECORD, IRP, IO_STACK_LOCATION,
 * DEVICE_OBJECT, DRIVER_OBJECT), ReactOS ndk/amd64 (KTRAP_FRAME), dotnet/runtime (ARM64 KTRAP_FRAME).
 */
#ifndef SAMPLE_RECORDS_H
#define SAMPLE_RECORDS_H

#include "memory.h"

enum { CONTEXT64 = 0x4d0, CONTEXT32 = 0x2cc, CONTEXTARM = 0x390, MOST_CONTEXT = 0x500 };

/* The CONTEXT that a line's reg=value words describe, for machine x64, x86 or arm64; gives its size. */
size_t build_context(struct recipe *recipe, const struct line *line, const char *machine,
                     uint8_t out[MOST_CONTEXT]);
/* Pokes what a line describes, if it is a line of memory. */
void record_line(struct recipe *recipe, const struct line *line, struct memory *memory);
/* Whether a keyword is one of memory. */
bool record_keyword(const char *keyword);

#endif
