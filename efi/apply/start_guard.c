#include "apply/start_guard.h"

#include "base/bytes.h"

#define FORMAT          1u /* first byte of the variable */
#define STARTS_AT       1u /* the count */
#define SECONDS_AT      2u /* of the minute in which the last one was; a zero byte behind it */
#define MINUTES_AT      4u /* that minute, since 1601 */
#define MINUTES_UNKNOWN 0u
#define MINUTE          60u /* seconds */
#define SHORTEST_START  3   /* seconds that firmware takes at least from one start to the next */

static const struct guid own_vendor = VAR_OWN_VENDOR;

/* Sets the time. */
static void look_at_clock(const struct ports *ports, struct start_guard *io_guard)
{
    struct date_time now;

    io_guard->has_time = ports->clock.now(ports->clock.ctx, &now) == ST_OK;
    io_guard->seconds = io_guard->has_time ? date_filetime(&now) / FILETIME_SECOND : 0;
}

/* True when the last start was so long ago that it has lasted; the minutes of its time count. */
static bool has_lasted(const struct start_guard *guard, uint32_t minutes)
{
    uint32_t now = (uint32_t)(guard->seconds / MINUTE);
    uint32_t apart = now > minutes ? now - minutes : minutes - now;

    return guard->has_time && minutes != MINUTES_UNKNOWN && apart >= START_GUARD_PAUSE;
}

static bool is_blind(const struct start_guard *guard, const uint8_t data[START_GUARD_SIZE])
{
    uint32_t minutes = ld_le32(data + MINUTES_AT);
    uint64_t last = (uint64_t)minutes * MINUTE + data[SECONDS_AT];

    return !guard->has_time || minutes == MINUTES_UNKNOWN || guard->seconds < last + SHORTEST_START;
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
    guard.is_blind = is_blind(&guard, data);
    return guard;
}

bool start_guard_is_shut(const struct start_guard *guard)
{
    return guard->starts >= START_GUARD_MOST;
}

void start_guard_let_one_pass(struct start_guard *io_guard)
{
    if (start_guard_is_shut(io_guard))
        io_guard->starts = START_GUARD_MOST - 1;
}

static enum status write_count(const struct ports *ports, const struct start_guard *guard)
{
    uint8_t data[START_GUARD_SIZE] = {FORMAT, (uint8_t)guard->starts};

    data[SECONDS_AT] = (uint8_t)(guard->seconds % MINUTE);
    st_le32(data + MINUTES_AT,
            guard->has_time ? (uint32_t)(guard->seconds / MINUTE) : MINUTES_UNKNOWN);
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
