#include "clock.h"

#define STALL_MICROSECONDS 1000u /* rates are in ticks of a millisecond */
#define STALL_TRIES        3

static bool is_sane(const EFI_TIME *time)
{
    return time->Year >= 1900 && time->Year <= 9999 && time->Month >= 1 && time->Month <= 12 &&
           time->Day >= 1 && time->Day <= 31 && time->Hour <= 23 && time->Minute <= 59 &&
           time->Second <= 59;
}

static enum status clock_now(void *ctx, struct date_time *ret_time)
{
    const struct uefi_clock *clock = ctx;
    EFI_TIME time;

    if (EFI_ERROR(clock->uefi->runtime->GetTime(&time, NULL)) || !is_sane(&time))
        return ST_IO;
    *ret_time = (struct date_time){.year = time.Year,
                                   .month = time.Month,
                                   .day = time.Day,
                                   .hour = time.Hour,
                                   .minute = time.Minute,
                                   .second = time.Second};
    return ST_OK;
}

#if defined(__x86_64__) || defined(__i386__)

/* CPUID leaf 1, EDX bit 4 (Intel SDM volume 2A): the processor has a time stamp counter. */
static bool has_counter(void)
{
    uint32_t eax = 1, ebx, ecx = 0, edx;

    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return edx & 1u << 4;
}

static uint64_t read_counter(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

/* Not said by the processor in a way that all of them share. */
static uint64_t stated_rate(void)
{
    return 0;
}

#elif defined(__aarch64__)

static bool has_counter(void)
{
    return true;
}

static uint64_t read_counter(void)
{
    uint64_t value;

    __asm__ volatile("isb\n\tmrs %0, cntvct_el0" : "=r"(value)::"memory");
    return value;
}

/* What firmware has put down for the counter, which is 0 where it forgot. */
static uint64_t stated_rate(void)
{
    uint64_t hertz;

    __asm__ volatile("mrs %0, cntfrq_el0" : "=r"(hertz));
    return hertz / 1000;
}

#else

static bool has_counter(void)
{
    return false;
}

static uint64_t read_counter(void)
{
    return 0;
}

static uint64_t stated_rate(void)
{
    return 0;
}

#endif

/*
 * Ticks of a millisecond, by the firmware's own delay. It is never too short but may be too long,
 * when a timer of the firmware or another guest of the host comes between, so the least of a few
 * counts. 0 when the counter stands still.
 */
static uint64_t measured_rate(const struct uefi *uefi)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < STALL_TRIES; i++) {
        uint64_t before = read_counter();
        if (EFI_ERROR(uefi->boot->Stall(STALL_MICROSECONDS)))
            return 0;
        uint64_t ticks = read_counter() - before;
        if (ticks < least)
            least = ticks;
    }
    return least;
}

static void measure(struct uefi_clock *clock)
{
    clock->measured = true;
    if (!has_counter())
        return;
    clock->rate = stated_rate();
    if (clock->rate == 0)
        clock->rate = measured_rate(clock->uefi);
    clock->start = read_counter();
}

/*
 * A counter that changes its pace with the processor's, on old machines, makes the figures rough:
 * firmware runs at one pace, so nothing better is looked for. One that went back, because another
 * processor is asked or the machine slept, stands still until it has caught up.
 */
static uint64_t clock_microseconds(void *ctx)
{
    struct uefi_clock *clock = ctx;

    if (!clock->measured)
        measure(clock);
    if (clock->rate == 0)
        return 0;
    uint64_t ticks = read_counter() - clock->start;
    uint64_t now = ticks / clock->rate * 1000 + ticks % clock->rate * 1000 / clock->rate;
    if (ticks <= INT64_MAX && now > clock->greatest)
        clock->greatest = now;
    return clock->greatest;
}

void uefi_clock_open(const struct uefi *uefi, struct uefi_clock *ret_clock,
                     struct clock_port *ret_port)
{
    *ret_clock = (struct uefi_clock){.uefi = uefi};
    *ret_port =
        (struct clock_port){.ctx = ret_clock, .now = clock_now, .microseconds = clock_microseconds};
}
