/*
 * mdmp_xstate.c - the extended registers: which the system saves, which of
 * them the thread's CONTEXT holds, and the shadow stack pointer.
 *
 * Layouts: XSTATE_CONFIG_FEATURE_MSC_INFO of minidumpapiset.h (in
 * MINIDUMP_MISC_INFO_5); CONTEXT_EX, XSAVE_AREA_HEADER, XSAVE_CET_U_FORMAT and
 * the numbers of the features of winnt.h; "Working with XState Context" of
 * Microsoft's documentation; the compacted form of an XSAVE area: Intel SDM,
 * volume 1, 13.4.3. Seen on a real dump with a shadow stack.
 *
 * A CONTEXT has the area without its legacy part of 512 bytes: the header of
 * 64 bytes comes first. A feature whose bit the header's mask leaves out is in
 * its initial state, and the bytes kept for it mean nothing.
 */
#include <inttypes.h>

#include "facts/dump/mdmp.h"

enum {
	CONFIG_ENABLED = 0x08,
	CONFIG_FEATURES = 0x10,
	CONFIG_SIZE = 0x210,
	FEATURES = 64,
	FEATURE_SIZE = 4, /* behind its offset */
	LEGACY_SIZE = 0x200,
	EX_XSTATE = 0x10, /* CONTEXT_EX: All, Legacy, XState, each {signed offset, length} */
	EX_SIZE = 0x18,
	AREA_COMPACTION = 0x08,
	AREA_HEADER = 0x40,
	CET_U = 11,
	CET_U_SIZE = 0x10,
	CET_U_SSP = 0x08,
};
#define CONTEXT_XSTATE 0x40u
#define COMPACTED (UINT64_C(1) << 63)

struct feature_row {
	uint64_t mask;
	const char *name;
};

/* XSTATE_ of winnt.h; those it has no name for are the processor makers'. */
static const struct feature_row features[] = {
	{ 1 << 0, "x87" },
	{ 1 << 1, "SSE" },
	{ 1 << 2, "AVX" },
	{ 3 << 3, "MPX" },
	{ 7 << 5, "AVX-512" },
	{ 1 << 8, "IPT" },
	{ 1 << 9, "PKRU" },
	{ 1 << 10, "PASID" },
	{ 1 << 11, "CET_U" },
	{ 1 << 12, "CET_S" },
	{ 3 << 17, "AMX" },
};

/* Where a CONTEXT ends and CONTEXT_EX begins. */
struct context_row {
	enum dt_machine machine;
	uint32_t size, flags_off, flags;
};
static const struct context_row contexts[] = {
	{ DT_MACHINE_X64, DT_CONTEXT_X64_SIZE, 0x30, 0x00100000 | CONTEXT_XSTATE },
	{ DT_MACHINE_X86, DT_CONTEXT_X86_SIZE, 0x00, 0x00010000 | CONTEXT_XSTATE },
};

static const char *names(struct mdmp *m, uint64_t mask)
{
	const char *list = NULL;

	mask &= ~COMPACTED;
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		if (mask & features[i].mask)
			list = mdmp_join(m, list, features[i].name);
		mask &= ~features[i].mask;
	}
	if (mask)
		list = mdmp_join(m, list, dt_arena_printf(m->dump->arena, "others (0x%" PRIx64 ")", mask));
	return list ? list : "none";
}

/* What stands in a part of the file, for messages. */
static uint64_t offset_of(const struct mdmp *m, struct dt_bytes bytes, uint64_t off)
{
	return (uint64_t)(bytes.data - m->file.data) + off;
}

/* The configuration; empty where the writer left it out. Its SizeOfInfo says how many features are described. */
static struct dt_bytes config_of(const struct mdmp *m)
{
	uint32_t size = dt_bytes_u32_or(m->xstate, 0, 0);
	struct dt_bytes config = { NULL, 0 };

	if (size == 0)
		return config;
	if (size < CONFIG_FEATURES || size > CONFIG_SIZE || !dt_bytes_sub(m->xstate, 0, size, &config))
		dt_note_add(m->dump->notes, DT_NOTE_WARNING, "extended registers",
		            "a description of 0x%" PRIx32 " bytes at 0x%" PRIx64 ", 0x%x to 0x%x expected and 0x%zx there",
		            size, offset_of(m, m->xstate, 0), CONFIG_FEATURES, CONFIG_SIZE, m->xstate.len);
	return config;
}

/* The XState area that CONTEXT_EX names; its offset counts from CONTEXT_EX. */
static struct dt_bytes area_of(struct mdmp *m, const struct context_row *row)
{
	struct dt_bytes context = m->context, area = { NULL, 0 };
	uint32_t raw = dt_bytes_u32_or(context, (uint64_t)row->size + EX_XSTATE, 0);
	uint32_t length = dt_bytes_u32_or(context, (uint64_t)row->size + EX_XSTATE + 4, 0);
	int64_t off = (int64_t)row->size + (int32_t)raw;

	if (!dt_bytes_has(context, row->size, EX_SIZE))
		dt_note_add(m->dump->notes, DT_NOTE_WARNING, "extended registers",
		            "the registers at 0x%" PRIx64 " say that there are some, and end at 0x%zx of 0x%" PRIx32 " bytes",
		            offset_of(m, context, 0), context.len, row->size + EX_SIZE);
	else if (length < AREA_HEADER || off < (int64_t)row->size + EX_SIZE || !dt_bytes_sub(context, (uint64_t)off, length, &area))
		dt_note_add(m->dump->notes, DT_NOTE_WARNING, "extended registers",
		            "0x%" PRIx32 " bytes at %+" PRId32 " from 0x%" PRIx64
		            " are not in the registers' record of 0x%zx bytes at 0x%" PRIx64,
		            length, (int32_t)raw, offset_of(m, context, row->size), context.len, offset_of(m, context, 0));
	return area;
}

/* Where the area has CET_U. Compacted, features follow one another in the order of their bits, each as long as the configuration
 * says; no processor aligns one of those before CET_U. 0: not to be known. */
static uint64_t cet_u_offset(struct dt_bytes config, uint64_t compaction)
{
	uint64_t off = AREA_HEADER;

	if (!(compaction & COMPACTED)) {
		uint32_t at = dt_bytes_u32_or(config, CONFIG_FEATURES + 8 * CET_U, 0);
		return at >= LEGACY_SIZE + AREA_HEADER ? at - LEGACY_SIZE : 0;
	}
	for (unsigned i = 2; i < CET_U; i++) {
		uint32_t size = dt_bytes_u32_or(config, CONFIG_FEATURES + 8 * i + FEATURE_SIZE, 0);

		if (!(compaction >> i & 1))
			continue;
		if (size == 0)
			return 0;
		off += size;
	}
	return compaction >> CET_U & 1 ? off : 0;
}

/* The shadow stack pointer as text; NULL where there is none, or it cannot be found for certain. */
static const char *shadow_stack(struct mdmp *m, struct dt_bytes config, struct dt_bytes area)
{
	uint64_t off = cet_u_offset(config, dt_bytes_u64_or(area, AREA_COMPACTION, 0));
	struct dt_bytes cet;

	if (!(dt_bytes_u64_or(area, 0, 0) >> CET_U & 1))
		return NULL;
	if (off == 0 || !dt_bytes_sub(area, off, CET_U_SIZE, &cet)) {
		dt_note_add(m->dump->notes, DT_NOTE_WARNING, "extended registers",
		            "CET_U is said to be there, and its place in 0x%zx bytes at 0x%" PRIx64 " is not known",
		            area.len, offset_of(m, area, 0));
		return NULL;
	}
	return dt_arena_printf(m->dump->arena, "; shadow stack pointer 0x%" PRIx64 " (IA32_U_CET 0x%" PRIx64 ")",
	                       dt_bytes_u64_or(cet, CET_U_SSP, 0), dt_bytes_u64_or(cet, 0, 0));
}

static void read_context(struct mdmp *m, const struct context_row *row, struct dt_bytes config)
{
	if ((dt_bytes_u32_or(m->context, row->flags_off, 0) & row->flags) != row->flags)
		return;
	struct dt_bytes area = area_of(m, row);
	if (area.len == 0)
		return;
	const char *ssp = shadow_stack(m, config, area);
	dt_note_add(m->dump->notes, DT_NOTE_INFO, "extended registers", "of the thread: %s%s",
	            names(m, dt_bytes_u64_or(area, 0, 0)), ssp ? ssp : "");
}

void mdmp_extended_registers(struct mdmp *m)
{
	struct dt_bytes config = config_of(m);
	uint64_t enabled = dt_bytes_u64_or(config, CONFIG_ENABLED, 0);

	if (enabled)
		dt_note_add(m->dump->notes, DT_NOTE_INFO, "extended registers", "enabled: %s", names(m, enabled));
	for (size_t i = 0; i < sizeof(contexts) / sizeof(contexts[0]); i++)
		if (contexts[i].machine == m->dump->machine)
			read_context(m, &contexts[i], config);
}
