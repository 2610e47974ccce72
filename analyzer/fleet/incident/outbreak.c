#include <string.h>

#include "fleet/incident/incident.h"

/* Bursts of one story begin and end within a day of each other. */
static bool overlap(const struct dt_burst *a, const struct dt_burst *b)
{
	return a->begin < b->end + 24 && b->begin < a->end + 24;
}

static bool names_family(const struct dt_story *story, const char *family)
{
	for (size_t i = 0; i < story->family_count; i++)
		if (!strcmp(story->families[i], family))
			return true;
	return false;
}

static bool shares_family(const struct dt_story *a, const struct dt_story *b)
{
	for (size_t i = 0; i < a->family_count; i++)
		if (names_family(b, a->families[i]))
			return true;
	return false;
}

/* Whether part is told by whole: buckets by their family, both by a signature. */
static bool tells(const struct dt_story *whole, const struct dt_story *part)
{
	if (!whole->burst.found || !overlap(&whole->burst, &part->burst))
		return false;
	switch (part->kind) {
	case DT_STORY_OWN:
		return (whole->kind == DT_STORY_FAMILY && names_family(part, whole->key)) ||
		       (whole->kind == DT_STORY_SIGNATURE && shares_family(whole, part));
	case DT_STORY_FAMILY:
		return whole->kind == DT_STORY_SIGNATURE && names_family(whole, part->key) &&
		       whole->burst.hosts * 2 >= part->burst.hosts; /* else most of the family is something else */
	default:
		return false;
	}
}

size_t dt_outbreaks(const struct dt_story *stories, size_t count, bool *parts)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++) {
		parts[i] = !stories[i].burst.found;
		for (size_t k = 0; k < count && !parts[i]; k++)
			parts[i] = k != i && tells(&stories[k], &stories[i]);
		left += !parts[i];
	}
	return left;
}
