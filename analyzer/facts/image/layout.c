/*
 * layout.c - a PE file laid out as the loader lays it out, without copying: its header and sections are ranges over the file's bytes.
 *
 * What the loader would fill with zeros is not there. Sections must follow each other, as the specification of PE demands.
 */
#include "facts/image/image.h"

enum { PE_AT = 0x3c, OPTIONAL_SIZE_OF_HEADERS = 0x18 + 0x3c, MOST_SECTIONS = 96 };

/* Header alone, to read the table of sections with. */
static enum dt_status header(struct dt_memory *memory, struct dt_arena *arena, struct dt_bytes file, uint64_t base, struct dt_error *err)
{
	uint32_t pe = dt_bytes_u32_or(file, PE_AT, 0), len = dt_bytes_u32_or(file, (uint64_t)pe + OPTIONAL_SIZE_OF_HEADERS, 0);
	struct dt_bytes head = dt_bytes_clip(file, 0, len < DT_PAGE_SIZE ? DT_PAGE_SIZE : len);

	dt_memory_init(memory, arena);
	if (!dt_memory_add(memory, base, dt_bytes_clip(head, 0, DT_PAGE_SIZE), DT_RANGE_BLOCK))
		return dt_fail_at(err, DT_ERR_FORMAT, 0, "PE file: empty");
	return dt_memory_seal(memory, NULL, err);
}

static enum dt_status add_section(struct dt_memory *memory, struct dt_bytes file, uint64_t base, const struct dt_image_section *section,
                                  uint32_t *end, uint32_t size, struct dt_error *err)
{
	uint32_t len = section->size && section->size < section->file_size ? section->size : section->file_size;
	struct dt_bytes bytes;

	if (len == 0 || section->file_off == 0)
		return DT_OK;
	if (section->rva < *end || len > size - section->rva)
		return dt_fail_at(err, DT_ERR_FORMAT, section->file_off, "PE file: a section at 0x%x of 0x%x bytes lies in another, or outside of the image",
		                  section->rva, len);
	if (!dt_bytes_sub(file, section->file_off, len, &bytes))
		return dt_fail_at(err, DT_ERR_FORMAT, section->file_off, "PE file: a section of 0x%x bytes at 0x%x would end behind the file", len,
		                  section->file_off);
	*end = section->rva + len;
	return dt_memory_add(memory, base + section->rva, bytes, DT_RANGE_BLOCK) ? DT_OK : dt_fail(err, DT_ERR_NOMEM, "PE file: no memory");
}

enum dt_status dt_image_lay_out(struct dt_memory *memory, struct dt_arena *arena, struct dt_bytes file, uint64_t base, struct dt_error *err)
{
	struct dt_memory head;
	struct dt_image_section section;
	struct dt_image image;
	enum dt_status status = header(&head, arena, file, base, err);
	uint32_t first = UINT32_MAX, end;

	if (status != DT_OK)
		return status;
	if (!dt_image_open(&image, &head, base))
		return dt_fail_at(err, DT_ERR_FORMAT, 0, "PE file: no header of an image");
	if (base > UINT64_MAX - image.size)
		return dt_fail_at(err, DT_ERR_FORMAT, 0, "PE file: an image of 0x%x bytes at 0x%llx would wrap", image.size, (unsigned long long)base);
	for (unsigned i = 0; dt_image_section(&image, i, &section); i++)
		first = section.rva < first ? section.rva : first;
	end = first < DT_PAGE_SIZE ? first : DT_PAGE_SIZE;
	dt_memory_init(memory, arena);
	if (!dt_memory_add(memory, base, dt_bytes_clip(file, 0, end < image.size ? end : image.size), DT_RANGE_BLOCK))
		return dt_fail_at(err, DT_ERR_FORMAT, 0, "PE file: its first section leaves no room for its header");
	for (unsigned i = 0; status == DT_OK && i < MOST_SECTIONS && dt_image_section(&image, i, &section); i++)
		status = add_section(memory, file, base, &section, &end, image.size, err);
	return status == DT_OK ? dt_memory_seal(memory, NULL, err) : status;
}
