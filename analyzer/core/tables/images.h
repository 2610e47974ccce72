/*
 * images.h - what is known of an image by its name alone.
 */
#ifndef DT_TABLES_IMAGES_H
#define DT_TABLES_IMAGES_H

#include <stdbool.h>

/* A carrier runs other people's work: it is on the stack of every crash of its
 * kind and is never blame.module; a row "ignore" of signatures/carriers.conf. Kernel: nt, hal, FLTMGR, NETIO, ndis, Wdf01000,
 * verifier …; user: ntdll, kernel32, KERNELBASE, ucrtbase, wow64, clr … Names in any case, with their extension;
 * NULL, here and below, is nothing that is known. */
bool dt_image_is_carrier(const char *name, bool kernel);
/* nt and hal under their several names (ntoskrnl.exe, ntkrnlmp.exe, hal.dll …). */
bool dt_image_is_kernel(const char *name);
/* Whether the name is one of an image of Microsoft's that Windows ships (in the box): evidence by name only. Copies of
 * the disk's drivers under dump_ and hiber_ count as what they copy. */
bool dt_image_is_microsoft(const char *name, bool kernel);
/* What a well-known third-party image belongs to ("CrowdStrike Falcon sensor"); NULL when unknown. */
const char *dt_image_product(const char *name);
/* Whether the image belongs to a security product. */
bool dt_image_is_security(const char *name);

#endif
