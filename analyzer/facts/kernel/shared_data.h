/*
 * shared_data.h - KUSER_SHARED_DATA, the page that Windows shares with all programs.
 */
#ifndef DT_KERNEL_SHARED_DATA_H
#define DT_KERNEL_SHARED_DATA_H

#include "facts/dump/dump.h"

/* Whether the page stands where it stands in every Windows, and looks like it. */
bool dt_shared_data_is_there(const struct dt_dump *dump);

#endif
