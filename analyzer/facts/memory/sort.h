/*
 * sort.h - sorts keys of 64 bits that each stand for an element elsewhere.
 *
 * Input that is sorted already costs one look. Otherwise short lists are sorted
 * by insertion and long ones by radix, bytes that all keys share skipped: the
 * time does not depend on what an attacker makes of the order.
 */
#ifndef DT_MEMORY_SORT_H
#define DT_MEMORY_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dt_sort_key {
	uint64_t key;
	uint32_t index; /* the element it stands for */
};

/* Ascending; equal keys keep their order. scratch has room for count keys. */
void dt_sort_keys(struct dt_sort_key *keys, size_t count, struct dt_sort_key *scratch);

#endif
