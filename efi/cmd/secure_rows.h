/* Rows of Secure Boot: its state, its lists, and what it makes of boot files. */
#ifndef SHADOWBOOT_CMD_SECURE_ROWS_H
#define SHADOWBOOT_CMD_SECURE_ROWS_H

#include "audit/secure.h"
#include "rows.h"

/* A file that firmware loads, as an index into the ESP's report, and what was found out of it. */
struct secure_file {
    const struct esp *esp;
    size_t file;
    struct secure_judgement judgement;
    const char *firmware; /* what firmware itself said, in a word; NULL: it was not asked */
    enum status answer;   /* ST_OK: it takes it; ST_REFUSED; else why it did not say */
};

/* What a certificate that Microsoft is known for is there for; "" for any other. Static lifetime. */
const char *secure_certificate_use(const struct certificate *certificate);

/* "on", "off", "not there" ...: the state in a word. Static lifetime. */
const char *secure_state_text(const struct secure_boot *state);

/* Who signed the file, for people; "" when it is not signed, or not followed. Lies in the file's
 * signers. */
const char *secure_signer_name(const struct secure_file *file);

/* Texts in the arena, NULL when that is full: "10.0.19041.2965", "1.0"; "" for a file without. */
const char *secure_version_text(struct arena *arena, const struct secure_file *file);
const char *secure_svn_text(struct arena *arena, const struct secure_file *file);

void rows_secure_state(struct rows *to);
void rows_secure_list(struct rows *to, enum secure_list_id id);
void rows_secure_file(struct rows *to, const struct secure_file *file);

/* Those of all ESPs, as a list in JSON. */
void rows_secure_files(struct rows *to);

#endif
