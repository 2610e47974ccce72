/*
 * addrxlat.h - libaddrxlat, loaded when the first dump needs it.
 *
 * Most dumps are minidumps and translate no address; a library linked the usual way would cost each of their
 * analyses the loader's work (docs/adr/0005). A sandboxed process loads it before it gives up opening files.
 */
#ifndef DT_MEMORY_ADDRXLAT_H
#define DT_MEMORY_ADDRXLAT_H

#include <libkdumpfile/addrxlat.h>

/* The functions that are used, each by the library's own declaration. */
#define DT_ADDRXLAT_FUNCTIONS(F) \
	F(ctx_new) F(ctx_decref) F(ctx_add_cb) F(ctx_clear_err) F(walk) F(launch) F(step)

struct dt_addrxlat {
#define DT_ADDRXLAT_POINTER(name) __typeof__(addrxlat_##name) *name;
	DT_ADDRXLAT_FUNCTIONS(DT_ADDRXLAT_POINTER)
#undef DT_ADDRXLAT_POINTER
};

/* The library; NULL when this machine does not have it. Safe to call from threads. */
const struct dt_addrxlat *dt_addrxlat(void);

#endif
