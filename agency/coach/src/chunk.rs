//! What one event of a streamed chat completion says of the answer.
//!
//! Servers differ in what they leave out: events without choices (at the end with what was used, or at the beginning with what a filter thinks),
//! `null` for text, and an error in the middle of a stream that began with 200. All of that is met here.

use serde::Deserialize;
use serde_json::Value;

/// The longest message of an error that is kept, characters.
const MESSAGE_CHARS_MAX: usize = 200;

/// What an event says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    /// How the answer goes on, and why it ends, if it does.
    Part {
        /// May be empty.
        text: String,
        /// The model thinks, of which nothing is told.
        thinks: bool,
        /// It ends.
        ends: Option<Ends>,
    },
    /// There is no more.
    Over,
    /// The server gives up.
    Error(String),
}

/// Why an answer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// It is whole.
    Whole,
    /// It has as many tokens as it may have.
    Long,
    /// A filter has ended it.
    Filtered,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u32,
    #[serde(default)]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    /// What some models say in place of an answer.
    #[serde(default)]
    refusal: Option<String>,
    /// Thoughts, by either name.
    #[serde(default)]
    reasoning_content: Option<Value>,
    #[serde(default)]
    reasoning: Option<Value>,
}

impl Chunk {
    /// Reads the `data` of an event.
    ///
    /// # Errors
    /// When it is none of a chat completion.
    pub fn read(data: &str) -> Result<Self, serde_json::Error> {
        let data = data.trim();
        if data == "[DONE]" {
            return Ok(Self::Over);
        }
        let Wire { choices, error } = serde_json::from_str(data)?;
        if let Some(error) = error {
            return Ok(Self::Error(message(&error)));
        }
        let first = choices.unwrap_or_default().into_iter().find(|choice| choice.index == 0);
        let Some(Choice { delta, finish_reason, .. }) = first else {
            return Ok(Self::Part { text: String::new(), thinks: false, ends: None });
        };
        let Delta { content, refusal, reasoning_content, reasoning } = delta.unwrap_or_default();
        let thinks = [reasoning_content, reasoning].into_iter().flatten().any(|thought| !is_empty(&thought));
        let text = content.into_iter().chain(refusal).collect();
        let ends = finish_reason.filter(|why| !why.is_empty()).map(|why| match why.as_str() {
            "length" => Ends::Long,
            "content_filter" => Ends::Filtered,
            _ => Ends::Whole,
        });
        Ok(Self::Part { text, thinks, ends })
    }
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

/// What an `error` says, of whatever form it is.
pub(crate) fn message(error: &Value) -> String {
    let told = error.as_str().or_else(|| error.get("message")?.as_str());
    told.map_or_else(|| error.to_string(), str::to_owned).chars().take(MESSAGE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(text: &str, thinks: bool, ends: Option<Ends>) -> Chunk {
        Chunk::Part { text: text.into(), thinks, ends }
    }

    #[test]
    fn servers_may_leave_out_what_they_like() {
        for (data, chunk) in [
            (r#"{"choices":[{"index":0,"delta":{"content":"Fold"}}]}"#, part("Fold", false, None)),
            (r#"{"choices":[{"delta":{"content":"Fold"},"finish_reason":null}]}"#, part("Fold", false, None)),
            (r#"{"choices":[{"delta":{"role":"assistant","content":null}}]}"#, part("", false, None)),
            (r#"{"choices":[{"delta":{"reasoning_content":"Hm"}}]}"#, part("", true, None)),
            (r#"{"choices":[{"delta":{"reasoning":"Hm","content":""}}]}"#, part("", true, None)),
            (r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#, part("", false, Some(Ends::Whole))),
            (r#"{"choices":[{"finish_reason":"length"}]}"#, part("", false, Some(Ends::Long))),
            (
                r#"{"choices":[{"delta":null,"finish_reason":"content_filter"}]}"#,
                part("", false, Some(Ends::Filtered)),
            ),
            (r#"{"choices":[{"delta":{},"finish_reason":""}]}"#, part("", false, None)),
            (r#"{"choices":[{"delta":{"refusal":"No."}}]}"#, part("No.", false, None)),
            (r#"{"choices":[{"index":1,"delta":{"content":"another"}}]}"#, part("", false, None)),
            // What was used, at the end; what a filter thinks, at the beginning.
            (r#"{"choices":[],"usage":{"total_tokens":60}}"#, part("", false, None)),
            (r#"{"usage":{"total_tokens":60}}"#, part("", false, None)),
            (r#"{"choices":null}"#, part("", false, None)),
            ("[DONE]", Chunk::Over),
            (" [DONE] ", Chunk::Over),
            // With 200, and in the middle.
            (r#"{"error":{"message":"quota exceeded","code":429}}"#, Chunk::Error("quota exceeded".into())),
            (r#"{"choices":[],"error":"overloaded"}"#, Chunk::Error("overloaded".into())),
        ] {
            assert_eq!(Chunk::read(data).unwrap(), chunk, "{data}");
        }
    }

    #[test]
    fn what_is_no_event_of_a_chat_completion_is_an_error() {
        for data in ["", "<html>", r#"{"choices":[{"delta":{"content":"Fo"#, "[1]", r#"{"choices":"x"}"#] {
            assert!(Chunk::read(data).is_err(), "{data}");
        }
    }
}
