#include "core/tables/images.h"

#include <string.h>
#include <strings.h>

#include "core/base/text.h"

enum kind { KERNEL_CARRIER, USER_CARRIER, INBOX_DRIVER, INBOX_DLL, PRODUCT, KINDS };

struct image_row {
	const char *name, *product;
	bool security;
};

/* One list of each kind: images.def read once for each, with the other kinds left out. */
#define DT_KERNEL_CARRIER(name) { name, NULL, false },
#define DT_USER_CARRIER(name)
#define DT_INBOX_DRIVER(name)
#define DT_INBOX_DLL(name)
#define DT_PRODUCT(name, product, security)
static const struct image_row kernel_carriers[] = {
#include "core/tables/images.def"
};
#define DT_KERNEL_CARRIER(name)
#define DT_USER_CARRIER(name) { name, NULL, false },
#define DT_INBOX_DRIVER(name)
#define DT_INBOX_DLL(name)
#define DT_PRODUCT(name, product, security)
static const struct image_row user_carriers[] = {
#include "core/tables/images.def"
};
#define DT_KERNEL_CARRIER(name)
#define DT_USER_CARRIER(name)
#define DT_INBOX_DRIVER(name) { name, NULL, false },
#define DT_INBOX_DLL(name)
#define DT_PRODUCT(name, product, security)
static const struct image_row inbox_drivers[] = {
#include "core/tables/images.def"
};
#define DT_KERNEL_CARRIER(name)
#define DT_USER_CARRIER(name)
#define DT_INBOX_DRIVER(name)
#define DT_INBOX_DLL(name) { name, NULL, false },
#define DT_PRODUCT(name, product, security)
static const struct image_row inbox_dlls[] = {
#include "core/tables/images.def"
};
#define DT_KERNEL_CARRIER(name)
#define DT_USER_CARRIER(name)
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
	[KERNEL_CARRIER] = { kernel_carriers, sizeof(kernel_carriers) / sizeof(kernel_carriers[0]) },
	[USER_CARRIER] = { user_carriers, sizeof(user_carriers) / sizeof(user_carriers[0]) },
	[INBOX_DRIVER] = { inbox_drivers, sizeof(inbox_drivers) / sizeof(inbox_drivers[0]) },
	[INBOX_DLL] = { inbox_dlls, sizeof(inbox_dlls) / sizeof(inbox_dlls[0]) },
	[PRODUCT] = { products, sizeof(products) / sizeof(products[0]) },
};

static const struct image_row *find(enum kind kind, const char *name)
{
	size_t low = 0, high = lists[kind].count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcasecmp(lists[kind].rows[middle].name, name);
		if (order == 0)
			return &lists[kind].rows[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* Carriers are few, and those of user mode can end in a star. */
static bool is_carrier_of(enum kind kind, const char *name)
{
	for (size_t i = 0; i < lists[kind].count; i++) {
		const char *row = lists[kind].rows[i].name;
		size_t len = strlen(row);
		if (row[len - 1] == '*' ? !strncasecmp(row, name, len - 1) : !strcasecmp(row, name))
			return true;
	}
	return false;
}

bool dt_image_is_carrier(const char *name, bool kernel)
{
	return is_carrier_of(kernel ? KERNEL_CARRIER : USER_CARRIER, name);
}

bool dt_image_is_kernel(const char *name)
{
	static const char *const names[] = { "ntoskrnl.exe", "ntkrnlmp.exe", "ntkrnlpa.exe", "ntkrpamp.exe", "ntkrla57.exe",
		                             "hal.dll", "halmacpi.dll", "halacpi.dll" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(names[i], name))
			return true;
	return false;
}

bool dt_image_is_microsoft(const char *name, bool kernel)
{
	return dt_image_is_carrier(name, kernel) || find(kernel ? INBOX_DRIVER : INBOX_DLL, name);
}

const char *dt_image_product(const char *name)
{
	const struct image_row *row = find(PRODUCT, name);

	return row ? row->product : NULL;
}

bool dt_image_is_security(const char *name)
{
	const struct image_row *row = find(PRODUCT, name);

	return row && row->security;
}
