//! Logistic regression with a ridge, by Newton's method.

/// A row of a training set: its terms, whether it came true, and how many rows it stands for.
#[derive(Debug, Clone)]
pub(crate) struct Row<const N: usize> {
    pub(crate) terms: [f64; N],
    pub(crate) came_true: bool,
    pub(crate) weight: f64,
}

const MOST_STEPS: usize = 60;
const CLOSE: f64 = 1e-10;

pub(crate) fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// The log-odds that intercept and coefficients give to values of terms.
pub(crate) fn log_odds(fitted: &[f64], terms: &[f64]) -> f64 {
    fitted[0] + fitted[1..].iter().zip(terms).map(|(b, x)| b * x).sum::<f64>()
}

/// What the ridge does with the intercept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intercept {
    /// Nothing: the level is learned from the rows alone.
    Free,
    /// It is drawn to its prior as the coefficients are.
    Held,
}

/// The log-odds at which rows come true.
pub(crate) fn base<'r, const N: usize>(rows: impl Iterator<Item = &'r Row<N>>) -> f64 {
    let (all, positive) = rows.fold((0.0, 0.0), |(all, positive), row| {
        (all + row.weight, positive + if row.came_true { row.weight } else { 0.0 })
    });
    ((positive + 0.5_f64) / (all + 1.0)).ln()
}

/// Intercept and coefficients of the terms `columns`: those that maximise the likelihood less half of `ridge` times the
/// squares of their distances from `prior`, from which the search begins. Rows are summed in their order, so that the result
/// is the same every time.
pub(crate) fn logistic_regression<'r, const N: usize>(
    rows: &(impl Iterator<Item = &'r Row<N>> + Clone),
    columns: &[usize],
    ridge: f64,
    prior: &[f64],
    intercept: Intercept,
) -> Vec<f64> {
    let size = columns.len() + 1;
    let mut fitted = prior.to_vec();
    let mut x = vec![1.0; size];
    for _ in 0..MOST_STEPS {
        let mut gradient = vec![0.0; size];
        let mut curvature = vec![0.0; size * size];
        for row in rows.clone() {
            for (place, column) in columns.iter().enumerate() {
                x[place + 1] = row.terms[*column];
            }
            let z: f64 = x.iter().zip(&fitted).map(|(x, b)| x * b).sum();
            let p = sigmoid(z);
            let error = row.weight * (f64::from(u8::from(row.came_true)) - p);
            let spread = row.weight * p * (1.0 - p);
            for i in 0..size {
                gradient[i] += error * x[i];
                for j in 0..=i {
                    curvature[i * size + j] += spread * x[i] * x[j];
                }
            }
        }
        for i in usize::from(intercept == Intercept::Free)..size {
            gradient[i] -= ridge * (fitted[i] - prior[i]);
            curvature[i * size + i] += ridge;
        }
        let step = solve(&mut curvature, &gradient);
        let longest = step.iter().fold(0.0_f64, |longest, part| longest.max(part.abs()));
        // A first step from far away may overshoot.
        let scale = if longest > 3.0 { 3.0 / longest } else { 1.0 };
        for (coefficient, part) in fitted.iter_mut().zip(&step) {
            *coefficient += scale * part;
        }
        if longest < CLOSE {
            break;
        }
    }
    fitted
}

/// Solves a symmetric positive system whose lower half is given, by Cholesky's factors.
fn solve(lower: &mut [f64], right: &[f64]) -> Vec<f64> {
    let size = right.len();
    for i in 0..size {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| lower[i * size + k] * lower[j * size + k]).sum();
            let rest = lower[i * size + j] - known;
            lower[i * size + j] = if i == j { rest.max(1e-12).sqrt() } else { rest / lower[j * size + j] };
        }
    }
    let mut solution = right.to_vec();
    for i in 0..size {
        let known: f64 = (0..i).map(|k| lower[i * size + k] * solution[k]).sum();
        solution[i] = (solution[i] - known) / lower[i * size + i];
    }
    for i in (0..size).rev() {
        let known: f64 = (i + 1..size).map(|k| lower[k * size + i] * solution[k]).sum();
        solution[i] = (solution[i] - known) / lower[i * size + i];
    }
    solution
}
