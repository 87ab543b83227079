"""BCD-Template as Windows keeps it in \\Windows\\System32\\config, built by regf.py: the objects of
https://github.com/mattifestation/BCD, which re-created them and compared them with bcdedit."""
import struct

import regf

YES, NO = (regf.BINARY, b'\x01'), (regf.BINARY, b'\x00')
EFI_LOADER = '{b012b84d-c47c-4ed5-b722-c0c42163e569}'
EFI_RESUME = '{0c334284-9a41-4de1-99b3-a7e87e8ff07e}'
PCAT_SETUP = '{cbd971bf-b7b8-4885-951a-fa03044f5d71}'
GLOBAL = '{7ea2e1ac-2e61-4728-aaa3-896d9d0a9f0e}'
LOADERS = '{6efb52bf-1766-41db-a6b3-0ee5eff72bd7}'
RESUMES = '{1afa9c49-16ab-4a5c-901b-212802da9460}'
HYPERVISOR = '{7ff607e0-4395-11db-b0de-0800200c9a66}'
DEBUGGER = '{4636856e-540f-4170-a130-a84776f4c654}'
EMS = '{0ce4991b-e6b3-4b16-b23c-5e0d9250e5d9}'
BAD_MEMORY = '{5189b25c-5558-4bf2-bca4-289b11bd29e2}'
MEMDIAG = '{b2721d73-1db4-4c62-bf78-c548a880142d}'


def integers(*numbers):
    return regf.BINARY, b''.join(struct.pack('<Q', number) for number in numbers)


def objects():
    """{object: (type, elements)}"""
    text, integer = regf.text, regf.integer
    loader = {
        '12000004': text('Windows'), '12000005': text('en-US'), '14000006': regf.objects(LOADERS), '16000060': YES,
        '17000077': integers(0x15000075), '22000002': text('\\windows'), '23000003': text(EFI_RESUME),
        '25000020': integer(0), '250000c2': integer(1), '42000002': text('\\system32\\winload.efi'),
        '45000001': integer(2), '47000005': integers(0x12000004, 3),
        '47000006': integers(0x16000010, 0x260000a0, 0x260000f2, 0x16000049, 0x25000115, 0x1600007e)}
    resume = {
        '12000004': text('Windows Resume Application'), '12000005': text('en-US'), '14000006': regf.objects(RESUMES),
        '16000060': YES, '17000077': integers(0x15000075), '22000002': text('\\hiberfil.sys'),
        '25000008': integer(1), '42000002': text('\\system32\\winresume.efi'), '45000001': integer(2),
        '46000004': YES}
    return {
        regf.BOOTMGR: (regf.MANAGER_TYPE, {
            '12000002': text('\\EFI\\Microsoft\\Boot\\bootmgfw.efi'), '12000004': text('Windows Boot Manager'),
            '12000005': text('en-US'), '14000006': regf.objects(GLOBAL), '23000003': text(PCAT_SETUP),
            '25000004': integer(30), '45000001': integer(1),
            '47000006': integers(0x16000010, 0x26000020, 0x25000004, 0x1600007E)}),
        MEMDIAG: (0x10200005, {
            '12000002': text('\\boot\\memtest.exe'), '12000004': text('Windows Memory Diagnostic'),
            '12000005': text('en-US'), '14000006': regf.objects(GLOBAL), '1600000b': YES, '45000001': integer(1),
            '47000005': integers(0x12000004, 2)}),
        EFI_LOADER: (regf.LOADER_TYPE, loader),
        EFI_RESUME: (0x10200004, resume),
        PCAT_SETUP: (regf.LOADER_TYPE, {'26000022': YES, '42000002': text('\\system32\\winload.exe')}),
        GLOBAL: (0x20100000, {'14000006': regf.objects(DEBUGGER, EMS, BAD_MEMORY)}),
        LOADERS: (0x20200003, {'14000006': regf.objects(GLOBAL, HYPERVISOR)}),
        RESUMES: (0x20200004, {'14000006': regf.objects(GLOBAL)}),
        HYPERVISOR: (0x20200003, {'250000f3': integer(0), '250000f4': integer(1), '250000f5': integer(115200),
                                  '47000006': integers(0x250000F3)}),
        DEBUGGER: (0x20100000, {'15000011': integer(4), '47000006': integers(0x46000007)}),
        EMS: (0x20100000, {'16000020': NO}),
        BAD_MEMORY: (0x20100000, {}),
    }


def build(change=lambda found: found):
    """The template; `change` may alter its objects."""
    keys = [regf.bcd_object(name, kind, elements) for name, (kind, elements) in change(objects()).items()]
    return regf.build(regf.Key('NewStoreRoot', {}, [
        regf.Key('Description', {'KeyName': regf.text('BCD00000001')}), regf.Key('Objects', {}, keys)]))
