#include "port/http.h"

#include "base/print.h"
#include "base/text.h"

#define LINE_END     "\r\n"
#define STATUS_DIGIT 9u /* where the number stands in "HTTP/1.1 200 OK" */

size_t http_request_head(const struct net_address *to, size_t size, char ret_head[HTTP_HEAD_SIZE])
{
    struct text_buffer text;

    text_buffer_init(&text, ret_head, HTTP_HEAD_SIZE);
    text_buffer_printf(&text,
                       "%s %s HTTP/1.0" LINE_END "Host: %u.%u.%u.%u:%u" LINE_END
                       "Connection: close" LINE_END,
                       size == 0 ? "GET" : "POST", to->path, to->server[0], to->server[1],
                       to->server[2], to->server[3], to->port);
    if (size > 0)
        text_buffer_printf(
            &text, "Content-Type: application/json" LINE_END "Content-Length: %zu" LINE_END, size);
    text_buffer_printf(&text, LINE_END);
    return text.used;
}

/* True when the line at `at` begins with `name`, in any case; it ends with ':'. */
static bool is_field(struct span line, const char *name)
{
    size_t length = text_length(name);

    for (size_t i = 0; i < length; i++) {
        if (i >= line.size || text_lower((char)line.at[i]) != name[i])
            return false;
    }
    return true;
}

/* Decimal digits behind blanks. */
static bool number_in(struct span text, size_t *ret_number)
{
    size_t at = 0;
    size_t value = 0;

    while (at < text.size && text.at[at] == ' ')
        at++;
    size_t first = at;
    for (; at < text.size && text.at[at] >= '0' && text.at[at] <= '9' && at - first < 9; at++)
        value = value * 10 + (size_t)(text.at[at] - '0');
    *ret_number = value;
    return at > first;
}

/* Cuts the next line off, without its end; false where there is no whole one. */
static bool cut_line(struct span *io_rest, struct span *ret_line)
{
    struct span rest = *io_rest;

    for (size_t i = 0; i < rest.size; i++) {
        if (rest.at[i] != '\n')
            continue;
        *ret_line = span_part(rest, 0, i > 0 && rest.at[i - 1] == '\r' ? i - 1 : i);
        *io_rest = span_part(rest, i + 1, rest.size - i - 1);
        return true;
    }
    return false;
}

static enum status status_of(size_t number)
{
    if (number >= 200 && number <= 299)
        return ST_OK;
    return number == 404 || number == 410 ? ST_ABSENT : ST_REFUSED;
}

/* The head of an answer. */
struct answer_head {
    size_t number;
    size_t length;
    bool has_length;
    struct span rest; /* what follows it */
};

/* Reads it; false for what is none, or is not whole. */
static bool read_head(struct span answer, struct answer_head *ret_head)
{
    static const char length_field[] = "content-length:";
    struct answer_head head = {.rest = answer};
    struct span line = span_of(NULL, 0);

    if (!cut_line(&head.rest, &line) || !is_field(line, "http/1.") ||
        line.size < STATUS_DIGIT + 3 ||
        !number_in(span_part(line, STATUS_DIGIT, 3), &head.number) || head.number < 100)
        return false;
    do {
        if (!cut_line(&head.rest, &line))
            return false;
        size_t name = sizeof(length_field) - 1;
        if (is_field(line, length_field))
            head.has_length = number_in(span_part(line, name, line.size - name), &head.length);
    } while (line.size > 0);
    *ret_head = head;
    return true;
}

bool http_is_whole(struct span answer)
{
    struct answer_head head;

    if (!read_head(answer, &head))
        return false;
    return head.number == 204 || head.number == 304 ||
           (head.has_length && head.rest.size >= head.length);
}

enum status http_read_answer(struct span answer, struct span *ret_body)
{
    struct answer_head head;

    if (!read_head(answer, &head) || (head.has_length && head.length > head.rest.size))
        return ST_DAMAGED;
    *ret_body = head.has_length ? span_of(head.rest.at, head.length) : head.rest;
    return status_of(head.number);
}
