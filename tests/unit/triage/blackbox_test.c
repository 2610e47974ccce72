/* What Windows kept for the case of a crash: each piece as it should be, cut at every length, and with fields that lie. */
#include "unit/triage/recipe_facts.h"

#include <stdlib.h>

struct piece {
	uint8_t tag[16];
	uint8_t data[0x200];
	size_t len;
};
/* Tags in the order of their bytes. */
static const uint8_t bsd_tag[16] = { 0xdf, 0x08, 0x73, 0xf5, 0x45, 0xcc, 0x01, 0x4e, 0xad, 0x76, 0x29, 0xa4, 0xeb, 0xb0, 0x10, 0xec };
static const uint8_t ntfs_tag[16] = { 0xc4, 0xe9, 0xaf, 0x00, 0x0d, 0x94, 0x13, 0x42, 0x80, 0x16, 0xcd, 0x37, 0x19, 0xb5, 0xbc, 0x20 };
static const uint8_t pnp_tag[16] = { 0x41, 0x19, 0x63, 0xb7, 0x2a, 0x53, 0xd6, 0x4c, 0xb1, 0xb1, 0xed, 0xb5, 0x91, 0x7d, 0x45, 0x57 };
static const uint8_t logon_tag[16] = { 0xcf, 0x79, 0xcc, 0x80, 0x19, 0xa7, 0xf1, 0x4a, 0xbf, 0x97, 0xfe, 0x29, 0xff, 0x76, 0xeb, 0xc1 };
static const uint8_t pci_tag[16] = { 0x55, 0xc0, 0x76, 0x92, 0x87, 0xeb, 0x5c, 0x42, 0xb8, 0xb5, 0x04, 0xe4, 0xd2, 0x47, 0xf6, 0xcd };

static struct piece begin(const uint8_t tag[16], size_t len)
{
	struct piece piece = { .len = len };

	memcpy(piece.tag, tag, 16);
	return piece;
}

static void put(struct piece *piece, size_t off, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		piece->data[off + i] = (uint8_t)(value >> 8 * i);
}

static void put_wide(struct piece *piece, size_t off, const char *text)
{
	for (size_t i = 0; text[i]; i++)
		put(piece, off + 2 * i, (uint8_t)text[i], 2);
}

static const struct dt_facts *facts_with(const struct piece *piece)
{
	static char recipe[4096];
	size_t n = (size_t)snprintf(recipe, sizeof(recipe), KERNEL_DUMP "bugcheck 0xe2 0 0 0 0\nblob ");

	for (size_t i = 0; i < 16; i++)
		n += (size_t)snprintf(recipe + n, sizeof(recipe) - n, "%02x", piece->tag[i]);
	recipe[n++] = ' ';
	for (size_t i = 0; i < piece->len; i++)
		n += (size_t)snprintf(recipe + n, sizeof(recipe) - n, "%02x", piece->data[i]);
	snprintf(recipe + n, sizeof(recipe) - n, "\n");
	return facts_of(recipe);
}

/* As version 0xc8 of real dumps has it. */
static struct piece boot_status(void)
{
	struct piece piece = begin(bsd_tag, 0xc8);

	put(&piece, 0x00, 0xc8, 4);
	put(&piece, 0x04, 1, 4);
	put(&piece, 0x09, 0x1e, 1);
	put(&piece, 0x0a, 1, 1);
	put(&piece, 0x18, 1 | 2, 1); /* running, in connected standby */
	put(&piece, 0x1c, 7, 2);
	put(&piece, 0x30, 2, 1);
	put(&piece, 0x34, 82, 4);
	put(&piece, 0x38, 80, 4);
	put(&piece, 0x3c, 81, 4);
	put(&piece, 0x58, UINT64_C(0x1d8e98206416f28), 8);
	put(&piece, 0x60, 3, 4);
	return piece;
}

static void boot(void **state)
{
	struct piece piece = boot_status();

	(void)state;
	const struct dt_boot *out = facts_with(&piece)->boot;
	assert_non_null(out);
	assert_hex(out->id, 82);
	assert_hex(out->attempts, 2);
	assert_hex(out->last_shutdown, 80);
	assert_hex(out->last_abnormal, 81);
	assert_hex(out->sleeps, 7);
	assert_hex(out->button_presses, 3);
	assert_true(out->button_pressed == UINT64_C(0x1d8e98206416f28));
	assert_true(out->succeeded == DT_TRUE && out->standby == DT_TRUE && out->sleeping == DT_FALSE && out->shutting_down == DT_FALSE);
	put(&piece, 0x18, 8, 1);
	put(&piece, 0x0c, 1, 1);
	out = facts_with(&piece)->boot;
	assert_true(out->shutting_down == DT_TRUE && out->sleeping == DT_TRUE && out->standby == DT_FALSE);
	/* The version is the size: an older one has no power button. */
	put(&piece, 0x00, 0x60, 4);
	out = facts_with(&piece)->boot;
	assert_hex(out->id, 82);
	assert_false(out->button_presses.known);
	assert_int_equal(out->button_pressed, 0);
	/* Smaller than any, of no size, larger than the piece. */
	put(&piece, 0x00, 0x40, 4);
	assert_null(facts_with(&piece)->boot);
	put(&piece, 0x00, 0, 4);
	assert_null(facts_with(&piece)->boot);
	put(&piece, 0x00, UINT32_MAX, 4);
	assert_non_null(facts_with(&piece)->boot);
}

static void plug_and_play(void **state)
{
	struct piece piece = begin(pnp_tag, 0xd2);

	(void)state;
	put(&piece, 0x10, UINT64_C(0x1d8e984331d115b), 8);
	put(&piece, 0x18, 3, 4);
	put(&piece, 0x1c, 1, 1);
	put(&piece, 0x20, 24, 4);
	put_wide(&piece, 0x2c, "USBSTOR\\Disk&Ven_X&Prod_Y\\SERIAL0123456789");
	const struct dt_pnp *out = facts_with(&piece)->pnp;
	assert_string_equal(out->device, "USBSTOR\\Disk&Ven_X&Prod_Y");
	assert_true(out->time == UINT64_C(0x1d8e984331d115b) && out->in_progress == DT_TRUE);
	assert_hex(out->problem, 24);
	assert_false(out->veto.known);
	piece = begin(pnp_tag, 0xd2);
	put_wide(&piece, 0x2c, "BTHENUM\\Dev_00A1b2C3d4E5\\8&1");
	assert_string_equal(facts_with(&piece)->pnp->device, "BTHENUM\\Dev_xxxxxxxxxxxx");
	piece = begin(pnp_tag, 0xd2);
	put_wide(&piece, 0x2c, "no path at all");
	assert_null(facts_with(&piece)->pnp->device);
	piece.len = 0x2f;
	assert_null(facts_with(&piece)->pnp);
}

static void logon(void **state)
{
	struct piece piece = begin(logon_tag, 0x2a);

	(void)state;
	put(&piece, 0, 1, 4);
	put(&piece, 4, 0x2a, 4);
	put(&piece, 8, 1, 4);
	put_wide(&piece, 12, "WluiReleaseUI");
	assert_string_equal(facts_with(&piece)->logon->operation, "WluiReleaseUI");
	assert_int_equal(facts_with(&piece)->logon->pending, DT_TRUE);
	put(&piece, 4, 0x2b, 4); /* not its own size */
	assert_null(facts_with(&piece)->logon);
	put(&piece, 4, 0x2a, 4);
	put(&piece, 0, 2, 4); /* another version */
	assert_null(facts_with(&piece)->logon);
}

static struct piece slow_requests(void)
{
	struct piece piece = begin(ntfs_tag, 0x180);

	put(&piece, 2, 0x180, 2);
	put(&piece, 4, 0x118, 2);
	put(&piece, 0x10, 8, 2);
	put(&piece, 0x12, 0x18, 2);
	put(&piece, 0x38, UINT64_C(0xffffd00011111110), 8); /* the second slot */
	put(&piece, 0x40, UINT64_C(0xffffd00022222220), 8);
	put(&piece, 0x48, UINT64_C(0xffffd00033333330), 8);
	put(&piece, 0x118, 2, 2);
	put(&piece, 0x11a, 0x40, 2);
	put(&piece, 0x120, UINT64_C(0xffffd00044444440), 8);
	put(&piece, 0x130, 4, 4);
	memcpy(piece.data + 0x134, "OWNER.EXE", 9);
	memcpy(piece.data + 0x143, "BREAKERPROC.EXE", 15);
	return piece;
}

static bool is_said(const struct dt_facts *facts, const char *where, const char *text)
{
	for (size_t i = 0; i < facts->notes_count; i++)
		if (facts->notes[i].where && !strcmp(facts->notes[i].where, where) && !strcmp(facts->notes[i].text, text))
			return true;
	return false;
}

static void slow_io(void **state)
{
	struct piece piece = slow_requests();

	(void)state;
	const struct dt_facts *facts = facts_with(&piece);
	assert_int_equal(facts->slow_io_count, 2);
	assert_string_equal(facts->slow_io[0].kind, "slow-request");
	assert_hex(facts->slow_io[0].irp, UINT64_C(0xffffd00011111110));
	assert_hex(facts->slow_io[0].thread, UINT64_C(0xffffd00033333330));
	assert_string_equal(facts->slow_io[1].kind, "oplock-break");
	assert_hex(facts->slow_io[1].irp, UINT64_C(0xffffd00044444440));
	assert_string_equal(facts->slow_io[1].routine, "NtfsFsdCreate");
	assert_string_equal(facts->slow_io[1].owner, "OWNER.EXE");
	assert_string_equal(facts->slow_io[1].breaker, "BREAKERPROC.EXE");
	/* A chain that leads into itself is followed to the cap. */
	put(&piece, 0x11c, 0x118, 2);
	facts = facts_with(&piece);
	assert_int_equal(facts->slow_io_count, DT_MAX_SLOW_IO);
	assert_true(is_said(facts, "slow requests", "more than 64; the rest is not listed"));
	/* One that leaves the piece; a record that does; slots that do. */
	put(&piece, 0x11c, 0xfff0, 2);
	assert_int_equal(facts_with(&piece)->slow_io_count, 2);
	put(&piece, 0x11a, 0xffff, 2);
	assert_int_equal(facts_with(&piece)->slow_io_count, 1);
	put(&piece, 0x10, 0xffff, 2);
	assert_true(facts_with(&piece)->slow_io_count <= 11);
	put(&piece, 0, 1, 2); /* another version */
	assert_int_equal(facts_with(&piece)->slow_io_count, 0);
}

static void pci(void **state)
{
	struct piece piece = begin(pci_tag, 3 * 0x7c);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		memcpy(piece.data + 0x7c * i, "PCfg", 4);
		put(&piece, 0x7c * i + 4, 0x7c, 4);
		put(&piece, 0x7c * i + 12, i << 8 | 0xfb, 4);
		put(&piece, 0x7c * i + 60, 0x8086, 2);
		put(&piece, 0x7c * i + 62, 0x29c0 + i, 2);
		put(&piece, 0x7c * i + 64, 6, 2);
		put(&piece, 0x7c * i + 66, 0x10, 2);
		put(&piece, 0x7c * i + 68, 5, 1);
	}
	put(&piece, 0x7c + 60, 0xffff, 2); /* does not answer */
	const struct dt_facts *facts = facts_with(&piece);
	assert_int_equal(facts->pci_count, 2);
	assert_string_equal(facts->pci[1].location, "02:1f.3");
	assert_hex(facts->pci[1].vendor, 0x8086);
	assert_hex(facts->pci[1].device, 0x29c2);
	assert_hex(facts->pci[1].command, 6);
	assert_hex(facts->pci[1].status, 0x10);
	assert_hex(facts->pci[1].revision, 5);
	put(&piece, 0x7c + 4, 0, 4); /* a record of no size */
	assert_int_equal(facts_with(&piece)->pci_count, 1);
	put(&piece, 0x7c + 4, UINT32_MAX, 4);
	assert_int_equal(facts_with(&piece)->pci_count, 1);
}

/* A machine of more PCI functions than a record lists. */
static void more_pci_than_are_listed(void **state)
{
	enum { ONE = 0x7c, HEAD = 400 };
	static char recipe[HEAD + 2 * ONE * (DT_MAX_PCI + 1) + 2];

	(void)state;
	for (size_t more = 0; more < 2; more++) {
		size_t n = (size_t)snprintf(recipe, sizeof(recipe), KERNEL_DUMP "bugcheck 0xe2 0 0 0 0\nblob 55c0769287eb5c42b8b504e4d247f6cd ");
		for (size_t i = 0; i < DT_MAX_PCI + more; i++)
			n += (size_t)snprintf(recipe + n, sizeof(recipe) - n, "504366677c%0*d8680%0*d", 2 * (60 - 5), 0, 2 * (ONE - 62), 0);
		snprintf(recipe + n, sizeof(recipe) - n, "\n");
		const struct dt_facts *facts = facts_of(recipe);
		assert_int_equal(facts->pci_count, DT_MAX_PCI);
		assert_int_equal(is_said(facts, "PCI functions", "more than 256; the rest is not listed"), more);
	}
}

/* At every length nothing but what is there is read (the sanitizers look). */
static void cut_anywhere(void **state)
{
	struct piece pieces[] = { boot_status(), slow_requests(), begin(pnp_tag, 0x40), begin(logon_tag, 0x20), begin(pci_tag, 0x80) };

	(void)state;
	memcpy(pieces[4].data, "PCfg\x7c", 5);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		for (size_t len = pieces[i].len; len > 0; len -= len > 16 ? 7 : 1) {
			pieces[i].len = len;
			assert_non_null(facts_with(&pieces[i])->bugcheck);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(boot),  cmocka_unit_test(plug_and_play), cmocka_unit_test(logon),
		cmocka_unit_test(slow_io), cmocka_unit_test(pci),         cmocka_unit_test(more_pci_than_are_listed), cmocka_unit_test(cut_anywhere),
	};
	return cmocka_run_group_tests(tests, NULL, free_facts);
}
