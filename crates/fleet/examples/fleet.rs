//! A test fleet for work by hand.
//!
//! ```text
//! fleet up 3 --full      hosts h1, h2, h3 and their repository, until Ctrl-C
//! fleet list             their names and addresses
//! fleet exec h1 CMD...   in another terminal
//! fleet copy h1 FILE TO
//! fleet cut|join|power-off|boot h1
//! fleet down             remove what a killed `up` left behind
//! ```

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use tenon_fleet::{Boot, Image, Lab, Requirements, cache_dir, wait_until};

const LAB: &str = "byhand";

fn main() -> Result<(), Box<dyn Error>> {
    Requirements::check()?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let image = Image::prepare(&cache_dir())?;
    match words.as_slice() {
        ["up", rest @ ..] => up(&image, rest),
        ["list"] => {
            let lab = Lab::open(&image, LAB)?;
            for name in lab.hosts()? {
                println!("{name} {}", lab.open_host(&name)?.ip());
            }
            Ok(())
        }
        ["exec", host, command @ ..] if !command.is_empty() => {
            let status = Lab::open(&image, LAB)?.open_host(host)?.command()?.args(command).status()?;
            std::process::exit(status.code().unwrap_or(1))
        }
        ["copy", host, file, to] => {
            Ok(Lab::open(&image, LAB)?.open_host(host)?.copy_in(Path::new(file), to)?)
        }
        ["cut", host] => Ok(Lab::open(&image, LAB)?.open_host(host)?.cut()?),
        ["join", host] => Ok(Lab::open(&image, LAB)?.open_host(host)?.join()?),
        ["power-off", host] => Ok(Lab::open(&image, LAB)?.open_host(host)?.power_off()?),
        ["boot", host] => Ok(Lab::open(&image, LAB)?.open_host(host)?.boot(Boot::Full)?),
        ["down"] => Ok(Lab::open(&image, LAB)?.destroy()?),
        _ => Err("usage: fleet up [N] [--full] | list | exec HOST CMD... | copy HOST FILE TO | \
                  cut|join|power-off|boot HOST | down"
            .into()),
    }
}

/// Boots the hosts and serves their repository until the process is ended from the terminal.
fn up(image: &Image, rest: &[&str]) -> Result<(), Box<dyn Error>> {
    let boot = if rest.contains(&"--full") { Boot::Full } else { Boot::Light };
    let count: usize = rest.iter().find(|word| !word.starts_with("--")).map_or(Ok(1), |word| word.parse())?;
    let lab = Lab::keep(image, LAB)?;
    let result = serve(&lab, image, boot, count);
    lab.destroy()?;
    result
}

fn serve(lab: &Lab, image: &Image, boot: Boot, count: usize) -> Result<(), Box<dyn Error>> {
    let mirror = lab.serve_mirror(image)?;
    for number in 1..=count {
        let host = lab.host(&format!("h{number}"))?;
        host.boot(boot)?;
        println!("{} {}", host.name(), host.ip());
    }
    println!("repository {}; press Enter to end", mirror.url());
    // Ends with the terminal, too.
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    if line.is_empty() {
        // No terminal: stay until `fleet down` takes the lab away.
        wait_until("the lab's end", Duration::from_secs(86_400), || Ok((!lab.dir().exists()).then_some(())))?;
    }
    Ok(())
}
