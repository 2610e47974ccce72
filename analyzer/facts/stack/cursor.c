/* What the strategies ask of the stack and of the images. */
#include "facts/stack/walk.h"

enum { PE_HEADER = 0x1000 };

unsigned dt_cursor_word_size(const struct dt_cursor *cursor)
{
	return cursor->walk->dump->machine == DT_MACHINE_X86 ? 4 : 8;
}

bool dt_cursor_word(const struct dt_cursor *cursor, uint64_t va, uint64_t *out)
{
	uint32_t word;

	if (va < cursor->begin)
		return false;
	if (dt_cursor_word_size(cursor) == 8)
		return dt_bytes_u64(cursor->stack, va - cursor->begin, out);
	if (!dt_bytes_u32(cursor->stack, va - cursor->begin, &word))
		return false;
	*out = word;
	return true;
}

bool dt_cursor_in_hole(const struct dt_cursor *cursor, uint64_t slot)
{
	for (size_t i = 0; i < cursor->walk->hole_count; i++)
		if (slot - cursor->walk->holes[i].va < cursor->walk->holes[i].len)
			return true;
	return false;
}

bool dt_cursor_is_code(const struct dt_cursor *cursor, uint64_t va)
{
	const struct dt_dump *dump = cursor->walk->dump;

	if (va < cursor->low || va >= cursor->high)
		return false;
	const struct dt_module *module = dt_dump_module_at(dump, va);
	if (module)
		return va - module->base.value >= PE_HEADER;
	const struct dt_unloaded *gone = dt_dump_unloaded_at(dump, va);
	return gone && va - gone->start.value >= PE_HEADER;
}

/* Bit 55 says which half of the address space it is; the bits above it, and those down to bit 48, may be a signature. */
uint64_t dt_strip_signature(uint64_t va)
{
	const uint64_t mask = (UINT64_C(1) << 48) - 1;

	return va >> 55 & 1 ? va | ~mask : va & mask;
}

size_t dt_cursor_code(const struct dt_cursor *cursor, uint64_t va, void *out, size_t len)
{
	size_t n = dt_memory_read(&cursor->walk->dump->memory, va, out, len);

	if (n < len && cursor->walk->symbols)
		n += dt_symbols_code(cursor->walk->symbols, va + n, (uint8_t *)out + n, len - n);
	return n;
}

enum dt_site dt_cursor_site(const struct dt_cursor *cursor, uint64_t va, uint64_t *target)
{
	const struct dt_dump *dump = cursor->walk->dump;
	struct dt_call_site site;
	uint8_t bytes[8];

	*target = 0;
	if (dt_cursor_code(cursor, va - sizeof(bytes), bytes, sizeof(bytes)) < sizeof(bytes))
		return DT_SITE_ABSENT;
	size_t len = sizeof(bytes);
	if (!dt_insn_call_before(dump->machine, (struct dt_bytes){ bytes, len }, va, &site))
		return DT_SITE_OTHER;
	*target = site.direct ? site.target : 0;
	return DT_SITE_CALL;
}
