/*
 * The text of HTTP (RFC 9112), as far as one file goes each way: requests of HTTP/1.0, whose answers come in one piece
 * and end with the connection.
 */
#ifndef SHADOWBOOT_PORT_HTTP_H
#define SHADOWBOOT_PORT_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "base/status.h"
#include "base/net_address.h"

#define HTTP_HEAD_SIZE 512u /* bytes that every request's head fits into, NUL included */

/* What stands before the body of a POST of `size` bytes of JSON; of a GET when `size` is 0. Returns its bytes. */
size_t http_request_head(const struct net_address *to, size_t size, char ret_head[HTTP_HEAD_SIZE]);

/* True when all of an answer is there that names its Content-Length, or has no content by its number (204, 304).
 * Of others the end of the connection tells. */
bool http_is_whole(struct span answer);

/*
 * Reads an answer that has come whole. `*ret_body` is what follows its head, cut to the Content-Length that it names.
 * Statuses: ST_OK for 200 to 299; ST_ABSENT for 404 and 410; ST_REFUSED for other numbers; ST_DAMAGED, with nothing
 * set, for what is no answer, or one with fewer bytes than it names.
 */
MUST_CHECK enum status http_read_answer(struct span answer, struct span *ret_body);

#endif
