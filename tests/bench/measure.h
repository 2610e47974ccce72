/* measure.h - the clock and the median of the benches. */
#ifndef DT_BENCH_MEASURE_H
#define DT_BENCH_MEASURE_H

#include <stddef.h>

/* Microseconds of a clock that never goes back. */
double now_us(void);
/* The median of count values (at least 1); they are sorted by it. */
double median(double *values, size_t count);

/* Microseconds of one run of the program argv[0] as people run it, its output thrown away. *kib is raised to the most memory it had.
 * Ends the bench when the program ends with more than worst. */
double run_us(char *const argv[], int worst, long *kib);

#endif
