#ifndef DT_INCIDENT_INCIDENT_H
#define DT_INCIDENT_INCIDENT_H
#include <stddef.h>
#include <stdint.h>
size_t dt_episodes(const int64_t *times, size_t count, int64_t *onsets);
#endif
