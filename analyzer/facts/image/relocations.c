/* Where the loader writes into an image when it is not at the address it was linked for. */
#include "facts/image/image.h"

#include "core/base/limits.h"

enum { BLOCK_HEADER = 8, MOST_BLOCKS = 65536, TYPE_ABSOLUTE = 0, TYPE_DIR64 = 10 };

/* Whether an entry of the block of a page touches [rva, rva + len). */
static bool touches(const struct dt_image *image, uint32_t at, uint32_t size, uint32_t page, uint32_t rva, uint32_t len)
{
	uint8_t raw[2];

	for (uint32_t off = BLOCK_HEADER; off + 2 <= size && dt_image_read(image, at + off, raw, sizeof(raw)); off += 2) {
		unsigned entry = raw[0] | (unsigned)raw[1] << 8, type = entry >> 12, width = type == TYPE_DIR64 ? 8 : 4;
		uint32_t from = page + (entry & 0xfff);
		if (type != TYPE_ABSOLUTE && from < rva + len && rva < from + width)
			return true;
	}
	return false;
}

bool dt_image_is_relocated(const struct dt_image *image, uint32_t rva, uint32_t len, bool *known)
{
	const struct dt_image_directory *directory = &image->directories[DT_IMAGE_RELOCATIONS];
	uint32_t at = 0;
	uint8_t raw[BLOCK_HEADER];
	struct dt_bytes b = { raw, sizeof(raw) };

	*known = true;
	for (unsigned n = 0; directory->size >= BLOCK_HEADER && at <= directory->size - BLOCK_HEADER; n++) {
		uint32_t page = 0, size = 0;
		if (directory->rva <= UINT32_MAX - at && dt_image_read(image, directory->rva + at, raw, sizeof(raw))) {
			page = dt_bytes_u32_or(b, 0, 0);
			size = dt_bytes_u32_or(b, 4, 0);
		}
		if (size < BLOCK_HEADER || size > 0x10000 || n == MOST_BLOCKS) {
			*known = false;
			return false;
		}
		/* An entry at the end of a page reaches into the next one. */
		if (page <= UINT32_MAX - 0x1008 && page + 0x1008 > rva && page < rva + len && touches(image, directory->rva + at, size, page, rva, len))
			return true;
		at += size;
	}
	return false;
}
