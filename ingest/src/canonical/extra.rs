//! What a file has beyond the canonical columns, as the text of a JSON object.

/// One row's values without a column. Empty values are left out.
#[derive(Debug, Default)]
pub(super) struct ExtraObject(String);

impl ExtraObject {
    /// Forgets the row before.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds a value as a JSON string.
    pub fn add_text(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.add_json(name, &json_string(value));
        }
    }

    /// Adds a value that is JSON already.
    pub fn add_json(&mut self, name: &str, value: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.0.push_str(&json_string(name));
        self.0.push(':');
        self.0.push_str(value);
    }

    /// The object's text; empty if there is no value.
    pub fn finish(&mut self) -> &str {
        if !self.0.is_empty() {
            self.0.push('}');
        }
        &self.0
    }
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_are_kept() {
        let mut extra = ExtraObject::default();
        assert_eq!(extra.finish(), "");
        extra.add_text("region", "No\"rth");
        extra.add_text("city", "");
        extra.add_json("rank", "1.50");
        assert_eq!(extra.finish(), r#"{"region":"No\"rth","rank":1.50}"#);
        extra.clear();
        assert_eq!(extra.finish(), "");
    }
}
