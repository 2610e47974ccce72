/* machine.h - Windows in the memory of a machine, and the files that hold such memory. Private to the builder. */
#ifndef SAMPLE_MACHINE_H
#define SAMPLE_MACHINE_H

#include "kernel.h"
#include "world.h"

/* Where the structures lie that recipes do not place. */
enum { PRCBS = 0x40000000, ENTRIES = 0x30000000, IDT = 0x60000000 };

/* Everything that the recipe's lines say, as a running kernel has it: images with their headers, lists, processors, the crashed thread. */
void machine_build(struct world *world, const struct build *b);
/* The address of the crashed processor's KPCR, of its interrupt table; what `cpu number=` says. */
uint64_t machine_kpcr(struct world *world);
uint64_t machine_idt(struct world *world);

/* kind memory: behind a kernel's header, in the body that dump-type asks for. */
void build_memory(struct recipe *recipe, struct image *image);
/* kind elf and kdump: what a hypervisor writes. */
void build_elf(struct recipe *recipe, struct image *image);
void build_kdump(struct recipe *recipe, struct image *image);

#endif
