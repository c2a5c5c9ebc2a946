//! Names as people write them where several may be meant.

/// A name in which `*` stands for any letters and `?` for one. Letters may be large or small.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(String);

impl Pattern {
    /// As it was typed: with its schema in front, perhaps, or in double quotes.
    pub fn of(text: &str) -> Self {
        let name = text.replace('"', "").to_lowercase();
        let name = name.strip_prefix("public.").unwrap_or(&name);
        Self(name.to_owned())
    }

    /// Whether `name` is meant.
    pub fn is(&self, name: &str) -> bool {
        let letters: Vec<char> = self.0.chars().collect();
        let mut left: Vec<bool> = vec![false; letters.len() + 1];
        left[0] = true;
        skip_stars(&letters, &mut left);
        for letter in name.chars().flat_map(char::to_lowercase) {
            let mut next = vec![false; letters.len() + 1];
            for (place, &wanted) in letters.iter().enumerate() {
                if left[place] {
                    match wanted {
                        '*' => next[place] = true,
                        '?' => next[place + 1] = true,
                        wanted => next[place + 1] |= wanted == letter,
                    }
                }
            }
            skip_stars(&letters, &mut next);
            left = next;
        }
        left[letters.len()]
    }
}

/// A star may stand for no letter.
fn skip_stars(letters: &[char], reached: &mut [bool]) {
    for (place, &letter) in letters.iter().enumerate() {
        reached[place + 1] |= letter == '*' && reached[place];
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, name, is_meant) in [
            ("payments", "payments", true),
            ("PAYMENTS", "payments", true),
            ("public.\"payments\"", "payments", true),
            ("pay", "payments", false),
            ("pay*", "payments", true),
            ("*ments", "payments", true),
            ("*a*e*", "payments", true),
            ("*x*", "payments", false),
            ("payment?", "payments", true),
            ("payments?", "payments", false),
            ("?ay*s", "payments", true),
            ("*", "", true),
            ("", "payments", false),
        ] {
            assert_eq!(Pattern::of(pattern).is(name), is_meant, "{pattern} {name}");
        }
    }
}
