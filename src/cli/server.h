#pragma once
/*
 * The options of the server, which serve, check, firewall and the roles have in common.
 */
#include "cli/options.h"
#include "conf/conf.h"

enum { SERVER_ROWS = 7 };
/* Fills the rows; what they find goes into `flags`, which lives as long as they do. */
void server_rows(struct conf_flags *flags, struct option_row ret[static SERVER_ROWS]);
/* Makes the paths absolute. 0, or an exit code after saying why. */
MUST_USE int server_paths(struct conf_flags *flags);
/* Reads the configuration that the flags name. 0 and a snapshot, or an exit code after
 * saying why; warnings are said too. */
MUST_USE int server_conf(const struct conf_flags *flags, struct conf **ret);

/* Writes a text to stdout and frees it; the exit code. */
int print_text(struct text *text);
