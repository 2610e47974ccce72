/*
 * functions.c - the exception directory: which function, or part of one, covers an address.
 *
 * x64: entries of 12 bytes {begin, end, unwind}; arm64: of 8 bytes {begin, packed data or the place of .xdata}. Both are sorted by
 * begin. An image that lies about the order hides functions; nothing is read outside and no search takes more than 32 steps.
 */
#include "facts/image/image.h"

enum { MACHINE_X64 = 0x8664, MACHINE_ARM64 = 0xaa64, ENTRY_X64 = 12, ENTRY_ARM64 = 8 };

static uint32_t stride(const struct dt_image *image)
{
	return image->machine == MACHINE_X64 ? ENTRY_X64 : image->machine == MACHINE_ARM64 ? ENTRY_ARM64 : 0;
}

/* The end of an arm64 function: packed data has its length, .xdata begins with it; both in words. */
static bool end_arm64(const struct dt_image *image, struct dt_image_function *out)
{
	uint8_t raw[4];
	uint32_t word = 0;

	if (out->unwind & 3) {
		out->end = out->begin + (out->unwind >> 2 & 0x7ff) * 4;
		return true;
	}
	if (!dt_image_read(image, out->unwind, raw, sizeof(raw)) || !dt_bytes_u32((struct dt_bytes){ raw, 4 }, 0, &word))
		return false;
	out->end = out->begin + (word & 0x3ffff) * 4;
	return true;
}

bool dt_image_function_read(const struct dt_image *image, uint32_t entry_rva, struct dt_image_function *out)
{
	uint8_t raw[ENTRY_X64];
	struct dt_bytes entry = { raw, stride(image) };

	if (!entry.len || !dt_image_read(image, entry_rva, raw, entry.len))
		return false;
	out->begin = dt_bytes_u32_or(entry, 0, 0);
	out->end = dt_bytes_u32_or(entry, 4, 0);
	out->unwind = dt_bytes_u32_or(entry, (uint32_t)entry.len - 4, 0);
	return entry.len == ENTRY_X64 || end_arm64(image, out);
}

/* The number of entries that begin at or before rva; false where memory lacks one that is looked at. */
static bool bisect(const struct dt_image *image, const struct dt_image_directory *directory, uint32_t rva, uint32_t *found)
{
	uint32_t size = stride(image), low = 0, high = directory->size / size, begin = 0;
	uint8_t raw[4];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (!dt_image_read(image, directory->rva + middle * size, raw, sizeof(raw)) ||
		    !dt_bytes_u32((struct dt_bytes){ raw, 4 }, 0, &begin))
			return false;
		if (begin <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	*found = low;
	return true;
}

bool dt_image_function_at(const struct dt_image *image, uint32_t rva, struct dt_image_function *out, bool *known)
{
	const struct dt_image_directory *directory = &image->directories[DT_IMAGE_EXCEPTIONS];
	uint32_t size = stride(image), count;

	*known = false;
	if (!size || image->directory_count <= DT_IMAGE_EXCEPTIONS || !directory->rva || directory->size < size ||
	    directory->rva >= image->size || directory->size > image->size - directory->rva || !bisect(image, directory, rva, &count))
		return false;
	if (count == 0)
		return !(*known = true);
	if (!dt_image_function_read(image, directory->rva + (count - 1) * size, out))
		return false;
	*known = true;
	return rva >= out->begin && rva < out->end;
}
