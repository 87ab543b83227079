"""What KB 814070 prints: bootcfg on its machines, without the indentation of the page.

Only one line is not as the program printed it: the page cuts the "Default" line of the first
listing (`CUT_DEFAULT`) off at "WINDO". All other lines are compared whole.
"""

# bootcfg, mirror made, started by its second plex.
QUERY_BEFORE = r"""
Boot Options
------------
Timeout:             30
Default:             \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDO
CurrentBootEntryID:  5

Boot Entries
------------

Boot entry ID:    1
OS Friendly Name: Windows 2003 Server, Enterprise
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS

Boot entry ID:    2
OS Friendly Name: LS120

Boot entry ID:    3
OS Friendly Name: CDROM

Boot entry ID:    4
OS Friendly Name: EFI Shell

Boot entry ID:    5
OS Friendly Name: Boot Mirror C: - secondary plex
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS
"""
CUT_DEFAULT = QUERY_BEFORE.splitlines()[4]

# bootcfg /list 0
LIST_0 = r"""
Partition table info for Disk: 0
---------------------------------
Partition No:      1
Partition Style:  GPT
Starting  offset: 32,256
Partition length: 213,825,024
Partition GUID:   {68d298c0-1b6a-01c1-507b-9e5f8078f531}
GUID type:        {c12a7328-f81f-11d2-ba4b-00a0c93ec93b}
Partition name:   EFI system partition

Partition No:      2
Partition Style:  GPT
Starting  offset: 213,857,280
Partition length: 5,142,056,960
Partition GUID:   {68d298c0-1b6a-01c1-f1b3-12714f758821}
GUID type:        {af9b60a0-1431-4f62-bc68-3311714a69ad}
Partition name:   LDM data partition

Partition No:      3
Partition Style:  GPT
Starting  offset: 9,153,031,680
Partition length: 1,048,576
Partition GUID:   {73e47280-0d38-11d7-b47f-806e6f6e6963}
GUID type:        {5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}
Partition name:   LDM metadata partition

Partition No:      4
Partition Style:  GPT
Starting  offset: 9,154,080,256
Partition length: 32,505,856
Partition GUID:   {1ca4672d-a37c-4e12-bacb-c5ae97924965}
GUID type:        {e3c9e316-0b5c-4db8-817d-f92df00215ae}
Partition name:   Microsoft reserved partition
"""

# bootcfg /list 1
LIST_1 = r"""
Partition table info for Disk: 1
---------------------------------
Partition No:      1
Partition Style:  GPT
Starting  offset: 17,408
Partition length: 213,909,504
Partition GUID:   {476688c5-8ebf-47d2-80e7-cf9d065edb81}
GUID type:        {c12a7328-f81f-11d2-ba4b-00a0c93ec93b}
Partition name:   EFI system partition

Partition No:      2
Partition Style:  GPT
Starting  offset: 213,926,912
Partition length: 1,048,576
Partition GUID:   {b72d10f6-e94e-4a4d-bb8e-4da985cc1679}
GUID type:        {5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}
Partition name:   LDM metadata partition

Partition No:      3
Partition Style:  GPT
Starting  offset: 214,975,488
Partition length: 32,505,856
Partition GUID:   {824858f3-b8d5-4b4d-a3c7-18aac4442b7e}
GUID type:        {e3c9e316-0b5c-4db8-817d-f92df00215ae}
Partition name:   Microsoft reserved partition

Partition No:      4
Partition Style:  GPT
Starting  offset: 247,481,344
Partition length: 5,142,056,960
Partition GUID:   {f3d11286-2582-4d76-889c-b82c346be44e}
GUID type:        {af9b60a0-1431-4f62-bc68-3311714a69ad}
Partition name:   LDM data partition
"""

# bootcfg /clone /sg {ESP of Disk 0} /tg {ESP of Disk 1} /d+ Cloned_Entry
CLONED = r"""
INFO: Boot entry whose id is '1' successfully cloned.
INFO: Boot entry whose id is '5' successfully cloned.
SUCCESS: The operation completed successfully.
"""

# bootcfg after that.
QUERY_AFTER = r"""
Boot Options
------------
Timeout:             30
Default:             \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS
CurrentBootEntryID:  5

Boot Entries
------------

Boot entry ID:    1
OS Friendly Name: Windows 2003 Server, Enterprise
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS

Boot entry ID:    2
OS Friendly Name: LS120

Boot entry ID:    3
OS Friendly Name: CDROM

Boot entry ID:    4
OS Friendly Name: EFI Shell

Boot entry ID:    5
OS Friendly Name: Boot Mirror C: - secondary plex
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS

Boot entry ID:    6
OS Friendly Name: Windows 2003 Server, Enterprise Cloned_Entry
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume3\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS

Boot entry ID:    7
OS Friendly Name: Boot Mirror C: - secondary plex Cloned_Entry
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume3\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS
"""

# Recovery: Disk 0 replaced and Windows installed on it; bootcfg.
RECOVERY_QUERY_BEFORE = r"""
Boot Options
------------
Timeout:             5
Default:             \Device\HarddiskVolume3\WINDOWS
CurrentBootEntryID:  1

Boot Entries
------------

Boot entry ID:    1
OS Friendly Name: Microsoft Windows Server 2003, Enterprise Edition
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskVolume3\WINDOWS

Boot entry ID:    2
OS Friendly Name: Windows Server 2003, Enterprise Edition
OsLoadOptions:    N/A
BootFilePath:     (null)
OsFilePath:       (null)

Boot entry ID:    3
OS Friendly Name: LS120

Boot entry ID:    4
OS Friendly Name: CDROM

Boot entry ID:    5
OS Friendly Name: EFI Shell

Boot entry ID:    6
OS Friendly Name: Boot Mirror C: - secondary plex
OsLoadOptions:    N/A
BootFilePath:     (null)
OsFilePath:       (null)
"""

# bootcfg /list 1: the shadow disk, which has no EFI system partition.
RECOVERY_LIST_1 = r"""
Partition table info for Disk: 1
---------------------------------
Partition No:      1
Partition Style:  GPT
Starting  offset: 17,408
Partition length: 1,048,576
Partition GUID:   {646091f1-b826-47e8-a72c-f22072e9a769}
GUID type:        {5808c8aa-7e8f-42e0-85d2-e1e90434cfb3}
Partition name:   LDM metadata partition

Partition No:      2
Partition Style:  GPT
Starting  offset: 1,065,984
Partition length: 32,505,856
Partition GUID:   {afb1e6b9-d8a6-456d-8df1-31327f94f3fe}
GUID type:        {e3c9e316-0b5c-4db8-817d-f92df00215ae}
Partition name:   Microsoft reserved partition

Partition No:      3
Partition Style:  GPT
Starting  offset: 33,571,840
Partition length: 3,142,056,960
Partition GUID:   {9aee294a-fa7d-4d4a-8a47-51a1dd1f9867}
GUID type:        {af9b60a0-1431-4f62-bc68-3311714a69ad}
Partition name:   LDM data partition

Partition No:      4
Partition Style:  GPT
Starting  offset: 3,175,628,800
Partition length: 1,174,758,912
Partition GUID:   {ab104fde-0782-4810-842e-0fb291e385ad}
GUID type:        {af9b60a0-1431-4f62-bc68-3311714a69ad}
Partition name:   LDM data partition
"""

# bootcfg /mirror /add {Disk 1, Partition 3} /D "Original Shadow drive"
MIRRORED = r"""
SUCCESS: The mirrored boot entry has been added.
"""

# bootcfg after that.
RECOVERY_QUERY_AFTER = r"""
Boot Options
------------
Timeout:             5
Default:             \Device\HarddiskVolume3\WINDOWS
CurrentBootEntryID:  1

Boot Entries
------------

Boot entry ID:    1
OS Friendly Name: Microsoft Windows Server 2003, Enterprise Edition
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskVolume3\WINDOWS

Boot entry ID:    2
OS Friendly Name: Windows Server 2003, Enterprise Edition
OsLoadOptions:    N/A
BootFilePath:     (null)
OsFilePath:       (null)

Boot entry ID:    3
OS Friendly Name: LS120

Boot entry ID:    4
OS Friendly Name: CDROM

Boot entry ID:    5
OS Friendly Name: EFI Shell

Boot entry ID:    6
OS Friendly Name: Boot Mirror C: - secondary plex
OsLoadOptions:    N/A
BootFilePath:     (null)
OsFilePath:       (null)

Boot entry ID:    7
OS Friendly Name: Original Shadow drive
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       (null)
"""

# bootcfg when the mirror is whole again, started from the shadow.
REMIRRORED_QUERY = r"""
Boot Options
------------
Timeout:             30
Default:             (null)
CurrentBootEntryID:  7

Boot Entries
------------

Boot entry ID:    1
OS Friendly Name: Boot Mirror C: - secondary plex
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       (null)

Boot entry ID:    2
OS Friendly Name: Windows Server 2003, Enterprise
OsLoadOptions:    N/A
BootFilePath:     (null)
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS

Boot entry ID:    3
OS Friendly Name: LS120

Boot entry ID:    4
OS Friendly Name: CDROM

Boot entry ID:    5
OS Friendly Name: EFI Shell

Boot entry ID:    6
OS Friendly Name: Boot Mirror C: - Secondary Plex
OsLoadOptions:    N/A
BootFilePath:     (null)
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS

Boot entry ID:    7
OS Friendly Name: original shadow system
OsLoadOptions:    N/A
BootFilePath:     \Device\HarddiskVolume1\EFI\Microsoft\WINNT50\ia64ldr.efi
OsFilePath:       \Device\HarddiskDmVolumes\PhysicalDmVolumes\BlockVolume1\WINDOWS
"""

# bootcfg /delete /ID 6, and again for 2
DELETED = r"""
SUCCESS: Specified boot entry has been deleted.
"""
