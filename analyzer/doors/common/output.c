/* How results are printed: format, colours, what stands between records. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/limits.h"
#include "doors/common/door.h"

static unsigned terminal_width(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 0;
}

void dt_output_init(struct dt_output *output)
{
	bool terminal = isatty(STDOUT_FILENO), plain = getenv("NO_COLOR") && *getenv("NO_COLOR");

	memset(output, 0, sizeof(*output));
	output->format = dt_report_format("text");
	output->style = (struct dt_report_style){ .colour = terminal && !plain, .width = terminal ? terminal_width() : 0 };
	if (output->style.width > 120)
		output->style.width = 120;
	dt_buf_init(&output->buf, DT_MAX_JSON);
}

void dt_output_deinit(struct dt_output *output)
{
	dt_buf_deinit(&output->buf);
}

static int format_option(struct dt_output *output, const struct dt_command *self, const char *value)
{
	struct dt_buf names;

	output->format = dt_report_format(value);
	if (output->format)
		return 1;
	dt_buf_init(&names, 1024);
	for (size_t i = 0; i < dt_report_format_count; i++)
		dt_buf_printf(&names, "%s%s", i ? ", " : "", dt_report_formats[i]->name);
	(void)dt_door_usage(self, "there is no format '%s'; there are: %s", value, dt_buf_text(&names));
	dt_buf_deinit(&names);
	return -1;
}

int dt_output_option(struct dt_output *output, const struct dt_command *self, int option, const char *value)
{
	switch (option) {
	case DT_OPTION_FORMAT:
		return format_option(output, self, value);
	case DT_OPTION_VERBOSE:
		output->style.verbose = true;
		return 1;
	case DT_OPTION_COLOR:
		if (!strcmp(value, "always") || !strcmp(value, "never")) {
			output->style.colour = value[0] == 'a';
		} else if (strcmp(value, "auto")) {
			(void)dt_door_usage(self, "--color takes auto, always or never, not '%s'", value);
			return -1;
		}
		return 1;
	default:
		return 0;
	}
}

bool dt_output_record(struct dt_output *output, const struct dt_crash *crash)
{
	const struct dt_report_format *format = output->format;
	const char *before = output->written ? format->between : output->many ? format->begin : NULL;

	dt_buf_reset(&output->buf);
	if (before)
		dt_buf_puts(&output->buf, before);
	format->write(crash, &output->style, &output->buf);
	output->written++;
	return dt_door_write(&output->buf);
}

bool dt_output_end(struct dt_output *output)
{
	dt_buf_reset(&output->buf);
	if (output->many && output->written && output->format->end)
		dt_buf_puts(&output->buf, output->format->end);
	return dt_door_write(&output->buf) && dt_door_flush();
}
