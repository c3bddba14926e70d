//! Compiles the built page (`web/dist`) into the server.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Shown where the page was not built; the API works all the same.
const NOT_BUILT: &str = "<!doctype html><title>Tenon</title><p>This build of Tenon has no page: \
    run <code>npm ci &amp;&amp; npm run build</code> in <code>web/</code>, then build again (<code>cargo xtask up</code> does both). \
    <a href=\"/board\">One sheet</a> needs none.";

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../web/dist");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    collect(&folder, &folder, &mut files)?;
    files.sort();
    let mut code = String::from("pub(super) const FILES: &[(&str, &str, &[u8])] = &[\n");
    if !files.iter().any(|(path, _)| path == "/index.html") {
        let page = out.join("not-built.html");
        fs::write(&page, NOT_BUILT)?;
        files = vec![("/index.html".to_owned(), page)];
    }
    for (path, file) in files {
        let kind = match file.extension().and_then(|extension| extension.to_str()) {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => "application/octet-stream",
        };
        let path = if path == "/index.html" { "/".to_owned() } else { path };
        writeln!(code, "    ({path:?}, {kind:?}, include_bytes!({:?})),", file.canonicalize()?)
            .map_err(io::Error::other)?;
    }
    code.push_str("];\n");
    fs::write(out.join("page.rs"), code)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if let Ok(relative) = path.strip_prefix(root) {
            files.push((format!("/{}", relative.display()), path));
        }
    }
    Ok(())
}
