//! Builds the fleet's image, or finds it cached, and prints what is pending in it. With the word `rpm`: that of hosts of RPM packages.

use tenon_fleet::{Image, Requirements, cache_dir};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("rpm") {
        Requirements::check_rpm()?;
        let image = Image::prepare_rpm(&cache_dir())?;
        println!("image at {}", image.root().display());
        return Ok(());
    }
    Requirements::check()?;
    let image = Image::prepare(&cache_dir())?;
    println!(
        "image at {}, {} packages with a pending security update:",
        image.root().display(),
        image.pending().len()
    );
    for pending in image.pending() {
        println!("  {} {} -> {}", pending.package, pending.installed, pending.candidate);
    }
    Ok(())
}
