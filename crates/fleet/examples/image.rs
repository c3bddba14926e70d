//! Builds the fleet's image, or finds it cached, and prints what is pending in it.

use tenon_fleet::{Image, Requirements, cache_dir};

fn main() -> Result<(), Box<dyn std::error::Error>> {
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
