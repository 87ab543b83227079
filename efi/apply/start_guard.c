#include "apply/start_guard.h"

#include "base/bytes.h"

#define FORMAT           1u /* first byte of the variable */
#define STARTS_AT        1u /* then the count, two zero bytes, and minutes since 1601 */
#define MINUTES_AT       4u
#define MINUTES_UNKNOWN  0u
#define TICKS_PER_MINUTE 600000000u /* of 100 nanoseconds */

static const struct guid own_vendor = VAR_OWN_VENDOR;

/* Sets the time. */
static void look_at_clock(const struct ports *ports, struct start_guard *io_guard)
{
    struct date_time now;

    io_guard->has_time = ports->clock.now(ports->clock.ctx, &now) == ST_OK;
    io_guard->minutes = io_guard->has_time ? date_filetime(&now) / TICKS_PER_MINUTE : 0;
}

/* True when the last start, at these minutes, was so long ago that it has lasted. */
static bool has_lasted(const struct start_guard *guard, uint32_t minutes)
{
    uint32_t now = (uint32_t)guard->minutes;
    uint32_t apart = now > minutes ? now - minutes : minutes - now;

    return guard->has_time && minutes != MINUTES_UNKNOWN && apart >= START_GUARD_PAUSE;
}

struct start_guard start_guard_read(const struct ports *ports)
{
    const struct vars_port *vars = &ports->vars;
    struct start_guard guard = {.starts = 0};
    uint8_t data[START_GUARD_SIZE];
    uint32_t attributes = 0;
    size_t size = 0;

    look_at_clock(ports, &guard);
    enum status status =
        vars->get(vars->ctx, &own_vendor, START_GUARD_NAME, &attributes, data, sizeof(data), &size);
    if (status != ST_OK || size != sizeof(data) || data[0] != FORMAT)
        return guard;
    if (!has_lasted(&guard, ld_le32(data + MINUTES_AT)))
        guard.starts = data[STARTS_AT];
    return guard;
}

bool start_guard_is_shut(const struct start_guard *guard)
{
    return guard->starts >= START_GUARD_MOST;
}

static enum status write_count(const struct ports *ports, const struct start_guard *guard)
{
    uint8_t data[START_GUARD_SIZE] = {FORMAT, (uint8_t)guard->starts};

    st_le32(data + MINUTES_AT, guard->has_time ? (uint32_t)guard->minutes : MINUTES_UNKNOWN);
    return ports->vars.set(ports->vars.ctx, &own_vendor, START_GUARD_NAME,
                           VAR_NON_VOLATILE | VAR_BOOT_SERVICE | VAR_RUNTIME, data, sizeof(data));
}

enum status start_guard_count(const struct ports *ports, struct start_guard *io_guard)
{
    if (io_guard->starts < UINT8_MAX)
        io_guard->starts++;
    look_at_clock(ports, io_guard);
    return write_count(ports, io_guard);
}

void start_guard_clear(const struct ports *ports)
{
    struct start_guard guard = start_guard_read(ports);

    if (guard.starts == 0)
        return;
    guard.starts = 0;
    (void)!write_count(ports, &guard);
}
