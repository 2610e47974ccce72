#include "core/base/library.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

void *dt_library_open(const char *name)
{
	return dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

bool dt_library_take(void *library, const char *name, void *to)
{
	void *symbol = library ? dlsym(library, name) : NULL;

	/* ISO C has no cast from an object's pointer to a function's. */
	memcpy(to, &symbol, sizeof(symbol));
	return symbol != NULL;
}
