#include "help.h"

#define TEXT_WIDTH 78

void help_wrapped(struct context *context, size_t indent, const char *text)
{
    size_t column = indent;

    while (*text != '\0') {
        size_t length = 0;
        while (text[length] != '\0' && text[length] != ' ' && text[length] != '\n')
            length++;
        bool follows = column > indent;
        if (follows && column + 1 + length > TEXT_WIDTH) {
            say(context, "\n%*s", (int)indent, "");
            column = indent;
            follows = false;
        }
        say(context, "%s%.*s", follows ? " " : "", (int)length, text);
        column += length + follows;
        text += length;
        if (*text == '\n') {
            say(context, "\n%*s", (int)indent, "");
            column = indent;
        }
        if (*text != '\0')
            text++;
    }
    say(context, "\n");
}
