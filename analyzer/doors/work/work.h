/* work.h - the command of dumptriage-work. */
#ifndef DT_WORK_WORK_H
#define DT_WORK_WORK_H

#include "doors/common/door.h"

int dt_work_work(const struct dt_command *self, int argc, char **argv);

#endif
