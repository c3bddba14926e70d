//! What rehearsals on this host said of reboots, kept on the host: an order to apply comes without its rehearsal, and a server
//! could say anything of it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tenon_model::{Digest, PinnedFile, Transaction};

use crate::{HostError, files};

/// Most rehearsals remembered, the last ones.
const MOST: usize = 200;
/// Largest file read, in bytes.
const MAX_FILE: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    /// Transaction and package files.
    of: Digest,
    /// Whether they asked for a reboot.
    reboot: bool,
}

fn path(work: &Path) -> PathBuf {
    work.join("rehearsed.json")
}

fn digest(transaction: &Transaction, files: &[PinnedFile]) -> Digest {
    // Nothing in it can fail to encode; a digest of nothing would be that of no rehearsal.
    Digest::of(&serde_json::to_vec(&(transaction, files)).unwrap_or_default())
}

/// What is remembered; what cannot be read is not.
fn read(work: &Path) -> Vec<Said> {
    let text = files::read_text_if_any(&path(work), MAX_FILE).ok().flatten();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Remembers what a rehearsal that passed said.
pub(super) fn remember(
    work: &Path,
    transaction: &Transaction,
    files: &[PinnedFile],
    reboot: bool,
) -> Result<(), HostError> {
    let said = Said { of: digest(transaction, files), reboot };
    let mut all = read(work);
    all.retain(|known| known.of != said.of);
    all.push(said);
    let last = all.get(all.len().saturating_sub(MOST)..).unwrap_or_default();
    files::write_durably(&path(work), &serde_json::to_vec(last).unwrap_or_default())
}

/// Whether exactly this transaction with exactly these package files asked for a reboot when it last passed here; `None`
/// where it did not.
pub(crate) fn asked_for_reboot(work: &Path, transaction: &Transaction, files: &[PinnedFile]) -> Option<bool> {
    let of = digest(transaction, files);
    read(work).into_iter().find(|said| said.of == of).map(|said| said.reboot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(version: u32) -> [PinnedFile; 1] {
        let version = version.to_string();
        [PinnedFile {
            package: "toyd".to_owned(),
            architecture: "all".to_owned(),
            sha256: Digest::of(version.as_bytes()),
            version,
        }]
    }

    #[test]
    fn the_last_rehearsals_are_remembered_by_what_they_installed() {
        let work = tempfile::tempdir().unwrap();
        let (work, nothing) = (work.path(), Transaction::default());
        assert_eq!(asked_for_reboot(work, &nothing, &file(1)), None);
        for (version, reboot) in [(1, false), (2, true), (1, true), (1, false)] {
            remember(work, &nothing, &file(version), reboot).unwrap();
        }
        assert_eq!(asked_for_reboot(work, &nothing, &file(1)), Some(false));
        assert_eq!(asked_for_reboot(work, &nothing, &file(2)), Some(true));
        assert_eq!(asked_for_reboot(work, &nothing, &file(3)), None);
        for version in 3..=u32::try_from(MOST).unwrap() + 2 {
            remember(work, &nothing, &file(version), false).unwrap();
        }
        assert_eq!(asked_for_reboot(work, &nothing, &file(2)), None, "the oldest are forgotten");
        std::fs::write(path(work), "not json").unwrap();
        assert_eq!(asked_for_reboot(work, &nothing, &file(3)), None);
    }
}
