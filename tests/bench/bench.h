/* The parts of `make bench`. */
#ifndef SHADOWBOOT_BENCH_BENCH_H
#define SHADOWBOOT_BENCH_BENCH_H

/* What `status` costs. */
void bench_status(void);

/* How the hive editor scales. */
void bench_hive(void);

/* What files of NTFS cost as a source. */
void bench_ntfs(void);

#endif
