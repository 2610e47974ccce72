/*
 * "ntoskrnl.exe": the structures by which a Windows kernel of build 19041 is found in memory, a page-fault handler, and KeBugCheckEx. A PE
 * image, compiled for Windows. Offsets: the WDK's headers, and the kernel's type information.
 */
#include "guest.h"

enum { PRCB_SIZE = 0xaf00, PROCESS_SIZE = 0xa40, THREAD_SIZE = 0x898 };

#define EXPORT __declspec(dllexport)

EXPORT uint64_t KiBugCheckData[5];
EXPORT uint32_t NtBuildNumber = 0xf0000000 | GUEST_BUILD;
EXPORT uint64_t PsLoadedModuleList[2];

static uint64_t PsActiveProcessHead[2];
static uint64_t KiProcessorBlock[64];
static uint8_t debugger_block[0x380];
static uint8_t pcr[0x180 + PRCB_SIZE];
static uint8_t process[PROCESS_SIZE], thread[THREAD_SIZE], context[0x500];
static uint8_t entries[2][0x100];
static uint8_t idt[16 * 32];
static uint16_t names[4][64];
static const char build_lab[] = "19041.1.amd64fre.guest.240719-0512";

void KiPageFault(void);
void KiInterrupt(void);
extern char __ImageBase;

static void put(void *at, uint64_t value, int size)
{
	for (int i = 0; i < size; i++)
		((volatile uint8_t *)at)[i] = (uint8_t)(value >> 8 * i);
}

static uint32_t rva(const void *at)
{
	return (uint32_t)((const char *)at - &__ImageBase);
}

static void string(uint8_t *at, uint16_t *text, const char *from)
{
	int n = 0;

	for (; from[n]; n++)
		text[n] = (uint8_t)from[n];
	text[n] = 0;
	put(at, 2 * n, 2);
	put(at + 2, 2 * n + 2, 2);
	put(at + 8, (uint64_t)text, 8);
}

static void link(uint64_t *head, uint64_t *entry)
{
	uint64_t *last = (uint64_t *)head[1];

	entry[0] = (uint64_t)head;
	entry[1] = (uint64_t)last;
	last[0] = (uint64_t)entry;
	head[1] = (uint64_t)entry;
}

static void module(int i, uint64_t base, uint32_t size, const char *path, const char *name)
{
	uint8_t *entry = entries[i];

	put(entry + 0x30, base, 8);
	put(entry + 0x40, size, 4);
	string(entry + 0x48, names[2 * i], path);
	string(entry + 0x58, names[2 * i + 1], name);
	link(PsLoadedModuleList, (uint64_t *)entry);
}

static void modules(const struct guest *guest)
{
	PsLoadedModuleList[0] = PsLoadedModuleList[1] = (uint64_t)PsLoadedModuleList;
	module(0, guest->nt, guest->nt_size, "\\SystemRoot\\system32\\ntoskrnl.exe", "ntoskrnl.exe");
	module(1, guest->driver, guest->driver_size, "\\??\\C:\\Windows\\system32\\drivers\\CrowdStrike\\CSAgent.sys", "CSAgent.sys");
}

static void thread_and_process(const struct guest *guest)
{
	uint8_t *prcb = pcr + 0x180;

	PsActiveProcessHead[0] = PsActiveProcessHead[1] = (uint64_t)PsActiveProcessHead;
	put(process, 3, 1);
	put(process + 0x440, 4, 8);
	for (int i = 0; i < 6; i++)
		process[0x5a8 + i] = (uint8_t)"System"[i];
	link(PsActiveProcessHead, (uint64_t *)(process + 0x448));
	put(thread, 6, 1);
	put(thread + 0x28, guest->stack_base - 0x40, 8);
	put(thread + 0x30, guest->stack_limit, 8);
	put(thread + 0x38, guest->stack_base, 8);
	put(thread + 0x58, guest->stack_base - 0x400, 8);
	put(thread + 0xb8, (uint64_t)process, 8);
	put(thread + 0x478, 4, 8);
	put(thread + 0x480, 412, 8);
	put(pcr + 0x18, (uint64_t)pcr, 8);
	put(pcr + 0x20, (uint64_t)prcb, 8);
	put(prcb + 8, (uint64_t)thread, 8);
	put(prcb + 0x24, 0, 4);
	put(prcb + 0x85c0, (uint64_t)context, 8);
	KiProcessorBlock[0] = (uint64_t)prcb;
}

static void debugger(const struct guest *guest)
{
	static const uint16_t told[] = { 0x218, 0xf0, 0x58, 0x28, 0xb8, 0x184, 0, 0, PROCESS_SIZE, 0x550, 0x540, 0x28, PRCB_SIZE, 0x312a, 8, 0x44, 0x40, 0x8590, 0x1f0, 0x24, THREAD_SIZE };
	uint8_t *k = debugger_block;

	for (int i = 0; i < 4; i++)
		k[0x10 + i] = (uint8_t)"KDBG"[i];
	put(k + 0x14, sizeof(debugger_block), 4);
	put(k + 0x18, guest->nt, 8);
	put(k + 0x48, (uint64_t)PsLoadedModuleList, 8);
	put(k + 0x50, (uint64_t)PsActiveProcessHead, 8);
	put(k + 0x88, (uint64_t)KiBugCheckData, 8);
	put(k + 0xc0, (uint64_t)names, 8);
	put(k + 0x208, (uint64_t)build_lab, 8);
	put(k + 0x218, (uint64_t)KiProcessorBlock, 8);
	for (unsigned i = 0; i < sizeof(told) / sizeof(told[0]); i++)
		put(k + 0x298 + 2 * i, told[i], 2);
	put(k + 0x2e6, 0x180, 2);
	put(k + 0x2f2, 0x100, 2);
	put(k + 0x338, 0x85c0, 2);
	put(k + 0x340, 0x30, 4);
	put(k + 0x344, 0x38, 4);
}

static void gate(int vector, void (*handler)(void))
{
	uint64_t va = (uint64_t)handler;

	put(idt + 16 * vector, va & 0xffff, 2);
	put(idt + 16 * vector + 2, 0x10, 2);
	put(idt + 16 * vector + 4, 0x8e00, 2);
	put(idt + 16 * vector + 6, va >> 16 & 0xffff, 2);
	put(idt + 16 * vector + 8, va >> 32, 4);
}

static void shared_page(uint8_t *page)
{
	put(page + 0x08, GUEST_UPTIME & 0xffffffff, 4);
	put(page + 0x0c, GUEST_UPTIME >> 32, 4);
	put(page + 0x10, GUEST_UPTIME >> 32, 4);
	put(page + 0x14, GUEST_TIME & 0xffffffff, 4);
	put(page + 0x18, GUEST_TIME >> 32, 4);
	put(page + 0x1c, GUEST_TIME >> 32, 4);
	for (int i = 0; i < 11; i++)
		put(page + 0x30 + 2 * i, (uint8_t)"C:\\Windows"[i], 2);
	put(page + 0x260, GUEST_BUILD, 4);
	put(page + 0x264, 1, 4);
	put(page + 0x26c, 10, 4);
}

static void load_tables(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) pointer = { sizeof(idt) - 1, (uint64_t)idt };
	uint64_t gs = (uint64_t)pcr;

	__asm__ volatile("lidt %0" : : "m"(pointer));
	__asm__ volatile("wrmsr" : : "c"(0xc0000101), "a"((uint32_t)gs), "d"((uint32_t)(gs >> 32)));
}

/* The parameters are what real kernels pass: the trap frame in place of the third, which becomes the instruction pointer. */
__attribute__((noreturn, noinline)) void KeBugCheckEx(uint32_t code, uint64_t p1, uint64_t p2, uint64_t p3, uint64_t p4)
{
	KiBugCheckData[0] = code;
	KiBugCheckData[1] = p1;
	KiBugCheckData[2] = p2;
	KiBugCheckData[3] = *(uint64_t *)(p3 + 0x168);
	KiBugCheckData[4] = p4;
	__asm__ volatile("outb %0, %1" : : "a"((uint8_t)'D'), "Nd"((uint16_t)0xe9));
	for (;;)
		__asm__ volatile("cli; hlt");
}

void KiSystemFault(uint64_t frame, uint64_t address, uint64_t error)
{
	KeBugCheckEx(0x50, address, error & 2, frame, 2);
}

/* Called twice: to lay out its structures, and on the thread's stack. */
void KiSystemStartup(struct guest *guest)
{
	if (guest->calls++) {
		((void (*)(void))guest->driver_entry)();
		return;
	}
	modules(guest);
	thread_and_process(guest);
	debugger(guest);
	shared_page((uint8_t *)guest->shared);
	for (int i = 0; i < 32; i++)
		gate(i, KiInterrupt);
	gate(14, KiPageFault);
	load_tables();
	guest->module_list = rva(PsLoadedModuleList);
	guest->process_list = rva(PsActiveProcessHead);
	guest->debugger_block = rva(debugger_block);
}
