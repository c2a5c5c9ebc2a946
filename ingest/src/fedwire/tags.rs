//! The tags of a message and the elements of their values; the table is `tags.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

/// A tag's number, as it stands between braces.
pub(super) type Tag = u16;

#[derive(Deserialize)]
struct Layout {
    tag: Tag,
    name: String,
    #[serde(default)]
    fixed: Vec<usize>,
    #[serde(default)]
    variable: Vec<usize>,
}

#[derive(Deserialize)]
struct Layouts {
    tag: Vec<Layout>,
}

static LAYOUTS: LazyLock<Vec<Layout>> = LazyLock::new(|| {
    let table = toml::from_str(include_str!("tags.toml"));
    table.map(|table: Layouts| table.tag).unwrap_or_default()
});

fn layout(tag: Tag) -> Option<&'static Layout> {
    LAYOUTS.iter().find(|layout| layout.tag == tag)
}

/// What the tag is in words, if it is one.
pub(super) fn name(tag: Tag) -> Option<&'static str> {
    layout(tag).map(|layout| layout.name.as_str())
}

/// The elements of `value`, without blanks at their ends; those that are absent are empty.
pub(super) fn elements(tag: Tag, value: &[u8]) -> Vec<&[u8]> {
    let Some(layout) = layout(tag) else {
        return vec![value.trim_ascii()];
    };
    let mut rest = value;
    let mut found = Vec::new();
    for &width in &layout.fixed {
        let length = width.min(rest.len());
        found.push(rest[..length].trim_ascii());
        rest = &rest[length..];
    }
    if layout.fixed.is_empty() && layout.variable.is_empty() {
        found.push(rest.trim_ascii());
    } else if rest.contains(&b'*') {
        let ended = rest.trim_ascii_end();
        let ended = ended.strip_suffix(b"*").unwrap_or(ended);
        found.extend(ended.split(|&byte| byte == b'*').map(<[u8]>::trim_ascii));
    } else {
        for &width in &layout.variable {
            let length = width.min(rest.len());
            found.push(rest[..length].trim_ascii());
            rest = &rest[length..];
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(tag: Tag, value: &str) -> Vec<String> {
        let elements = elements(tag, value.as_bytes()).into_iter();
        elements
            .map(|element| String::from_utf8_lossy(element).into_owned())
            .collect()
    }

    #[test]
    fn values_are_cut_by_stars_or_by_widths() {
        assert_eq!(
            cut(3100, "091000019Harbor Trust*"),
            ["091000019", "Harbor Trust"]
        );
        assert_eq!(
            cut(3100, "091000019Harbor Trust"),
            ["091000019", "Harbor Trust"]
        );
        assert_eq!(
            cut(4200, "D4400128871*Fox Ltd**Duluth*"),
            ["D", "4400128871", "Fox Ltd", "", "Duluth"]
        );
        let wide = format!("D{:<34}{:<35}Mill Lane", "4400128871", "Fox Ltd");
        assert_eq!(
            cut(4200, &wide)[..4],
            ["D", "4400128871", "Fox Ltd", "Mill Lane"]
        );
        assert_eq!(cut(2000, "00000"), ["00000"]);
        assert_eq!(cut(9000, "a*b*"), ["a*b*"]);
        assert!(name(1510).is_some() && name(1599).is_none());
    }
}
