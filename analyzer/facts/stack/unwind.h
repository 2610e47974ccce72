/*
 * unwind.h - one frame undone by the image's own unwind data. Private to facts/stack; one file for each machine.
 */
#ifndef DT_STACK_UNWIND_H
#define DT_STACK_UNWIND_H

#include "facts/image/image.h"
#include "facts/stack/walk.h"

/* Undoes the frame of the cursor, whose ip lies in the image. On success out has ip, sp, slot, regs, and what kind of end it is. false: the data is
 * not there or not usable; *why then says what is wrong with it, or stays NULL. */
bool dt_unwind_x64(const struct dt_cursor *cursor, const struct dt_image *image, struct dt_step *out, const char **why);
/* The same by the PDB of the module; no image is needed. */
bool dt_unwind_x86(const struct dt_cursor *cursor, struct dt_step *out, const char **why);
/* x64 and ARM64 by the rules of a Breakpad file, where the image or its unwind data is not at hand. */
bool dt_unwind_cfi(const struct dt_cursor *cursor, struct dt_step *out, const char **why);
bool dt_unwind_arm64(const struct dt_cursor *cursor, const struct dt_image *image, struct dt_step *out, const char **why);

#endif
