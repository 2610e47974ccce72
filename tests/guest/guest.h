/* guest.h - what loader and kernel of the test's guest share. */
#ifndef GUEST_H
#define GUEST_H

#include <stdint.h>

#define NT_BASE UINT64_C(0xfffff80208800000)
#define DRIVER_BASE UINT64_C(0xfffff8020eae0000)
#define SHARED_PAGE UINT64_C(0xfffff78000000000)
#define STACK_LIMIT UINT64_C(0xffffae035f57a000)
#define STACK_BASE UINT64_C(0xffffae035f580000)
#define GUEST_BUILD 19041
#define GUEST_TIME UINT64_C(133658395530000000) /* 2024-07-19T05:12:33Z */
#define GUEST_UPTIME UINT64_C(935000000)        /* 93.5 s */

struct guest {
	uint64_t nt, driver, shared, stack_limit, stack_base, driver_entry;
	uint32_t nt_size, driver_size;
	/* filled in by the kernel: offsets from its base */
	uint32_t module_list, process_list, debugger_block;
	uint32_t calls;
};

#endif
