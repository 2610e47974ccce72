/*
 * What Windows kept for the case of a crash: boot status, the Plug and Play event, winlogon's operation, requests to disks that took too
 * long, the PCI functions. WinDbg prints them as !blackboxbsd, -pnp, -winlogon, -ntfs and -pci.
 *
 * Layouts: RTL_BSD_DATA of the native headers (phnt), whose order and names are those of Microsoft's page on !blackboxbsd; for the others
 * ntoseye, which follows WinDbg. Boot status, Plug and Play, winlogon, NTFS without records and PCI were compared with
 * those of real dumps (19041, 22000, 26100); no real record of a slow request was at hand.
 *
 * Instance paths of devices and addresses of Bluetooth devices can be serial numbers: only the kind of device is taken.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/text.h"
#include "facts/triage/pass.h"

/* ---- boot status ------------------------------------------------------------------ */

enum {
	BSD_SUCCEEDED = 0x0a,
	BSD_SLEEPING = 0x0c,
	BSD_TRANSITION = 0x18,
	BSD_SLEEPS = 0x1c,
	BSD_ATTEMPTS = 0x30,
	BSD_BOOT = 0x34,
	BSD_SHUTDOWN = 0x38,
	BSD_ABNORMAL = 0x3c,
	BSD_LEAST = 0x40, /* what all versions have; the version is the size */
	BSD_PRESS_TIME = 0x58,
	BSD_PRESSES = 0x60,
	BSD_WITH_BUTTON = 0x88,
	STANDBY = 2,
	SHUTDOWN = 4 | 8, /* by a user, by the system */
};

static enum dt_bool3 is_set(struct dt_bytes bytes, uint64_t off, uint8_t bits)
{
	uint8_t value;

	if (!dt_bytes_u8(bytes, off, &value))
		return DT_NOT_KNOWN;
	return value & bits ? DT_TRUE : DT_FALSE;
}

/* Boots are counted from 1. */
static struct dt_opt number(struct dt_bytes bytes, uint64_t off)
{
	uint32_t value;

	return dt_bytes_u32(bytes, off, &value) && value ? dt_some(value) : (struct dt_opt){ 0 };
}

static void boot(struct dt_pass *pass)
{
	struct dt_bytes bsd = dt_bytes_clip(pass->dump->boot_status, 0, dt_bytes_u32_or(pass->dump->boot_status, 0, 0));
	struct dt_boot *out = bsd.len > BSD_LEAST ? DT_ARENA_NEW(pass->arena, struct dt_boot) : NULL;
	uint8_t attempts = 0;

	if (!out)
		return;
	(void)dt_bytes_u8(bsd, BSD_ATTEMPTS, &attempts);
	*out = (struct dt_boot){
		.id = number(bsd, BSD_BOOT),
		.attempts = dt_some(attempts),
		.succeeded = is_set(bsd, BSD_SUCCEEDED, 0xff),
		.last_shutdown = number(bsd, BSD_SHUTDOWN),
		.last_abnormal = number(bsd, BSD_ABNORMAL),
		.sleeping = is_set(bsd, BSD_SLEEPING, 0xff),
		.standby = is_set(bsd, BSD_TRANSITION, STANDBY),
		.shutting_down = is_set(bsd, BSD_TRANSITION, SHUTDOWN),
		.sleeps = dt_some(dt_bytes_u16_or(bsd, BSD_SLEEPS, 0)),
	};
	if (bsd.len >= BSD_WITH_BUTTON) {
		out->button_pressed = dt_bytes_u64_or(bsd, BSD_PRESS_TIME, 0);
		out->button_presses = dt_some(dt_bytes_u32_or(bsd, BSD_PRESSES, 0));
	}
	pass->facts->boot = out;
}

/* ---- texts ------------------------------------------------------------------------- */

/* UTF-16 from off up to its NUL or the end; NULL when there is none. */
static const char *wide_text(struct dt_pass *pass, struct dt_bytes bytes, uint64_t off)
{
	struct dt_bytes text = dt_bytes_clip(bytes, off, DT_MAX_DUMP_STRING);
	size_t len = 0;

	while (dt_bytes_u16_or(text, len, 0))
		len += 2;
	return len ? dt_text_from_utf16(pass->arena, dt_bytes_clip(text, 0, len)) : NULL;
}

static bool is_hex_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Enumerator and device of "enumerator\device\instance", without the addresses of Bluetooth devices (12 hex digits). */
static const char *kind_of_device(struct dt_pass *pass, const char *path)
{
	const char *device = path ? strchr(path, '\\') : NULL, *instance = device ? strchr(device + 1, '\\') : NULL;
	size_t len = instance ? (size_t)(instance - path) : path ? strlen(path) : 0, digits = 0;
	char *out = device ? dt_arena_alloc(pass->arena, len + 1) : NULL;

	if (!out)
		return NULL;
	memcpy(out, path, len);
	out[len] = '\0';
	for (size_t i = 0; i <= len; i++) {
		if (is_hex_digit(out[i])) {
			digits++;
			continue;
		}
		bool in_guid = i > digits && out[i - digits - 1] == '-';
		for (size_t k = i - digits; digits == 12 && !in_guid && k < i; k++)
			out[k] = 'x';
		digits = 0;
	}
	return out;
}

/* ---- Plug and Play, winlogon ------------------------------------------------------- */

enum { PNP_TIME = 0x10, PNP_BUSY = 0x1c, PNP_PROBLEM = 0x20, PNP_VETO = 0x24, PNP_DEVICE = 0x2c, PNP_LEAST = 0x30 };

static void plug_and_play(struct dt_pass *pass)
{
	struct dt_bytes pnp = pass->dump->pnp_event;
	struct dt_pnp *out = pnp.len >= PNP_LEAST ? DT_ARENA_NEW(pass->arena, struct dt_pnp) : NULL;

	if (!out)
		return;
	*out = (struct dt_pnp){
		.device = kind_of_device(pass, wide_text(pass, pnp, PNP_DEVICE)),
		.time = dt_bytes_u64_or(pnp, PNP_TIME, 0),
		.in_progress = is_set(pnp, PNP_BUSY, 0xff),
		.problem = number(pnp, PNP_PROBLEM),
		.veto = number(pnp, PNP_VETO),
	};
	pass->facts->pnp = out;
}

enum { LOGON_VERSION = 1, LOGON_PENDING = 8, LOGON_TEXT = 12 };

static void logon(struct dt_pass *pass)
{
	struct dt_bytes bytes = pass->dump->logon;
	struct dt_logon *out = NULL;

	if (bytes.len >= LOGON_TEXT && dt_bytes_u32_or(bytes, 0, 0) == LOGON_VERSION && dt_bytes_u32_or(bytes, 4, 0) == bytes.len)
		out = DT_ARENA_NEW(pass->arena, struct dt_logon);
	if (!out)
		return;
	*out = (struct dt_logon){ .operation = wide_text(pass, bytes, LOGON_TEXT), .pending = is_set(bytes, LOGON_PENDING, 0xff) };
	pass->facts->logon = out;
}

/* ---- NTFS: requests that took too long ---------------------------------------------- */

enum {
	NTFS_SIZE = 2,
	NTFS_CHAIN = 4,
	NTFS_SLOTS = 0x10,
	NTFS_FIRST_SLOT = 0x12,
	NTFS_LEAST = 0x18,
	SLOT = 32,
	RECORD = 8,       /* type, length, offset of the next one */
	RECORD_OPLOCK = 2,
	PROCESS_NAME = 15,
};

static struct dt_slow_io *add_slow(struct dt_pass *pass, const char *kind)
{
	struct dt_facts *facts = pass->facts;

	if (!facts->slow_io)
		facts->slow_io = DT_ARENA_ARRAY(pass->arena, DT_MAX_SLOW_IO, struct dt_slow_io);
	if (!facts->slow_io || dt_pass_is_full(pass, "slow requests", facts->slow_io_count, DT_MAX_SLOW_IO))
		return NULL;
	struct dt_slow_io *out = &facts->slow_io[facts->slow_io_count++];
	*out = (struct dt_slow_io){ .kind = kind };
	return out;
}

static struct dt_opt address(struct dt_bytes bytes, uint64_t off)
{
	uint64_t value;

	return dt_bytes_u64(bytes, off, &value) && value ? dt_some(value) : (struct dt_opt){ 0 };
}

static void slow_request(struct dt_pass *pass, struct dt_bytes slot)
{
	struct dt_slow_io *out = address(slot, 0).known || address(slot, 8).known ? add_slow(pass, "slow-request") : NULL;

	if (!out)
		return;
	out->irp = address(slot, 0);
	out->thread = address(slot, 16);
}

static const char *process_name(struct dt_pass *pass, struct dt_bytes bytes, uint64_t off)
{
	struct dt_bytes name = dt_bytes_clip(bytes, off, PROCESS_NAME);
	size_t len = 0;

	while (len < name.len && name.data[len])
		len++;
	return len ? dt_text_from_utf8(pass->arena, dt_bytes_clip(name, 0, len)) : NULL;
}

/* A lock of a file that its owner did not give back in time. */
static void oplock_break(struct dt_pass *pass, struct dt_bytes record)
{
	static const char *const routines[] = { NULL, "NtfsFsdSetInformation", "NtfsFspDispatch", "NtfsFsdCleanup", "NtfsFsdCreate", "NtfsFsdWrite" };
	uint32_t routine = dt_bytes_u32_or(record, 24, 0);
	struct dt_slow_io *out = add_slow(pass, "oplock-break");

	if (!out)
		return;
	out->irp = address(record, 8);
	out->routine = routine < sizeof(routines) / sizeof(routines[0]) ? routines[routine] : NULL;
	out->owner = process_name(pass, record, 28);
	out->breaker = process_name(pass, record, 28 + PROCESS_NAME);
}

static void chain(struct dt_pass *pass, struct dt_bytes ntfs)
{
	uint64_t at = dt_bytes_u16_or(ntfs, NTFS_CHAIN, 0);
	struct dt_bytes record;

	for (unsigned i = 0; at && dt_bytes_has(ntfs, at, RECORD) && !dt_pass_is_full(pass, "slow requests", i, DT_MAX_SLOW_IO); i++) {
		if (!dt_bytes_sub(ntfs, at, dt_bytes_u16_or(ntfs, at + 2, 0), &record))
			return;
		if (dt_bytes_u16_or(ntfs, at, 0) == RECORD_OPLOCK)
			oplock_break(pass, record);
		at = dt_bytes_u16_or(ntfs, at + 4, 0);
	}
}

static void slow_io(struct dt_pass *pass)
{
	struct dt_bytes ntfs = dt_bytes_clip(pass->dump->slow_io, 0, dt_bytes_u16_or(pass->dump->slow_io, NTFS_SIZE, 0)), slot;
	uint64_t first = dt_bytes_u16_or(ntfs, NTFS_FIRST_SLOT, 0);
	unsigned slots = dt_bytes_u16_or(ntfs, NTFS_SLOTS, 0);

	if (ntfs.len < NTFS_LEAST || dt_bytes_u16_or(ntfs, 0, 0) != 0 || first < NTFS_LEAST)
		return;
	for (unsigned i = 0; i < slots && dt_bytes_sub(ntfs, first + (uint64_t)i * SLOT, SLOT, &slot); i++)
		slow_request(pass, slot);
	chain(pass, ntfs);
}

/* ---- PCI ---------------------------------------------------------------------------- */

enum { PCI_SIZE = 4, PCI_LOCATION = 12, PCI_CONFIGURATION = 60, PCI_LEAST = 0x7c };

static void pci_function(struct dt_pass *pass, struct dt_bytes record)
{
	uint32_t location = dt_bytes_u32_or(record, PCI_LOCATION, 0);
	uint8_t revision = 0;

	(void)dt_bytes_u8(record, PCI_CONFIGURATION + 8, &revision);
	pass->facts->pci[pass->facts->pci_count++] = (struct dt_pci){
		.location = dt_arena_printf(pass->arena, "%02x:%02x.%x", location >> 8 & 0xff, location >> 3 & 0x1f, location & 7),
		.vendor = dt_some(dt_bytes_u16_or(record, PCI_CONFIGURATION, 0)),
		.device = dt_some(dt_bytes_u16_or(record, PCI_CONFIGURATION + 2, 0)),
		.command = dt_some(dt_bytes_u16_or(record, PCI_CONFIGURATION + 4, 0)),
		.status = dt_some(dt_bytes_u16_or(record, PCI_CONFIGURATION + 6, 0)),
		.revision = dt_some(revision),
	};
}

static void pci(struct dt_pass *pass)
{
	struct dt_bytes all = pass->dump->pci, record;
	struct dt_facts *facts = pass->facts;
	uint64_t at = 0;

	if (all.len < PCI_LEAST)
		return;
	facts->pci = DT_ARENA_ARRAY(pass->arena, DT_MAX_PCI, struct dt_pci);
	while (facts->pci && dt_bytes_match(all, at, "PCfg", 4) && !dt_pass_is_full(pass, "PCI functions", facts->pci_count, DT_MAX_PCI)) {
		uint32_t size = dt_bytes_u32_or(all, at + PCI_SIZE, 0);

		if (size < PCI_LEAST || !dt_bytes_sub(all, at, size, &record))
			return;
		/* A function that did not answer reads as ones. */
		if (dt_bytes_u16_or(record, PCI_CONFIGURATION, 0xffff) != 0xffff)
			pci_function(pass, record);
		at += size;
	}
}

void dt_pass_blackbox(struct dt_pass *pass)
{
	boot(pass);
	plug_and_play(pass);
	logon(pass);
	slow_io(pass);
	pci(pass);
}
