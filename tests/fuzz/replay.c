/* Runs files through a fuzz target, each as it is and changed a hundred times; a fixed sequence, so that what fails can be repeated. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { CHANGES = 100, MOST = 1 << 20 };

static void run(uint8_t *data, size_t len)
{
	uint32_t seed = 2024;

	(void)LLVMFuzzerTestOneInput(data, len);
	for (unsigned i = 0; len && i < CHANGES; i++) {
		for (unsigned n = 0; n < 8; n++) {
			seed = seed * 1664525 + 1013904223;
			data[seed / 64 % (n % 2 && len > 0x3000 ? 0x3000 : len)] = (uint8_t)(seed >> 3);
		}
		(void)LLVMFuzzerTestOneInput(data, len - len * (i % 10) / 100);
	}
}

int main(int argc, char **argv)
{
	uint8_t *data = malloc(MOST);

	if (!data)
		return 1;
	for (int i = 1; i < argc; i++) {
		FILE *in = fopen(argv[i], "rbe");
		size_t len = in ? fread(data, 1, MOST, in) : 0;
		if (!in) {
			perror(argv[i]);
			return 1;
		}
		fclose(in);
		run(data, len);
	}
	free(data);
	return 0;
}
