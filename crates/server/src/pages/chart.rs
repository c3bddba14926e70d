//! Exposure day by day as a picture.

use std::fmt::Write as _;

use maud::{Markup, html};
use tenon_engine::TrendDay;

use super::words::points;

const WIDTH: i64 = 600;
const HEIGHT: i64 = 96;
/// Room above and below the lines.
const EDGE: i64 = 4;

/// Where a value stands, in tenths of a unit of the picture.
fn height(value: i64, lowest: i64, highest: i64) -> i64 {
    let (value, lowest, highest) = (i128::from(value), i128::from(lowest), i128::from(highest));
    let room = i128::from(HEIGHT - 2 * EDGE) * 10;
    let up = (value - lowest) * room / (highest - lowest).max(1);
    i128::from((HEIGHT - EDGE) * 10).saturating_sub(up).try_into().unwrap_or_default()
}

fn tenths(of: i64) -> String {
    format!("{}.{}", of / 10, of % 10)
}

fn line(values: &[i64], lowest: i64, highest: i64) -> String {
    let last = i64::try_from(values.len()).unwrap_or(i64::MAX).saturating_sub(1).max(1);
    let mut path = String::new();
    for (at, value) in (0..).zip(values) {
        let (x, y) = (WIDTH * 10 * at / last, height(*value, lowest, highest));
        // Writing to a text cannot fail.
        let _written = write!(path, "{}{} {}", if at == 0 { "M" } else { "L" }, tenths(x), tenths(y));
    }
    path
}

/// Exposure, and the same like for like; the words beside it say what it begins and ends with.
pub(super) fn chart(days: &[TrendDay]) -> Markup {
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return html! {} };
    let exposure: Vec<i64> = days.iter().map(|day| day.exposure).collect();
    let like: Vec<i64> = days.iter().map(|day| day.like_for_like).collect();
    let highest = exposure.iter().chain(&like).copied().max().unwrap_or_default().max(1);
    let lowest = like.iter().copied().min().unwrap_or_default().min(0);
    let whole = line(&exposure, lowest, highest);
    let says = format!(
        "Exposure from {} to {} risk points; like for like to {}",
        points(first.exposure),
        points(last.exposure),
        points(last.like_for_like)
    );
    html! {
        figure.chart {
            p.sub.highest { (points(highest)) }
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) preserveAspectRatio="none" role="img" aria-label=(says) {
                path.area d=(format!("{whole}L{WIDTH} {HEIGHT}L0 {HEIGHT}Z")) {}
                path.whole d=(whole) {}
                path.like d=(line(&like, lowest, highest)) {}
            }
            figcaption.sub {
                span { (crate::view::day_of(first.day)) }
                span {
                    span.key.whole aria-hidden="true" {} " exposure "
                    span.key.like aria-hidden="true" {} " like for like"
                }
                span { (crate::view::day_of(last.day)) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_in_its_picture_whatever_the_values() {
        assert_eq!(line(&[0, 50, 100], 0, 100), "M0.0 92.0L300.0 48.0L600.0 4.0");
        assert_eq!(line(&[i64::MIN, i64::MAX], i64::MIN, i64::MAX), "M0.0 92.0L600.0 4.0");
        assert_eq!(line(&[7], 0, 7), "M0.0 4.0");
    }
}
