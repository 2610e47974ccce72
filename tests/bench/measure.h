/* measure.h - the clock and the median of the benches. */
#ifndef DT_BENCH_MEASURE_H
#define DT_BENCH_MEASURE_H

#include <stddef.h>

/* Microseconds of a clock that never goes back. */
double now_us(void);
/* The median of count values (at least 1); they are sorted by it. */
double median(double *values, size_t count);
/* Keeps a figure for ./bench: a line of JSON in the file that DT_BENCH_FIGURES names; does nothing without it. Figures of one name are one
 * figure, measured several times. unit: "us", "MB", ...; of "/s" more is better, of all others less. */
void figure(const char *unit, double value, const char *name, ...) __attribute__((format(printf, 3, 4)));

/* Microseconds of one run of the program argv[0] as people run it, its output thrown away. *kib is raised to the most memory it had.
 * Ends the bench when the program ends with more than worst. */
double run_us(char *const argv[], int worst, long *kib);

#endif
