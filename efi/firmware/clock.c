#include "clock.h"

static bool is_sane(const EFI_TIME *time)
{
    return time->Year >= 1900 && time->Year <= 9999 && time->Month >= 1 && time->Month <= 12 &&
           time->Day >= 1 && time->Day <= 31 && time->Hour <= 23 && time->Minute <= 59 &&
           time->Second <= 59;
}

static enum status clock_now(void *ctx, struct date_time *ret_time)
{
    const struct uefi *uefi = ctx;
    EFI_TIME time;

    if (EFI_ERROR(uefi->runtime->GetTime(&time, NULL)) || !is_sane(&time))
        return ST_IO;
    *ret_time = (struct date_time){.year = time.Year,
                                   .month = time.Month,
                                   .day = time.Day,
                                   .hour = time.Hour,
                                   .minute = time.Minute,
                                   .second = time.Second};
    return ST_OK;
}

struct clock_port uefi_clock(const struct uefi *uefi)
{
    return (struct clock_port){.ctx = (void *)uefi, .now = clock_now};
}
