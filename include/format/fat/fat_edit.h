/*
 * Changes to a FAT file system that is in use, worked out in full before the first write, so that
 * power may be cut at any block: every file that was there keeps its old content or has all of its
 * new content, under its name.
 *
 * A cut between the phases below, or in one, leaves lost clusters at worst, or FATs that differ in
 * entries of such clusters or at the end of a directory that grows; with them the free count of
 * FSInfo is not right. Where something goes whose name another program has put across two blocks, the
 * front of that name may be left: no driver shows it.
 */
#ifndef SHADOWBOOT_FORMAT_FAT_EDIT_H
#define SHADOWBOOT_FORMAT_FAT_EDIT_H

#include "format/fat/fat_layout.h"

enum {
    FAT_EDIT_NEW,     /* contents of files, of new directories and of clusters that directories grow
                       * by, all where nothing was; blocks that differ of files that stay where they
                       * lie */
    FAT_EDIT_CHAINS,  /* their chains in the FATs; FATs that differ are made equal */
    FAT_EDIT_FOLDERS, /* entries of directories that are there: in place, deleted ones, and behind
                       * the last one, in such a way that no entry and its long name cross a block;
                       * the links to clusters that directories grow by */
    FAT_EDIT_ENDS,    /* the block in which a directory ended, when it ends in a later block now:
                       * what is behind it becomes visible to drivers that stop at the end marker */
    FAT_EDIT_FREED, /* old chains set free in the FATs, and FSInfo; what names that have gone left in
                       * other blocks than their entries */
    FAT_EDIT_PHASES
};

/* True when the file system is in a state that can be changed file by file: checked in full, and
 * nothing wrong but lost clusters, FATs that differ as a cut leaves them, chains that are longer or
 * shorter than their files, and a boot sector that is known from its backup. */
bool fat_edit_is_possible(const struct fat_report *report);

/*
 * Works out how the entries come to be on the volume: a file that is not there is made, one that is
 * there gets new content, attributes and date; a directory that is there is left alone. Of one that
 * stays where it lies the blocks that differ are written, and nothing else of it: such a change has
 * to be one of which any subset of blocks may be on the disk. What goes is gone in one write, its
 * content stays where it lies, in clusters that are free then. Names are
 * found without regard to case and by their short form too, and stay as they are. Nothing else
 * changes, except that lost clusters are made use of, and then all of them set free, when others do
 * not do. `report` is of the whole volume (complete), and both are as the disk is now: after the
 * writes the volume has to be opened anew. The result lies in `arena`. Statuses: ST_OK; ST_NO_SPACE
 * when the new content does not fit beside the old one, or a directory can take no more entries;
 * ST_REFUSED when fat_edit_is_possible says no, sectors are shorter than the disk's blocks, or FATs
 * differ otherwise than as a cut leaves them (the other FATs are made equal to the first);
 * ST_EXISTS when a file stands where a directory is to be, or the other way round, and when more is
 * in a directory that goes than goes with it; ST_USAGE as
 * fat_layout, also when two entries lead to one file, or one that stays ends within a block;
 * ST_CHANGED when such a one, or one that goes, is not there, or does not hold what it should; ST_UNSUPPORTED for a name of more than 195
 * characters in the root directory of FAT12 and FAT16 on blocks of 512 bytes; ST_IO; ST_NO_MEMORY.
 */
MUST_CHECK enum status fat_edit(struct arena *arena, struct fat_volume *volume,
                                const struct fat_report *report,
                                const struct fat_entry_request *entries, size_t entry_count,
                                struct disk_edit *ret_edit);

#endif
