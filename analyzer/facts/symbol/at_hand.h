/* at_hand.h - what is at hand for a module of a dump. */
#ifndef DT_SYMBOL_AT_HAND_H
#define DT_SYMBOL_AT_HAND_H

#include <stdbool.h>

struct dt_symbols_state {
	enum { DT_IMAGE_NOWHERE, DT_IMAGE_IN_FILE, DT_IMAGE_IN_DUMP } image;
	bool pdb, sym;
	const char *debug_id; /* in the memory of the symbols; NULL: neither the dump nor the image says */
};

#endif
