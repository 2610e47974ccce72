/* dumptriage config: what is in force. */
#include "doors/common/config.h"

#include "doors/cli/cli.h"

int dt_cli_config(const struct dt_command *self, int argc, char **argv)
{
	struct dt_config *config = NULL;
	struct dt_error err;
	struct dt_buf out;
	/* Only what stands behind the command's name is of this command; file and environment are read again for it. */
	char *none[] = { argc > 1 ? argv[argc - 1] : argv[0], NULL }, **list = none;
	int count = 1;

	if (dt_door_help(self, argc, argv))
		return dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	if (argc > 2)
		return dt_door_usage(self, "config takes one command at most");
	if (dt_config_apply(&config, &count, &list, &err) != DT_OK)
		return dt_door_usage(self, "%s", err.text);
	dt_buf_init(&out, 1u << 20);
	dt_config_print(config, argc > 1 ? argv[1] : "", &out);
	int status = dt_door_write(&out) && dt_door_flush() ? DT_EXIT_OK : DT_EXIT_ENVIRONMENT;
	dt_buf_deinit(&out);
	dt_config_free(config);
	return status;
}
