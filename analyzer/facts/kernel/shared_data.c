/*
 * shared_data.c - time, uptime, version and product from KUSER_SHARED_DATA.
 *
 * Offsets: wdm.h; the same on all machines and since Windows 2000 for those read here. The header's time and uptime
 * are believed before the page's, unless the header was filled long before the crash (by a driver, for QEMU's
 * dump-guest-memory -w): then the page's clock has gone on.
 */
#include "facts/kernel/shared_data.h"

#include <inttypes.h>

#include "core/base/time.h"
#include "facts/kernel/walk.h"

enum {
	S_INTERRUPT_TIME = 0x08,
	S_SYSTEM_TIME = 0x14,
	S_ROOT = 0x30,
	S_BUILD = 0x260,
	S_PRODUCT = 0x264,
	S_MAJOR = 0x26c,
	S_MINOR = 0x270,
	S_SIZE = 0x300,
};

static uint64_t address(enum dt_machine machine)
{
	return machine == DT_MACHINE_X86 ? 0xffdf0000u : UINT64_C(0xfffff78000000000);
}

static bool read_page(const struct dt_dump *dump, uint8_t raw[S_SIZE], struct dt_bytes *out)
{
	*out = (struct dt_bytes){ raw, S_SIZE };
	return dt_memory_read_all(&dump->memory, address(dump->machine), raw, S_SIZE);
}

/* A version that Windows has had, and a path like C:\Windows. */
bool dt_shared_data_is_there(const struct dt_dump *dump)
{
	uint8_t raw[S_SIZE];
	struct dt_bytes page;

	if (!read_page(dump, raw, &page))
		return false;
	uint32_t major = dt_bytes_u32_or(page, S_MAJOR, 0);
	return (major == 5 || major == 6 || major == 10) && dt_bytes_u16_or(page, S_ROOT + 2, 0) == ':' &&
	       dt_bytes_u16_or(page, S_ROOT + 4, 0) == '\\';
}

/* KSYSTEM_TIME: low, high, high again; the two highs differ while it is written. */
static uint64_t system_time(struct dt_bytes page, uint64_t off)
{
	return (uint64_t)(dt_bytes_u32_or(page, off + 4, 0) & INT32_MAX) << 32 | dt_bytes_u32_or(page, off, 0);
}

static void take_times(struct dt_dump *dump, struct dt_bytes page)
{
	uint64_t now = system_time(page, S_SYSTEM_TIME), uptime = system_time(page, S_INTERRUPT_TIME);
	bool stale = dump->time && now > dump->time && now - dump->time > DT_TIME_SECOND;

	if (now == 0 || uptime == 0)
		return;
	if (stale)
		dt_note_add(dump->notes, DT_NOTE_WARNING, "header",
		            "its time is %" PRIu64 " s before that of the machine's memory: it was filled before the crash; "
		            "time and registers are taken from memory",
		            (now - dump->time) / DT_TIME_SECOND);
	dump->header_is_stale = stale;
	if (dump->time == 0 || stale)
		dump->time = now;
	if (!dump->uptime.known || stale)
		dump->uptime = dt_some(uptime);
}

void dt_walk_shared(struct dt_kernel_walk *walk)
{
	struct dt_dump *dump = walk->dump;
	uint8_t raw[S_SIZE];
	struct dt_bytes page;

	if (!dt_shared_data_is_there(dump) || !read_page(dump, raw, &page))
		return;
	uint32_t build = dt_bytes_u32_or(page, S_BUILD, 0) & 0x0fffffff, product = dt_bytes_u32_or(page, S_PRODUCT, 0);
	dump->os_major = dt_bytes_u32_or(page, S_MAJOR, 0);
	dump->os_minor = dt_bytes_u32_or(page, S_MINOR, 0);
	if (!dump->build.known && build)
		dump->build = dt_some(build);
	if (dump->product_type == 0 && product >= 1 && product <= 3)
		dump->product_type = product;
	take_times(dump, page);
}
