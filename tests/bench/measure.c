#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

void figure(const char *unit, double value, const char *name, ...)
{
	const char *path = getenv("DT_BENCH_FIGURES");
	FILE *out = path ? fopen(path, "ae") : NULL;
	char text[120];
	va_list args;

	if (!out)
		return;
	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	fprintf(out, "{\"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"}\n", text, value, unit);
	if (fclose(out)) {
		perror(path);
		exit(3);
	}
}

double run_us(char *const argv[], int worst, long *kib)
{
	struct rusage usage;
	int status;

	/* What is not written yet would be written by the child as well. */
	fflush(stdout);
	double start = now_us();
	pid_t child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout))
			_exit(127);
		execv(argv[0], argv);
		_exit(127);
	}
	if (child < 0 || wait4(child, &status, 0, &usage) != child || !WIFEXITED(status) || WEXITSTATUS(status) > worst) {
		fprintf(stderr, "%s %s failed\n", argv[0], argv[1]);
		exit(3);
	}
	double spent = now_us() - start;
	*kib = usage.ru_maxrss > *kib ? usage.ru_maxrss : *kib;
	return spent;
}
