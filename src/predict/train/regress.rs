//! The regression: how much each opinion weighs.
//!
//! Of the candidates of a row one was right. The probability of each is the softmax of its weighed features (McFadden's
//! conditional logit), and the weights are those under which what happened was likeliest, with a small pull to a given start
//! so that opinions that say the same share the weight. It is convex; Newton's method with smartcore's Cholesky needs some ten steps.

use smartcore::linalg::{
    basic::{arrays::Array, matrix::DenseMatrix},
    traits::cholesky::CholeskyDecomposable,
};

/// Rows to learn from, flat.
#[derive(Debug, Default)]
pub(super) struct Cases {
    pub(super) width: usize,
    /// For each row, how many candidates it has and which one was right.
    pub(super) rows: Vec<(u32, u32)>,
    /// For each candidate of each row, `width` numbers.
    pub(super) features: Vec<f32>,
}

/// Newton's steps, at most.
const STEPS: usize = 25;

/// Learns the weights, beginning at `start` and pulled to it by `pull`. `None` when the numbers make no sense.
pub(super) fn fit(cases: &Cases, start: &[f64], pull: f64) -> Option<Vec<f64>> {
    let mut weights = start.to_vec();
    let mut loss = loss(cases, &weights, start, pull);
    for _ in 0..STEPS {
        let (gradient, curvature) = slope(cases, &weights, start, pull);
        let step = solve(curvature, &gradient)?;
        let mut share = 1.0;
        let (next, reached) = loop {
            let next: Vec<f64> = weights.iter().zip(&step).map(|(weight, step)| weight - share * step).collect();
            let reached = self::loss(cases, &next, start, pull);
            if reached <= loss || share < 1e-4 {
                break (next, reached);
            }
            share /= 2.0;
        };
        if !reached.is_finite() || reached > loss {
            break;
        }
        let won = loss - reached;
        (weights, loss) = (next, reached);
        if won < 1e-6 * loss.abs().max(1.0) {
            break;
        }
    }
    weights.iter().all(|weight| weight.is_finite()).then_some(weights)
}

/// Calls with the features, the shares and the right one of each row.
fn walk(cases: &Cases, weights: &[f64], mut each: impl FnMut(&[f32], &[f64], usize)) {
    let (mut from, mut shares) = (0, vec![]);
    for &(several, right) in &cases.rows {
        let to = from + several as usize * cases.width;
        let features = &cases.features[from..to];
        shares.clear();
        shares.extend(
            features
                .chunks_exact(cases.width)
                .map(|one| one.iter().zip(weights).map(|(&feature, weight)| f64::from(feature) * weight).sum::<f64>()),
        );
        let most = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        shares.iter_mut().for_each(|share| *share = (*share - most).exp());
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        each(features, &shares, right as usize);
        from = to;
    }
}

fn loss(cases: &Cases, weights: &[f64], start: &[f64], pull: f64) -> f64 {
    let away: f64 = weights.iter().zip(start).map(|(weight, start)| (weight - start).powi(2)).sum();
    let mut loss = 0.5 * pull * away;
    walk(cases, weights, |_, shares, right| loss -= shares[right].max(1e-300).ln());
    loss
}

/// The gradient, and the curvature row by row.
fn slope(cases: &Cases, weights: &[f64], start: &[f64], pull: f64) -> (Vec<f64>, Vec<f64>) {
    let width = cases.width;
    let mut gradient: Vec<f64> = weights.iter().zip(start).map(|(weight, start)| pull * (weight - start)).collect();
    let mut curvature = vec![0.0; width * width];
    let (mut mean, mut live) = (vec![0.0; width], vec![]);
    walk(cases, weights, |features, shares, right| {
        mean.fill(0.0);
        for (one, share) in features.chunks_exact(width).zip(shares) {
            one.iter().zip(&mut mean).for_each(|(&feature, mean)| *mean += share * f64::from(feature));
        }
        let chosen = &features[right * width..(right + 1) * width];
        for ((slope, mean), &feature) in gradient.iter_mut().zip(&mean).zip(chosen) {
            *slope += mean - f64::from(feature);
        }
        // Most features are nothing for a row: only one slot of an opinion is in use.
        live.clear();
        live.extend((0..width).filter(|at| mean[*at] != 0.0));
        for (one, share) in features.chunks_exact(width).zip(shares).filter(|(_, share)| **share > 1e-9) {
            for (nth, &at) in live.iter().enumerate() {
                let weighed = share * (f64::from(one[at]) - mean[at]);
                for &other in &live[..=nth] {
                    curvature[at * width + other] += weighed * (f64::from(one[other]) - mean[other]);
                }
            }
        }
    });
    for at in 0..width {
        curvature[at * width + at] += pull;
        for other in 0..at {
            curvature[other * width + at] = curvature[at * width + other];
        }
    }
    (gradient, curvature)
}

fn solve(curvature: Vec<f64>, gradient: &[f64]) -> Option<Vec<f64>> {
    let width = gradient.len();
    let matrix = DenseMatrix::new(width, width, curvature, false).ok()?;
    let right = DenseMatrix::new(width, 1, gradient.to_vec(), false).ok()?;
    let step = matrix.cholesky_solve_mut(right).ok()?;
    Some((0..width).map(|at| *step.get((at, 0))).collect())
}
