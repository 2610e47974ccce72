/*
 * The first instructions: QEMU enters here in 32-bit protected mode (the PVH boot protocol). They turn on long mode over
 * an identity map and go on in C.
 */
	.section .note.Xen, "a"
	.long 4, 4, 18          /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	movl $boot_stack_end, %esp
	/* 1 GiB at 0 in pages of 2 MiB. */
	movl $boot_pd + 0x23, boot_pdpt
	movl $boot_pdpt + 0x23, boot_pml4
	movl $boot_pd, %edi
	movl $0xa3, %eax
	movl $512, %ecx
1:	movl %eax, (%edi)
	movl $0, 4(%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 1b
	movl %cr4, %eax
	orl $0x20, %eax         /* PAE */
	movl %eax, %cr4
	movl $boot_pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx
	rdmsr
	orl $0x100, %eax        /* long mode */
	wrmsr
	movl %cr0, %eax
	orl $0x80010001, %eax   /* paging, write protection */
	movl %eax, %cr0
	lgdt gdt_pointer
	ljmp $0x10, $long_mode

	.code64
long_mode:
	movw $0x18, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	call boot_main
2:	hlt
	jmp 2b

	/* Leaves the identity map's stack for the thread's: rdi function, rsi its argument, rdx stack. */
	.globl enter_kernel
enter_kernel:
	movq %rdx, %rsp
	movq %rsi, %rcx         /* the kernel is compiled for Windows */
	subq $0x20, %rsp
	call *%rdi
3:	hlt
	jmp 3b

	.data
	.balign 16
gdt:	.quad 0, 0
	.quad 0x00af9b000000ffff /* 10: kernel code */
	.quad 0x00cf93000000ffff /* 18: data */
gdt_pointer:
	.word . - gdt - 1
	.long gdt
	.globl nt_image, nt_image_end, driver_image, driver_image_end
	.balign 4096
nt_image:
	.incbin "ntoskrnl.exe"
nt_image_end:
	.balign 4096
driver_image:
	.incbin "CSAgent.sys"
driver_image_end:

	.bss
	.balign 4096
	.globl boot_pml4
boot_pml4: .skip 4096
boot_pdpt: .skip 4096
boot_pd:   .skip 4096
	.skip 16384
boot_stack_end:
