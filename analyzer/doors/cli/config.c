/* dumptriage config: what is in force. */
#include "doors/common/config.h"

#include "doors/cli/cli.h"

int dt_cli_config(const struct dt_command *self, int argc, char **argv)
{
	struct dt_buf out;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	if (argc > 2)
		return dt_door_usage(self, "config takes one command at most");
	if (argc > 1 && !dt_config_knows(argv[1]))
		return dt_door_usage(self, "there is no command '%s' with options", argv[1]);
	dt_buf_init(&out, 1u << 20);
	dt_config_print(dt_door_config(), argc > 1 ? argv[1] : "", &out);
	int status = dt_door_write(&out) && dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_buf_deinit(&out);
	return status;
}
