/*
 * frames.c - functions whose frames differ: what the unwinder, the PE reader and the PDB reader are tested on.
 *
 * Compiled for Windows without its libraries, so that a test can also map the image and run it step by step.
 */
#define EXPORT __declspec(dllexport)
#define HIDDEN __attribute__((noinline))

typedef unsigned long long u64;
static volatile u64 sink;
int _fltused = 1;

/* Probes the pages of a large frame; it must keep all registers. */
#ifdef __i386__
/* Here it also moves the stack pointer. */
__asm__(".globl __chkstk\n__chkstk:\n\tpushl %ecx\n\tleal 8(%esp), %ecx\n\tsubl %eax, %ecx\n\tmovl %esp, %eax\n\tmovl %ecx, %esp\n"
        "\tmovl (%eax), %ecx\n\tpushl 4(%eax)\n\tret\n");
#else
__asm__(".globl __chkstk\n__chkstk:\n\tnop\n\tret\n");
#endif

static HIDDEN u64 leaf(u64 a, u64 b)
{
	return a * 3 + b;
}

static HIDDEN u64 small_frame(u64 a)
{
	volatile u64 local = a;

	return leaf(local, a) + 1;
}

static HIDDEN u64 many_registers(u64 a, u64 b, u64 c, u64 d)
{
	u64 e = small_frame(a), f = small_frame(b), g = small_frame(c), h = small_frame(d), i = leaf(e, f), j = leaf(g, h);

	for (unsigned n = 0; n < 2; n++) {
		e += small_frame(f ^ i);
		f += small_frame(g ^ j);
		g += small_frame(h ^ e);
		h += leaf(e, i);
	}
	return e ^ f ^ g ^ h ^ i ^ j ^ a ^ b ^ c ^ d;
}

static HIDDEN u64 large_frame(u64 a)
{
	volatile unsigned char room[0x1234];

	room[a & 0xff] = (unsigned char)a;
	return small_frame(room[a & 0xff]);
}

static HIDDEN u64 huge_frame(u64 a)
{
	volatile unsigned char room[0x12345];

	room[a & 0xffff] = (unsigned char)a;
	return large_frame(room[a & 0xffff]) + many_registers(a, 1, 2, 3);
}

static HIDDEN u64 frame_pointer(u64 a)
{
	volatile unsigned char *room = __builtin_alloca((a & 0xff) + 16);

	room[3] = (unsigned char)a;
	return small_frame(room[3]) + many_registers(a, a, 2, a);
}

static HIDDEN double vectors(double a, double b, double c)
{
	volatile double x = a, y = b, z = c;
	double p = x * y, q = y * z, r = x * z;

	sink += small_frame(7);
	p += q * r;
	sink += large_frame(9);
	return p + q + r;
}

static HIDDEN u64 early_return(u64 a)
{
	if (a == 0)
		return 5;
	u64 b = small_frame(a);
	if (b & 1)
		return many_registers(a, b, a, b);
	for (u64 i = 0; i < 3; i++)
		sink += leaf(b, i);
	return b + frame_pointer(b);
}

static HIDDEN u64 recursive(u64 depth)
{
	volatile u64 local = depth;

	return depth ? recursive(depth - 1) + local : small_frame(local);
}

/* Ends in a jump to another function. */
static HIDDEN u64 tail(u64 a)
{
	sink += small_frame(a);
	return early_return(a + 1);
}

static u64 (*volatile indirect)(u64) = tail;

EXPORT u64 run_frames(u64 a)
{
	u64 sum = huge_frame(a) + early_return(0) + early_return(2) + early_return(3) + recursive(5);

	sum += (u64)vectors((double)(a & 7), 2.0, 3.0);
	return sum + tail(4) + indirect(5) + sink;
}

EXPORT u64 other_export(u64 a)
{
	return many_registers(a, a, a, a);
}
