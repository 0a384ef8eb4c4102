//! Amounts as decimals, which never pass through floating point: exact ones, and those of any length that a file may tell.

use std::fmt;

/// An exact amount: `units` divided by ten to the power of `scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal {
    /// All digits.
    pub units: i64,
    /// How many of them are behind the point; at most [`Decimal::SCALE_MAX`].
    pub scale: u32,
}

impl Decimal {
    /// The most digits behind the point that are kept.
    pub const SCALE_MAX: u32 = 9;

    /// The number in units of ten to the power of minus `scale`; `None` if it has more digits behind the point or does
    /// not fit.
    pub fn in_units(self, scale: u32) -> Option<i64> {
        self.units.checked_mul(10_i64.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    /// The same number without needless zeros behind the point.
    #[must_use]
    pub fn trimmed(mut self) -> Decimal {
        while self.scale > 0 && self.units % 10 == 0 {
            self.units /= 10;
            self.scale -= 1;
        }
        self
    }
}

impl From<i64> for Decimal {
    fn from(units: i64) -> Decimal {
        Decimal { units, scale: 0 }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.scale == 0 {
            return self.units.fmt(f);
        }
        let sign = if self.units < 0 { "-" } else { "" };
        let one = 10_u64.pow(self.scale);
        let (whole, part) = (self.units.unsigned_abs() / one, self.units.unsigned_abs() % one);
        write!(f, "{sign}{whole}.{part:0width$}", width = self.scale as usize)
    }
}

/// A number as a text tells it, however long: its digits divided by ten to the power of `places`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Written {
    negative: bool,
    /// The digits' values, without zeros at either end; none is zero.
    digits: Vec<u8>,
    /// How many digits are behind the point; negative where zeros follow the digits before the point.
    places: i64,
}

/// A number that was rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rounding {
    /// What was kept.
    pub(super) kept: Decimal,
    /// Whether that is the number itself.
    pub(super) exact: bool,
    /// How far off it is, in millionths of the unit that it was rounded to; 0 where only the noise of floats was lost.
    pub(super) lost_millionths: u64,
}

impl Written {
    /// A number of so few digits is meant as it stands; the traces that floats leave are longer.
    const MEANT_DIGITS: usize = 14;

    /// Reads an integer or a float as TOML and Python write them.
    pub(super) fn parse(text: &str) -> Option<Written> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, i64::from(exponent.parse::<i32>().ok()?)),
            None => (text, 0),
        };
        let (negative, mantissa) = match mantissa.as_bytes() {
            [b'-', ..] => (true, &mantissa[1..]),
            [b'+', ..] => (false, &mantissa[1..]),
            _ => (false, mantissa),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut digits = Vec::with_capacity(mantissa.len());
        let mut places = -exponent;
        for (part, behind_point) in [(whole, false), (fraction, true)] {
            for byte in part.bytes().filter(|&byte| byte != b'_') {
                digits.push(byte.is_ascii_digit().then(|| byte - b'0')?);
                places += i64::from(behind_point);
            }
        }
        if !whole.bytes().any(|byte| byte.is_ascii_digit()) {
            return None;
        }
        while digits.last() == Some(&0) {
            digits.pop();
            places -= 1;
        }
        digits.drain(..digits.iter().take_while(|&&digit| digit == 0).count());
        if digits.is_empty() {
            places = 0;
        }
        Some(Written { negative, digits, places })
    }

    /// The number itself, if a [`Decimal`] holds it.
    pub(super) fn exact(&self) -> Option<Decimal> {
        let scale = u32::try_from(self.places.max(0)).ok()?;
        (scale <= Decimal::SCALE_MAX).then(|| self.round(scale)).flatten().map(|rounding| rounding.kept)
    }

    /// The nearest number with at most `scale` digits behind the point; `None` if that is too large to hold.
    pub(super) fn round(&self, scale: u32) -> Option<Rounding> {
        let cut = self.places - i64::from(scale);
        let kept = usize::try_from(self.digits.len() as i64 - cut).unwrap_or(0).min(self.digits.len());
        let mut units = self.digits[..kept]
            .iter()
            .try_fold(0_i64, |units, &digit| units.checked_mul(10)?.checked_add(digit.into()))?;
        if cut < 0 && units != 0 {
            units = units.checked_mul(10_i64.checked_pow(u32::try_from(-cut).ok()?)?)?;
        }
        let cut_off = self.cut_off(cut, kept);
        if cut_off >= 0.5 {
            units = units.checked_add(1)?;
        }
        let lost = cut_off.min(1.0 - cut_off);
        Some(Rounding {
            kept: Decimal { units: if self.negative { -units } else { units }, scale }.trimmed(),
            exact: cut <= 0,
            lost_millionths: (lost * 1e6).round() as u64,
        })
    }

    /// The digits that are cut off as a part of the last one that is kept: at least 0, below 1.
    fn cut_off(&self, cut: i64, kept: usize) -> f64 {
        /// More change nothing that an `f64` shows.
        const DIGITS_MAX: usize = 20;
        // Zeros that stand between the point and the first digit.
        let zeros = usize::try_from(cut - self.digits.len() as i64).unwrap_or(0);
        let weights = (1..=DIGITS_MAX as i32).map(|place| 0.1_f64.powi(place));
        weights.skip(zeros.min(DIGITS_MAX)).zip(&self.digits[kept..]).map(|(w, &d)| w * f64::from(d)).sum()
    }

    /// The size, near enough to compare.
    fn size(&self) -> f64 {
        let leading = self.digits.iter().take(17).fold(0.0, |size, &digit| 10.0 * size + f64::from(digit));
        let leading_places = self.places - self.digits.len().saturating_sub(17) as i64;
        leading * 10_f64.powi(i32::try_from(-leading_places).unwrap_or(i32::MAX))
    }

    /// How many digits behind the point the number is meant to have; `None` if it is an endless fraction cut off somewhere.
    /// Sums of floats are off by the noise of the largest amount that went through them, `largest`.
    fn meant_scale(&self, largest: f64) -> Option<u32> {
        /// Some dozens of additions' worth of an `f64`'s last digit.
        const NOISE: f64 = 64.0 * f64::EPSILON;
        /// The unit must stand out from the noise, or a number met it by chance.
        const CLEAR_OF_NOISE: f64 = 1e3;
        let short = self.digits.len() <= Written::MEANT_DIGITS && self.places <= Decimal::SCALE_MAX.into();
        if short || self.places <= 0 {
            return u32::try_from(self.places.max(0)).ok();
        }
        let within = |noise: f64| {
            (0..=Decimal::SCALE_MAX).take_while(move |&scale| unit(scale) >= CLEAR_OF_NOISE * noise).find(
                move |&scale| {
                    let cut = self.places - i64::from(scale);
                    let kept = usize::try_from(self.digits.len() as i64 - cut).unwrap_or(0);
                    let cut_off = self.cut_off(cut, kept.min(self.digits.len()));
                    cut_off.min(1.0 - cut_off) * unit(scale) <= noise
                },
            )
        };
        within(NOISE * self.size()).or_else(|| within(NOISE * largest))
    }
}

fn unit(scale: u32) -> f64 {
    10_f64.powi(-(scale as i32))
}

/// The unit in which a hand's amounts are meant: all of them are rounded to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unit {
    scale: u32,
    largest: f64,
}

impl Unit {
    /// The finest unit that any amount needs which is told in full, or is off it by no more than the noise of floats.
    /// Endless fractions, such as a third of a pot, do not make it finer; but if a forced bet is one, the unit holds four of its
    /// digits.
    pub(super) fn of<'a>(
        forced_bets: impl Iterator<Item = &'a Written> + Clone,
        others: impl Iterator<Item = &'a Written> + Clone,
    ) -> Unit {
        const DIGITS_OF_FORCED_BETS: i64 = 4;
        let all = forced_bets.clone().chain(others);
        let largest = all.clone().map(Written::size).fold(0.0, f64::max);
        let meant = all.filter_map(|amount| amount.meant_scale(largest));
        let endless = forced_bets.filter(|bet| bet.meant_scale(largest).is_none()).map(|bet| {
            let places = DIGITS_OF_FORCED_BETS + bet.places - bet.digits.len() as i64;
            places.clamp(0, Decimal::SCALE_MAX.into()) as u32
        });
        Unit { scale: meant.chain(endless).max().unwrap_or(0), largest }
    }

    /// An amount that the unit was made for.
    pub(super) fn round(self, amount: &Written) -> Option<Rounding> {
        amount.round(self.scale)
    }

    /// An amount that may be finer than the unit, as the shares of a split pot may: kept as it is unless it is endless.
    pub(super) fn round_share(self, amount: &Written) -> Option<Rounding> {
        amount.round(amount.meant_scale(self.largest).unwrap_or(self.scale).max(self.scale))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Written {
        Written::parse(text).expect("a number")
    }

    fn unit_of(amounts: &[&str]) -> u32 {
        let amounts: Vec<Written> = amounts.iter().copied().map(written).collect();
        Unit::of(amounts[..1].iter(), amounts[1..].iter()).scale
    }

    #[test]
    fn numbers_are_read_in_every_spelling() {
        for (text, value) in [
            ("0", "0"),
            ("-0.0", "0"),
            ("1_000.50", "1000.5"),
            ("+12.5e2", "1250"),
            ("1E-2", "0.01"),
            ("00.10", "0.1"),
            ("5e0", "5"),
            ("-2", "-2"),
        ] {
            assert_eq!(
                written(text).exact().map(|value| value.to_string()).as_deref(),
                Some(value),
                "{text}"
            );
        }
        for text in ["", ".", ".5", "-", "e5", "1e", "1e99999999999", "1,5", "nan", "inf", "0x10", "1.2.3"] {
            assert_eq!(Written::parse(text), None, "{text}");
        }
        assert_eq!(written("1e30").exact(), None, "too large");
        assert_eq!(written("1e-30").exact(), None, "too fine");
    }

    #[test]
    fn numbers_of_any_length_are_rounded_to_the_nearest() {
        for (text, scale, value, lost) in [
            ("0.30000000000000004", 2, "0.3", 0),
            ("9.99999999999998", 2, "10", 0),
            ("1333.3333333333333", 2, "1333.33", 333_333),
            ("-1333.6666666666666", 0, "-1334", 333_333),
            ("0.005", 2, "0.01", 500_000),
            ("0.0000000000000000000000000000001", 9, "0", 0),
            ("1e-400", 2, "0", 0),
            ("0.00999", 1, "0", 99_900),
        ] {
            let rounding = written(text).round(scale).expect("it fits");
            assert_eq!(
                (rounding.kept.to_string().as_str(), rounding.lost_millionths),
                (value, lost),
                "{text}"
            );
            assert!(!rounding.exact);
        }
        let long = format!("{}.{}", "1".repeat(18), "7".repeat(1_000));
        assert_eq!(written(&long).round(0).map(|r| r.kept.units), Some(111_111_111_111_111_112));
        assert_eq!(written("1e300").round(2), None);
    }

    #[test]
    fn the_unit_is_the_finest_that_is_told_in_full() {
        for (amounts, scale) in [
            (&["0.05", "0.10", "1333.3333333333333", "0.30000000000000004"][..], 2),
            (&["1", "2", "1333.3333333333333"], 0),
            (&["50", "100", "0.15000000000000002"], 2),
            // What is left of a large stack is off by the large stack's noise.
            (&["1", "10000.05", "0.049999999999272404"], 2),
            (&["1", "9.99999999999998"], 0),
            (&["0.00000001", "0.12345678"], 8),
            (&["1e-2", "5"], 2),
            (&["1", "3.728391823712345"], 0),
            (&["0.1", "1.6791845976715"], 1),
            // Nothing else says what the unit is.
            (&["0.3333333333333333", "0.6666666666666666"], 4),
            (&["0.0001"], 4),
            (&["0.0000000000001"], 9),
        ] {
            assert_eq!(unit_of(amounts), scale, "{amounts:?}");
        }
    }
}
