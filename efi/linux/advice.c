#include "advice.h"

#include <stdio.h>
#include <string.h>

#include "folders.h"

/* What stands for itself in a shell. */
static bool stands_for_itself(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./=:,+-@%";

    return word[0] != 0 && strspn(word, plain) == strlen(word);
}

/* In quotation marks where it has to be: within them only their own kind stands for something. */
static void tell_word(const char *word)
{
    if (stands_for_itself(word)) {
        fputs(word, stderr);
        return;
    }
    putc('\'', stderr);
    for (; *word != 0; word++) {
        if (*word == '\'')
            fputs("'\\''", stderr);
        else
            putc(*word, stderr);
    }
    putc('\'', stderr);
}

void linux_advice_tell(const struct linux_options *options, char *const *words)
{
    fflush(stdout);
    fputs("shadowboot-linux: where it says \"shadowboot\", type: ", stderr);
    for (int i = 0; i < options->first_word; i++) {
        if (i > 0)
            putc(' ', stderr);
        tell_word(words[i]);
    }
    if (!options->write)
        fprintf(stderr, "; to change something, --write%s as well",
                options->journal == NULL ? " --journal DIR" : "");
    if (options->journal != NULL) {
        fputs("; " LINUX_JOURNAL_NAME " is ", stderr);
        tell_word(options->journal);
    }
    putc('\n', stderr);
}
