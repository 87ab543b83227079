#include "format/der.h"

#define LONG_FORM    0x80u
#define LENGTH_MAX   4u
#define TAG_CONTINUE 0x1fu /* the tag goes on in the next byte */

/* The length field at `at`; `*ret_size` is what it takes itself. */
static bool read_length(struct span bytes, uint64_t *ret_length, size_t *ret_size)
{
    struct span first = span_part(bytes, 1, 1);

    if (first.at == NULL)
        return false;
    size_t count = first.at[0] & ~LONG_FORM & 0xff;
    struct span rest = span_part(bytes, 2, count);
    if ((first.at[0] & LONG_FORM) == 0) {
        *ret_length = first.at[0];
        *ret_size = 1;
        return true;
    }
    if (count == 0 || count > LENGTH_MAX || rest.at == NULL)
        return false;
    *ret_length = 0;
    for (size_t i = 0; i < count; i++)
        *ret_length = *ret_length << 8 | rest.at[i];
    *ret_size = 1 + count;
    return true;
}

bool der_next(struct span *io_rest, struct der_element *ret_element)
{
    uint64_t length = 0;
    size_t size = 0;

    if (io_rest->size == 0 || (io_rest->at[0] & TAG_CONTINUE) == TAG_CONTINUE ||
        !read_length(*io_rest, &length, &size) || !span_holds(*io_rest, 1 + size, length))
        return false;
    size_t whole = 1 + size + (size_t)length;
    *ret_element = (struct der_element){
        .tag = io_rest->at[0],
        .content = span_part(*io_rest, 1 + size, length),
        .whole = span_part(*io_rest, 0, whole),
    };
    *io_rest = span_part(*io_rest, whole, io_rest->size - whole);
    return true;
}

bool der_take(struct span *io_rest, uint8_t tag, struct der_element *ret_element)
{
    return io_rest->size > 0 && io_rest->at[0] == tag && der_next(io_rest, ret_element);
}

bool der_skip(struct span *io_rest, uint8_t tag)
{
    struct der_element element;

    return der_take(io_rest, tag, &element);
}

bool der_enter(struct span *io_rest, uint8_t tag, struct span *ret_content)
{
    struct der_element element;

    if (!der_take(io_rest, tag, &element))
        return false;
    *ret_content = element.content;
    return true;
}
