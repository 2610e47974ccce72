/* options.h - the command line of serve. */
#ifndef DT_SERVE_OPTIONS_H
#define DT_SERVE_OPTIONS_H

#include "doors/serve/serve.h"

/* Fills the options and checks that they make sense together; DT_EXIT_OK or what was said. To be freed in any case. */
int dt_serve_options_parse(struct dt_serve_options *options, const struct dt_command *self, int argc, char **argv);
void dt_serve_options_free(struct dt_serve_options *options);

#endif
