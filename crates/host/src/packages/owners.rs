//! Which packages own files of the running system.

use std::collections::{BTreeMap, BTreeSet};

use super::{MAX_DATABASE, Packages, apk};
use crate::{System, files, owners};

impl Packages {
    /// Packages that own the given paths of the running system, by path; paths that no package owns are left out.
    pub(crate) fn owners(&self, paths: &BTreeSet<String>) -> BTreeMap<String, String> {
        if paths.is_empty() {
            return BTreeMap::new();
        }
        match self {
            Self::Dpkg(_) | Self::Rpm(_) => owners::packages_of(paths),
            Self::Apk(_) => {
                let databases = apk::DATABASES.map(|path| System::live().path(path));
                let text = databases.iter().find_map(|path| files::read_text(path, MAX_DATABASE).ok());
                apk::owners(&text.unwrap_or_default(), paths)
            }
        }
    }
}
