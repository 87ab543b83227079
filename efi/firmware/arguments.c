#include "arguments.h"

#include "base/text.h"

#define OPTIONS_LIMIT 4096 /* bytes of load options; more is no command line */
#define MEDIA_TYPE    0x04 /* device path node: media, file path */
#define FILE_SUBTYPE  0x04
#define NODE_HEADER   4
#define PROGRAM_NAME  "shadowboot.efi"

/* The path of this program on its volume: its file nodes, joined; "" without any. NULL without
 * memory. */
static const char *program_path(const struct uefi *uefi, struct arena *arena)
{
    struct span path = uefi_path_span(uefi->loaded == NULL ? NULL : uefi->loaded->FilePath);
    CHAR16 *text = arena_alloc(arena, path.size + 4, 1); /* more than all nodes hold, and a NUL */
    size_t used = 0;

    if (text == NULL)
        return NULL;
    for (size_t at = 0; at < path.size;) {
        const uint8_t *node = path.at + at;
        size_t length = ld_le16(node + 2);
        at += length;
        if ((node[0] & EFI_DP_TYPE_MASK) != MEDIA_TYPE || node[1] != FILE_SUBTYPE)
            continue;
        bool begins = length >= NODE_HEADER + 2 && ld_le16(node + NODE_HEADER) == '\\';
        if (used == 0 || text[used - 1] != '\\')
            text[used++] = '\\';
        for (size_t i = NODE_HEADER + (begins ? 2 : 0); i + 2 <= length && ld_le16(node + i) != 0;
             i += 2)
            text[used++] = ld_le16(node + i);
    }
    text[used] = 0;
    return uefi_utf8(arena, text);
}

static enum status from_shell(const struct uefi *uefi, struct arena *arena, const char *program,
                              struct arguments *ret_arguments)
{
    size_t count = uefi->parameters->Argc;
    const char **words = arena_alloc(arena, count + 1, sizeof(*words));

    if (words == NULL)
        return ST_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        words[i] = uefi_utf8(arena, uefi->parameters->Argv[i]);
        if (words[i] == NULL)
            return ST_NO_MEMORY;
    }
    *ret_arguments = (struct arguments){(int)count, words, program};
    return ST_OK;
}

/*
 * The load options as UTF-8 when every unit of them is a printable character, with nothing but NULs
 * after the first NUL; "" otherwise. NULL without memory.
 */
static char *options_text(const struct uefi *uefi, struct arena *arena)
{
    size_t size = uefi->loaded == NULL ? 0 : uefi->loaded->LoadOptionsSize;
    const uint8_t *bytes = size == 0 ? NULL : uefi->loaded->LoadOptions;
    bool is_text = bytes != NULL && size % 2 == 0 && size <= OPTIONS_LIMIT;
    CHAR16 *text = arena_alloc(arena, is_text ? size / 2 + 1 : 1, sizeof(*text));
    size_t used = 0;

    if (text == NULL)
        return NULL;
    for (size_t at = 0; is_text && at < size; at += 2) {
        uint16_t unit = ld_le16(bytes + at);
        bool printable = (unit >= 0x20 && unit < 0x7f) || (unit >= 0xa0 && unit < 0xd800);
        if (unit != 0 && (!printable || used < at / 2))
            is_text = false;
        else if (unit != 0)
            text[used++] = unit;
    }
    text[is_text ? used : 0] = 0;
    return (char *)uefi_utf8(arena, text);
}

/*
 * Cuts the next word out of `*io_text`, in place: blanks outside quotes end it, the quotes go.
 * NULL at the end.
 */
static char *next_word(char **io_text)
{
    char *from = *io_text;
    bool quoted = false;

    while (*from == ' ')
        from++;
    if (*from == '\0')
        return NULL;
    char *word = from;
    char *to = from;
    for (; *from != '\0' && (quoted || *from != ' '); from++) {
        if (*from == '"')
            quoted = !quoted;
        else
            *to++ = *from;
    }
    *io_text = *from == '\0' ? from : from + 1;
    *to = '\0';
    return word;
}

static bool ends_in_efi(const char *word)
{
    size_t length = text_length(word);

    return length >= 4 && text_equal_nocase(word + length - 4, ".efi");
}

static enum status from_options(const struct uefi *uefi, struct arena *arena, const char *program,
                                struct arguments *ret_arguments)
{
    char *text = options_text(uefi, arena);
    size_t count = 0;

    if (text == NULL)
        return ST_NO_MEMORY;
    const char **words = arena_alloc(arena, text_length(text) / 2 + 2, sizeof(*words));
    if (words == NULL)
        return ST_NO_MEMORY;
    words[count++] = program[0] == '\0' ? PROGRAM_NAME : program;
    for (char *word = next_word(&text); word != NULL; word = next_word(&text)) {
        if (count > 1 || !ends_in_efi(word))
            words[count++] = word;
    }
    *ret_arguments = (struct arguments){(int)count, words, program};
    return ST_OK;
}

enum status uefi_arguments(const struct uefi *uefi, struct arena *arena,
                           struct arguments *ret_arguments)
{
    const char *program = program_path(uefi, arena);

    if (program == NULL)
        return ST_NO_MEMORY;
    if (uefi->parameters != NULL && uefi->parameters->Argc > 0)
        return from_shell(uefi, arena, program, ret_arguments);
    return from_options(uefi, arena, program, ret_arguments);
}
