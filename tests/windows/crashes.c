/*
 * crashes.c - a program for Windows that crashes and writes minidumps of itself: what a real MiniDumpWriteDump is tested on.
 *
 * crashes.exe HOW NORMAL.DMP FULL.DMP|- TOLD: without the C library, so that every frame from its entry to the fault is of this file. What the
 * dumps must say it notes while it runs (struct told): who it is, where it failed, and where each function was called from.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define HIDDEN __attribute__((noinline))
#define IMPORT __declspec(dllimport)
#define CALLED() (told.from[told.calls++ % MAX_CALLS] = (u64)__builtin_return_address(0))

/* As far as winnt.h and minidumpapiset.h are used here. */
struct pointers {
	struct {
		u32 code, flags;
		void *inner, *address;
	} *record;
	u8 *context;
};

struct crash {
	u32 thread;
	struct pointers *pointers;
	int client;
} __attribute__((packed, aligned(4)));

enum { GENERIC_WRITE = 0x40000000, CREATE_ALWAYS = 2, NORMAL = 0, WITH_FULL_MEMORY = 2, FOREVER = -1, RSP_IN_CONTEXT = 0x98 };
enum { WORDS = 5, ROOM = 260, MAX_CALLS = 32 };

IMPORT void *AddVectoredExceptionHandler(u32 first, int (*handler)(struct pointers *));
IMPORT int CloseHandle(void *handle);
IMPORT void *CreateEventA(void *security, int manual, int set, const char *name);
IMPORT void *CreateFileA(const char *name, u32 access, u32 share, void *security, u32 how, u32 flags, void *like);
IMPORT void *CreateThread(void *security, u64 stack, u32 (*start)(void *), void *with, u32 flags, u32 *id);
IMPORT void ExitProcess(u32 code);
IMPORT char *GetCommandLineA(void);
IMPORT void *GetCurrentProcess(void);
IMPORT u32 GetCurrentProcessId(void);
IMPORT u32 GetCurrentThreadId(void);
IMPORT int SetEvent(void *event);
IMPORT void *SetUnhandledExceptionFilter(int (*filter)(struct pointers *));
IMPORT u32 WaitForSingleObject(void *handle, u32 ms);
IMPORT int WriteFile(void *file, const void *from, u32 len, u32 *written, void *overlapped);
IMPORT int MiniDumpWriteDump(void *process, u32 pid, void *file, u32 type, struct crash *crash, void *streams, void *callback);

int _fltused = 1;
static volatile u64 sink;
static char words[WORDS][ROOM];
static void *runs, *never;
static struct told {
	u32 pid, tid, other_tid, calls;
	u64 fault;
	volatile u64 from[MAX_CALLS];
} told;

/* Probes the pages of a large frame; it must keep all registers. */
__asm__(".globl __chkstk\n__chkstk:\n\tpush %rcx\n\tpush %rax\n\tlea 24(%rsp), %rcx\n"
        "1:\tcmp $0x1000, %rax\n\tjb 2f\n\tsub $0x1000, %rcx\n\ttestb %cl, (%rcx)\n\tsub $0x1000, %rax\n\tjmp 1b\n"
        "2:\tsub %rax, %rcx\n\ttestb %cl, (%rcx)\n\tpop %rax\n\tpop %rcx\n\tret\n");

/* ---- what is written ------------------------------------------------------------------- */

static void *create(const char *name)
{
	return CreateFileA(name, GENERIC_WRITE, 0, 0, CREATE_ALWAYS, 0, 0);
}

static HIDDEN int write_dump(const char *name, u32 type, struct pointers *pointers)
{
	struct crash crash = { GetCurrentThreadId(), pointers, 0 };
	void *file = create(name);
	int done = MiniDumpWriteDump(GetCurrentProcess(), GetCurrentProcessId(), file, type, &crash, 0, 0);

	return CloseHandle(file) && done;
}

static int on_exception(struct pointers *pointers)
{
	void *file = create(words[4]);
	u32 written = 0;

	told.pid = GetCurrentProcessId();
	told.tid = GetCurrentThreadId();
	told.fault = (u64)pointers->record->address;
	/* Called, but never begun: its caller stands at the top of the stack. */
	if (!told.fault || told.fault == (u64)&told)
		told.from[told.calls++ % MAX_CALLS] = **(u64 **)(pointers->context + RSP_IN_CONTEXT);
	int done = WriteFile(file, &told, sizeof(told), &written, 0) && CloseHandle(file) && write_dump(words[2], NORMAL, pointers) &&
	           (words[3][0] == '-' || write_dump(words[3], WITH_FULL_MEMORY, pointers));
	ExitProcess(done ? 0 : 3);
	return 0;
}

/* ---- what crashes ---------------------------------------------------------------------- */

/* The fault is in it, and it has no frame. */
HIDDEN u64 read_field(const u64 *at, u64 mask)
{
	CALLED();
	return *at & mask;
}

HIDDEN u64 few_locals(u64 a)
{
	volatile u64 local = a;

	CALLED();
	return read_field((const u64 *)(local & 0x10), a) + 1;
}

HIDDEN u64 by_pointer(u64 a)
{
	u64 (*volatile to)(u64) = few_locals;

	CALLED();
	return to(a) + a;
}

HIDDEN u64 large_frame(u64 a)
{
	volatile u8 room[0x2345];

	CALLED();
	room[a & 0xff] = (u8)a;
	return by_pointer(room[a & 0xff]) + room[a & 0x1f];
}

HIDDEN double saved_vectors(double a, double b)
{
	double p = a * b, q = a + b;

	CALLED();
	sink += large_frame(7);
	return p * q + a - b;
}

HIDDEN u64 frame_pointer(u64 a)
{
	volatile u8 *room = __builtin_alloca((a & 0xff) + 16);

	CALLED();
	room[3] = (u8)a;
	return (u64)saved_vectors((double)room[3], 2.5) + room[3];
}

HIDDEN u64 recursive(u64 depth)
{
	volatile u64 local = depth;

	CALLED();
	return depth ? recursive(depth - 1) + local : frame_pointer(5) + local;
}

HIDDEN u64 call_wrong(u64 a, const void *target)
{
	u64 (*volatile to)(u64) = (u64(*)(u64))target;

	CALLED();
	return to(a) + 1;
}

HIDDEN u64 begin_work(char how)
{
	CALLED();
	return how == 'n' ? call_wrong(3, 0) + 1 : how == 'd' ? call_wrong(3, &told) + 1 : recursive(3) + 1;
}

/* ---- how it begins --------------------------------------------------------------------- */

u32 waiting_thread(void *with)
{
	(void)with;
	told.other_tid = GetCurrentThreadId();
	SetEvent(runs);
	return WaitForSingleObject(never, (u32)FOREVER);
}

static void split(const char *line)
{
	for (u32 word = 0, len = 0; *line; line++) {
		if (*line == ' ' && len) {
			word++;
			len = 0;
		} else if (*line != ' ' && *line != '"' && word < WORDS && len + 1 < ROOM) {
			words[word][len++] = *line;
		}
	}
}

/* HOW: f, a filter of what nobody handles writes the dumps; v, a vectored handler; n and d, that after a call of nothing or of data. */
u32 entry(void)
{
	CALLED();
	split(GetCommandLineA());
	runs = CreateEventA(0, 1, 0, 0);
	never = CreateEventA(0, 1, 0, 0);
	CreateThread(0, 0, waiting_thread, 0, 0, 0);
	WaitForSingleObject(runs, (u32)FOREVER);
	if (words[1][0] == 'f')
		SetUnhandledExceptionFilter(on_exception);
	else
		AddVectoredExceptionHandler(1, on_exception);
	return (u32)begin_work(words[1][0]);
}
