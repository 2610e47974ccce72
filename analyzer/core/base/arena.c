#include "core/base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
/* Between allocations, so that running over the end of one is seen. */
#define REDZONE            16
#define BYTE_ALIGN         ALIGN
#define POISON(at, size)   __asan_poison_memory_region((at), (size))
#define UNPOISON(at, size) __asan_unpoison_memory_region((at), (size))
#else
#define REDZONE            0
#define BYTE_ALIGN         1
#define POISON(at, size)   ((void)(at), (void)(size))
#define UNPOISON(at, size) ((void)(at), (void)(size))
#endif

#define ALIGN      alignof(max_align_t)
#define BLOCK_SIZE ((size_t)64 << 10) /* below malloc's threshold for mapping pages */
#define BIG        (BLOCK_SIZE / 4)   /* from here on an allocation has its own block */

struct dt_arena_block {
	alignas(max_align_t) struct dt_arena_block *next;
	size_t size; /* with this header */
};

static uint8_t *block_data(struct dt_arena_block *block)
{
	return (uint8_t *)(block + 1);
}

static void block_free(struct dt_arena_block *block)
{
	UNPOISON(block_data(block), block->size - sizeof *block);
	free(block);
}

void dt_arena_init(struct dt_arena *arena, size_t max)
{
	*arena = (struct dt_arena){ .max = max };
}

static void free_from(struct dt_arena_block *block)
{
	while (block) {
		struct dt_arena_block *next = block->next;
		block_free(block);
		block = next;
	}
}

void dt_arena_deinit(struct dt_arena *arena)
{
	free_from(arena->blocks);
	*arena = (struct dt_arena){ .max = arena->max };
}

/* Makes all of the newest block free space. */
static void use_whole(struct dt_arena *arena)
{
	struct dt_arena_block *block = arena->blocks;
	arena->at = block_data(block);
	arena->end = (uint8_t *)block + block->size;
	POISON(arena->at, block->size - sizeof *block);
}

void dt_arena_reset(struct dt_arena *arena)
{
	arena->failed = arena->no_memory = false;
	if (!arena->blocks)
		return;
	free_from(arena->blocks->next);
	arena->blocks->next = NULL;
	arena->used = arena->blocks->size;
	use_whole(arena);
}

static void *refuse(struct dt_arena *arena)
{
	arena->failed = true;
	return NULL;
}

/* A block with room for size bytes, within the arena's maximum. */
static struct dt_arena_block *block_new(struct dt_arena *arena, size_t size, size_t wish)
{
	size_t left = arena->max - arena->used;
	if (left < sizeof(struct dt_arena_block) || size > left - sizeof(struct dt_arena_block))
		return NULL;
	size_t total = sizeof(struct dt_arena_block) + size;
	if (total < wish)
		total = wish < left ? wish : left;
	struct dt_arena_block *block = malloc(total);
	if (!block) {
		arena->no_memory = true;
		return NULL;
	}
	block->next = NULL;
	block->size = total;
	arena->used += total;
	return block;
}

/* A block of its own, behind the newest one, whose free space stays in use. */
static void *take_big(struct dt_arena *arena, size_t size)
{
	struct dt_arena_block *block = block_new(arena, size, 0);
	if (!block)
		return refuse(arena);
	if (arena->blocks) {
		block->next = arena->blocks->next;
		arena->blocks->next = block;
	} else {
		arena->blocks = block;
		arena->at = arena->end = (uint8_t *)block + block->size;
	}
	return block_data(block);
}

/* size bytes of the newest block, NULL when it has not as many. */
static uint8_t *take_free(struct dt_arena *arena, size_t size, size_t align)
{
	size_t left = (size_t)(arena->end - arena->at), pad = -(uintptr_t)arena->at & (align - 1);
	if (pad > left || size > left - pad)
		return NULL;
	uint8_t *at = arena->at + pad;
	arena->at = at + size;
	return at;
}

/* Memory that is not zeroed. */
static void *take(struct dt_arena *arena, size_t size, size_t align)
{
	size += size == 0;
	if (size >= BIG)
		return take_big(arena, size);
	uint8_t *at = arena->at ? take_free(arena, size + REDZONE, align) : NULL;
	if (!at) {
		struct dt_arena_block *block = block_new(arena, size + REDZONE, BLOCK_SIZE);
		if (!block)
			return refuse(arena);
		block->next = arena->blocks;
		arena->blocks = block;
		use_whole(arena);
		at = take_free(arena, size + REDZONE, align);
	}
	UNPOISON(at, size);
	return at;
}

void *dt_arena_alloc(struct dt_arena *arena, size_t size)
{
	void *at = take(arena, size, ALIGN);
	return at ? memset(at, 0, size) : NULL;
}

void *dt_arena_array(struct dt_arena *arena, size_t count, size_t size)
{
	size_t total;
	if (__builtin_mul_overflow(count, size, &total))
		return refuse(arena);
	return dt_arena_alloc(arena, total);
}

static char *copy_text(struct dt_arena *arena, const char *text, size_t len)
{
	char *copy = take(arena, len + 1, BYTE_ALIGN);
	if (!copy)
		return NULL;
	if (len)
		memcpy(copy, text, len);
	copy[len] = 0;
	return copy;
}

const char *dt_arena_strndup(struct dt_arena *arena, const char *text, size_t len)
{
	return copy_text(arena, text, len ? strnlen(text, len) : 0);
}

const char *dt_arena_strdup(struct dt_arena *arena, const char *text)
{
	return text ? copy_text(arena, text, strlen(text)) : NULL;
}

const char *dt_arena_printf(struct dt_arena *arena, const char *fmt, ...)
{
	va_list args, again;
	char small[256];
	va_start(args, fmt);
	va_copy(again, args);
	int len = vsnprintf(small, sizeof small, fmt, args);
	char *text = len < 0 ? refuse(arena) : take(arena, (size_t)len + 1, BYTE_ALIGN);
	if (text && (size_t)len < sizeof small)
		memcpy(text, small, (size_t)len + 1);
	else if (text)
		(void)vsnprintf(text, (size_t)len + 1, fmt, again);
	va_end(again);
	va_end(args);
	return text;
}

struct dt_bytes dt_arena_bytes(struct dt_arena *arena, struct dt_bytes bytes)
{
	if (bytes.len == 0)
		return (struct dt_bytes){ NULL, 0 };
	uint8_t *copy = take(arena, bytes.len, BYTE_ALIGN);
	if (!copy)
		return (struct dt_bytes){ NULL, 0 };
	memcpy(copy, bytes.data, bytes.len);
	return (struct dt_bytes){ copy, bytes.len };
}
