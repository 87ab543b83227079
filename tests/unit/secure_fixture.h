/* Certificates, PKCS #7 structures and signature lists built byte by byte. Nothing in them is
 * signed: what is tested reads them. */
#ifndef SHADOWBOOT_UNIT_SECURE_FIXTURE_H
#define SHADOWBOOT_UNIT_SECURE_FIXTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/guid.h"

/* Bytes that grow. */
struct secure_bytes {
    uint8_t at[8192];
    size_t size;
};

void secure_put(struct secure_bytes *to, const void *data, size_t size);

/* Puts tag and length in front of what was put since `from`. */
void secure_wrap(struct secure_bytes *to, uint8_t tag, size_t from);

struct secure_recipe {
    const char *subject;
    const char *issuer;
    uint8_t serial;
    const char *key;           /* NULL: one that goes by the subject */
    const char *key_id;        /* what it is called; NULL: nothing is told */
    const char *issuer_key_id; /* what the issuer's key is called */
};

void secure_put_recipe(struct secure_bytes *to, const struct secure_recipe *recipe);

/* A certificate for `subject`, by `issuer`, that ends on 2031-02-03; the keys are called as who has
 * them. */
void secure_put_certificate(struct secure_bytes *to, const char *subject, const char *issuer,
                            uint8_t serial);

/* A whole Name with that common name; one that begins with @ is that of an organisation, and the
 * Name has no common one. */
void secure_put_name(struct secure_bytes *to, const char *common);

/* ContentInfo, or the bare SignedData in it, with these certificates and one signer. */
void secure_put_signed_data(struct secure_bytes *to, struct span certificates, const char *issuer,
                            uint8_t serial, int bare);

/* A SignerInfo as far as it says whose it is (RFC 2315, 9.2): version, issuer and serial number. */
void secure_put_signer(struct secure_bytes *to, const char *issuer, uint8_t serial);

/* A list of one kind with one entry of that data. */
void secure_put_list(struct secure_bytes *to, const struct guid *kind, const struct guid *owner,
                     struct span data);

static inline struct span secure_span(const struct secure_bytes *bytes)
{
    return span_of(bytes->at, bytes->size);
}

#define KIND_SHA256      GUID_INIT(0xc1c41626, 0x504c, 0x4092, 0xaca9, 0x41f936934328)
#define KIND_CERTIFICATE GUID_INIT(0xa5c059a1, 0x94e4, 0x4aa7, 0x87b5, 0xab155c2bf072)
#define KIND_TBS_SHA256  GUID_INIT(0x3bd2a492, 0x96c0, 0x4079, 0xb420, 0xfcf98ef103ed)
#define KIND_TBS_SHA384  GUID_INIT(0x7076876e, 0x80c2, 0x4ee6, 0xaad2, 0x28b349a6865b)
#define KIND_TBS_SHA512  GUID_INIT(0x446dbf63, 0x2502, 0x4cda, 0xbcfa, 0x2465d2b0fe9d)
#define KIND_SHA512      GUID_INIT(0x093e0fae, 0xa6c4, 0x4f50, 0x9f1b, 0xd41e2b89c19a)
#define OWNER_SVN        GUID_INIT(0x9d132b6c, 0x59d5, 0x4388, 0xab1c, 0x185cfcb2eb92)
#define OWNER_ANY        GUID_INIT(0x77fa9abd, 0x0359, 0x4d32, 0xbd60, 0x28f4e78f784b)

#endif
