/*
 * verdict.c - one line for each dump: its verdict, how sure, who is at fault, which known crash it is.
 *
 *   cc verdict.c $(pkg-config --cflags --libs dumptriage) -o verdict
 *   ./verdict MEMORY.DMP 'C:\Windows\Minidump\071924-1.dmp'
 */
#include <dumptriage.h>
#include <stdio.h>

/* A value as it is printed; what the dump does not say is "-". */
static void print_value(const struct dt_analysis *analysis, const char *path)
{
	char *text;

	if (dt_value(analysis, path, &text) != DT_RESULT_OK)
		return;
	printf("\t%s", text ? text : "-");
	dt_free(text);
}

static int one(struct dt_analyzer *analyzer, const char *path)
{
	struct dt_analysis *analysis;

	if (dt_analyse_path(analyzer, path, &analysis) != DT_RESULT_OK) {
		fprintf(stderr, "%s: %s\n", path, dt_message(analyzer));
		return 1;
	}
	printf("%s\t%s", path, dt_verdict(analysis));
	print_value(analysis, "verdict.confidence");
	print_value(analysis, "blame.module");
	if (dt_match_count(analysis) > 0)
		print_value(analysis, "matches.0.signature");
	putchar('\n');
	dt_analysis_free(analysis);
	return 0;
}

int main(int argc, char **argv)
{
	struct dt_analyzer *analyzer;
	int failed = 0;

	if (dt_open(&analyzer) != DT_RESULT_OK) {
		fputs("libdumptriage could not be opened\n", stderr);
		return 1;
	}
	dt_guard_mappings(); /* a file that is cut while it is read is a verdict, too */
	for (int i = 1; i < argc; i++)
		failed |= one(analyzer, argv[i]);
	dt_close(analyzer);
	return failed;
}
