//! Figures as people read them.

use std::time::Duration;

use tieout::core::Amount;

/// A count with thousands separators.
pub fn grouped(count: u64) -> String {
    group_digits(&count.to_string())
}

/// `1 line`, `2 lines`, `1,000 lines`.
pub fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(count))
}

/// An amount with thousands separators.
pub fn money(amount: Amount) -> String {
    let text = amount.abs().to_string();
    let (major, decimals) = text.split_once('.').unwrap_or((&text, "00"));
    let sign = if amount.is_negative() { "-" } else { "" };
    format!("{sign}{}.{decimals}", group_digits(major))
}

/// What part of `whole` the `part` is, in percent with one decimal, rounded down; nothing where
/// there is no whole.
pub fn share(part: Amount, whole: Amount) -> String {
    if whole.is_zero() {
        return String::new();
    }
    let per_mille = part.units() * 1000 / whole.units();
    format!("{}.{}%", per_mille / 10, per_mille % 10)
}

/// Bytes in the largest unit that leaves at least one.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!(
            "{}.{} MB",
            grouped(bytes / 1_000_000),
            bytes % 1_000_000 / 100_000
        ),
    }
}

/// Seconds with two decimals, milliseconds below a second.
pub fn duration(elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(1) {
        format!("{} ms", elapsed.as_millis())
    } else {
        format!("{:.2} s", elapsed.as_secs_f64())
    }
}

/// How many in a second.
pub fn per_second(count: u64, elapsed: Duration) -> u64 {
    let nanos = elapsed.as_nanos().max(1);
    u64::try_from(u128::from(count) * 1_000_000_000 / nanos).unwrap_or(u64::MAX)
}

/// Megabytes in a second, with one decimal.
pub fn throughput(bytes: u64, elapsed: Duration) -> String {
    let tenths = per_second(bytes, elapsed) / 100_000;
    format!("{}.{}", grouped(tenths / 10), tenths % 10)
}

fn group_digits(digits: &str) -> String {
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn digits_are_grouped_in_threes() {
        for (count, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(count), text);
        }
        assert_eq!(money("-1234567.5".parse().unwrap()), "-1,234,567.50");
        assert_eq!(money("0.12345".parse().unwrap()), "0.12345");
    }

    #[test]
    fn shares_never_claim_more_than_there_is() {
        let of = |part: &str, whole: &str| share(part.parse().unwrap(), whole.parse().unwrap());
        assert_eq!(of("999.99", "1000"), "99.9%");
        assert_eq!(of("5", "1000"), "0.5%");
        assert_eq!(of("0", "0"), "");
    }

    #[test]
    fn sizes_and_times_have_units() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(4_200), "4.2 kB");
        assert_eq!(size(1_234_567_890), "1,234.5 MB");
        assert_eq!(duration(Duration::from_millis(84)), "84 ms");
        assert_eq!(duration(Duration::from_millis(3_450)), "3.45 s");
        assert_eq!(per_second(500, Duration::from_millis(250)), 2_000);
        assert_eq!(throughput(4_250_000, Duration::from_secs(2)), "2.1");
    }
}
