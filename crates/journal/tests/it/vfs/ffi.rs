//! The disk as a VFS of SQLite (<https://www.sqlite.org/vfs.html>), version 1: without shared memory, so that a journal
//! which needed a shared index of the log could not even be opened on it.
//!
//! Sector size and characteristics are those of SQLite's unix VFS on Linux.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};

use super::disk::{Disk, DiskError, Naming};

/// What SQLite allocates for every open file.
#[repr(C)]
struct OpenFile {
    base: sqlite3_file,
    disk: *const Mutex<Disk>,
    id: u64,
}

/// A disk under a name that SQLite knows, until it is dropped. Close every connection first.
pub(crate) struct Vfs {
    vfs: *mut sqlite3_vfs,
    name: CString,
    disk: Box<Mutex<Disk>>,
}

impl Vfs {
    /// Registers an empty disk. The name must be unique in the process.
    pub(crate) fn register(name: &str) -> Self {
        let name = CString::new(name).unwrap();
        let disk = Box::new(Mutex::new(Disk::default()));
        let vfs = Box::into_raw(Box::new(sqlite3_vfs {
            iVersion: 1,
            szOsFile: size_of::<OpenFile>() as c_int,
            mxPathname: 512,
            pNext: std::ptr::null_mut(),
            zName: name.as_ptr(),
            pAppData: std::ptr::from_ref(&*disk).cast_mut().cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: None,
            xCurrentTimeInt64: None,
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: the VFS, its name and its disk live at fixed addresses until `drop` has unregistered it.
        let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
        assert_eq!(code, ffi::SQLITE_OK);
        Self { vfs, name, disk }
    }

    pub(crate) fn name(&self) -> &str {
        self.name.to_str().unwrap()
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Vfs {
    fn drop(&mut self) {
        // SAFETY: registered by `register` and not unregistered since; no connection uses it any more, which is the
        // caller's part. The box was leaked by `register` and is taken back once.
        unsafe {
            ffi::sqlite3_vfs_unregister(self.vfs);
            drop(Box::from_raw(self.vfs));
        }
    }
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// The disk behind a VFS.
///
/// # Safety
/// `vfs` must be one that [`Vfs::register`] registered and that is not dropped during `'a`.
unsafe fn disk_of<'a>(vfs: *mut sqlite3_vfs) -> MutexGuard<'a, Disk> {
    // SAFETY: `pAppData` was set from a box that lives as long as the VFS.
    let disk = unsafe { &*(*vfs).pAppData.cast::<Mutex<Disk>>() };
    disk.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The disk and the number of an open file.
///
/// # Safety
/// `file` must be one that [`open`] opened and that is not closed, and its VFS not dropped during `'a`.
unsafe fn file_of<'a>(file: *mut sqlite3_file) -> (MutexGuard<'a, Disk>, u64) {
    // SAFETY: `open` filled the whole `OpenFile`, of which `sqlite3_file` is the first field.
    let file = unsafe { &*file.cast::<OpenFile>() };
    // SAFETY: the pointer is that of the VFS, see `disk_of`.
    let disk = unsafe { &*file.disk };
    (disk.lock().unwrap_or_else(PoisonError::into_inner), file.id)
}

/// The text SQLite passed; `None` for a null pointer or what is no UTF-8.
///
/// # Safety
/// `text` must be null or a terminated string that outlives `'a`.
unsafe fn text_of<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: as the caller promises.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) }).and_then(|text| text.to_str().ok())
}

fn code<T>(result: &Result<T, DiskError>, failure: c_int) -> c_int {
    if result.is_ok() { ffi::SQLITE_OK } else { failure }
}

unsafe extern "C" fn open(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the VFS it was given and a terminated name or null.
    let (mut disk, name) = unsafe { (disk_of(vfs), text_of(name)) };
    let naming = match name {
        None => Naming::Unnamed,
        Some(_) if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 => Naming::Durable,
        Some(_) => Naming::WithFirstSync,
    };
    let create = (flags & ffi::SQLITE_OPEN_CREATE != 0).then_some(naming);
    let opened = disk.open(name.unwrap_or_default(), create);
    let methods = if opened.is_ok() { std::ptr::from_ref(&METHODS) } else { std::ptr::null() };
    // SAFETY: SQLite allocated `szOsFile` bytes for the file, which is the size of `OpenFile`; `out_flags` is null or
    // points to an integer.
    unsafe {
        let base = sqlite3_file { pMethods: methods };
        file.cast::<OpenFile>().write(OpenFile {
            base,
            disk: (*vfs).pAppData.cast(),
            id: opened.unwrap_or_default(),
        });
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    code(&opened, ffi::SQLITE_CANTOPEN)
}

unsafe extern "C" fn delete(vfs: *mut sqlite3_vfs, name: *const c_char, sync_directory: c_int) -> c_int {
    // SAFETY: SQLite passes the VFS it was given and a terminated name.
    let (mut disk, name) = unsafe { (disk_of(vfs), text_of(name)) };
    match disk.delete(name.unwrap_or_default(), sync_directory & 1 != 0) {
        Ok(()) => ffi::SQLITE_OK,
        Err(DiskError::NoFile) => ffi::SQLITE_IOERR_DELETE_NOENT,
        Err(_) => ffi::SQLITE_IOERR_DELETE,
    }
}

unsafe extern "C" fn access(
    vfs: *mut sqlite3_vfs,
    name: *const c_char,
    _flags: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the VFS it was given and a terminated name.
    let (disk, name) = unsafe { (disk_of(vfs), text_of(name)) };
    let exists = disk.exists(name.unwrap_or_default());
    // SAFETY: `out` points to an integer.
    unsafe { *out = c_int::from(exists == Ok(true)) };
    code(&exists, ffi::SQLITE_IOERR_ACCESS)
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut sqlite3_vfs,
    name: *const c_char,
    size: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite passes a terminated name.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if bytes.len() > usize::try_from(size).unwrap_or(0) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has room for `size` bytes and is not the name.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), out.cast(), bytes.len()) };
    ffi::SQLITE_OK
}

/// Not random: SQLite asks its default VFS for the seed of its own generator, and only that matters.
unsafe extern "C" fn randomness(_vfs: *mut sqlite3_vfs, size: c_int, out: *mut c_char) -> c_int {
    // SAFETY: `out` has room for `size` bytes.
    unsafe { std::ptr::write_bytes(out, 0x5a, usize::try_from(size).unwrap_or(0)) };
    size
}

/// Returns at once: nobody else holds a lock.
unsafe extern "C" fn sleep(_vfs: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

/// 1970-01-01 as a Julian day.
unsafe extern "C" fn current_time(_vfs: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: `out` points to a number.
    unsafe { *out = 2_440_587.5 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(_file: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    buffer: *mut c_void,
    size: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file and a buffer of `size` initialised or writable bytes.
    let ((mut disk, id), buffer) = unsafe {
        let size = usize::try_from(size).unwrap_or(0);
        std::ptr::write_bytes(buffer.cast::<u8>(), 0, size);
        (file_of(file), std::slice::from_raw_parts_mut(buffer.cast::<u8>(), size))
    };
    match disk.read(id, offset.unsigned_abs(), buffer) {
        Ok(read) if read == buffer.len() => ffi::SQLITE_OK,
        Ok(_) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    size: c_int,
    offset: sqlite3_int64,
) -> c_int {
    // SAFETY: SQLite passes an open file and `size` bytes.
    let ((mut disk, id), bytes) = unsafe {
        (file_of(file), std::slice::from_raw_parts(bytes.cast::<u8>(), usize::try_from(size).unwrap_or(0)))
    };
    match disk.write(id, offset.unsigned_abs(), bytes) {
        Err(DiskError::Full) => ffi::SQLITE_FULL,
        written => code(&written, ffi::SQLITE_IOERR_WRITE),
    }
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file.
    let (mut disk, id) = unsafe { file_of(file) };
    code(&disk.truncate(id, size.unsigned_abs()), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: SQLite passes an open file.
    let (mut disk, id) = unsafe { file_of(file) };
    code(&disk.sync(id), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: SQLite passes an open file.
    let (mut disk, id) = unsafe { file_of(file) };
    let len = disk.len(id);
    // SAFETY: `out` points to an integer.
    unsafe { *out = len.map_or(0, |len| sqlite3_int64::try_from(len).unwrap_or(0)) };
    code(&len, ffi::SQLITE_IOERR_FSTAT)
}

/// One process: a lock is always free.
unsafe extern "C" fn lock(_file: *mut sqlite3_file, _level: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_file: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: `out` points to an integer.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(
    _file: *mut sqlite3_file,
    _operation: c_int,
    _argument: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn device_characteristics(_file: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}
