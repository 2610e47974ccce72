#include "core/tables/images.h"

#include <string.h>
#include <strings.h>

#include "core/base/text.h"
#include "core/tables/carriers.h"

enum kind { INBOX_DRIVER, INBOX_DLL, PRODUCT, KINDS };

struct image_row {
	const char *name, *product;
	bool security;
};

/* One list of each kind: images.def read once for each, with the other kinds left out. */
#define DT_INBOX_DRIVER(name) { name, NULL, false },
#define DT_INBOX_DLL(name)
#define DT_PRODUCT(name, product, security)
static const struct image_row inbox_drivers[] = {
#include "core/tables/images.def"
};
#define DT_INBOX_DRIVER(name)
#define DT_INBOX_DLL(name) { name, NULL, false },
#define DT_PRODUCT(name, product, security)
static const struct image_row inbox_dlls[] = {
#include "core/tables/images.def"
};
#define DT_INBOX_DRIVER(name)
#define DT_INBOX_DLL(name)
#define DT_PRODUCT(name, product, security) { name, product, security },
static const struct image_row products[] = {
#include "core/tables/images.def"
};

static const struct {
	const struct image_row *rows;
	size_t count;
} lists[KINDS] = {
	[INBOX_DRIVER] = { inbox_drivers, sizeof(inbox_drivers) / sizeof(inbox_drivers[0]) },
	[INBOX_DLL] = { inbox_dlls, sizeof(inbox_dlls) / sizeof(inbox_dlls[0]) },
	[PRODUCT] = { products, sizeof(products) / sizeof(products[0]) },
};

/* Windows loads a driver of the boot disk a second time, under these prefixes, to write the dump or the hibernation file. */
static const char *without_prefix(const char *name)
{
	static const char *const prefixes[] = { "dump_", "hiber_" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (dt_text_starts_fold(name, prefixes[i]))
			return name + strlen(prefixes[i]);
	return name;
}

/* A row that ends in a star stands for all names that begin like it and have the extension. */
static bool fits(const char *row, const char *name, const char *extension)
{
	size_t len = strlen(row);

	if (row[len - 1] != '*')
		return dt_text_equal_fold(row, name);
	return !strncasecmp(row, name, len - 1) && dt_text_ends_fold(name, extension);
}

/* Products: with stars. */
static const struct image_row *find_by_walk(enum kind kind, const char *name, const char *extension)
{
	char first = name ? dt_text_fold(*name) : '\0';

	/* Most rows are out by their first letter. */
	for (size_t i = 0; name && i < lists[kind].count; i++)
		if (dt_text_fold(lists[kind].rows[i].name[0]) == first && fits(lists[kind].rows[i].name, name, extension))
			return &lists[kind].rows[i];
	return NULL;
}

/* In-box images: many, in order, each in full. */
static bool find_by_halving(enum kind kind, const char *name)
{
	size_t low = 0, high = lists[kind].count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcasecmp(lists[kind].rows[middle].name, name);
		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

bool dt_image_is_carrier(const char *name, bool kernel)
{
	return dt_carriers_find(NULL, kernel, name, NULL) == DT_CARRIER_IGNORE;
}

bool dt_image_is_kernel(const char *name)
{
	static const char *const names[] = { "ntoskrnl.exe", "ntkrnlmp.exe", "ntkrnlpa.exe", "ntkrpamp.exe", "ntkrla57.exe",
		                             "hal.dll",      "halmacpi.dll", "halacpi.dll",  "halaacpi.dll", "halapic.dll",
		                             "halmps.dll" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (dt_text_equal_fold(names[i], name))
			return true;
	return false;
}

bool dt_image_is_microsoft(const char *name, bool kernel)
{
	if (!name)
		return false;
	return dt_image_is_carrier(name, kernel) ||
	       find_by_halving(kernel ? INBOX_DRIVER : INBOX_DLL, kernel ? without_prefix(name) : name);
}

static const struct image_row *find_product(const char *name)
{
	const struct image_row *row = find_by_walk(PRODUCT, name, ".sys");

	return row || !name ? row : find_by_walk(PRODUCT, without_prefix(name), ".sys");
}

const char *dt_image_product(const char *name)
{
	const struct image_row *row = find_product(name);

	return row ? row->product : NULL;
}

bool dt_image_is_security(const char *name)
{
	const struct image_row *row = find_product(name);

	return row && row->security;
}
