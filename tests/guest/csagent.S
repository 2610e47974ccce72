/*
 * "CSAgent.sys": a call chain that ends in the 29 published bytes of the crash of 19 July 2024, executed: the 21st pointer of an array of 20 is
 * read, and what happens to lie behind the array is no pointer.
 */
	.text
	.globl DriverEntry
DriverEntry:
	subq $0x38, %rsp
	call interpret
	addq $0x38, %rsp
	ret

	.balign 16
interpret:
	subq $0x58, %rsp
	call match
	addq $0x58, %rsp
	ret

	.balign 16
match:
	pushq %rbp
	movq %rsp, %rbp
	subq $0x40, %rsp
	leaq inputs(%rip), %rax
	movl $0x14, %r11d
	orl %r11d, %r11d        /* not zero: the jump below is taken */
	call read_input
	addq $0x40, %rsp
	popq %rbp
	ret

	.balign 16
read_input:
	nop
	.byte 0x4e, 0x8b, 0x04, 0xd8, 0x75, 0x0b, 0x4d, 0x85, 0xc0, 0x74, 0x12, 0x45, 0x0f, 0xb7, 0x08, 0xeb, 0x08
	.byte 0x4d, 0x85, 0xc0, 0x74, 0x07
	.byte 0x45, 0x8b, 0x08  /* mov r9d, dword ptr [r8] */
	.byte 0x4d, 0x8b, 0x50, 0x08
	ret
	int3

	.data
	.balign 8
inputs:
	.fill 20, 8, 0
	.quad 0xffffd6030000006a
