/* The page-fault entry: completes the machine frame that the processor pushed to a KTRAP_FRAME of 0x190 bytes. */
	.text
	.globl KiPageFault
KiPageFault:
	subq $0x160, %rsp
	movq %rax, 0x30(%rsp)
	movq %rcx, 0x38(%rsp)
	movq %rdx, 0x40(%rsp)
	movq %r8, 0x48(%rsp)
	movq %r9, 0x50(%rsp)
	movq %r10, 0x58(%rsp)
	movq %r11, 0x60(%rsp)
	movq %rbp, 0x158(%rsp)
	movq %cr2, %rdx
	movq %rdx, 0xd0(%rsp)
	movq 0x160(%rsp), %r8
	movq %rsp, %rcx
	andq $-16, %rsp
	subq $0x20, %rsp
	call KiSystemFault
	int3

	.globl KiInterrupt
KiInterrupt:
	movb $0x58, %al
	outb %al, $0xe9
1:	cli
	hlt
	jmp 1b
