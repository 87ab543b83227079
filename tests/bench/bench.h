/* The parts of `make bench`. */
#ifndef SHADOWBOOT_BENCH_BENCH_H
#define SHADOWBOOT_BENCH_BENCH_H

/* What `status` costs. */
void bench_status(void);

/* What digests cost, and what it saves to make none. */
void bench_digest(void);

/* How the hive editor scales. */
void bench_hive(void);

/* What files of NTFS cost as a source. */
void bench_ntfs(void);

#endif
