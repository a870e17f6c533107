//! The regression: how much each opinion weighs.
//!
//! Of the candidates of a row one was right. The probability of each is the softmax of its weighed features (McFadden's
//! conditional logit), and the weights are those under which what happened was likeliest, pulled a little to zero, so that
//! opinions that say the same share the weight. It is convex; Newton's method with smartcore's Cholesky needs some ten steps.
//!
//! Some rows follow no rule: somebody was given something else. A product of opinions that must allow for them trusts itself
//! too little everywhere. So the product is [`blend`]ed with what single opinions say: a row that the product cannot explain
//! and another can, counts less when the weights are learned (expectation and maximisation, in turns).

use smartcore::linalg::{basic::matrix::DenseMatrix, traits::cholesky::CholeskyDecomposable};

/// Rows to learn from, flat.
#[derive(Debug, Default)]
pub(super) struct Cases {
    /// How many features a candidate has.
    pub(super) width: usize,
    /// How many witnesses there are.
    pub(super) witnesses: usize,
    /// For each row, how many candidates it has and which one was right.
    pub(super) rows: Vec<(u32, u32)>,
    /// For each row, how many features are anything: of the slots of an opinion one is in use, the same for all candidates.
    pub(super) live: Vec<u16>,
    /// For each row, which ones these are.
    pub(super) places: Vec<u16>,
    /// For each candidate of each row, those features.
    pub(super) features: Vec<f32>,
    /// For each row, the shares that each witness gave to what came.
    pub(super) shares: Vec<f32>,
}

/// What was learned.
pub(super) struct Blend {
    /// A weight for each feature.
    pub(super) weights: Vec<f64>,
    /// The part of the product in the probability, then the part of each witness. They add up to one.
    pub(super) parts: Vec<f64>,
}

/// How strongly weights are pulled to zero.
const PULL: f64 = 3.0;

/// Newton's steps, at most.
const STEPS: usize = 15;

/// A step that wins less of the loss than this was the last.
const LEAST_WIN: f64 = 1e-5;

/// By how many rows the curvature is measured, at most. It only says how far to go; where to go, all rows say.
const BENT: usize = 8000;

/// A candidate that is less likely than this bends nothing.
const LEAST_SHARE: f64 = 1e-4;

/// In how many turns weights and parts are learned.
const TURNS: usize = 6;

/// Learns the weights of the product, and the parts of it and of the witnesses. `None` when the numbers make no sense, or
/// when `go_on`, asked between turns with how far it is, says no.
pub(super) fn blend(cases: &Cases, mut go_on: impl FnMut(f64) -> bool) -> Option<Blend> {
    let several = cases.witnesses;
    let mut beliefs = vec![1.0; cases.rows.len()];
    let mut weights = fit(cases, &beliefs, vec![0.0; cases.width])?;
    let mut parts = vec![0.1 / several as f64; several + 1];
    parts[0] = 0.9;
    for turn in 0..TURNS {
        if !go_on(turn as f64 / TURNS as f64) {
            return None;
        }
        let mut product = Vec::with_capacity(cases.rows.len());
        walk(cases, &weights, |seen, shares| product.push(shares[seen.right]));
        for _ in 0..3 {
            parts = share_out(cases, &product, &parts, &mut beliefs);
        }
        weights = fit(cases, &beliefs, weights)?;
    }
    Some(Blend { weights, parts })
}

/// Who explains each row, the product (its belief) or a witness; and the parts that follow from that.
fn share_out(cases: &Cases, product: &[f64], parts: &[f64], beliefs: &mut [f64]) -> Vec<f64> {
    let several = cases.witnesses;
    let mut sums = vec![0.0; parts.len()];
    for (at, (belief, product)) in beliefs.iter_mut().zip(product).enumerate() {
        let shares = &cases.shares[at * several..(at + 1) * several];
        let witnessed: f64 = shares.iter().zip(&parts[1..]).map(|(share, part)| f64::from(*share) * part).sum();
        let of_product = parts[0] * product;
        let total = (of_product + witnessed).max(1e-300);
        *belief = of_product / total;
        sums[0] += *belief;
        for ((sum, share), part) in sums[1..].iter_mut().zip(shares).zip(&parts[1..]) {
            *sum += f64::from(*share) * part / total;
        }
    }
    let all: f64 = sums.iter().sum();
    sums.iter().map(|sum| (sum + 1e-3) / (all + 1e-3 * parts.len() as f64)).collect()
}

/// Learns the weights, from these on; each row counts as much as is believed of it.
fn fit(cases: &Cases, beliefs: &[f64], mut weights: Vec<f64>) -> Option<Vec<f64>> {
    let mut loss = loss(cases, beliefs, &weights);
    for _ in 0..STEPS {
        let (gradient, curvature) = slope(cases, beliefs, &weights);
        let step = solve(curvature, &gradient)?;
        let mut share = 1.0;
        let (next, reached) = loop {
            let next: Vec<f64> = weights.iter().zip(&step).map(|(weight, step)| weight - share * step).collect();
            let reached = self::loss(cases, beliefs, &next);
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
        if won < LEAST_WIN * loss.abs().max(1.0) {
            break;
        }
    }
    weights.iter().all(|weight| weight.is_finite()).then_some(weights)
}

/// One row, as the regression sees it.
struct Seen<'c> {
    /// Which features are anything.
    places: &'c [u16],
    /// They, for each candidate.
    features: &'c [f32],
    right: usize,
}

/// Calls with each row and the shares of its candidates.
fn walk(cases: &Cases, weights: &[f64], mut each: impl FnMut(&Seen<'_>, &[f64])) {
    let (mut from, mut first, mut shares, mut chosen) = (0, 0, vec![], vec![]);
    for (&(several, right), &live) in cases.rows.iter().zip(&cases.live) {
        let (to, last) = (from + several as usize * usize::from(live), first + usize::from(live));
        let (features, places) = (&cases.features[from..to], &cases.places[first..last]);
        chosen.clear();
        chosen.extend(places.iter().map(|place| weights[usize::from(*place)]));
        let score =
            |one: &[f32]| one.iter().zip(&chosen).map(|(&feature, weight)| f64::from(feature) * weight).sum::<f64>();
        shares.clear();
        shares.extend(features.chunks_exact(places.len()).map(score));
        let most = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        shares.iter_mut().for_each(|share: &mut f64| *share = (*share - most).exp());
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        each(&Seen { places, features, right: right as usize }, &shares);
        (from, first) = (to, last);
    }
}

fn loss(cases: &Cases, beliefs: &[f64], weights: &[f64]) -> f64 {
    let mut loss = 0.5 * PULL * weights.iter().map(|weight| weight.powi(2)).sum::<f64>();
    let mut beliefs = beliefs.iter();
    walk(cases, weights, |seen, shares| {
        loss -= beliefs.next().copied().unwrap_or(1.0) * shares[seen.right].max(1e-300).ln();
    });
    loss
}

/// The gradient, and the curvature row by row.
fn slope(cases: &Cases, beliefs: &[f64], weights: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let width = cases.width;
    let mut gradient: Vec<f64> = weights.iter().map(|weight| PULL * weight).collect();
    let mut curvature = vec![0.0; width * width];
    let (mut mean, mut away, mut beliefs) = (vec![], vec![], beliefs.iter());
    let (every, mut row) = (cases.rows.len().div_ceil(BENT).max(1), 0_usize);
    walk(cases, weights, |&Seen { places, features, right }, shares| {
        let belief = beliefs.next().copied().unwrap_or(1.0);
        let live = places.len();
        mean.clear();
        mean.resize(live, 0.0);
        for (one, share) in features.chunks_exact(live).zip(shares) {
            one.iter().zip(&mut mean).for_each(|(&feature, mean)| *mean += share * f64::from(feature));
        }
        let chosen = &features[right * live..(right + 1) * live];
        for ((place, mean), &feature) in places.iter().zip(&mean).zip(chosen) {
            gradient[usize::from(*place)] += belief * (mean - f64::from(feature));
        }
        row += 1;
        if !row.is_multiple_of(every) {
            return;
        }
        for (one, share) in features.chunks_exact(live).zip(shares).filter(|(_, share)| **share > LEAST_SHARE) {
            away.clear();
            away.extend(one.iter().zip(&mean).map(|(&feature, mean)| f64::from(feature) - mean));
            for (nth, place) in places.iter().enumerate() {
                let weighed = every as f64 * belief * share * away[nth];
                let line = &mut curvature[usize::from(*place) * width..];
                for (other, away) in places[..=nth].iter().zip(&away) {
                    line[usize::from(*other)] += weighed * away;
                }
            }
        }
    });
    for at in 0..width {
        curvature[at * width + at] += PULL;
        for other in 0..at {
            curvature[other * width + at] = curvature[at * width + other];
        }
    }
    (gradient, curvature)
}

fn solve(curvature: Vec<f64>, gradient: &[f64]) -> Option<Vec<f64>> {
    // Only here: the trait gives every slice a `get` of its own.
    use smartcore::linalg::basic::arrays::Array;
    let width = gradient.len();
    let matrix = DenseMatrix::new(width, width, curvature, false).ok()?;
    let right = DenseMatrix::new(width, 1, gradient.to_vec(), false).ok()?;
    let step = matrix.cholesky_solve_mut(right).ok()?;
    Some((0..width).map(|at| *step.get((at, 0))).collect())
}
