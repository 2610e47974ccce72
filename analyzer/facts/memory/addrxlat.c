#include "facts/memory/addrxlat.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static struct dt_addrxlat functions;
static bool loaded;

static bool take(void *library, const char *name, void *to)
{
	void *symbol = dlsym(library, name);

	/* ISO C has no cast from an object's pointer to a function's. */
	memcpy(to, &symbol, sizeof(symbol));
	return symbol != NULL;
}

static void load(void)
{
	/* By its binary interface's name: another one would have other structures. */
	void *library = dlopen("libaddrxlat.so.3", RTLD_NOW | RTLD_LOCAL);

	loaded = library != NULL;
#define TAKE(name) loaded = loaded && take(library, "addrxlat_" #name, &functions.name);
	DT_ADDRXLAT_FUNCTIONS(TAKE)
#undef TAKE
}

const struct dt_addrxlat *dt_addrxlat(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load);
	return loaded ? &functions : NULL;
}
