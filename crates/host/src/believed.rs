//! Whether a file or a folder says what root wants: nobody else could have written it.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;

/// Bits of a mode that let others than the owner write.
const OTHERS_WRITE: u32 = 0o022;
/// In a folder with this bit only an entry's owner takes it away.
const STICKY: u32 = 0o1000;

/// Opens a file that this user alone could have written; `None` where there is no such file. What is checked is what is
/// read: one file that is open.
///
/// # Errors
/// Why it is not believed, as the end of a sentence that begins with its name.
pub(crate) fn open(path: &Path, owner: u32) -> Result<Option<File>, String> {
    // Neither a link nor a pipe is followed or waited for.
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits()).unwrap_or_default();
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) if is_link(path) => return Err(format!("it is a link, which is not followed ({error})")),
        Err(error) => return Err(format!("it cannot be read: {error}")),
    };
    let metadata = file.metadata().map_err(|error| format!("it cannot be read: {error}"))?;
    believe_file(&metadata, owner)?;
    Ok(Some(file))
}

/// Whether what the metadata of a path, not followed, tells is a file that this user alone could have written.
///
/// # Errors
/// Like [`open`].
pub(crate) fn believe_file(metadata: &Metadata, owner: u32) -> Result<(), String> {
    if metadata.is_symlink() {
        return Err("it is a link, which is not followed".to_owned());
    }
    if !metadata.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if metadata.uid() != owner {
        return Err(format!("it belongs to user {}, not to user {owner}", metadata.uid()));
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        return Err(format!("others may write it (mode {:o}): chmod go-w", metadata.mode() & 0o7777));
    }
    Ok(())
}

/// Whether nobody else may put another file at an absolute path: whoever may write a folder on the way may. Folders that are
/// not there are believed: who may make them may write one above.
///
/// # Errors
/// Which folder, and why.
pub(crate) fn believe_folders(path: &Path, owner: u32) -> Result<(), String> {
    for folder in path.ancestors().skip(1) {
        match fs::symlink_metadata(folder) {
            Ok(metadata) => {
                believe_folder(&metadata, owner).map_err(|wrong| format!("{} {wrong}", folder.display()))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(format!("{} cannot be looked at: {error}", folder.display())),
        }
    }
    Ok(())
}

/// Whether a folder is one in which only this user and root put files.
///
/// # Errors
/// Why not, as the end of a sentence that begins with its name.
pub(crate) fn believe_folder(metadata: &Metadata, owner: u32) -> Result<(), String> {
    if !metadata.is_dir() {
        return Err("is no folder (a link is not followed)".to_owned());
    }
    if ![0, owner].contains(&metadata.uid()) {
        return Err(format!("belongs to user {}", metadata.uid()));
    }
    let mode = metadata.mode();
    if mode & OTHERS_WRITE != 0 && mode & STICKY == 0 {
        return Err(format!("may be written by others (mode {:o}): chmod go-w", mode & 0o7777));
    }
    Ok(())
}

fn is_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink())
}
