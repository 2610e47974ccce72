/*
 * kernel.h - what is found in the memory of a crashed Windows by walking it.
 *
 * A minidump's writer picked the structures that matter and put them into the file. In a dump of memory they are found
 * here, and the same parts of struct dt_dump are filled: what comes after need not know which kind of dump it was.
 */
#ifndef DT_KERNEL_KERNEL_H
#define DT_KERNEL_KERNEL_H

#include "facts/dump/dump.h"

/* Opens the address space of a dump that holds physical memory, and fills modules, stack, processor, process and the rest. What cannot be
 * found stays as it is; what is odd is noted. Does nothing for other dumps. */
void dt_kernel_read(struct dt_dump *dump);

#endif
