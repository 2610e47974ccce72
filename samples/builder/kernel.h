/*
 * kernel.h, user.h - the writers of the formats. Private to the builder.
 */
#ifndef SAMPLE_KERNEL_H
#define SAMPLE_KERNEL_H

#include <stdio.h>

#include "image.h"

void build_header64(struct recipe *recipe, struct image *image, uint32_t dump_type);
void build_triage(struct recipe *recipe, struct image *image);
void build_header32(struct recipe *recipe, struct image *image);

#endif
