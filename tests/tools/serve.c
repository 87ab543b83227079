/*
 * Runs commands on machines of image files, one request after the other in one process: starting a
 * program, most of all one under sanitizers, costs more than most commands. Machines are read from
 * their files at each request and only read: what a command changes is gone with its answer.
 *
 *   serve
 *
 * Standard input has a request a line: the words of a command line of the host program
 * (host/host_options.h), divided by tabs. The answer on standard output is a line
 *
 *   STATUS SIZE
 *
 * with the exit status, 125 for wrong options or files, and then SIZE bytes of output. Answers to
 * questions come from the options only. With -json there is a stick in the machine, STICK:, for the report
 * (host/host_reports.h). Exit status: 0 at the end of the input.
 */
#define _GNU_SOURCE /* getline */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cmd/cmd.h"
#include "host/host_alloc.h"
#include "unit/image_machine_fixture.h"

#define EXIT_HOST 125
#define ARENA     (64u << 20)
#define WORDS_MAX 256

/* Cuts `line` at its tabs, in place; gives how many words there are, behind the program's name. */
static int split(char *line, char *ret_words[WORDS_MAX + 1])
{
    int count = 0;
    char *rest = NULL;

    line[strcspn(line, "\n")] = 0;
    ret_words[count++] = "shadowboot";
    for (char *word = strtok_r(line, "\t", &rest); word != NULL;
         word = strtok_r(NULL, "\t", &rest)) {
        if (count == WORDS_MAX)
            host_fail("a request of too many words");
        ret_words[count++] = word;
    }
    ret_words[count] = NULL;
    return count;
}

static unsigned run(struct host *host, const struct host_options *options, uint8_t *memory,
                    int argc, char **argv)
{
    const char *words[WORDS_MAX + 1] = {options->name};
    struct arena arena;
    int count = 1;

    for (size_t i = 0; i < options->answer_count; i++)
        host_console_answer(host->console, options->answers[i]);
    for (int i = options->first_word; i < argc; i++)
        words[count++] = argv[i];
    arena_init(&arena, memory, ARENA);
    return cmd_main(host_ports(host), &arena, count, words) & 0xff;
}

static void answer(unsigned status, const char *text)
{
    printf("%u %zu\n%s", status, strlen(text), text);
    fflush(stdout);
}

/* A report goes to the stick, which other machines here do not have: nothing would be left there. */
static bool wants_report(int count, char **words)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], "-json") == 0)
            return true;
    }
    return false;
}

static void serve(char *line, uint8_t *memory)
{
    char *words[WORDS_MAX + 1];
    struct host_options options;
    int count = split(line, words);
    struct host *host = NULL;

    if (host_options_take(count, words, &options))
        host = image_machine_new(&options, wants_report(count, words), NULL);
    if (host == NULL) {
        answer(EXIT_HOST, "");
    } else {
        unsigned status = run(host, &options, memory, count, words);
        answer(status, host_console_text(host->console));
    }
    host_free(host);
    host_options_free(&options);
}

int main(void)
{
    uint8_t *memory = host_alloc(1, ARENA);
    char *line = NULL;
    size_t room = 0;

    while (getline(&line, &room, stdin) > 0)
        serve(line, memory);
    free(line);
    free(memory);
    return 0;
}
