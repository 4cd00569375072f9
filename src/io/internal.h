#pragma once
/* What UDP and TCP share of names of sockets; nobody else includes it. */
#include <netinet/in.h>

#include "io/udp.h"

/* Of either family; its length. */
socklen_t udp_to_name(const struct udp_endpoint *e, struct sockaddr_in6 *ret);
struct udp_endpoint udp_of_name(const struct sockaddr_in6 *name);
/* A socket for IPv6 alone, which may be bound early. */
int udp_prepare_six(int fd);
