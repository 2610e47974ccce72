/*
 * library.h - outside libraries that are loaded when they are needed, because
 * most runs need none of them (docs/adr/0005).
 */
#ifndef DT_BASE_LIBRARY_H
#define DT_BASE_LIBRARY_H

#include <stdbool.h>

/* Loads a library by the name of its binary interface ("libz.so.1": another one may have other structures).
 * NULL when the machine does not have it. It stays loaded. */
void *dt_library_open(const char *name);
/* Puts the address of a function of the library into the function pointer at to; NULL there, and false, when it has
 * none of that name or when library is NULL. */
bool dt_library_take(void *library, const char *name, void *to);

#endif
