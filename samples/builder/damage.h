/* damage.h - what the last lines of a recipe do to the finished file. Private to the builder. */
#ifndef SAMPLE_DAMAGE_H
#define SAMPLE_DAMAGE_H

#include "image.h"
#include "recipe.h"

/* Applies patch, text, extend and truncate lines in their order. */
void damage_apply(struct recipe *recipe, struct image *image);
bool damage_keyword(const char *keyword);

#endif
