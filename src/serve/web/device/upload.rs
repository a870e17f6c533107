//! A form with a file in it.

use axum::{
    body::Body,
    http::{HeaderMap, StatusCode, header},
};
use multer::{Constraints, Multipart, SizeLimit, parse_boundary};

use crate::usage::roster::LARGEST;

use super::super::Trouble;

/// How much more than the file a form may be, in bytes.
const BESIDES: u64 = 64 << 10;

/// What was sent.
#[derive(Debug, Default)]
pub(super) struct Upload {
    /// The file's name, as the browser has it.
    pub(super) name: String,
    /// What is in it.
    pub(super) bytes: Vec<u8>,
    /// The other fields.
    pub(super) fields: Vec<(String, String)>,
}

impl Upload {
    /// Reads a form; a file that is too large is refused before all of it was read.
    pub(super) async fn read(headers: &HeaderMap, body: Body) -> Result<Self, Trouble> {
        let wrong = |why: multer::Error| match why {
            multer::Error::StreamSizeExceeded { .. } | multer::Error::FieldSizeExceeded { .. } => {
                let why = format!("The file has more than {} MiB.", LARGEST >> 20);
                Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "That is too much", why, "Split it.")
            }
            why => Trouble::bad(why, "Choose the file again."),
        };
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let boundary = parse_boundary(kind).map_err(wrong)?;
        let limit = SizeLimit::new().whole_stream(LARGEST as u64 + BESIDES);
        let constraints = Constraints::new().size_limit(limit);
        let mut form = Multipart::with_constraints(body.into_data_stream(), boundary, constraints);
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await.map_err(wrong)? {
            match (field.name().map(str::to_owned), field.file_name().map(str::to_owned)) {
                (Some(name), Some(file)) if name == "file" => {
                    upload.name = file;
                    upload.bytes = field.bytes().await.map_err(wrong)?.to_vec();
                }
                (Some(name), None) => upload.fields.push((name, field.text().await.map_err(wrong)?)),
                _ => {}
            }
        }
        Ok(upload)
    }

    /// What a field says.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
    }
}
