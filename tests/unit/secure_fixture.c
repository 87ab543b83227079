#include "unit/secure_fixture.h"

#include <string.h>

#include "host/host_alloc.h"
#include "unit/bytes_fixture.h"

void secure_put(struct secure_bytes *to, const void *data, size_t size)
{
    if (size > sizeof(to->at) - to->size)
        host_fail("bytes that are too many for the fixture");
    if (size == 0)
        return;
    memcpy(to->at + to->size, data, size);
    to->size += size;
}

void secure_wrap(struct secure_bytes *to, uint8_t tag, size_t from)
{
    size_t size = to->size - from;
    uint8_t head[4] = {tag, (uint8_t)size};
    size_t head_size = 2;

    if (size >= 0x80) {
        head[1] = 0x82;
        head[2] = (uint8_t)(size >> 8);
        head[3] = (uint8_t)size;
        head_size = 4;
    }
    secure_put(to, head, head_size); /* room for it */
    memmove(to->at + from + head_size, to->at + from, size);
    memcpy(to->at + from, head, head_size);
}

static void put_element(struct secure_bytes *to, uint8_t tag, const void *content, size_t size)
{
    size_t from = to->size;

    secure_put(to, content, size);
    secure_wrap(to, tag, from);
}

void secure_put_name(struct secure_bytes *to, const char *common)
{
    size_t from = to->size;
    bool is_common = common[0] != '@';

    put_element(to, 0x06, is_common ? "\x55\x04\x03" : "\x55\x04\x0a", 3);
    put_element(to, 0x0c, common, strlen(common));
    secure_wrap(to, 0x30, from);
    secure_wrap(to, 0x31, from);
    secure_wrap(to, 0x30, from);
}

/* Extension ::= SEQUENCE { extnID, extnValue OCTET STRING }, what is in it wrapped as `tag`. */
static void put_extension(struct secure_bytes *to, uint8_t number, uint8_t tag, const char *id)
{
    const uint8_t type[3] = {0x55, 0x1d, number};
    size_t from = to->size;

    if (id == NULL)
        return;
    put_element(to, 0x06, type, sizeof(type));
    size_t value = to->size;
    put_element(to, tag == 0x30 ? 0x80 : tag, id, strlen(id));
    if (tag == 0x30)
        secure_wrap(to, tag, value);
    secure_wrap(to, 0x04, value);
    secure_wrap(to, 0x30, from);
}

static void put_extensions(struct secure_bytes *to, const struct secure_recipe *recipe)
{
    size_t from = to->size;

    put_extension(to, 14, 0x04, recipe->key_id);
    put_extension(to, 35, 0x30, recipe->issuer_key_id);
    if (to->size == from)
        return;
    secure_wrap(to, 0x30, from);
    secure_wrap(to, 0xa3, from);
}

static void put_validity(struct secure_bytes *to)
{
    size_t from = to->size;

    put_element(to, 0x17, "210203040506Z", 13);
    put_element(to, 0x17, "310203040506Z", 13);
    secure_wrap(to, 0x30, from);
}

void secure_put_recipe(struct secure_bytes *to, const struct secure_recipe *recipe)
{
    size_t from = to->size;

    put_element(to, 0x02, "\x02", 1);
    secure_wrap(to, 0xa0, from);
    put_element(to, 0x02, &recipe->serial, 1);
    put_element(to, 0x30, NULL, 0);
    secure_put_name(to, recipe->issuer);
    put_validity(to);
    secure_put_name(to, recipe->subject);
    put_element(to, 0x30, recipe->key == NULL ? recipe->subject : recipe->key,
                strlen(recipe->key == NULL ? recipe->subject : recipe->key));
    put_extensions(to, recipe);
    secure_wrap(to, 0x30, from);
    put_element(to, 0x30, NULL, 0);
    put_element(to, 0x03, "\0sig", 4);
    secure_wrap(to, 0x30, from);
}

void secure_put_certificate(struct secure_bytes *to, const char *subject, const char *issuer,
                            uint8_t serial)
{
    secure_put_recipe(to, &(struct secure_recipe){subject, issuer, serial, .key_id = subject,
                                                  .issuer_key_id = issuer});
}

void secure_put_signer(struct secure_bytes *to, const char *issuer, uint8_t serial)
{
    size_t from = to->size;

    put_element(to, 0x02, "\x01", 1);
    size_t who = to->size;
    secure_put_name(to, issuer);
    put_element(to, 0x02, &serial, 1);
    secure_wrap(to, 0x30, who);
    secure_wrap(to, 0x30, from);
}

void secure_put_signed_data(struct secure_bytes *to, struct span certificates, const char *issuer,
                            uint8_t serial, int bare)
{
    size_t from = to->size;
    size_t part = 0;

    if (!bare)
        put_element(to, 0x06, "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 9);
    size_t inside = to->size;
    put_element(to, 0x02, "\x01", 1);
    put_element(to, 0x31, NULL, 0);
    part = to->size;
    put_element(to, 0x06, "\x2a\x03", 2);
    secure_wrap(to, 0x30, part);
    put_element(to, 0xa0, certificates.at, certificates.size);
    part = to->size;
    secure_put_signer(to, issuer, serial);
    secure_wrap(to, 0x31, part);
    secure_wrap(to, 0x30, inside);
    if (bare)
        return;
    secure_wrap(to, 0xa0, inside);
    secure_wrap(to, 0x30, from);
}

void secure_put_list(struct secure_bytes *to, const struct guid *kind, const struct guid *owner,
                     struct span data)
{
    uint8_t head[28] = {0};

    memcpy(head, kind->bytes, 16);
    fixture_store_le(head + 16, 28 + 16 + data.size, 4);
    fixture_store_le(head + 24, 16 + data.size, 4);
    secure_put(to, head, sizeof(head));
    secure_put(to, owner->bytes, 16);
    secure_put(to, data.at, data.size);
}
