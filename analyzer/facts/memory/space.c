#include "facts/memory/space.h"

#include <stdlib.h>
#include <string.h>

#include "facts/memory/addrxlat.h"

enum { CACHE_SLOTS = 1024 };

/* How one machine lays out its page tables. */
struct form {
	const char *name;
	addrxlat_paging_form_t paging;
	uint64_t root_mask;    /* CR3 has a PCID in its low bits, TTBR an ASID in its high ones */
	uint64_t address_mask; /* bits of an address that are looked at */
	unsigned pte_size;
	unsigned sign_bit;     /* bits above it repeat it; 0: not checked */
	enum dt_absence (*software)(uint64_t pte, uint64_t *pa);
};

static enum dt_absence x64_software(uint64_t pte, uint64_t *pa);
static enum dt_absence pae_software(uint64_t pte, uint64_t *pa);
static enum dt_absence x86_software(uint64_t pte, uint64_t *pa);
static enum dt_absence arm64_software(uint64_t pte, uint64_t *pa);

#define PAGES_4K UINT64_C(0x000ffffffffff000)
static const struct form forms[DT_PAGING_COUNT] = {
	[DT_PAGING_X64_4] = { "x64, 4 levels", { ADDRXLAT_PTE_X86_64, 5, { 12, 9, 9, 9, 9 } }, PAGES_4K, UINT64_MAX, 8, 47, x64_software },
	[DT_PAGING_X64_5] = { "x64, 5 levels", { ADDRXLAT_PTE_X86_64, 6, { 12, 9, 9, 9, 9, 9 } }, PAGES_4K, UINT64_MAX, 8, 56, x64_software },
	[DT_PAGING_X86_PAE] = { "x86, PAE", { ADDRXLAT_PTE_IA32_PAE, 4, { 12, 9, 9, 2 } }, 0xffffffe0, UINT32_MAX, 8, 0, pae_software },
	[DT_PAGING_X86] = { "x86", { ADDRXLAT_PTE_IA32, 3, { 12, 10, 10 } }, 0xfffff000, UINT32_MAX, 4, 0, x86_software },
	[DT_PAGING_ARM64] = { "ARM64", { ADDRXLAT_PTE_AARCH64, 5, { 12, 9, 9, 9, 9 } }, UINT64_C(0x0000fffffffff000),
	                      UINT64_C(0x0000ffffffffffff), 8, 0, arm64_software },
};

/* A page and where it is; pa means nothing unless absence is DT_PRESENT. */
struct slot {
	uint64_t va; /* of the page, plus 1: 0 is an empty slot */
	uint64_t pa;
	enum dt_absence absence;
};

struct dt_space {
	const struct dt_addrxlat *library;
	struct dt_physical *physical;
	const struct form *form;
	addrxlat_ctx_t *ctx;
	addrxlat_meth_t method;
	struct slot cache[CACHE_SLOTS];
};

static const char *const absence_texts[DT_ABSENCE_COUNT] = {
	[DT_ABSENT_ADDRESS] = "no address of this machine",
	[DT_ABSENT_UNMAPPED] = "nothing is mapped there",
	[DT_ABSENT_TABLE] = "its page table is not there",
	[DT_ABSENT_PAGE] = "its page was left out",
	[DT_ABSENT_PROTOTYPE] = "a page of a section that was not in memory",
	[DT_ABSENT_ZERO] = "a page that nobody had touched",
	[DT_ABSENT_PAGE_FILE] = "in the page file",
};

const char *dt_absence_text(enum dt_absence absence)
{
	return absence_texts[absence];
}

bool dt_addrxlat_is_there(void)
{
	return dt_addrxlat() != NULL;
}

const char *dt_paging_name(enum dt_paging paging)
{
	return forms[paging].name;
}

/* ---- entries that are not valid for the processor ---------------------------- */

/* Bits of MMPTE_SOFTWARE and its kin (WDK; MemProcFS confirms them on live systems): 10 prototype, 11 transition. */
#define PTE_PROTOTYPE 0x400u
#define PTE_TRANSITION 0x800u
/* Kernels with the L1TF mitigation set a high bit in what is not valid, so that no real memory is named. */
#define INVALID_PTE_MASK (UINT64_C(1) << 45)

static enum dt_absence software(uint64_t pte, bool in_page_file, uint64_t pages, uint64_t *pa)
{
	if ((pte & (PTE_TRANSITION | PTE_PROTOTYPE)) == PTE_TRANSITION) {
		*pa = pte & pages;
		return DT_PRESENT;
	}
	if (pte & PTE_PROTOTYPE)
		return DT_ABSENT_PROTOTYPE;
	if (in_page_file)
		return DT_ABSENT_PAGE_FILE;
	return pte ? DT_ABSENT_ZERO : DT_ABSENT_UNMAPPED;
}

static enum dt_absence x64_software(uint64_t pte, uint64_t *pa)
{
	return software(pte, pte >> 32 != 0, UINT64_C(0x0000fffffffff000) & ~INVALID_PTE_MASK, pa);
}

static enum dt_absence pae_software(uint64_t pte, uint64_t *pa)
{
	return software(pte, pte >> 32 != 0, UINT64_C(0x0000000ffffff000), pa);
}

static enum dt_absence x86_software(uint64_t pte, uint64_t *pa)
{
	return software(pte, pte >> 12 != 0, 0xfffff000, pa);
}

/* The same bits as on x64; Valid is the hardware's bit 0 there too. (MMPTE_SOFTWARE, _TRANSITION and _PROTOTYPE in the type information of
 * ARM64 kernels 18290 and 19569; none was seen in a dump.) */
static enum dt_absence arm64_software(uint64_t pte, uint64_t *pa)
{
	return software(pte, pte >> 32 != 0, UINT64_C(0x0000fffffffff000), pa);
}

/* ---- what the library asks for ------------------------------------------------ */

static void keep_page(const addrxlat_buffer_t *buffer)
{
	(void)buffer;
}

static void free_page(const addrxlat_buffer_t *buffer)
{
	free(buffer->priv);
}

/* The library keeps a page until it puts it back; one that was read on request does not live that long. */
static bool lend(const struct dt_physical *physical, struct dt_bytes page, addrxlat_buffer_t *buffer)
{
	buffer->ptr = page.data;
	buffer->put_page = keep_page;
	if (!physical->read)
		return true;
	buffer->priv = malloc(page.len);
	if (!buffer->priv)
		return false;
	memcpy(buffer->priv, page.data, page.len);
	buffer->ptr = buffer->priv;
	buffer->put_page = free_page;
	return true;
}

/* The library reads inside the page it gets: only whole pages are given. */
static addrxlat_status get_page(const addrxlat_cb_t *cb, addrxlat_buffer_t *buffer)
{
	struct dt_space *space = cb->priv;
	uint64_t pa = buffer->addr.addr & ~(uint64_t)(DT_PAGE_SIZE - 1);
	struct dt_bytes page = dt_physical_at(space->physical, pa);

	if (page.len < DT_PAGE_SIZE || !lend(space->physical, page, buffer))
		return ADDRXLAT_ERR_NODATA;
	buffer->addr.addr = pa;
	buffer->size = page.len;
	buffer->byte_order = ADDRXLAT_LITTLE_ENDIAN;
	return ADDRXLAT_OK;
}

static unsigned long read_caps(const addrxlat_cb_t *cb)
{
	(void)cb;
	return ADDRXLAT_CAPS(ADDRXLAT_MACHPHYSADDR);
}

/* A callback that is not set would be called with our data as if it were the library's. */
static addrxlat_status no_value(const addrxlat_cb_t *cb, const char *name, addrxlat_addr_t *value)
{
	(void)cb;
	(void)name;
	(void)value;
	return ADDRXLAT_ERR_NODATA;
}

static addrxlat_status no_offset(const addrxlat_cb_t *cb, const char *object, const char *member, addrxlat_addr_t *value)
{
	(void)cb;
	(void)object;
	(void)member;
	(void)value;
	return ADDRXLAT_ERR_NODATA;
}

static bool set_callbacks(struct dt_space *space)
{
	addrxlat_cb_t *cb = space->library->ctx_add_cb(space->ctx);

	if (!cb)
		return false;
	cb->priv = space;
	cb->get_page = get_page;
	cb->read_caps = read_caps;
	cb->reg_value = no_value;
	cb->sym_value = no_value;
	cb->sym_sizeof = no_value;
	cb->num_value = no_value;
	cb->sym_offsetof = no_offset;
	return true;
}

enum dt_status dt_space_open(struct dt_space **out, struct dt_physical *physical, enum dt_paging paging, uint64_t root,
                             struct dt_error *err)
{
	const struct dt_addrxlat *library = dt_addrxlat();

	if (!library)
		return dt_fail(err, DT_ERR_UNSUPPORTED, "libaddrxlat.so.3 (Debian: libkdumpfile10) is not installed: no address can be translated");
	struct dt_space *space = calloc(1, sizeof(*space));
	if (space) {
		space->library = library;
		space->physical = physical;
		space->form = &forms[paging];
		space->ctx = library->ctx_new();
		space->method.kind = ADDRXLAT_PGT;
		space->method.target_as = ADDRXLAT_MACHPHYSADDR;
		space->method.param.pgt.pf = forms[paging].paging;
		space->method.param.pgt.root = (addrxlat_fulladdr_t){ root & forms[paging].root_mask, ADDRXLAT_MACHPHYSADDR };
	}
	if (!space || !space->ctx || !set_callbacks(space)) {
		dt_space_close(space);
		return dt_fail(err, DT_ERR_NOMEM, "no memory to translate addresses");
	}
	*out = space;
	return DT_OK;
}

void dt_space_close(struct dt_space *space)
{
	if (space && space->ctx)
		space->library->ctx_decref(space->ctx);
	free(space);
}

uint64_t dt_space_root(const struct dt_space *space)
{
	return space->method.param.pgt.root.addr;
}

/* ---- the walk ------------------------------------------------------------------- */

/* The step failed at an entry that the processor takes for not present; what it means to Windows decides whether the
 * walk goes on. In a table's place an entry in transition is a table that is in memory all the same. */
static enum dt_absence resume(const struct dt_space *space, addrxlat_step_t *step)
{
	uint64_t pa;
	enum dt_absence absence = space->form->software(step->raw.pte, &pa);

	if (absence != DT_PRESENT)
		return absence;
	step->base = (addrxlat_fulladdr_t){ pa, ADDRXLAT_MACHPHYSADDR };
	step->elemsz = step->remain > 1 ? space->form->pte_size : 1;
	return DT_PRESENT;
}

static enum dt_absence failure(struct dt_space *space, addrxlat_step_t *step, addrxlat_status status)
{
	enum dt_absence absence = DT_ABSENT_TABLE;

	if (status == ADDRXLAT_ERR_NOTPRESENT)
		absence = resume(space, step);
	else if (status == ADDRXLAT_ERR_INVALID)
		absence = DT_ABSENT_UNMAPPED;
	space->library->ctx_clear_err(space->ctx);
	return absence;
}

/* Step by step, so that an entry that stops the walk can be looked at. */
static enum dt_absence walk_slowly(struct dt_space *space, uint64_t va, uint64_t *pa)
{
	addrxlat_step_t step = { .ctx = space->ctx, .meth = &space->method };
	addrxlat_status status = space->library->launch(&step, va);

	if (status != ADDRXLAT_OK) {
		space->library->ctx_clear_err(space->ctx);
		return DT_ABSENT_ADDRESS;
	}
	for (unsigned i = 0; step.remain && i <= ADDRXLAT_FIELDS_MAX; i++) {
		status = space->library->step(&step);
		enum dt_absence absence = status == ADDRXLAT_OK ? DT_PRESENT : failure(space, &step, status);
		if (absence != DT_PRESENT)
			return absence;
	}
	*pa = step.base.addr;
	return step.remain ? DT_ABSENT_TABLE : DT_PRESENT;
}

/* At once, which takes half as long, and nearly always succeeds. */
static enum dt_absence walk(struct dt_space *space, uint64_t va, uint64_t *pa)
{
	addrxlat_step_t step = { .ctx = space->ctx, .meth = &space->method, .base = { va, ADDRXLAT_KVADDR } };

	if (space->library->walk(&step) == ADDRXLAT_OK) {
		*pa = step.base.addr;
		return DT_PRESENT;
	}
	space->library->ctx_clear_err(space->ctx);
	return walk_slowly(space, va, pa);
}

static bool is_address(const struct form *form, uint64_t va)
{
	uint64_t high = form->sign_bit ? va >> form->sign_bit : 0;

	return !form->sign_bit || high == 0 || high == UINT64_MAX >> form->sign_bit;
}

static const struct slot *lookup(struct dt_space *space, uint64_t page)
{
	struct slot *slot = &space->cache[(page >> DT_PAGE_SHIFT ^ page >> 22) % CACHE_SLOTS];

	if (slot->va == page + 1)
		return slot;
	slot->va = page + 1;
	slot->absence = is_address(space->form, page) ? walk(space, page & space->form->address_mask, &slot->pa) : DT_ABSENT_ADDRESS;
	return slot;
}

enum dt_absence dt_space_translate(struct dt_space *space, uint64_t va, uint64_t *pa)
{
	uint64_t inside = va & (DT_PAGE_SIZE - 1);
	const struct slot *slot;

	/* 32-bit addresses stand sign-extended where 64-bit fields hold them. */
	if (space->form->address_mask == UINT32_MAX)
		va &= UINT32_MAX;
	slot = lookup(space, va - inside);
	if (slot->absence == DT_PRESENT)
		*pa = slot->pa | inside;
	return slot->absence;
}

struct dt_bytes dt_space_at(struct dt_space *space, uint64_t va)
{
	uint64_t pa;

	if (dt_space_translate(space, va, &pa) != DT_PRESENT)
		return (struct dt_bytes){ NULL, 0 };
	return dt_physical_at(space->physical, pa);
}

enum dt_absence dt_space_absence(struct dt_space *space, uint64_t va)
{
	uint64_t pa;
	enum dt_absence absence = dt_space_translate(space, va, &pa);

	if (absence == DT_PRESENT && dt_physical_at(space->physical, pa).len == 0)
		return DT_ABSENT_PAGE;
	return absence;
}
