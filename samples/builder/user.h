/* user.h - the writer of user minidumps. Private to the builder. */
#ifndef SAMPLE_USER_H
#define SAMPLE_USER_H

#include "image.h"

void build_mdmp(struct recipe *recipe, struct image *image);

#endif
