//! Runs the host library by hand or inside a test host and prints its report as JSON.
//!
//! ```text
//! host_probe inventory
//! ```

use tenon_host::System;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some("inventory") => {
            println!("{}", serde_json::to_string(&tenon_host::inventory(&System::live())?)?);
        }
        _ => return Err("usage: host_probe inventory".into()),
    }
    Ok(())
}
