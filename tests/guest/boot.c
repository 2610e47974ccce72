/*
 * The loader: maps two PE images, the shared page and a stack as Windows has them, hands QEMU the header of a Windows dump (as the
 * guest driver of real guests does), and enters the kernel. Freestanding; physical memory is mapped at its own addresses.
 */
#include <stddef.h>
#include <stdint.h>

#include "guest.h"

enum { PAGE = 4096, FREE = 0x1000000 };

extern uint8_t nt_image[], driver_image[];
extern uint64_t boot_pml4[512];
typedef void __attribute__((ms_abi)) kernel_entry(struct guest *guest);
void enter_kernel(uint64_t function, uint64_t argument, uint64_t stack);
void boot_main(void);

static uint64_t next_page = FREE;

static void *take_page(void)
{
	uint8_t *page = (uint8_t *)next_page;

	next_page += PAGE;
	for (int i = 0; i < PAGE; i++)
		page[i] = 0;
	return page;
}

static void map(uint64_t va, uint64_t pa)
{
	uint64_t *table = boot_pml4;

	for (int shift = 39; shift > 12; shift -= 9) {
		uint64_t *entry = &table[va >> shift & 511];
		if (!*entry)
			*entry = (uint64_t)take_page() | 0x23;
		table = (uint64_t *)(*entry & ~UINT64_C(0xfff));
	}
	table[va >> 12 & 511] = pa | 0x63;
}

static void map_range(uint64_t va, uint64_t len)
{
	for (uint64_t at = 0; at < len; at += PAGE)
		map(va + at, (uint64_t)take_page());
}

static uint32_t u32(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static void copy(uint64_t va, const uint8_t *from, uint64_t len)
{
	for (uint64_t i = 0; i < len; i++)
		((volatile uint8_t *)va)[i] = from[i];
}

/* Places header and sections as a loader does; gives the entry point. */
static uint64_t load(const uint8_t *file, uint64_t base, uint32_t *size)
{
	const uint8_t *pe = file + u32(file + 0x3c), *section = pe + 0x18 + (pe[0x14] | pe[0x15] << 8);

	*size = u32(pe + 0x18 + 0x38);
	map_range(base, *size);
	copy(base, file, u32(pe + 0x18 + 0x3c));
	for (int i = 0; i < pe[6]; i++, section += 40)
		copy(base + u32(section + 12), file + u32(section + 20), u32(section + 16));
	return base + u32(pe + 0x18 + 0x10);
}

/* ---- the header for dump-guest-memory -w ------------------------------------------- */

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static uint8_t note[24 + 0x2000];

static void put(uint8_t *at, uint64_t value, int size)
{
	for (int i = 0; i < size; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

/* DUMP_HEADER64 as the kernel fills it while it runs, a minute before it crashes: no stop code, no registers. */
static void fill_header(uint8_t *h, const struct guest *guest)
{
	for (int i = 0; i < 0x2000; i += 4)
		put(h + i, 0x45474150, 4);
	put(h + 0x04, 0x34365544, 4);
	put(h + 0x08, 0xf, 4);
	put(h + 0x0c, GUEST_BUILD, 4);
	put(h + 0x10, (uint64_t)boot_pml4, 8);
	put(h + 0x20, guest->nt + guest->module_list, 8);
	put(h + 0x28, guest->nt + guest->process_list, 8);
	put(h + 0x30, 0x8664, 4);
	put(h + 0x34, 1, 4);
	put(h + 0x38, 0, 4);
	for (int i = 0; i < 4; i++)
		put(h + 0x40 + 8 * i, 0, 8);
	put(h + 0x80, guest->nt + guest->debugger_block, 8);
	put(h + 0x88, 2, 4);
	put(h + 0x90, 0x9f + 0x3e00, 8);
	put(h + 0x98, 0, 8);
	put(h + 0xa0, 0x9f, 8);
	put(h + 0xa8, 0x100, 8);
	put(h + 0xb0, 0x3e00, 8);
	for (int i = 0x348; i < 0xf00; i++)
		h[i] = 0;
	put(h + 0xf98, 1, 4);
	put(h + 0xfa8, GUEST_TIME - 600000000, 8);
	put(h + 0x1030, GUEST_UPTIME - 600000000, 8);
	put(h + 0x1040, 1, 4);
	put(h + 0x1050, 0, 4);
}

static uint16_t find_file(const char *name)
{
	uint32_t count = 0;
	uint8_t entry[64];

	out16(0x510, 0x19);
	for (int i = 0; i < 4; i++)
		count = count << 8 | in8(0x511);
	for (; count; count--) {
		int same = 1;
		for (int i = 0; i < 64; i++)
			entry[i] = in8(0x511);
		for (int i = 0; same && i < 56 && (i == 0 || name[i - 1]); i++)
			same = entry[8 + i] == (uint8_t)name[i];
		if (same)
			return (uint16_t)(entry[4] << 8 | entry[5]);
	}
	return 0;
}

static void give_header(const struct guest *guest)
{
	static struct {
		uint16_t host, format;
		uint32_t size;
		uint64_t pa;
	} __attribute__((packed)) info;
	static struct {
		uint32_t control, length;
		uint64_t address;
	} __attribute__((packed)) access;
	uint16_t file = find_file("etc/vmcoreinfo");

	put(note, 11, 4);
	put(note + 4, 0x2000, 4);
	put(note + 8, 0, 4);
	for (int i = 0; i < 11; i++)
		note[12 + i] = (uint8_t)"VMCOREINFO"[i];
	fill_header(note + 24, guest);
	info.format = 1;
	info.size = sizeof(note);
	info.pa = (uint64_t)note;
	access.control = __builtin_bswap32((uint32_t)file << 16 | 0x18);
	access.length = __builtin_bswap32(sizeof(info));
	access.address = __builtin_bswap64((uint64_t)&info);
	out32(0x514, 0);
	out32(0x518, __builtin_bswap32((uint32_t)(uint64_t)&access));
}

void boot_main(void)
{
	static struct guest guest;
	uint64_t entry, shared = (uint64_t)take_page();

	guest.nt = NT_BASE;
	guest.driver = DRIVER_BASE;
	guest.shared = SHARED_PAGE;
	guest.stack_limit = STACK_LIMIT;
	guest.stack_base = STACK_BASE;
	entry = load(nt_image, NT_BASE, &guest.nt_size);
	guest.driver_entry = load(driver_image, DRIVER_BASE, &guest.driver_size);
	map(SHARED_PAGE, shared);
	map_range(STACK_LIMIT, STACK_BASE - STACK_LIMIT);
	/* The kernel's entry fills in where its structures lie, when it is called the first time. */
	((kernel_entry *)entry)(&guest);
	give_header(&guest);
	out8(0xe9, 'R');
	enter_kernel(entry, (uint64_t)&guest, STACK_BASE - 0x40);
}
