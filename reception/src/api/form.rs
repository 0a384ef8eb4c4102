//! In which form a hand is wanted: what `Accept` says (RFC 9110, section 12.5.1).

use axum::http::{HeaderMap, header};

use crate::error::ApiError;

/// The forms in which a hand is told. The first that is wanted as much as any is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Json,
    Frames,
    OpenHandHistory,
    Phh,
    Text,
}

impl Form {
    const ALL: [Self; 5] = [Self::Json, Self::Frames, Self::OpenHandHistory, Self::Phh, Self::Text];

    /// Its media type.
    fn media(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Frames => "application/vnd.cardhouse.frames+json",
            Self::OpenHandHistory => "application/vnd.ohh+json",
            Self::Phh => "application/x-phh",
            Self::Text => "text/plain",
        }
    }

    /// As it is declared: what is no JSON says how it is written.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::Frames | Self::OpenHandHistory => self.media(),
            Self::Phh => "application/x-phh; charset=utf-8",
            Self::Text => "text/plain; charset=utf-8",
        }
    }

    /// Which is wanted; JSON where nothing is said.
    ///
    /// # Errors
    /// [`ApiError::NotAcceptable`] when none is.
    pub(super) fn wanted(headers: &HeaderMap) -> Result<Self, ApiError> {
        let said = headers.get_all(header::ACCEPT).iter().filter_map(|said| said.to_str().ok());
        let ranges: Vec<Range> = said.flat_map(|said| said.split(',')).filter_map(Range::read).collect();
        if ranges.is_empty() {
            return Ok(Self::Json);
        }
        // Of those that are wanted alike, the first.
        let best = Self::ALL.into_iter().rev().max_by_key(|form| wish(&ranges, form.media()));
        best.filter(|form| wish(&ranges, form.media()) > 0).ok_or(ApiError::NotAcceptable)
    }
}

/// How much this is wanted, in thousandths: what is said most precisely counts.
fn wish(ranges: &[Range], media: &str) -> u32 {
    let precise = ranges.iter().filter_map(|range| Some((range.precision(media)?, range.thousandths)));
    precise.max().map_or(0, |(_, thousandths)| thousandths)
}

/// Media that are wanted, such as `text/*;q=0.5`.
struct Range {
    media: String,
    thousandths: u32,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let media = parts.next().filter(|media| media.contains('/'))?.to_ascii_lowercase();
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        let weight = weight.map_or(Some(1.0), |weight| weight.parse::<f32>().ok())?;
        let is_weight = (0.0..=1.0).contains(&weight);
        is_weight.then(|| Self { media, thousandths: (weight * 1_000.0).round() as u32 })
    }

    /// How precisely it says this one; none if it says others.
    fn precision(&self, media: &str) -> Option<u8> {
        let of_its_kind =
            self.media.strip_suffix('*').filter(|kind| kind.ends_with('/') && media.starts_with(kind));
        match self.media.as_str() {
            named if named == media => Some(2),
            _ if of_its_kind.is_some() => Some(1),
            "*/*" => Some(0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(accept: &[&str]) -> Option<Form> {
        let mut headers = HeaderMap::new();
        for said in accept {
            headers.append(header::ACCEPT, said.parse().unwrap());
        }
        Form::wanted(&headers).ok()
    }

    #[test]
    fn the_form_is_the_one_that_is_wanted_most() {
        for (accept, form) in [
            (&[][..], Form::Json),
            (&["*/*"], Form::Json),
            (&["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"], Form::Json),
            (&["application/x-phh"], Form::Phh),
            (&["Application/X-PHH"], Form::Phh),
            (&["text/*"], Form::Text),
            (&["application/*"], Form::Json),
            (&["application/json;q=0.5, application/vnd.ohh+json"], Form::OpenHandHistory),
            (&["application/json;q=0.5", "text/plain;charset=utf-8;q=0.7"], Form::Text),
            (
                &["*/*, application/json;q=0, application/vnd.cardhouse.frames+json;q=0"],
                Form::OpenHandHistory,
            ),
            (&["application/vnd.cardhouse.frames+json"], Form::Frames),
            (&["*/*;q=0.1, application/x-phh;q=0.2, text/*;q=0.3, text/plain;q=0"], Form::Phh),
            (&["nonsense"], Form::Json),
        ] {
            assert_eq!(wanted(accept), Some(form), "{accept:?}");
        }
        for none in ["image/png", "application/json;q=0", "*/*;q=0", "text/html", "application/jso*"] {
            assert_eq!(wanted(&[none]), None, "{none}");
        }
    }
}
