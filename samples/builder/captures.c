/* placeholder until captures are written */
#include "machine.h"

void build_elf(struct recipe *recipe, struct image *image)
{
	(void)image;
	recipe_fail(recipe, NULL, "not yet");
}

void build_kdump(struct recipe *recipe, struct image *image)
{
	(void)image;
	recipe_fail(recipe, NULL, "not yet");
}
